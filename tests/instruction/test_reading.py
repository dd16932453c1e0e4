import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.grounding.grounder import Grounder, Occurrences
from kazu_distill.annotation.styles.class_lists import ClassLists
from kazu_distill.annotation.styles.json_list import JsonList
from kazu_distill.annotation.styles.style import Style
from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import CorpusError
from kazu_distill.instruction.making import Back, LeftOut
from kazu_distill.instruction.negatives import Negatives
from kazu_distill.instruction.noise import Noise
from kazu_distill.instruction.predictions import Prediction, Predictions
from kazu_distill.instruction.reading import AnswerReader, ReadDocument
from kazu_distill.instruction.records import Asked, Record
from kazu_distill.instruction.report import ReadReport
from kazu_distill.schema import Schema
from kazu_distill.scoring.answer_errors import AnswerError
from tests.instruction.hostile import documents, schemas
from tests.instruction.making import maker

SCHEMA = Schema(name="test", classes={"drug": {}, "gene": {}})
TEXT = "Aspirin inhibits EGFR. Aspirin helps."
DOCUMENT = Document("1", (Section("text", TEXT, (Span(0, 7, "drug"), Span(17, 21, "gene"), Span(23, 30, "drug"))),))
OTHER = Document("2", (Section("title", "Gout.", ()), Section("text", "EGFR.", (Span(0, 4, "gene"),))))
FILE = Path("answers.jsonl")
Made = list[tuple[Asked, Record | LeftOut, Back]]


def made_of(*given: Document, schema: Schema = SCHEMA, **settings: object) -> Made:
    made = maker(schema, **settings)  # type: ignore[arg-type]
    return [each for document in given for each in made.records(document, training=True)]


def answered(made: Made, change: Callable[[Record], str] = lambda record: record.answer) -> Predictions:
    return Predictions(
        FILE, {asked.id: Prediction(change(record)) for asked, record, _ in made if isinstance(record, Record)}, ()
    )


def read(
    given: Sequence[Document],
    made: Made,
    predictions: Predictions,
    *,
    schema: Schema = SCHEMA,
    style: Style | None = None,
    occurrences: Occurrences = "listed",
) -> list[ReadDocument]:
    grounder = Grounder(occurrences=occurrences, split_abbreviations=False)
    reader = AnswerReader(schema=schema, style=style or JsonList(), grounder=grounder, source="tuned")
    return list(reader.read(given, [asked for asked, _, _ in made], predictions))


def places(document: Document) -> list[set[tuple[int, int, str]]]:
    return [{span.place for span in section.spans} for section in document.sections]


def test_right_answers_give_the_documents_back() -> None:
    made = made_of(DOCUMENT, OTHER)
    one, other = read([DOCUMENT, OTHER], made, answered(made))
    assert (places(one.document), places(other.document)) == (places(DOCUMENT), places(OTHER))
    assert {span.source for _, span in one.document.spans} == {"tuned"}
    assert [section.text for section in other.document.sections] == ["Gout.", "EGFR."]


@given(st.data(), st.booleans(), st.booleans())
def test_answers_to_records_with_noise_give_back_the_true_classes(
    data: st.DataObject, class_by_class: bool, in_order: bool
) -> None:
    schema = data.draw(schemas())
    document = data.draw(documents(schema))
    noise, style = Noise(shuffle=0.5, mask_names=0.5), ClassLists()
    made = made_of(
        document, schema=schema, style=style, noise=noise, class_by_class=class_by_class, tokens=10,
        negatives=Negatives(by="uniform"),
    )  # fmt: skip
    predictions = answered(made)
    if in_order:
        predictions = Predictions(FILE, {}, list(predictions.by_id.values()))
    [result] = read([document], made, predictions, schema=schema, style=style)
    assert not result.failures
    if all(back is Back.SPANS for _, _, back in made):
        whole = {
            (asked.section, *span.place)
            for asked, _, _ in made
            for span in document.sections[asked.section].spans
            if asked.chunk.start <= span.start and span.end <= asked.chunk.end
        }
        assert {(n, *place) for n, own in enumerate(places(result.document)) for place in own} == whole


def test_instruct_ners_mentions_are_read_whatever_the_style() -> None:
    made = made_of(DOCUMENT)
    extracted = json.dumps({"drug": ["Aspirin"], "gene": []})
    target = {"drug": ["Aspirin", "Aspirin"], "gene": ["EGFR"]}
    [result] = read([DOCUMENT], made, Predictions(FILE, {made[0][0].id: Prediction(extracted, True, target)}, ()))
    assert places(result.document) == [{(0, 7, "drug")}]
    assert result.other_targets == 0
    other = {"drug": [], "gene": ["EGFR"]}
    [result] = read([DOCUMENT], made, Predictions(FILE, {made[0][0].id: Prediction(extracted, True, other)}, ()))
    assert result.other_targets == 1


def test_a_document_whose_answer_is_missing_or_no_use_has_failed() -> None:
    made = made_of(DOCUMENT, OTHER)
    kept = {asked.id: Prediction("I found none.") for asked, _, _ in made[:1]}
    one, other = read([DOCUMENT, OTHER], made, Predictions(FILE, kept, ()))
    assert [(failure.kind, failure.answer) for failure in one.failures] == [("invalid answer", "I found none.")]
    assert [(failure.kind, failure.section) for failure in other.failures] == [
        ("no prediction", 0),
        ("no prediction", 1),
    ]
    assert not one.document.spans


