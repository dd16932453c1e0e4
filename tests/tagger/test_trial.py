"""A trial predicts what the tagger predicts, and counts what it would at other thresholds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kazu_distill.documents import NOT_IN_TEXT, VOTES, Document
from kazu_distill.scoring.curves import threshold_curves
from kazu_distill.scoring.metrics import metrics_of
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.tally import strict_counts
from kazu_distill.tagger.saved import TaggerParts, load_parts
from kazu_distill.tagger.settings import TaggerSettings
from kazu_distill.tagger.tagger import Tagger
from kazu_distill.tagger.trial import GRID, Trial, try_out
from tests.tagger.encoders import tiny_bert
from tests.tagger.saved_taggers import DOCUMENTS, SCHEMA, save_tagger

THRESHOLDS = {"gene": 0.37, "disease": 0.5}  # between two of the grid, and one of it


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    """A tagger with thresholds of its own for each class."""
    folder = tmp_path_factory.mktemp("tagger")
    model = save_tagger(tiny_bert(folder / "encoder"), folder / "model")
    parts = load_parts(model)
    settings = replace(parts.settings, thresholds=THRESHOLDS)
    return with_settings(Tagger.from_pretrained(model, device="cpu"), parts, settings)


def with_settings(tagger: Tagger, parts: TaggerParts, settings: TaggerSettings) -> Tagger:
    """The same tagger with other settings."""
    return Tagger(runtime=tagger.runtime, parts=replace(parts, settings=settings))


def gold(tagger: Tagger) -> list[Document]:
    """What the tagger finds at a higher threshold: some of what it finds, and in part with other edges."""
    parts = TaggerParts(None, SCHEMA, tagger.scheme, tagger.settings)
    stricter = replace(tagger.settings, thresholds={"gene": 0.6, "disease": 0.7})
    reading = tagger.read(DOCUMENTS)
    spans = reading.spans(stricter.thresholds_of(parts.schema.labels))
    return [document.with_spans([own]) for document, own in zip(DOCUMENTS, spans, strict=True)]


def tried(tagger: Tagger) -> Trial:
    """A trial on that gold."""
    return try_out(tagger, gold(tagger), source="run")


def test_what_is_predicted_is_what_predict_would_say(tagger: Tagger) -> None:
    assert tried(tagger).predicted == list(tagger.label(gold(tagger), source="run"))


def test_the_chosen_point_of_each_curve_is_the_table_to_the_last_digit(tagger: Tagger) -> None:
    trial = tried(tagger)
    curves = threshold_curves(SCHEMA.labels, trial.thresholds, trial.counts)
    metrics = metrics_of(strict_counts(paired(gold(tagger), trial.predicted), SCHEMA.labels))
    for label, curve in curves.items():
        assert curve.chosen is not None
        assert curve.cuts[curve.chosen] == pytest.approx(THRESHOLDS[label])
        assert curve.precision[curve.chosen] == metrics[f"{label}_precision"]
        assert curve.recall[curve.chosen] == metrics[f"{label}_recall"]
        assert 0 < metrics[f"{label}_f1"] < 1  # type: ignore[operator]
        assert len(curve) > 10


def test_every_other_point_is_what_a_tagger_with_that_threshold_would_reach(tagger: Tagger) -> None:
    trial = tried(tagger)
    for row in (10, 25, 40):
        settings = replace(tagger.settings, thresholds={}, threshold=float(GRID[row]))
        parts = TaggerParts(None, SCHEMA, tagger.scheme, settings)
        reading = tagger.read(DOCUMENTS)
        spans = reading.spans(parts.settings.thresholds_of(SCHEMA.labels))
        predicted = [document.with_spans([own]) for document, own in zip(DOCUMENTS, spans, strict=True)]
        counts = strict_counts(paired(gold(tagger), predicted), SCHEMA.labels)
        for number, label in enumerate(SCHEMA.labels):
            own = counts[label]
            assert trial.counts[row, number].tolist() == [own.true_positives, own.predicted, own.gold]


def test_block_by_block_it_is_the_same(tagger: Tagger) -> None:
    whole, parts = tried(tagger), try_out(tagger, gold(tagger), source="run", block=1)
    assert np.array_equal(whole.counts, parts.counts)
    assert [each.labels() for each in whole.predicted] == [each.labels() for each in parts.predicted]
    assert parts.speed.documents == len(DOCUMENTS)
    assert parts.speed.words == whole.speed.words > 30


def test_what_was_said_of_the_gold_labels_is_not_said_of_the_predicted_ones(tagger: Tagger) -> None:
    silver = [replace(document, metadata={VOTES: {}, NOT_IN_TEXT: {}, "year": 1}) for document in DOCUMENTS]
    assert {tuple(document.metadata) for document in try_out(tagger, silver).predicted} == {("year",)}
