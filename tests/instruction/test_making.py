from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.annotation.grounding.grounder import Grounder
from kazu_distill.annotation.prompt import Prompt
from kazu_distill.annotation.styles.class_lists import ClassLists
from kazu_distill.annotation.styles.guidelines import Guidelines
from kazu_distill.annotation.styles.inline_tags import InlineTags
from kazu_distill.annotation.styles.json_list import JsonList
from kazu_distill.annotation.styles.one_class import OneClass
from kazu_distill.annotation.styles.style import Style
from kazu_distill.annotation.styles.token_lines import TokenLines
from kazu_distill.documents import Document, Section, Span
from kazu_distill.instruction.examples import OutsideExamples
from kazu_distill.instruction.making import Back, LeftOut, spans_cut
from kazu_distill.instruction.negatives import Negatives
from kazu_distill.instruction.noise import Noise
from kazu_distill.instruction.records import Record
from kazu_distill.llm.protocol import Turn
from kazu_distill.retrieval.shown import Example
from kazu_distill.schema import Schema
from tests.instruction.hostile import documents, schemas
from tests.instruction.making import maker

SCHEMA = Schema(name="test", classes={"drug": {"definition": "A drug."}, "gene": {"definition": "A gene."}, "cell": {}})
TEXT = "Aspirin inhibits EGFR. Aspirin helps."
DOCUMENT = Document("1", (Section("text", TEXT, (Span(0, 7, "drug"), Span(17, 21, "gene"), Span(23, 30, "drug"))),))
STYLES = [JsonList(), ClassLists(), ClassLists(form="short"), InlineTags(), TokenLines(), Guidelines(), OneClass()]
NOISES = st.sampled_from([Noise(), Noise(shuffle=0.5, paraphrase=0.5, drop_definitions=0.5, mask_names=0.5)])


def records_of(document: Document, **settings: object) -> list[Record]:
    made = maker(SCHEMA, **settings).records(document, training=True)  # type: ignore[arg-type]
    return [record for _, record, _ in made if isinstance(record, Record)]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: type(style).__name__)
@given(st.data(), NOISES, st.booleans(), st.integers(3, 40))
def test_every_record_parses_back_to_the_spans_that_it_came_from(
    style: Style, data: st.DataObject, noise: Noise, class_by_class: bool, tokens: int
) -> None:
    class_by_class = class_by_class or isinstance(style, OneClass)
    schema = data.draw(schemas())
    document = data.draw(documents(schema))
    made = maker(
        schema, style=style, noise=noise, class_by_class=class_by_class, tokens=tokens, negatives=Negatives(by="all")
    )
    seen: Counter[tuple[int, int, int, str]] = Counter()
    for asked, record, back in made.records(document, training=True):
        section = document.sections[asked.section]
        wanted = {
            (span.start, span.end, span.label)
            for span in section.spans
            if asked.chunk.start <= span.start and span.end <= asked.chunk.end and span.label in asked.names.values()
        }
        seen.update((asked.section, *place) for place in wanted)
        if record is LeftOut.FORM:
            assert isinstance(style, InlineTags | TokenLines)  # two of one class cross, or begin with white space
            continue
        assert isinstance(record, Record)
        # Read as a stranger would: with a schema of nothing but the names that the record shows.
        shown = Schema(name="shown", classes={name: {} for name in asked.names}, ignored=schema.ignored)
        parsed = style.parse(record.answer, record.text, shown)
        assert not parsed.faults
        assert Counter((mention.text, asked.names[mention.label]) for mention in parsed.mentions) == Counter(
            (section.text[start:end], label) for start, end, label in wanted
        )
        grounded = Grounder(occurrences="listed", split_abbreviations=False).ground(record.text, parsed.mentions).spans
        found = {
            (span.start + asked.chunk.start, span.end + asked.chunk.start, asked.names[span.label]) for span in grounded
        }
        assert (found == wanted) == (back is Back.SPANS)
        assert record.spans == len(wanted)
    places = {(number, *span.place) for number, section in enumerate(document.sections) for span in section.spans}
    assert set(seen.values()) <= {1}
    assert len(places) - len(seen) == spans_cut(document, Chunker(tokens=tokens))


@given(st.data(), st.booleans())
def test_ids_are_unique_in_a_document_and_the_same_seed_makes_the_same(
    data: st.DataObject, class_by_class: bool
) -> None:
    schema = data.draw(schemas())
    document = data.draw(documents(schema))
    settings = {
        "class_by_class": class_by_class,
        "tokens": 4,
        "noise": Noise(shuffle=0.5, mask_names=0.5),
        "negatives": Negatives(by="uniform"),
    }
    one, other = (list(maker(schema, **settings).records(document, training=True)) for _ in range(2))  # type: ignore[arg-type]
    assert one == other
    assert len({asked.id for asked, _, _ in one}) == len(one)


