from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.documents import Section, Span
from kazu_distill.scoring.answer_errors import AnswerError, AnswerErrors, Listed, Verdict, on_offsets, on_strings

Place = tuple[int, int, str]
CORRECT, MISTAKEN, NOT_RECOGNISED, MISSPELT, OVER_PREDICTED, CONFLICTING = AnswerError
PARIS = "Paris Hilton visits Paris"
LISTS = st.lists(st.tuples(st.sampled_from(["a", "ab", "b", "aa", "zz", ""]), st.sampled_from("XYZ")), max_size=6)
SPANS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3), st.sampled_from("XYZ")), max_size=6)


@pytest.mark.parametrize(
    ("gold", "predicted", "wanted"),
    [
        ([("Paris", "LOC")], [("Paris", "LOC")], [CORRECT]),
        ([("Paris", "LOC")], [("Paris", "PER")], [MISTAKEN]),
        ([("Paris", "LOC")], [], [NOT_RECOGNISED]),
        ([], [("Parys", "LOC")], [MISSPELT]),
        ([], [("Hilton", "PER")], [OVER_PREDICTED]),
        # One of two places is meant, and the answer does not say which.
        ([("Paris", "LOC"), ("Paris", "LOC")], [("Paris", "LOC")], [CORRECT, CONFLICTING]),
        # Once in the text, and predicted as two things.
        ([("Hilton", "PER")], [("Hilton", "PER"), ("Hilton", "LOC")], [CORRECT, CONFLICTING]),
        ([("Hilton", "ORG")], [("Hilton", "PER"), ("Hilton", "LOC")], [MISTAKEN, CONFLICTING]),
        ([], [("Hilton", "PER"), ("Hilton", "LOC")], [CONFLICTING, OVER_PREDICTED]),
        # A repeat is not lost.
        ([("Paris", "LOC")], [("Paris", "LOC"), ("Paris", "LOC")], [CORRECT, OVER_PREDICTED]),
        # Two classes at one place are right where both are gold.
        ([("Hilton", "PER"), ("Hilton", "ORG")], [("Hilton", "PER"), ("Hilton", "ORG")], [CORRECT, CORRECT]),
        ([("Hilton", "PER"), ("Hilton", "ORG")], [("Hilton", "PER")], [CORRECT, NOT_RECOGNISED]),
        # Edges: no kind of theirs.
        ([("Paris Hilton", "PER")], [("Hilton", "PER")], [NOT_RECOGNISED, OVER_PREDICTED]),
    ],
)
def test_strings_have_the_kinds_of_instruct_ner(
    gold: list[Listed], predicted: list[Listed], wanted: list[AnswerError]
) -> None:
    assert sorted(verdict.kind for verdict in on_strings(PARIS, gold, predicted)) == sorted(wanted)


def test_offsets_know_which_place_is_meant() -> None:
    gold = Section("", PARIS, (Span(20, 25, "LOC"), Span(0, 12, "PER")))
    predicted = Section("", PARIS, (Span(0, 5, "LOC"), Span(6, 12, "PER"), Span(6, 12, "ORG")))
    verdicts = on_offsets(gold, predicted, misspelt=[("Parys", "LOC")], surplus=[("Hilton", "PER")])
    assert Counter(verdicts) == Counter(
        [
            Verdict(MISSPELT, "Parys", None, "LOC"),
            Verdict(CONFLICTING, "Hilton", None, "PER"),
            Verdict(CONFLICTING, "Paris", "LOC", "LOC"),  # the other Paris
            Verdict(CONFLICTING, "Hilton", None, "ORG"),
            Verdict(CONFLICTING, "Hilton", None, "PER"),
            Verdict(NOT_RECOGNISED, "Paris Hilton", "PER", None),
        ]
    )
    of_other_class = Section("", PARIS, (Span(0, 12, "LOC"),))
    assert on_offsets(gold, of_other_class)[0] == Verdict(MISTAKEN, "Paris Hilton", "PER", "LOC")


@given(LISTS, LISTS)
def test_every_listed_mention_has_one_kind_and_those_on_strings_are_the_slow_ones(
    gold: list[Listed], predicted: list[Listed]
) -> None:
    text = "aab aa"
    gold = [(mention, label) for mention, label in gold if mention and mention in text]
    verdicts = on_strings(text, gold, predicted)
    assert Counter((v.mention, v.gold) for v in verdicts if v.gold) == Counter(gold)
    assert Counter((v.mention, v.predicted) for v in verdicts if v.predicted) == Counter(predicted)
    assert Counter(verdicts) == Counter(_slow_on_strings(text, gold, predicted))


