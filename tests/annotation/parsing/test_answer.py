import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.parsing.answer import Mention, UnreadableAnswer, parse_answer
from kazu_distill.annotation.parsing.lenient_json import Array, Number, Object, Value, read_json
from kazu_distill.schema import Schema
from tests.work import calls

SCHEMA = Schema(name="test", classes={"gene": {}, "cell type": {}, "disease, disorder": {}}, ignored=["other"])
EGFR = {"entity_match": "EGFR", "entity_class": "gene"}
GOUT = {"entity_match": "gout", "entity_class": "disease, disorder"}
BOTH = (Mention("EGFR", "gene"), Mention("gout", "disease, disorder"))
ONE, TWO = json.dumps(EGFR), json.dumps(GOUT)


def kinds_of(answer: str) -> list[str]:
    return [fault.kind for fault in parse_answer(answer, SCHEMA).faults]


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"entities": [EGFR, GOUT]}),
        json.dumps([EGFR, GOUT]),
        json.dumps({"note": "two were found", "entities": [EGFR, GOUT]}),
        f"Sure! Here they are:\n```json\n{json.dumps({'entities': [EGFR, GOUT]})}\n```\nI hope this helps {{!}}.",
        json.dumps({"entities": [EGFR | {"confidence": 0.9}, GOUT]}),
        json.dumps({"entities": [EGFR | {"entity_class": " GENE "}, GOUT]}),
        f"As in [1], {{two}} were found in [0, 5): {json.dumps({'entities': [EGFR, GOUT]})}",
        json.dumps({"reasoning": ["EGFR is a gene"], "entities": [EGFR, GOUT]}),
        json.dumps({"result": {"entities": [EGFR, GOUT]}}),
        f'<think>{{"entities": [{ONE}]}} no, wait</think> {json.dumps({"entities": [EGFR, GOUT]})}',
        f'It may be {{"entities": [{ONE}]}}.\n</think>\n[{ONE}, {TWO}]',
        f'{{"note": "x"}} {json.dumps([EGFR, GOUT])} []',
        f"\ufeff[{ONE}, {TWO}]",
        json.dumps(json.dumps([EGFR, GOUT])),
        json.dumps({"entities": [EGFR, GOUT], "rejected": [EGFR]}),
    ],
)
def test_mentions_of_a_whole_answer_are_read_in_order(answer: str) -> None:
    parsed = parse_answer(answer, SCHEMA)
    assert parsed.mentions == BOTH
    assert not parsed.faults
    assert parsed.damage is None


@pytest.mark.parametrize(
    "answer",
    [
        '{"EGFR": "gene", "gout": "disease, disorder"}',
        '{"gene": ["EGFR"], "disease, disorder": "gout", "cell type": []}',
        '{"entities": {"EGFR": "gene", "gout": "disease, disorder"}}',
        '{"entities": {"gene": ["EGFR"], "Disease, Disorder": ["gout"]}}',
        '{"gene": [{"entity_match": "EGFR"}], "disease, disorder": [{"text": "gout"}]}',
        '[["EGFR", "gene"], ["gout", "disease, disorder"]]',
        '[["gene", "EGFR"], ["disease, disorder", "gout"]]',
        '[{"EGFR": "gene"}, {"gout": "disease, disorder"}]',
        '[{"text": "EGFR", "type": "gene", "start": 0}, {"mention": "gout", "label": "disease, disorder"}]',
        '[{"EntityMatch": "EGFR", "entity-class": "gene"}, {"Entity": "gout", "Category": "disease, disorder"}]',
        '{"entity_match": "EGFR", "entity_class": "gene", "entity_match": "gout", "entity_class": "disease, disorder"}',
        '[{"entity_match": ["EGFR"], "entity_class": ["gene"]}, ["gout", "disease, disorder"]]',
    ],
)
def test_other_shapes_that_can_mean_one_thing_only_are_read(answer: str) -> None:
    assert parse_answer(answer, SCHEMA).mentions == BOTH
    assert parse_answer(answer, SCHEMA).damage is None