def test_a_record_is_what_annotate_asks_with_the_right_answer() -> None:
    [record] = records_of(DOCUMENT)
    [question] = Prompt(schema=SCHEMA, instructions="Find:\n$classes").questions(TEXT, DOCUMENT)
    assert (record.instructions, record.earlier, record.text) == (question.request.system, (), question.request.user)
    assert [mention.text for mention in question.parse(record.answer).mentions] == ["Aspirin", "EGFR", "Aspirin"]
    assert record.mentions == {"drug": ("Aspirin", "Aspirin"), "gene": ("EGFR",), "cell": ()}


def test_masked_names_stand_in_guidelines_examples_and_answer_and_come_back_as_the_true_ones() -> None:
    noise = Noise(mask_names=1)
    [(asked, record, back)] = maker(SCHEMA, noise=noise, examples=Shown()).records(DOCUMENT, training=True)
    assert isinstance(record, Record)
    said = record.instructions + record.answer + "".join(turn.text for turn in record.earlier)
    assert '"drug"' not in said
    assert '"gene"' not in said
    assert set(asked.names.values()) == set(SCHEMA.labels)
    assert sorted(asked.names)[:2] == sorted(record.mentions)[:2]
    assert back is Back.SPANS


def test_a_place_that_the_form_cannot_tell_is_noted_and_the_record_stays() -> None:
    one_of_two = Document("1", (Section("text", "gout or gout", (Span(8, 12, "drug"),)),))
    [(_, record, back)] = maker(SCHEMA).records(one_of_two, training=True)
    assert isinstance(record, Record)
    assert back is Back.MENTIONS


def test_a_mention_that_does_not_come_back_makes_no_record() -> None:
    blank = Document("1", (Section("text", "gout  gout", (Span(4, 6, "drug"),)),))
    assert [record for _, record, _ in maker(SCHEMA).records(blank, training=True)] == [LeftOut.LOST]


def test_training_asks_about_the_classes_there_are_and_some_others_and_other_parts_about_all() -> None:
    made = maker(SCHEMA, class_by_class=True, negatives=Negatives(by="none"), noise=Noise(mask_names=1))
    training = [asked for asked, _, _ in made.records(DOCUMENT, training=True)]
    assert [list(asked.names.values()) for asked in training] == [["drug"], ["gene"]]
    measured = [asked for asked, _, _ in made.records(DOCUMENT, training=False)]
    assert [dict(asked.names) for asked in measured] == [{label: label for label in [label]} for label in SCHEMA.labels]


def test_a_negative_is_answered_with_nothing() -> None:
    made = maker(SCHEMA, class_by_class=True, negatives=Negatives(by="uniform", ratio=1))
    records = [record for _, record, _ in made.records(DOCUMENT, training=True) if isinstance(record, Record)]
    assert [record.spans for record in records] == [2, 1, 0]
    assert records[2].answer == '{"entities": []}'


def test_a_text_without_entities_is_a_record() -> None:
    [record] = records_of(Document("1", (Section("text", "Nothing."),)))
    assert record.answer == '{"entities": []}'


def test_a_span_that_a_chunk_cuts_is_in_no_record_and_counted() -> None:
    text = "word " * 50
    document = Document("1", (Section("text", text, (Span(0, len(text) - 1, "drug"), Span(0, 4, "gene"))),))
    records = records_of(document, tokens=20)
    assert len(records) > 1
    assert sum(record.spans for record in records) == 1
    assert spans_cut(document, Chunker(tokens=20)) == 1


def test_context_stands_before_the_text_as_annotate_shows_it() -> None:
    text = "One sentence stands here. " * 20
    first, second, *_ = records_of(Document("1", (Section("text", text),)), tokens=40, context_tokens=20)
    assert first.earlier == ()
    assert second.earlier[0].role == "user"
    assert "One sentence stands here." in second.earlier[0].text


class Shown:
    """Shows the same, whatever is asked; counts how often."""

    def __init__(self) -> None:
        self.asked = 0

    def select(self, text: str, document: Document) -> tuple[Example, ...]:  # noqa: ARG002
        self.asked += 1
        return (
            Example("Ibuprofen.", (Span(0, 9, "drug"),), "2"),
            Example("Aspirin inhibits.", (Span(0, 7, "drug"),), "1"),
            Example("TP53.", (Span(0, 4, "gene"),), "test"),
        )


def test_examples_are_of_other_documents_than_the_one_asked_about_and_those_that_are_measured_on() -> None:
    examples = OutsideExamples(Shown(), not_from={"test"})
    [record] = records_of(DOCUMENT, examples=examples)
    assert [turn.text for turn in record.earlier if turn.role == "user"] == ["Ibuprofen."]
    assert Turn("assistant", '{"entities": [{"entity_match": "Ibuprofen", "entity_class": "drug"}]}') in record.earlier


def test_the_questions_about_one_text_show_the_same_examples_which_are_looked_up_once() -> None:
    shown = Shown()
    examples = OutsideExamples(shown, not_from=())
    records = records_of(DOCUMENT, examples=examples, class_by_class=True, negatives=Negatives(by="all"))
    assert len(records) == 3
    assert shown.asked == 1
