"""Answers that are cut, wrapped, or wrong: what is whole is kept, and what is missing is said."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.parsing.answer import Mention, ParsedAnswer, UnreadableAnswer
from kazu_distill.annotation.styles.guidelines import Guidelines
from kazu_distill.annotation.styles.inline_tags import InlineTags
from kazu_distill.annotation.styles.one_class import OneClass
from kazu_distill.annotation.styles.style import Style
from kazu_distill.annotation.styles.token_lines import TokenLines
from kazu_distill.documents import Span
from kazu_distill.schema import Schema
from tests.annotation.styles.labelled import texts
from tests.work import calls

SCHEMA = Schema(name="test", classes={"drug": {}, "disease, disorder": {}}, ignored=["other"])
DRUG = SCHEMA.only(["drug"])
STYLES: list[tuple[Style, Schema]] = [
    (InlineTags(), SCHEMA), (TokenLines(), SCHEMA), (Guidelines(), SCHEMA), (OneClass(), DRUG)
]  # fmt: skip
TEXT = "Aspirin, or 1,2-dichloroethane: p < 0.05. Gout; then aspirin again."
SPANS = [
    Span(0, 7, "drug"), Span(12, 30, "drug"), Span(12, 13, "disease, disorder"), Span(42, 46, "disease, disorder"),
    Span(53, 60, "drug"),
]  # fmt: skip


def read(style: Style, schema: Schema, answer: str) -> tuple[list[tuple[str, str, Any]], str | None]:
    parsed = style.parse(answer, TEXT, schema)
    return [(mention.text, mention.label, mention.place) for mention in parsed.mentions], parsed.damage


@pytest.mark.parametrize(("style", "schema"), STYLES)
@pytest.mark.parametrize(
    "wrapped",
    [
        "```\n{}\n```",
        "```python\n{}\n```",
        "Sure! Here is the answer:\n\n{}\n\nI hope that this helps.",
        "<think>Is it [1] a drug? Drug, no <b>.</think>\n{}",
        "Hm, a <drug>, is it?\n</think>{}",
        "\ufeff{}",
        " \n{} \n\n",
    ],
)
def test_what_is_around_an_answer_changes_nothing(style: Style, schema: Schema, wrapped: str) -> None:
    answer = style.render(TEXT, SPANS, schema)
    assert read(style, schema, wrapped.format(answer)) == read(style, schema, answer)


@pytest.mark.parametrize(("style", "schema"), STYLES)
@pytest.mark.parametrize(
    "answer", ["", " \n", "There are no entities.", "null", "<think>maybe <drug>Aspirin</drug>", "{", "[("]
)
def test_what_is_no_answer_is_unreadable_and_the_llm_is_told(style: Style, schema: Schema, answer: str) -> None:
    with pytest.raises(UnreadableAnswer) as raised:
        style.parse(answer, TEXT, schema)
    assert 10 < len(str(raised.value)) < 250


words = st.sampled_from(["aspirin", "gout", "IL-2", "of", "<", "p < 0.05", "(", "1,2-x", "drug>", "糖尿病", "é", ":"])


@st.composite
def marked(draw: st.DrawFn) -> tuple[str, list[Span]]:
    """A text of words, some of them labelled."""
    text, spans = "", []
    for word in draw(st.lists(words, min_size=1, max_size=12)):
        if draw(st.booleans()) and any(map(str.isalnum, word)):
            spans.append(Span(len(text), len(text) + len(word), draw(st.sampled_from(SCHEMA.labels))))
        text += f"{word} "
    return f"{text}end", spans  # a text that ends with "<" is not told from one that is cut in a tag


def parse_cut(style: Style, text: str, answer: str) -> ParsedAnswer | None:
    with suppress(UnreadableAnswer):
        return style.parse(answer, text, SCHEMA)
    return None


@given(marked(), st.data())
def test_a_copy_with_tags_that_is_cut_keeps_the_mentions_that_are_closed(
    example: tuple[str, list[Span]], data: st.DataObject
) -> None:
    text, spans = example
    answer = InlineTags().render(text, spans, SCHEMA)
    cut = answer[: data.draw(st.integers(0, len(answer) - 1))]
    closed = len(re.findall(r"</(?:drug|disease_disorder)>", cut))
    parsed = parse_cut(InlineTags(), text, cut)
    if parsed is None:
        assert not closed
        return
    found = {(*(mention.place or ()), mention.label) for mention in parsed.mentions}
    assert found == {span.place for span in spans[:closed]}
    if closed < len(spans):
        assert parsed.damage is not None


@given(marked(), st.data())
def test_lines_that_are_cut_keep_the_mentions_after_which_another_line_is_whole(
    example: tuple[str, list[Span]], data: st.DataObject
) -> None:
    text, spans = example
    answer = TokenLines().render(text, spans, SCHEMA)
    cut = data.draw(st.integers(0, len(answer) - 1))
    parsed = parse_cut(TokenLines(), text, answer[:cut])
    found = {(*(mention.place or ()), mention.label) for mention in parsed.mentions} if parsed else set()
    assert found <= {span.place for span in spans}, "none is cut short"
    whole_lines = answer[:cut].split("\n")[:-1]
    copied = "".join(line.rpartition(" : ")[0] for line in whole_lines[:-1])
    whole = {span.place for span in spans if len(text[: span.end].replace(" ", "")) <= len(copied)}
    assert whole <= found
    if parsed and len(found) < len(spans):
        assert parsed.damage is not None


@given(marked(), st.data())
def test_a_list_of_objects_that_is_cut_keeps_those_before_the_cut(
    example: tuple[str, list[Span]], data: st.DataObject
) -> None:
    text, spans = example
    items = [Guidelines().render(text, [span], SCHEMA)[1:-1] for span in spans]
    answer = f"[{', '.join(items)}]"
    assert answer == Guidelines().render(text, spans, SCHEMA)
    cut = data.draw(st.integers(0, len(answer) - 1))
    whole = [number for number in range(len(items)) if len(f"[{', '.join(items[: number + 1])}") <= cut]
    parsed = parse_cut(Guidelines(), text, answer[:cut])
    found = [each.text for each in parsed.mentions] if parsed else []
    assert found == [text[spans[number].start : spans[number].end] for number in whole]
    assert (parsed is None) == (not whole)
    assert parsed is None or parsed.damage is not None


@pytest.mark.parametrize(
    ("answer", "mentions", "damage"),
    [
        ("<drug>Aspirin</drug>, or 1,2-dichloroethane", ["Aspirin"], "the copy of the text ends before"),
        (TEXT.replace("Gout", "<drug>Gout"), [], "a tag is not closed: <drug>Gout; then"),
        (TEXT.replace("Gout", "<drug>Gout<drug>"), [], "a tag is not closed: <drug>Gout<drug>; then"),
        (TEXT.replace("Gout", "Gout</drug>"), [], "a tag is closed that was not opened: </drug>; then"),
        (
            TEXT.replace("Gout", "<drug>" * 40 + "Gout" + "</drug>" * 40),
            ["Gout"] * 30,
            "there are too many tags inside",
        ),
        (TEXT.replace("Gout", "< Drug >Gout</ DRUG >"), ["Gout"], None),
        (TEXT.replace("Gout", "<disease-disorder>Gout</disease disorder>"), ["Gout"], None),
        (TEXT.replace("<", "&lt;").replace("Gout", "<drug>Gout</drug>"), ["Gout"], None),
    ],
)
def test_tags_that_are_not_as_they_were_asked_for(answer: str, mentions: list[str], damage: str | None) -> None:
    parsed = InlineTags().parse(answer, TEXT, SCHEMA)
    assert [mention.text for mention in parsed.mentions] == mentions
    assert all(mention.place for mention in parsed.mentions)
    assert (parsed.damage or "")[: len(damage or "")] == (damage or "")
    assert (parsed.damage is None) == (damage is None)


def test_tags_of_other_classes_are_counted_and_no_part_of_the_text() -> None:
    answer = TEXT.replace("Gout", "<planet>Gout</planet>").replace("Aspirin", "<other>Aspirin</other><drug></drug>")
    parsed = InlineTags().parse(answer.replace("p <", "<b>p</b> <"), TEXT, SCHEMA)
    kinds = [fault.kind for fault in parsed.faults]
    assert kinds == ["class ignored by the schema", "nothing between tags", *["class not in the schema"] * 2]
    assert parsed.damage is None


def test_what_the_copy_puts_in_the_place_of_other_words_is_left_to_be_searched_for() -> None:
    parsed = InlineTags().parse(TEXT.replace("Gout", "<drug>Ibuprofen</drug>"), TEXT, SCHEMA)
    assert parsed.mentions == (Mention("Ibuprofen", "drug"),)


LINES = TokenLines().render(TEXT, SPANS, SCHEMA)


@pytest.mark.parametrize(
    ("changed", "damage"),
    [
        (LINES.replace(" : ", ": "), None),
        (LINES.replace(" : ", "\t"), None),
        (LINES.replace("B-", "b-").replace("I-", "i-").replace("|", " | "), None),
        (LINES.replace("B-", "").replace("I-", ""), None),
        (LINES.replace("Aspirin", "ASPIRIN"), None),
        (LINES.replace("1 : B-disease_disorder|B-drug\n, : I-drug", "1 : B-disease_disorder|B-drug\n : I-drug"), None),
        (LINES.replace("1 : B-disease_disorder|B-drug\n, : I", "1 : B-disease_disorder|I-drug\n, : I"), None),
        (LINES.replace("\n", "\r\n"), None),
        (LINES.replace("\n", "\n\n"), None),
    ],
)
def test_lines_that_are_written_in_another_way_say_the_same(changed: str, damage: str | None) -> None:
    parsed = TokenLines().parse(changed, TEXT, SCHEMA)
    assert {(*(mention.place or ()), mention.label) for mention in parsed.mentions} == {span.place for span in SPANS}
    assert parsed.damage == damage


def test_lines_of_other_classes_and_lines_that_are_none_are_counted() -> None:
    answer = LINES.replace("Gout : B-disease_disorder", "Gout : B-planet").replace("or : O", "or : O?")
    parsed = TokenLines().parse(answer, TEXT, SCHEMA)
    assert [fault.kind for fault in parsed.faults] == ["not a token with its tag", "class not in the schema"]
    assert len(parsed.mentions) == 4


@pytest.mark.parametrize(
    ("answer", "mentions", "damage"),
    [
        ("result = [\n    Drug(span='Aspirin'),  # a drug\n    Drug(\"x\"),\n]", ["Aspirin", "x"], None),
        ('[Drug(span="Aspirin", start=0), drug( span = "x" )]', ["Aspirin", "x"], None),
        (r'[Drug(span="a\"b\\c\td\u00e9\x41\d"), Drug(r"\d")]', ['a"b\\c\tdéA\\d', r"\d"], None),
        ("Drug(span='Aspirin')\nDrug(span='x')", ["Aspirin", "x"], None),
        ("[]\nNo: [Drug('x')]", ["x"], None),
        ("[Drug('x')] or [Drug('y')]", ["x"], "there is more after the list, which does not count: Drug('y')"),
        ("[Drug('x'), Drug(y), Drug('z')]", ["x", "z"], "this is not an entity of the list: Drug(y)"),
        ('[Drug("the 5" end"), Drug("z")]', ['the 5" end', "z"], "a quote inside a string is not escaped: Drug("),
        ('[Drug("x), Drug("y")]', ["y"], 'this is not an entity of the list: Drug("x)'),
        ("[Drug('x'), Drug('y'", ["x"], "this is not an entity of the list: Drug('y'"),
        ("[Drug('x'), ", ["x"], "the list ends before it is closed; its last characters are [Drug('x'),"),
        ("[Drug('x'), 'y', __import__('os').system('z')]", ["x"], "this is not an entity of the list: 'y'"),
        ("[Drug(''), Planet('x'), Other('y'), Drug('z')]", ["z"], None),
        ("class Drug(Entity):\n    pass\n\n[Drug('z')]", ["z"], None),
    ],
)
def test_lists_of_objects_that_are_not_as_they_were_asked_for(
    answer: str, mentions: list[str], damage: str | None
) -> None:
    parsed = Guidelines().parse(answer, TEXT, SCHEMA)
    assert [mention.text for mention in parsed.mentions] == mentions
    assert (parsed.damage is None) == (damage is None)
    assert (parsed.damage or "").startswith(damage or "")


def test_nothing_of_an_answer_is_run(tmp_path: Any) -> None:
    trap = f"__import__('pathlib').Path({str(tmp_path / 'x')!r}).touch()"
    for answer in (f"[Drug(span={trap})]", f"[Drug(span='x' + {trap})]", f"[{trap}]", f"[Drug(span=f'{{{trap}}}')]"):
        with suppress(UnreadableAnswer):
            Guidelines().parse(answer, TEXT, SCHEMA)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("answer", "mentions", "damage"),
    [
        ('{"drug": ["x", "y"]}', ["x", "y"], None),
        ('{"reasoning": "hm", "entities": ["x"]}', ["x"], None),
        ("['x', 'it''s', 1.50]", ["x", "it", "s", "1.50"], None),
        ('[{"entity_match": "x", "entity_class": "drug"}]', ["x"], None),
        ("[]", [], None),
        ('["x", "y', ["x"], "the JSON ends before it is closed"),
        ('["x"] or ["y"]', ["x"], "there is more than one list"),
        ('["x", null, ""]', ["x"], None),
    ],
)
def test_lists_of_strings_that_are_not_as_they_were_asked_for(
    answer: str, mentions: list[str], damage: str | None
) -> None:
    parsed = OneClass().parse(answer, TEXT, DRUG)
    assert [mention.text for mention in parsed.mentions] == mentions
    assert (parsed.damage is None) == (damage is None)
    assert (parsed.damage or "").startswith(damage or "")


_ALPHABET = "<>/drug&lt;amp:|BIO- \n[](),=\"'\\`#1é糖"


@pytest.mark.parametrize(("style", "schema"), STYLES)
@given(st.text(alphabet=_ALPHABET, max_size=80) | st.text(max_size=60), texts)
def test_no_answer_raises_anything_else_and_no_message_is_long(
    style: Style, schema: Schema, answer: str, text: str
) -> None:
    message = ""
    mentions: tuple[Mention, ...] = ()
    try:
        parsed = style.parse(answer, text, schema)
        mentions, message = parsed.mentions, parsed.damage or ""
    except UnreadableAnswer as error:
        message = str(error)
    assert len(message) < 250
    for mention in mentions:
        assert mention.label in schema.labels
        assert mention.text
        assert mention.text.encode()
        if mention.place is not None:
            assert 0 <= mention.place[0] < mention.place[1] <= len(text)


@pytest.mark.parametrize(("style", "schema"), STYLES)
@pytest.mark.parametrize(
    "unit",
    [
        "<", "<drug", "<drug>", "<drug>x", "</drug>", "<drug>x</drug> ", "< ", "&lt;", "&amp;", "&", "(", "[", "Drug(",
        "[Drug(", 'Drug("', "Drug('x", "[Drug('x'), ", '[Drug("\\"', "a", " ", "a ", ":", " : ", "\n",
        "x : B-drug\n", "x : O\n", "|", "x : B-drug|", '["', '["x", ', "Aspirin ", "Aspirin, p ", "```",
        "<think>", "<x>", '"',
    ],
)  # fmt: skip
def test_the_work_is_linear_in_the_length_of_any_answer(style: Style, schema: Schema, unit: str) -> None:
    def parse(length: int) -> None:
        with suppress(UnreadableAnswer):
            style.parse(unit * (length // len(unit)), TEXT * 20, schema)

    small, large = calls(lambda: parse(10_000)), calls(lambda: parse(40_000))
    assert large <= 4.5 * small + 5000
    parse(200_000)  # nor does it take minutes in what is not counted