@pytest.mark.parametrize(
    ("answer", "mended"),
    [
        (f'{{"entities": [{ONE}, {TWO},]}}', "a comma too many"),
        (f"[{ONE} {TWO}]", "a missing comma"),
        (f"[{ONE}, // a gene\n {TWO} /* a disease */]", "a comment"),
        (str([EGFR, GOUT | {"nested": None}]), "quotes that are not"),
        (str([EGFR, GOUT | {"nested": None}]), "a constant that"),
        (f'[{ONE}, {{entity_match: "gout", entity_class: "disease, disorder"}}]', "a key without quotes"),
        (f"{ONE}\n{TWO}", "mentions outside a list"),
        (json.dumps([EGFR, GOUT]).replace('"', "“", 1).replace('"', "”", 1), "quotes that are not"),
    ],
)
def test_what_is_not_json_but_loses_nothing_is_mended_and_counted(answer: str, mended: str) -> None:
    parsed = parse_answer(answer, SCHEMA)
    assert parsed.mentions == BOTH
    assert any(fault.kind == "JSON mended" and fault.example.startswith(mended) for fault in parsed.faults)
    assert parsed.damage is None


@pytest.mark.parametrize(
    ("answer", "damage"),
    [
        (f'{{"entities": [{ONE}, {TWO}, {{"entity_match": "rheum', "the JSON ends before it is closed"),
        (f"[{ONE}, {TWO}, ...]", "this is not JSON: ...]"),
        (f'{ONE} 2. {{"broken}} 3. {TWO}', "a string is not closed"),
        (f'[{ONE}, {{"entity_match": "gout, "entity_class": "disease, disorder"}}]', "a string is not closed"),
        (f"[{ONE}, {TWO}, {{]", "the wrong bracket closes it"),
        (f"[{ONE[:-1]}, {TWO}]", "something is missing before"),
        (f'[{ONE}, {TWO}, "gene": "x"]', "a colon where none belongs"),
        (f'[{ONE}, {TWO}, {{"entity_match"}}]', "a key without a value"),
        (f'[{ONE}, {TWO}] and [["gout", "gene"]]', "there is more than one list"),
        (f"[{ONE}, {TWO}, " + "[" * 200 + "]" * 200 + "]", "it is nested too deep"),
    ],
)
def test_whole_mentions_of_a_damaged_answer_are_kept_and_the_damage_is_told(answer: str, damage: str) -> None:
    parsed = parse_answer(answer, SCHEMA)
    assert parsed.mentions == BOTH
    assert parsed.damage is not None
    assert parsed.damage.startswith(damage)
    assert kinds_of(answer)[0] == "damaged JSON"


def test_an_unescaped_quote_does_not_spoil_what_follows() -> None:
    parsed = parse_answer(f'[{{"entity_match": "the 5" end", "entity_class": "gene"}}, {TWO}]', SCHEMA)
    assert parsed.mentions == (Mention('the 5" end', "gene"), BOTH[1])
    assert parsed.damage is not None
    assert "not escaped" in parsed.damage


def test_a_list_that_is_taken_back_in_thinking_never_counts() -> None:
    with pytest.raises(UnreadableAnswer, match="before the thinking does"):
        parse_answer(f"<think>maybe [{ONE}]", SCHEMA)


@pytest.mark.parametrize(
    "answer", ['{"entities": []}', "[]", '{"entities": {}}', '{"entities": null}', '{"gene": [], "cell type": []}']
)
def test_an_empty_list_is_an_answer(answer: str) -> None:
    parsed = parse_answer(answer, SCHEMA)
    assert (parsed.mentions, parsed.damage) == ((), None)


def test_a_mention_may_have_several_classes() -> None:
    parsed = parse_answer('[{"entity_match": "EGFR", "entity_class": ["gene", "cell type"]}]', SCHEMA)
    assert parsed.mentions == (Mention("EGFR", "gene"), Mention("EGFR", "cell type"))


@pytest.mark.parametrize("name", ["cell type", "Cell Type", "cell_type", "CELL-TYPE", " cell  type "])
def test_a_class_is_known_however_it_is_written(name: str) -> None:
    parsed = parse_answer(json.dumps([{"entity_match": "x", "entity_class": name}]), SCHEMA)
    assert parsed.mentions == (Mention("x", "cell type"),)


def test_a_number_is_the_mention_that_it_is_written_as() -> None:
    parsed = parse_answer('[{"entity_match": 0.050, "entity_class": "gene"}]', SCHEMA)
    assert parsed.mentions == (Mention("0.050", "gene"),)


