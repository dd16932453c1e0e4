"""Each rule finds the most that can be found, and what two other packages find where they can say it."""

from __future__ import annotations

from functools import cache
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nervaluate import Evaluator

from kazu_distill.documents import Document
from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.entities import entities_of
from kazu_distill.scoring.matching import RULES, Rule, match, overlaps
from kazu_distill.scoring.pairs import ScoringError, paired
from kazu_distill.scoring.tally import sides_of, tally
from tests.scoring.labelled import LABELS, TEXT, document, flat_places, places, sides, slow_counts

Place = tuple[int, int, str]
Both = tuple[list[Document], list[Document]]
OF_CLASS: tuple[Rule, ...] = ("strict", "relaxed")


def credit(gold: Place, predicted: Place, rule: Rule) -> float:
    """What a pair counts."""
    same = gold[:2] == predicted[:2]
    if rule == "strict":
        return float(gold == predicted)
    if rule == "boundary":
        return float(same)
    touches = gold[0] < predicted[1] and predicted[0] < gold[1]
    if rule == "relaxed":
        return float(touches and gold[2] == predicted[2])
    return 1.0 if same else 0.5 * touches


def most(gold: list[Place], predicted: list[Place], rule: Rule) -> float:
    """The most that pairs can count together, by trying all."""

    @cache
    def rest(number: int, free: frozenset[Place]) -> float:
        if number == len(gold):
            return 0.0
        pairs = (credit(gold[number], each, rule) + rest(number + 1, free - {each}) for each in free
                 if credit(gold[number], each, rule))  # fmt: skip
        return max(rest(number + 1, free), *pairs, 0.0)

    return rest(0, frozenset(predicted))


@given(one=st.lists(places(), max_size=2), other=st.data())
@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_the_most_there_is(rule: Rule, one: list[list[Place]], other: st.DataObject) -> None:
    two = [other.draw(places()) for _ in one]
    gold, predicted = ([document("a", *each)] for each in (one, two))
    found = match(entities_of(gold, LABELS), entities_of(predicted, LABELS), rule)
    expected = sum(most(sorted(set(own)), sorted(set(its)), rule) for own, its in zip(one, two, strict=True))
    assert found.credit.sum() == expected
    assert len(set(found.gold)) == len(set(found.predicted)) == len(found.credit)


@given(sides(places()))
@pytest.mark.parametrize("rule", RULES)
def test_every_pair_is_one_by_the_rule(rule: Rule, both: Both) -> None:
    gold, predicted = (entities_of(side, LABELS) for side in both)
    found = match(gold, predicted, rule)
    for own, its, worth in zip(found.gold, found.predicted, found.credit, strict=True):
        assert gold.sections[own] == predicted.sections[its]
        pair = [(int(side.starts[row]), int(side.ends[row]), LABELS[side.labels[row]])
                for side, row in ((gold, own), (predicted, its))]  # fmt: skip
        assert credit(pair[0], pair[1], rule) == worth


@given(sides(places()))
@pytest.mark.parametrize("rule", RULES)
def test_gold_against_predicted_counts_as_predicted_against_gold(rule: Rule, both: Both) -> None:
    gold, predicted = (entities_of(side, LABELS) for side in both)
    assert match(gold, predicted, rule).credit.sum() == match(predicted, gold, rule).credit.sum()


@given(sides(places()))
def test_overlaps_are_all_pairs_that_share_a_character(both: Both) -> None:
    gold, predicted = (entities_of(side, LABELS) for side in both)
    for of_class in (True, False):
        expected = {
            (own, its)
            for own, its in product(range(len(gold)), range(len(predicted)))
            if gold.sections[own] == predicted.sections[its]
            and gold.starts[own] < predicted.ends[its]
            and predicted.starts[its] < gold.ends[own]
            and (gold.labels[own] == predicted.labels[its] or not of_class)
        }
        wanted, found = overlaps(gold, predicted, of_class=of_class)
        assert len(wanted) == len(expected)
        assert set(zip(wanted.tolist(), found.tolist(), strict=True)) == expected


