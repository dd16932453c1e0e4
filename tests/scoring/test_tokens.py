"""Words are counted by class, each once."""

from __future__ import annotations

from kazu_distill.documents import Document, Section, Span
from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.tokens import token_tally

TEXT = "acute renal failure (ARF) after 5-FU"


def document(*spans: tuple[str, str]) -> Document:
    """A document with entities of these mentions and classes."""
    places = [(TEXT.index(mention), TEXT.index(mention) + len(mention), label) for mention, label in spans]
    return Document("a", (Section("", TEXT, tuple(Span(*place) for place in places)), Section("", TEXT, ())))


def test_words_are_counted_by_class() -> None:
    gold = document(("acute renal failure", "disease"), ("renal", "disease"), ("renal", "organ"), ("ARF", "disease"))
    predicted = document(("renal failure (A", "disease"), ("5-FU", "drug"))
    counts = token_tally([(gold, predicted)], ("disease", "organ", "drug")).total()
    # Predicted: renal, failure, the bracket, and ARF, of which one character is enough.
    assert counts["disease"] == Counts(3, 1, 1)
    assert counts["organ"] == Counts(0, 0, 1)
    assert counts["drug"] == Counts(0, 3, 0)


def test_nothing_against_nothing() -> None:
    assert token_tally([(document(), document())], ("disease",)).total()["disease"] == Counts()