@given(SPANS, SPANS, LISTS)
def test_every_span_has_one_kind_and_those_on_offsets_are_the_slow_ones(
    gold: list[tuple[int, int, str]], predicted: list[tuple[int, int, str]], misspelt: list[Listed]
) -> None:
    one, other = (_section(places) for places in (gold, predicted))
    verdicts = on_offsets(one, other, misspelt=misspelt)
    assert Counter((v.mention, v.gold) for v in verdicts if v.gold) == _listed(one)
    assert Counter((v.mention, v.predicted) for v in verdicts if v.predicted) == _listed(other) + Counter(misspelt)
    assert Counter(verdicts) == Counter(_slow_on_offsets(one, other)) + Counter(
        Verdict(MISSPELT, mention, None, label) for mention, label in misspelt
    )


@given(LISTS)
def test_an_answer_that_is_right_has_no_error(gold: list[Listed]) -> None:
    gold = [(mention, label) for mention, label in gold if mention and mention in "aab aa"]
    assert {verdict.kind for verdict in on_strings("aab aa", gold, gold)} <= {CORRECT}


def test_kinds_are_counted_by_the_gold_class_with_a_few_examples() -> None:
    errors = AnswerErrors()
    for number in range(10):
        errors.add(str(number), on_strings(PARIS, [("Paris", "LOC")], [("Paris", "PER"), ("x", "PER")]))
    counted = errors.as_json()
    assert counted["kinds"]["mistaken class"] == counted["by_class"]["LOC"]["mistaken class"] == 10
    assert counted["by_class"]["PER"]["misspelt"] == 10
    assert counted["examples"]["misspelt"][0] == {"document": "0", "mention": "x", "gold": None, "predicted": "PER"}
    assert len(counted["examples"]["misspelt"]) == 5


def _slow_on_strings(text: str, gold: list[Listed], predicted: list[Listed]) -> list[Verdict]:
    """Takes mentions off two lists one by one, rule after rule."""
    places = {m: sum(bool(m) and text[i:].startswith(m) for i in range(len(text))) for m, _ in gold + predicted}
    times = Counter(mention for mention, _ in predicted)
    gold, predicted = sorted(gold), sorted(predicted)
    verdicts: list[Verdict] = []
    for mention, label in [listed for listed in predicted if not places[listed[0]]]:
        predicted.remove((mention, label))
        verdicts.append(Verdict(MISSPELT, mention, None, label))
    for listed in list(gold):
        if listed in predicted:
            gold.remove(listed)
            predicted.remove(listed)
            verdicts.append(Verdict(CORRECT, *listed, listed[1]))
    for mention, label in list(gold):
        same = [listed for listed in predicted if listed[0] == mention]
        if same:
            gold.remove((mention, label))
            predicted.remove(same[0])
            verdicts.append(Verdict(MISTAKEN, mention, label, same[0][1]))
    too_many = {mention: times[mention] - places[mention] for mention in times}
    for mention, label in predicted:
        kind = CONFLICTING if too_many[mention] > 0 else OVER_PREDICTED
        too_many[mention] -= 1
        verdicts.append(Verdict(kind, mention, None, label))
    for mention, label in gold:
        fewer = 0 < times[mention] < places[mention]
        verdicts.append(Verdict(CONFLICTING if fewer else NOT_RECOGNISED, mention, label, None))
    return verdicts


def _slow_on_offsets(gold: Section, predicted: Section) -> list[Verdict]:
    """Takes spans off two lists one by one, rule after rule."""
    text = gold.text
    free = sorted({span.place for span in gold.spans})
    said = sorted({span.place for span in predicted.spans})
    all_said = list(said)
    verdicts: list[Verdict] = []
    rules: list[tuple[AnswerError, Callable[[Place, Place], bool]]] = [
        (CORRECT, lambda a, b: a == b),
        (MISTAKEN, lambda a, b: a[:2] == b[:2]),
        (CONFLICTING, lambda a, b: text[a[0] : a[1]] == text[b[0] : b[1]] and a[2] == b[2]),
    ]
    for kind, belongs in rules:
        for place in list(free):
            partner = next((each for each in said if belongs(place, each)), None)
            if partner:
                free.remove(place)
                said.remove(partner)
                verdicts.append(Verdict(kind, text[place[0] : place[1]], place[2], partner[2]))
    for start, end, label in said:
        others = [each for each in all_said if each[:2] == (start, end) and each[2] != label]
        verdicts.append(Verdict(CONFLICTING if others else OVER_PREDICTED, text[start:end], None, label))
    return verdicts + [Verdict(NOT_RECOGNISED, text[start:end], label, None) for start, end, label in free]


def _section(places: list[tuple[int, int, str]]) -> Section:
    text = "aab aa"
    return Section("", text, tuple(Span(start, min(start + length, 6), label) for start, length, label in places))


def _listed(section: Section) -> Counter[Listed]:
    return Counter((section.text[start:end], label) for start, end, label in {span.place for span in section.spans})