@given(sides(places()))
def test_strict_tallies_are_the_slow_counts_of_each_document(both: Both) -> None:
    pairs = paired(*both)
    counted = tally(sides_of(pairs, LABELS), "strict")
    for number, (gold, predicted) in enumerate(pairs):
        own = [slow_counts([gold], [predicted], label) for label in LABELS]
        assert counted.counts[number].tolist() == [[each.true_positives, each.predicted, each.gold] for each in own]


@given(sides(places()))
def test_each_rule_is_at_least_as_generous_as_the_one_before(both: Both) -> None:
    found = {
        rule: sum(tally(sides_of(paired(*both), LABELS), rule).total().values(), Counts()).true_positives
        for rule in RULES
    }
    assert found["strict"] <= found["relaxed"]
    assert found["strict"] <= found["boundary"] <= found["partial"]


@st.composite
def plain(draw: st.DrawFn) -> tuple[list[Place], list[Place]]:
    """What nervaluate can say: entities that do not overlap on one side, each touching one of the other at most.

    It takes the first gold entity that a prediction touches, even if a later prediction is that very entity.
    """
    stretches = sorted(draw(st.sets(st.integers(0, len(TEXT)), max_size=6)))
    gold: list[Place] = []
    predicted: list[Place] = []
    for start, end in pairwise(stretches):
        for side in (gold, predicted):
            if draw(st.booleans()):
                own = draw(st.integers(start, end - 1))
                side.append((own, draw(st.integers(own + 1, end)), draw(st.sampled_from(LABELS))))
    return gold, predicted


@given(st.lists(plain(), min_size=1, max_size=4))
def test_the_rules_are_those_of_nervaluate(found: list[tuple[list[Place], list[Place]]]) -> None:
    gold, predicted = ([document(str(number), own[side]) for number, own in enumerate(found)] for side in (0, 1))
    theirs = [
        [[{"label": label, "start": start, "end": end - 1} for start, end, label in own[side]] for own in found]
        for side in (0, 1)
    ]
    results = Evaluator(theirs[0], theirs[1], tags=list(LABELS), loader="dict").evaluate()["overall"]
    names: dict[Rule, str] = {"strict": "strict", "boundary": "exact", "partial": "partial", "relaxed": "ent_type"}
    for rule, name in names.items():
        ours = sum(tally(sides_of(paired(gold, predicted), LABELS), rule).total().values(), Counts())
        result = results[name]
        assert (ours.gold, ours.predicted) == (result.possible, result.actual)
        assert ours.true_positives == result.correct + 0.5 * result.partial


@given(st.lists(st.tuples(flat_places(), flat_places()), max_size=3))
def test_relaxed_counts_of_flat_entities_need_no_luck(found: list[tuple[list[Place], list[Place]]]) -> None:
    """A long prediction over two gold entities is one of them, not both; a gold entity in two pieces is found once."""
    gold, predicted = ([document(str(number), own[side]) for number, own in enumerate(found)] for side in (0, 1))
    for counts in tally(sides_of(paired(gold, predicted), LABELS), "relaxed").total().values():
        assert 0 <= counts.true_positives <= min(counts.gold, counts.predicted)


def test_one_long_prediction_is_not_two_hits() -> None:
    gold, predicted = [document("a", [(0, 3, "x"), (4, 7, "x")])], [document("a", [(0, 7, "x")])]
    assert tally(sides_of(paired(gold, predicted), LABELS), "relaxed").total()["x"] == Counts(1, 0, 1)
    assert tally(sides_of(paired(predicted, gold), LABELS), "relaxed").total()["x"] == Counts(1, 1, 0)
    assert tally(sides_of(paired(gold, predicted), LABELS), "partial").total()[""] == Counts(0.5, 0.5, 1.5)


def test_a_class_that_the_schema_lacks_is_an_error_that_names_the_document() -> None:
    with pytest.raises(ScoringError, match=r'document "a" has a span of the class "y"'):
        entities_of([document("b"), document("a", [(0, 1, "y")])], LABELS)


@pytest.mark.parametrize("rule", RULES)
def test_nothing_against_nothing(rule: Rule) -> None:
    for pairs in ([], [(document("a"), document("a"))], [(document("a", []), document("a", []))]):
        assert sum(tally(sides_of(pairs, LABELS), rule).total().values(), Counts()) == Counts()
