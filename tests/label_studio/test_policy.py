from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError
from kazu_distill.label_studio.annotations import Opinion
from kazu_distill.label_studio.policy import policy_of

GENE, DISEASE = Span(0, 5, "gene"), Span(0, 5, "disease")


def opinions(*said: tuple[str, tuple[Span, ...]]) -> list[Opinion]:
    """Opinions of people, one after another."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        Opinion(number, person, start + timedelta(hours=number), None, None, spans)
        for number, (person, spans) in enumerate(said)
    ]


def places(spans: Sequence[Span] | None) -> list[tuple[int, int, str]] | None:
    return None if spans is None else [span.place for span in spans]


def test_the_latest_opinion_counts() -> None:
    said = opinions(("ada", (GENE,)), ("bob", ()))
    assert policy_of("latest")(said) == ()
    assert policy_of("latest")(said[::-1]) == (GENE,)


def test_of_one_person_the_last_word_counts_and_nobody_elses() -> None:
    said = opinions(("ada", (GENE,)), ("ada", (DISEASE,)), ("bob", ()))
    assert policy_of("person", person="ada")(said) == (DISEASE,)
    assert policy_of("person", person="bob")(said) == ()
    assert policy_of("person", person="eve")(said) is None


def test_of_two_people_both_have_to_agree_and_a_person_has_one_vote() -> None:
    said = opinions(("ada", (GENE, DISEASE)), ("ada", (GENE, DISEASE)), ("bob", (GENE,)))
    assert places(policy_of("majority")(said)) == [GENE.place]
    assert places(policy_of("majority")(said[:2])) == [GENE.place, DISEASE.place]


spans = st.builds(lambda start, label: Span(start, start + 2, label), st.integers(0, 3), st.sampled_from("ab"))
said = st.lists(st.tuples(st.sampled_from(["ada", "bob", "eve"]), st.lists(spans, unique=True).map(tuple)), min_size=1)


@given(said)
def test_the_majority_is_the_one_that_counting_by_hand_gives(each: list[tuple[str, tuple[Span, ...]]]) -> None:
    last = dict(each)
    candidates = {span for own in last.values() for span in own}
    wanted = [span for span in candidates if sum(span in own for own in last.values()) > len(last) / 2]
    assert sorted(places(policy_of("majority")(opinions(*each))) or []) == sorted(places(wanted) or [])


@pytest.mark.parametrize(("name", "person"), [("newest", None), ("person", None), ("latest", "ada@example.org")])
def test_a_policy_that_makes_no_sense_is_an_error(name: str, person: str | None) -> None:
    with pytest.raises(ConfigError, match="policy="):
        policy_of(name, person=person)