def test_halves_of_surrogate_pairs_are_joined_or_replaced() -> None:
    parsed = parse_answer(r'[{"entity_match": "\ud83e\uddec \ud83e", "entity_class": "gene"}]' + "\ud83e", SCHEMA)
    assert parsed.mentions == (Mention("🧬 �", "gene"),)


def test_items_that_are_no_mentions_are_counted_by_kind() -> None:
    items: list[Any] = [
        EGFR,
        "EGFR",
        {"entity_class": "gene"},
        {"entity_match": "x", "entity_class": None},
        {"entity_match": "x", "entity_class": "planet"},
        {"entity_match": "x", "entity_class": "planet"},
        {"entity_match": "x", "entity_class": "Other"},
        {"text": "x", "name": "y", "type": "gene"},
    ]
    parsed = parse_answer(json.dumps(items), SCHEMA)
    assert parsed.mentions == BOTH[:1]
    assert [fault.kind for fault in parsed.faults] == [
        "not an object",
        "no entity_match",
        "no entity_class",
        "class not in the schema",
        "class not in the schema",
        "class ignored by the schema",
        "no entity_match",
    ]
    assert parsed.faults[3].example == "x (planet)"
    assert parsed.damage is None


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "the answer is empty"),
        ("There are no entities.", "there is no JSON in the answer"),
        ("null", "there is no JSON"),
        ("[1]", "there is no JSON"),
        ('{"entities": ', "the JSON ends before it is closed"),
        ('{"entities": [', "the JSON ends before it is closed"),
        ("{}", "the JSON is not an object with a list"),
        ('{"entities": ["EGFR"]}', "the JSON is not an object with a list"),
        ("[" * 5000, "it is nested too deep"),
        ("[" + "1" * 5000 + "]", "there is no JSON"),
    ],
)
def test_an_answer_without_a_list_is_unreadable_and_the_llm_is_told_why(answer: str, why: str) -> None:
    with pytest.raises(UnreadableAnswer, match=why) as raised:
        parse_answer(answer, SCHEMA)
    assert len(str(raised.value)) < 250


ALPHABETS = st.one_of(st.text(alphabet="{}[]\",:'“”entity_match gene\\\n/*#", max_size=200), st.text(max_size=200))
TOKENS = st.lists(st.sampled_from([*'{}[]",:', '"entity_match"', '"entity_class"', '"gene"', "null", "1", "\\u"]))


@given(st.one_of(ALPHABETS, TOKENS.map("".join)))
def test_no_answer_raises_anything_else_and_no_message_is_long(answer: str) -> None:
    mentions: tuple[Mention, ...] = ()
    try:
        parsed = parse_answer(answer, SCHEMA)
        mentions, message = parsed.mentions, parsed.damage or ""
    except UnreadableAnswer as error:
        message = str(error)
    assert all(mention.text.strip() and mention.label in SCHEMA.labels for mention in mentions)
    assert len(message) < 250


STRINGS = st.one_of(st.text(max_size=8), st.sampled_from(['"', "\\", "{[", "}]", "a, b", "</think>", "EGFR"]))
MENTIONS = st.builds(
    lambda text, label: {"entity_match": text, "entity_class": label},
    STRINGS.filter(str.strip),
    st.sampled_from(SCHEMA.labels),
)


@given(st.lists(MENTIONS, min_size=1, max_size=6), st.booleans(), st.sampled_from([None, 1]), st.data())
def test_a_cut_answer_gives_the_mentions_before_the_cut(
    items: list[dict[str, str]], escaped: bool, indent: int | None, data: st.DataObject
) -> None:
    written = [json.dumps(item, ensure_ascii=escaped, indent=indent) for item in items]
    head, whole = '{"entities": [', '{"entities": [' + ", ".join(written) + "]}"
    cut = data.draw(st.integers(0, len(whole) - 2))
    ends = [len(head + ", ".join(written[:number])) for number in range(1, len(items) + 1)]
    expected = [
        Mention(item["entity_match"], item["entity_class"]) for item, end in zip(items, ends, strict=True) if end <= cut
    ]
    if expected:
        parsed = parse_answer(whole[:cut], SCHEMA)
        assert [*parsed.mentions] == expected
        assert (parsed.damage is None) == (cut > ends[-1])  # the list itself is closed
    else:
        with pytest.raises(UnreadableAnswer):
            parse_answer(whole[:cut], SCHEMA)


