"""The table shows a row for each class and one for all of them."""

from __future__ import annotations

import io

from rich.console import Console

from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.metrics import metrics_of
from kazu_distill.scoring.table import score_table


def test_the_table_has_percentages_support_and_a_dash_for_a_class_that_does_not_occur() -> None:
    counts = {
        "disease, disorder, phenotype or trait": Counts(1500, 500, 0),
        "[bold]": Counts(),
        "drug": Counts(1, 0, 0),
    }
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(score_table(metrics_of(counts), list(counts), title="test"))
    rows = [line.split() for line in console.export_text().splitlines() if line.strip()]
    assert rows[0] == ["test"]
    assert rows[1] == ["class", "precision", "recall", "F1", "support"]
    assert rows[3][-4:] == ["75.0", "100.0", "85.7", "1,500"]
    assert rows[4] == ["[bold]", "–", "–", "–", "0"]
    assert rows[-2] == ["mean", "over", "classes", "92.9", "1,501"]
    assert rows[-1][-4:] == ["75.0", "100.0", "85.7", "1,501"]
