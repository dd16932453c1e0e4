import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.votes import Votes
from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError

Opinions = Mapping[str, Sequence[Span]]

spans = st.builds(
    lambda start, length, label: Span(start, start + length, label),
    st.integers(0, 12),
    st.integers(1, 6),
    st.sampled_from(["gene", "disease"]),
)
opinions_of_voters = st.dictionaries(st.sampled_from("abcde"), st.lists(spans, max_size=6), min_size=1)


def merge(opinions: Opinions, *, minimum: float = 0.0) -> tuple[Span, ...]:
    return Votes(minimum=minimum).merge(opinions)


def places(text: str, *mentions: str, label: str = "disease") -> list[Span]:
    return [Span(text.index(mention), text.index(mention) + len(mention), label) for mention in mentions]


def merged_mentions(text: str, opinions: Opinions, *, minimum: float = 0.0) -> dict[str, float]:
    return {text[span.start : span.end]: round(span.score, 2) for span in merge(opinions, minimum=minimum)}


def overlap(one: Span, other: Span) -> bool:
    return one.label == other.label and one.start < other.end and other.start < one.end


def key(span: Span) -> tuple[int, int, str]:
    return span.start, span.end, span.label


@given(opinions_of_voters)
def test_a_merged_span_is_what_its_voters_gave_and_its_score_is_their_share(opinions: Opinions) -> None:
    given_by = {voter: {key(span) for span in own} for voter, own in opinions.items()}
    for span in merge(opinions):
        voters = sorted(voter for voter, own in given_by.items() if key(span) in own)
        assert span.source == "+".join(voters)
        assert span.score == len(voters) / len(opinions)


@given(opinions_of_voters)
def test_what_stays_is_what_a_slow_reading_of_the_rule_keeps(opinions: Opinions) -> None:
    given_by = {voter: {key(span) for span in own} for voter, own in opinions.items()}

    def votes(span: Span) -> int:
        return sum(key(span) in own for own in given_by.values())

    kept: list[Span] = []
    everything = {key(span): Span(*key(span)) for own in opinions.values() for span in own}.values()
    for span in sorted(everything, key=lambda span: (-votes(span), span.end - span.start, span.start)):
        rivals = [other for other in kept if overlap(span, other)]
        if any(key(span) in own and all(key(rival) in own for rival in rivals) for own in given_by.values()):
            kept.append(span)
    assert {key(span) for span in merge(opinions)} == {key(span) for span in kept}


@given(opinions_of_voters)
def test_spans_of_a_class_overlap_only_where_a_voter_gave_both(opinions: Opinions) -> None:
    merged = merge(opinions)
    given_by = [{key(span) for span in own} for own in opinions.values()]
    for one in merged:
        for other in merged:
            if overlap(one, other):
                assert any({key(one), key(other)} <= own for own in given_by)


@given(opinions_of_voters, st.randoms(use_true_random=False))
def test_the_order_of_voters_and_of_their_spans_does_not_matter(opinions: Opinions, order: random.Random) -> None:
    shuffled = {voter: order.sample(opinions[voter], len(opinions[voter])) for voter in opinions}
    voters = order.sample(list(shuffled), len(shuffled))
    assert merge({voter: shuffled[voter] for voter in voters}) == merge(opinions)


@given(st.lists(spans), st.integers(1, 4))
def test_what_all_voters_say_stays_as_it_is_with_score_1(said: list[Span], voters: int) -> None:
    merged = merge({str(voter): said for voter in range(voters)})
    assert {key(span) for span in merged} == {key(span) for span in said}
    assert {span.score for span in merged} <= {1.0}


@given(opinions_of_voters, st.integers(0, 5))
def test_a_minimum_drops_the_spans_with_fewer_votes_and_changes_no_other(opinions: Opinions, votes: int) -> None:
    votes = min(votes, len(opinions))
    expected = [span for span in merge(opinions) if round(span.score * len(opinions)) >= votes]
    assert list(merge(opinions, minimum=votes / len(opinions))) == expected


@pytest.mark.parametrize("minimum", [0.34, 0.5, 0.6, 0.66, 0.667, 0.67, 2 / 3])
def test_two_of_three_votes_can_be_asked_for_in_any_way_people_write_it(minimum: float) -> None:
    opinions = {"a": [Span(0, 4, "gene"), Span(5, 9, "gene")], "b": [Span(0, 4, "gene")], "c": []}
    assert [key(span) for span in merge(opinions, minimum=minimum)] == [(0, 4, "gene")]


def test_of_near_misses_the_edges_with_most_votes_stay() -> None:
    text = "with severe renal failure today"
    short, long = places(text, "renal failure"), places(text, "severe renal failure")
    assert merged_mentions(text, {"a": short, "b": long, "c": long}) == {"severe renal failure": 0.67}
    assert merged_mentions(text, {"a": short, "b": long, "c": short}) == {"renal failure": 0.67}


def test_of_near_misses_with_equal_votes_the_shorter_stays() -> None:
    text = "with severe renal failure today"
    opinions = {"a": places(text, "renal failure"), "b": places(text, "severe renal failure")}
    assert merged_mentions(text, opinions) == {"renal failure": 0.5}


def test_a_far_end_of_a_chain_of_overlaps_stays() -> None:
    text = "acute renal failure syndrome"
    opinions = {
        "a": places(text, "acute renal"),
        "b": places(text, "renal failure"),
        "c": places(text, "failure syndrome", "acute renal"),
        "d": places(text, "failure syndrome"),
    }
    assert merged_mentions(text, opinions) == {"acute renal": 0.5, "failure syndrome": 0.5}


def test_a_phrase_that_a_voter_gave_in_pieces_is_one_near_miss() -> None:
    text = "renal failure"
    opinions = {"a": places(text, text), "b": places(text, text), "c": places(text, "renal", "failure")}
    assert merged_mentions(text, opinions) == {"renal failure": 0.67}


def test_nested_spans_of_one_voter_are_two() -> None:
    text = "breast cancer"
    both, inner = places(text, text, "cancer"), places(text, "cancer")
    assert merged_mentions(text, {"a": both, "b": inner, "c": both}) == {"breast cancer": 0.67, "cancer": 1.0}


def test_voters_who_disagree_on_the_class_leave_both_with_their_own_shares() -> None:
    opinions = {voter: [Span(0, 4, label)] for voter, label in [("a", "gene"), ("b", "gene"), ("c", "disease")]}
    assert merge(opinions) == (Span(0, 4, "disease", 1 / 3, "c"), Span(0, 4, "gene", 2 / 3, "a+b"))


def test_a_voter_who_found_nothing_votes_too() -> None:
    assert merge({"a": [Span(0, 4, "gene")], "b": []}) == (Span(0, 4, "gene", 0.5, "a"),)
    assert merge({"a": [Span(0, 4, "gene")], "b": []}, minimum=0.6) == ()


def test_no_spans_and_no_voters_are_no_spans() -> None:
    assert merge({"a": [], "b": []}) == merge({}) == ()


@pytest.mark.parametrize("minimum", [-0.1, 2, float("nan")])
def test_a_minimum_that_is_no_share_is_refused(minimum: float) -> None:
    with pytest.raises(ConfigError, match=r"votes\.minimum=.*0 to 1"):
        Votes(minimum=minimum)