SCALARS = st.one_of(
    st.none(), st.booleans(), st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=15)


@given(st.one_of(st.lists(st.lists(VALUES), min_size=1), st.dictionaries(st.text(), VALUES)), st.booleans())
def test_valid_json_is_read_as_json_reads_it(value: Any, escaped: bool) -> None:
    (read,) = read_json(json.dumps(value, ensure_ascii=escaped))
    assert plain(read) == json.loads(json.dumps(value), parse_int=Number, parse_float=Number)
    assert read.damage is None
    assert not read.mended


def plain(value: Value) -> Any:
    """A value as ``json`` would give it, but for what it does with surrogate pairs, which come later."""
    if isinstance(value, Array):
        return [plain(item) for item in value.items]
    if isinstance(value, Object):
        return {joined(key): plain(each) for key, each in value.pairs}
    return joined(value) if isinstance(value, str) else value


def joined(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


@pytest.mark.parametrize(
    "unit",
    ["[", "{", '{"a":', "[{", "[ ", '["', '"a ', "/* ", "[]", "{]", '["a":', '{"entities":[', "<think>", ' "x', ONE],
)
def test_the_work_is_linear_in_the_length_of_any_answer(unit: str) -> None:
    def read(length: int, first: str) -> None:
        with suppress(UnreadableAnswer):
            parse_answer(first + unit * (length // len(unit)), SCHEMA)

    for first in ("[", ""):
        small, large = calls(lambda: read(10_000, first)), calls(lambda: read(40_000, first))  # noqa: B023
        assert large <= 4.5 * small + 1000
        read(400_000, first)  # nor does it take minutes in what is not counted


OPEN = Schema(name="open", classes={}, ask_for="types")
MAPPED = Schema(name="mapped", classes={"gene": {"types": ["protein"]}, "drug": {}}, ignored=["other"], ask_for="types")


def listed(*types: str) -> str:
    return json.dumps({"entities": [{"entity_match": "EGFR", "entity_class": each} for each in types]})


def test_free_types_are_labels_in_lower_case_with_single_spaces() -> None:
    parsed = parse_answer(listed("Protein", " cell\n LINE", "gene_product", "é\u202ex\x1b[31m", "non-coding RNA"), OPEN)
    assert [mention.label for mention in parsed.mentions] == [
        "protein", "cell line", "gene product", "é x [31m", "non-coding rna",
    ]  # fmt: skip
    assert not parsed.faults


@pytest.mark.parametrize("name", ["???", "12", "\u200b", "x" * 81])
def test_what_is_no_name_of_a_type_is_counted(name: str) -> None:
    for schema in (OPEN, MAPPED):
        parsed = parse_answer(listed(name), schema)
        assert not parsed.mentions
        assert [fault.kind for fault in parsed.faults] == ["not a type"]


def test_free_types_become_the_classes_that_list_them_and_the_others_are_counted() -> None:
    parsed = parse_answer(listed("Protein", "Drug", "gene", "assay", "other"), MAPPED)
    assert [mention.label for mention in parsed.mentions] == ["gene", "drug", "gene"]
    assert [fault.kind for fault in parsed.faults] == ["class not in the schema", "class ignored by the schema"]


@given(
    st.one_of(
        st.recursive(
            st.sampled_from(["EGFR", "gene", "protein", "entity_match", "", "assay"]),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["entities", "entity_match", "entity_class", "gene", "EGFR", "text"]),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=12,
        ).map(json.dumps),
        st.text(alphabet='{}[]",: EGFRgene', max_size=60),
    )
)
def test_an_answer_is_as_readable_with_a_schema_of_its_types_as_with_an_open_one(answer: str) -> None:
    """Else a run with such a schema would ask again what the run with the open one did not."""

    def outcome(schema: Schema) -> str | None:
        try:
            return parse_answer(answer, schema).damage
        except UnreadableAnswer as error:
            return f"unreadable: {error}"

    assert outcome(OPEN) == outcome(MAPPED)
