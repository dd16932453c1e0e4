import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.parsing import Mention, UnreadableAnswer, parse_answer
from kazu_distill.schema import Schema

SCHEMA = Schema(name="test", classes={"gene": {}, "disease, disorder": {}}, ignored=["other"])
EGFR = {"entity_match": "EGFR", "entity_class": "gene"}
GOUT = {"entity_match": "gout", "entity_class": "disease, disorder"}
BOTH = (Mention("EGFR", "gene"), Mention("gout", "disease, disorder"))


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"entities": [EGFR, GOUT]}),
        json.dumps([EGFR, GOUT]),
        json.dumps({"note": "two were found", "entities": [EGFR, GOUT]}),
        f"Sure! Here they are:\n```json\n{json.dumps({'entities': [EGFR, GOUT]})}\n```\nI hope this helps {{!}}.",
        json.dumps({"entities": [EGFR | {"confidence": 0.9}, GOUT]}),
        json.dumps({"entities": [EGFR | {"entity_class": " GENE "}, GOUT]}),
        f"As in [1], {{two}} were found: {json.dumps({'entities': [EGFR, GOUT]})}",
        json.dumps({"reasoning": ["EGFR is a gene"], "entities": [EGFR, GOUT]}),
        json.dumps({"result": {"entities": [EGFR, GOUT]}}),
        f'<think>{{"entities": []}}</think> {json.dumps({"entities": [EGFR, GOUT]})}',
        f'{{"note": "x"}} {json.dumps([EGFR, GOUT])} []',
    ],
)
def test_mentions_of_a_whole_answer_are_read_in_order(answer: str) -> None:
    assert parse_answer(answer, SCHEMA).mentions == BOTH
    assert not parse_answer(answer, SCHEMA).faults


@pytest.mark.parametrize(
    "answer",
    [
        f'{{"entities": [{json.dumps(EGFR)}, {json.dumps(GOUT)},]}}',
        f'{{"entities": [{json.dumps(EGFR)}, {json.dumps(GOUT)}, {{"entity_match": "rheum',
        f"{json.dumps(EGFR)}\n{json.dumps(GOUT)}",
        f"1. {json.dumps(EGFR)} 2. {{broken}} 3. {json.dumps(GOUT)}",
    ],
)
def test_whole_mentions_of_a_damaged_answer_are_kept_and_the_damage_is_counted(answer: str) -> None:
    parsed = parse_answer(answer, SCHEMA)
    assert parsed.mentions == BOTH
    assert [fault.kind for fault in parsed.faults] == ["damaged JSON"]


def test_an_empty_list_is_an_answer() -> None:
    assert parse_answer('{"entities": []}', SCHEMA).mentions == ()


def test_items_that_are_no_mentions_are_counted_by_kind() -> None:
    items = [
        EGFR,
        "EGFR",
        {"entity_class": "gene"},
        {"entity_match": "x", "entity_class": 3},
        {"entity_match": "x", "entity_class": "planet"},
        {"entity_match": "x", "entity_class": "Other"},
    ]
    parsed = parse_answer(json.dumps(items), SCHEMA)
    assert parsed.mentions == BOTH[:1]
    assert [fault.kind for fault in parsed.faults] == [
        "not an object",
        "no entity_match",
        "no entity_class",
        "class not in the schema",
        "class ignored by the schema",
    ]
    assert parsed.faults[3].example == "x (planet)"


@pytest.mark.parametrize(
    "answer", ["", "There are no entities.", '{"entities": ', "null", "{}", "[" * 5000, "[1]", '{"entities": ["EGFR"]}']
)
def test_an_answer_without_a_list_is_unreadable(answer: str) -> None:
    with pytest.raises(UnreadableAnswer):
        parse_answer(answer, SCHEMA)


@given(st.text(alphabet='{}[]",:entity_match gene\\\n', max_size=200))
def test_no_answer_raises_anything_else(answer: str) -> None:
    try:
        parse_answer(answer, SCHEMA)
    except UnreadableAnswer:
        return


@given(st.lists(st.sampled_from([EGFR, GOUT]), min_size=1, max_size=8), st.data())
def test_a_cut_answer_gives_the_mentions_before_the_cut(items: list[dict[str, str]], data: st.DataObject) -> None:
    whole = json.dumps({"entities": items})
    cut = data.draw(st.integers(0, len(whole) - 2))
    expected = whole[:cut].count("}")
    if expected:
        assert len(parse_answer(whole[:cut], SCHEMA).mentions) == expected
    else:
        with pytest.raises(UnreadableAnswer):
            parse_answer(whole[:cut], SCHEMA)
