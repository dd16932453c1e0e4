"""Groups of entities have the counts of those that are in them."""

from __future__ import annotations

import pytest
from hypothesis import given

from kazu_distill.documents import Document, Section, Span
from kazu_distill.scoring.breakdown import breakdown, groupings, known_mentions
from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.tally import strict_counts
from tests.scoring.labelled import LABELS, places, sides

TEXT = "Gout and acute renal failure after aspirin."


def document(*mentions: tuple[str, str], source: str = "s") -> Document:
    """A document with entities of these mentions and classes, the same in two sections."""
    spans = tuple(Span(TEXT.index(each), TEXT.index(each) + len(each), label) for each, label in mentions)
    return Document("a", (Section("title", TEXT, spans), Section("abstract", TEXT, spans[:1])), {"source": source})


@given(sides(places()))
def test_groups_add_up_to_all(both: tuple[list[Document], list[Document]]) -> None:
    pairs = paired(*both)
    together = sum(strict_counts(pairs, LABELS).values(), Counts())
    known = known_mentions(both[0][:1])
    for name, groups in breakdown(pairs, groupings(known)).items():
        assert len(groups) > 1, name
        assert sum(groups.values(), Counts()) == together


def test_each_grouping() -> None:
    gold = document(("Gout", "disease"), ("acute renal failure", "disease"), ("renal", "organ"))
    predicted = document(("Gout", "disease"), ("renal failure", "disease"), ("aspirin", "drug"))
    training = document(("aspirin", "disease"), ("renal", "organ"), ("renal failure", "disease"))
    found = breakdown([(gold, predicted)], groupings(known_mentions([training])))
    assert found == {
        "mention length": {"1 word": Counts(2, 1, 1), "2 words": Counts(0, 1, 0), "3 words": Counts(0, 0, 1)},
        "mention in training": {
            "not seen in training": Counts(2, 0, 1),
            "seen with other classes only": Counts(0, 1, 0),
            "seen with this class": Counts(0, 1, 1),
        },
        "overlap": {"nested or crossing": Counts(0, 0, 2), "standing alone": Counts(2, 2, 0)},
        "section": {"abstract": Counts(1, 0, 0), "title": Counts(1, 2, 2)},
    }


@pytest.mark.parametrize("source", ["t", 3])
def test_sources_are_told_apart_where_documents_have_them(source: object) -> None:
    one = document(("Gout", "disease"))
    other = Document("b", one.sections, {"source": source})
    found = breakdown([(one, one), (other, other)], groupings())
    assert ("source" in found) == isinstance(source, str)
