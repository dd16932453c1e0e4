"""Suspected label errors: every disagreement once, the surer ones first."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.documents import Document, Section, Span
from kazu_distill.scoring.pairs import ScoringError
from kazu_distill.scoring.suspects import Kind, Suspect, suspects, to_review
from tests.scoring.labelled import LABELS, TEXT, document, places, sides

Both = tuple[list[Document], list[Document]]


def scored(documents: list[Document], chance: random.Random) -> list[Document]:
    """The same spans with other scores, equal ones with equal scores."""
    changed = []
    for each in documents:
        scores = [{span.place: round(chance.random(), 1) for span in section.spans} for section in each.sections]
        spans = [
            tuple(replace(span, score=own[span.place]) for span in section.spans)
            for own, section in zip(scores, each.sections, strict=True)
        ]
        changed.append(each.with_spans(spans))
    return changed


def one(text: str, label: Span | None, sureness: float | None, student: Span | None) -> list[Document]:
    """Silver, given and found, of a section with at most one span on each side."""
    section = Section("", text, (label,) if label else ())
    silver = Document("d", (section,))
    given_ = silver.with_spans([(replace(label, score=sureness),) if label and sureness is not None else ()])
    return [silver, given_, silver.with_spans([(student,) if student else ()])]


def only(label: Span | None, sureness: float | None, student: Span | None) -> Suspect:
    silver, given_, found = one(TEXT, label, sureness, student)
    (suspect,) = suspects([silver], [given_], [found], LABELS)
    return suspect


@given(sides(places()), st.randoms(use_true_random=False))
def test_every_label_that_is_not_found_and_every_found_span_that_is_no_label_is_suspected_once(
    both: Both, chance: random.Random
) -> None:
    silver, found = (scored(side, chance) for side in both)
    ranked = suspects(silver, scored(silver, chance), found, LABELS)
    sides_ = ({(s.mistake.document, s.mistake.section, s.label.place) for s in ranked if s.label},
              {(s.mistake.document, s.mistake.section, s.student.place) for s in ranked if s.student})  # fmt: skip
    labels, students = (
        {
            (each.id, number, span.place)
            for each in side
            for number, section in enumerate(each.sections)
            for span in section.spans
        }
        for side in (silver, found)
    )
    assert sides_ == (labels - students, students - labels)
    assert sum(s.label is not None for s in ranked) == len(sides_[0])
    assert sum(s.student is not None for s in ranked) == len(sides_[1])
    for suspect in ranked:
        assert (suspect.kind is Kind.MISSING) == (suspect.label is None) == (suspect.sureness is None)
        assert (suspect.kind is Kind.DOUBTED) == (suspect.student is None)
        assert 0 <= suspect.strength <= 1


@given(sides(places()), st.randoms(use_true_random=False))
def test_strengths_are_those_of_the_slow_rule_and_never_rise(both: Both, chance: random.Random) -> None:
    silver, found = (scored(side, chance) for side in both)
    given_ = scored(silver, chance)
    ranked = suspects(silver, given_, found, LABELS)
    strengths = [suspect.strength for suspect in ranked]
    assert strengths == sorted(strengths, reverse=True)
    alone = [s for s in ranked if s.kind is Kind.MISSING]
    for suspect in ranked:
        if suspect.label:
            (own,) = {
                span.score
                for each in given_
                if each.id == suspect.mistake.document
                for span in each.sections[suspect.mistake.section].spans
                if span.place == suspect.label.place
            }
            assert suspect.sureness == own
            assert suspect.strength == suspect.label.score * (1 - own)
        else:
            assert suspect.student
            start, end, label = suspect.student.place
            string = TEXT[start:end]
            labelled = sum(
                span.score
                for each in silver
                for section, span in each.spans
                if section.mention(span) == string and span.label == label
            )
            found_alone = sum(
                s.student is not None and (TEXT[s.student.start : s.student.end], s.student.label) == (string, label)
                for s in alone
            )
            usual = (labelled + 0.5) / (labelled + found_alone + 1)
            assert suspect.strength == pytest.approx(suspect.student.score * usual)


@pytest.mark.parametrize(
    ("label", "student", "kind"),
    [
        ((2, 5, "x"), None, Kind.DOUBTED),
        (None, (2, 5, "x"), Kind.MISSING),
        ((2, 5, "x"), (2, 6, "x"), Kind.EDGES),
        ((2, 5, "x"), (2, 5, LABELS[0]), Kind.CLASS),
        ((2, 5, "x"), (1, 5, LABELS[0]), Kind.CLASS),
    ],
)
def test_kinds(label: tuple[int, int, str] | None, student: tuple[int, int, str] | None, kind: Kind) -> None:
    suspect = only(label and Span(*label), 0.25 if label else None, student and Span(*student, 0.8))
    assert suspect.kind is kind
    assert suspect.strength == pytest.approx(0.75 if label else 0.8 * 0.25)


def test_a_label_with_a_third_of_the_votes_is_a_third_as_strong() -> None:
    whole = only(Span(2, 5, "x"), 0.1, None)
    third = only(Span(2, 5, "x", score=1 / 3), 0.1, None)
    assert third.strength == pytest.approx(whole.strength / 3)


def test_what_is_labelled_elsewhere_is_rather_missing_than_what_never_is() -> None:
    text = "EGFR rose."
    labelled = [Document(str(n), (Section("", text, (Span(0, 4, "x"),)),)) for n in range(3)]
    overlooked = Document("overlooked", (Section("", text.lower()),))  # case does not matter
    never = Document("never", (Section("", "TP53 rose."),))
    silver = [*labelled, never, overlooked]
    found = [*labelled, *(each.with_spans([(Span(0, 4, "x", 0.8),)]) for each in (never, overlooked))]
    first, second = suspects(silver, silver, found, LABELS)
    assert (first.mistake.document, second.mistake.document) == ("overlooked", "never")
    assert first.strength == pytest.approx(0.8 * 3.5 / 5)
    assert second.strength == pytest.approx(0.8 * 0.25)


def test_a_suspect_as_json_says_where_it_is() -> None:
    text = "He had acute renal failure."
    label, student = Span(7, 26, "x", 0.5), Span(13, 26, "x", 0.75)
    silver, given_, found = one(text, label, 0.25, student)
    (suspect,) = suspects([silver], [given_], [found], LABELS)
    assert suspect.as_json() == {
        "document": "d",
        "section": 0,
        "section_name": "",
        "kind": "other edges",
        "strength": 0.375,
        "label_span": {"start": 7, "end": 26, "label": "x", "score": 0.5, "text": "acute renal failure"},
        "student_of_label": 0.25,
        "student_span": {"start": 13, "end": 26, "label": "x", "score": 0.75, "text": "renal failure"},
        "before": "He had ",
        "text": "acute renal failure",
        "after": ".",
    }


@given(sides(places()), st.randoms(use_true_random=False))
def test_documents_are_reviewed_by_the_sum_of_their_suspects_and_keep_their_labels(
    both: Both, chance: random.Random
) -> None:
    silver, found = (scored(side, chance) for side in both)
    silver = [replace(each, metadata={"year": 2001}) for each in silver]
    ranked = suspects(silver, scored(silver, chance), found, LABELS)
    reviewed = to_review(silver, ranked)
    assert sorted(reviewed, key=lambda each: each.id) == [
        replace(each, metadata=next(own.metadata for own in reviewed if own.id == each.id))
        for each in sorted(silver, key=lambda each: each.id)
    ]
    scores = [each.metadata["suspects"]["score"] for each in reviewed]
    assert scores == sorted(scores, reverse=True)
    for each in reviewed:
        assert each.metadata["year"] == 2001
        said = each.metadata["suspects"]
        assert len(said["sections"]) == len(each.sections)
        for number, own in enumerate(said["sections"]):
            wanted = [s for s in ranked if (s.mistake.document, s.mistake.section) == (each.id, number)]
            assert own == [s.spans_as_json() for s in wanted]
        listed = [suspect["strength"] for own in said["sections"] for suspect in own]
        assert said["score"] == pytest.approx(sum(listed))


def test_other_documents_are_an_error() -> None:
    silver, other = document("a", [(0, 2, "x")]), document("b", [])
    with pytest.raises(ScoringError, match='document "a" has no prediction'):
        suspects([silver], [silver], [other], LABELS)
    with pytest.raises(ScoringError, match='"b"'):
        suspects([silver], [other], [silver], LABELS)