def test_a_record_that_was_left_out_is_a_failure_that_says_why_and_takes_no_answer() -> None:
    made = made_of(DOCUMENT, OTHER)
    first, *rest = [asked for asked, _, _ in made]
    asked = [replace(first, left_out="too long"), *rest]
    answers = [Prediction(record.answer) for _, record, _ in made[1:] if isinstance(record, Record)]
    predictions = Predictions(FILE, {}, answers)
    reader = AnswerReader(schema=SCHEMA, style=JsonList(), grounder=Grounder(), source="tuned")
    one, other = reader.read([DOCUMENT, OTHER], asked, predictions)
    assert [failure.kind for failure in one.failures] == ["too long"]
    assert places(other.document) == places(OTHER)


def test_classes_that_were_not_asked_about_are_not_taken_from_an_answer() -> None:
    made = made_of(DOCUMENT, class_by_class=True)
    listed = [{"entity_match": "Aspirin", "entity_class": "drug"}, {"entity_match": "EGFR", "entity_class": "gene"}]
    both = json.dumps({"entities": listed})
    [result] = read([DOCUMENT], made, answered(made, lambda _: both))
    assert sum(result.faults.values()) == 2
    assert places(result.document) == [{(0, 7, "drug"), (17, 21, "gene")}]


def test_mentions_label_their_other_places_in_the_document_where_that_is_asked_for() -> None:
    document = Document("1", (Section("a", "EGFR."), Section("b", "EGFR and EGFR.")))
    made = made_of(document)
    once = '{"entities": [{"entity_match": "EGFR", "entity_class": "gene"}]}'
    none = '{"entities": []}'
    predictions = Predictions(FILE, {}, [Prediction(once), Prediction(none)])
    [result] = read([document], made, predictions, occurrences="document")
    assert places(result.document) == [{(0, 4, "gene")}, {(0, 4, "gene"), (9, 13, "gene")}]


@pytest.mark.parametrize(
    ("given", "predictions", "message"),
    [
        ([DOCUMENT, OTHER], Predictions(FILE, {"x": Prediction("{}")}, ()), 'id "x"'),
        ([DOCUMENT, OTHER], Predictions(FILE, {}, [Prediction("{}")]), "1 answers without ids to 3 records"),
        ([DOCUMENT, OTHER], Predictions(FILE, {}, [Prediction("{}")] * 4), "4 answers without ids to 3 records"),
        ([DOCUMENT], Predictions(FILE, {}, [Prediction("{}")] * 3), 'document "2" was asked about and is not there'),
        ([OTHER, DOCUMENT], Predictions(FILE, {}, [Prediction("{}")] * 3), "not in this order"),
        (
            [Document("1", (Section("text", "Other."),)), OTHER],
            Predictions(FILE, {}, [Prediction("{}")] * 3),
            'document "1", section 0: the text is not the one',
        ),
    ],
)
def test_answers_to_something_else_are_an_error_that_says_what(
    given: list[Document], predictions: Predictions, message: str
) -> None:
    with pytest.raises(CorpusError, match=message):
        read(given, made_of(DOCUMENT, OTHER), predictions)


def test_errors_are_counted_on_strings_and_on_offsets() -> None:
    made = made_of(DOCUMENT)
    said = [("Aspirin", "drug"), ("EGFR", "drug"), ("helps", "drug"), ("Asprin", "drug")]
    answer = json.dumps({"entities": [{"entity_match": text, "entity_class": label} for text, label in said]})
    [result] = read([DOCUMENT], made, answered(made, lambda _: answer))
    report = ReadReport()
    report.add(result)
    for errors in (report.strings, report.offsets):
        kinds = {kind: errors.of_kind(kind) for kind in AnswerError}
        assert kinds[AnswerError.CORRECT] == kinds[AnswerError.MISTAKEN] == kinds[AnswerError.MISSPELT] == 1
        assert kinds[AnswerError.OVER_PREDICTED] == 1
        assert kinds[AnswerError.CONFLICTING] + kinds[AnswerError.NOT_RECOGNISED] == 1
    assert report.strings.of_kind(AnswerError.CONFLICTING) == 1  # which Aspirin?
    assert report.offsets.of_kind(AnswerError.NOT_RECOGNISED) == 1  # the second one
    assert report.as_json()["grounding"]["not_found"] == 1


def test_gold_of_classes_that_were_not_asked_about_is_no_error() -> None:
    document = Document("1", (Section("text", TEXT, (*DOCUMENT.sections[0].spans, Span(0, 16, "gene"))),))
    made = [each for each in made_of(document, class_by_class=True) if "drug" in each[0].names]
    [result] = read([document], made, answered(made))
    report = ReadReport()
    report.add(result)
    for errors in (report.strings, report.offsets):
        assert {kind for kind in AnswerError if errors.of_kind(kind)} == {AnswerError.CORRECT}
        assert errors.of_kind(AnswerError.CORRECT) == 2


def test_documents_that_nothing_was_asked_about_are_counted() -> None:
    report = ReadReport()
    for each in read([DOCUMENT, OTHER], made_of(DOCUMENT), answered(made_of(DOCUMENT))):
        report.add(each)
    assert (report.documents, report.not_asked) == (2, 1)
