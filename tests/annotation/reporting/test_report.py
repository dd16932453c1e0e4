import json
import tracemalloc
from collections import Counter

from kazu_distill.annotation.annotator import Opinion
from kazu_distill.annotation.chunking.chunks import Chunk
from kazu_distill.annotation.cleaning.cleaner import Cleaner
from kazu_distill.annotation.cleaning.edges import trim_edges
from kazu_distill.annotation.cleaning.rules import minimal_length
from kazu_distill.annotation.failures import Failure
from kazu_distill.annotation.grounding.grounder import GroundedSpan, Status
from kazu_distill.annotation.panel import Annotated
from kazu_distill.annotation.parsing.answer import Fault, Mention
from kazu_distill.annotation.reporting.report import AnnotationReport
from kazu_distill.documents import Document, Section, Span
from kazu_distill.schema import Schema

SCHEMA = Schema(name="test", classes={"drug": {}, "gene": {}})
CLEANER = Cleaner(schema=SCHEMA, rules=[trim_edges(), minimal_length()])


def labelled(identifier: str, text: str, **labels: str) -> Annotated:
    """A document in which an LLM gave each of the words a class; one of them is not there."""
    places = {word: text.index(word) for word in labels}
    grounded = [GroundedSpan(places[word], places[word] + len(word), labels[word], Status.EXACT) for word in labels]
    cleaned = CLEANER.clean(text, grounded)
    spans = tuple(Span(span.start, span.end, span.label) for span in cleaned.kept)
    opinion = Opinion(
        "m",
        sections=[spans],
        statuses=Counter([*(span.status for span in grounded), Status.NOT_FOUND]),
        missing=[(Mention("absent", "gene"), Status.NOT_FOUND)],
        dropped=cleaned.dropped,
        mended=cleaned.mended,
        faults=[Fault("JSON mended", "a comma too many")],
    )
    return Annotated(Document(identifier, (Section("text", text, spans),)), (opinion,))


def without_labels(identifier: str, *, left: bool) -> Annotated:
    failures = [] if left else [Failure(identifier, 0, Chunk(0, 1), "m", "timeout", "nothing came for 60 s")]
    return Annotated(Document(identifier, (Section("text", "x"),)), (Opinion("m", failures=failures, left=left),))


def test_a_report_counts_what_happened_with_an_example_of_each() -> None:
    report = AnnotationReport()
    report.add(labelled("one", "We gave aspirin, and p to rats.", **{"aspirin,": "drug", "p ": "gene"}))
    report.add(labelled("two", "aspirin again", aspirin="gene"))
    report.add(labelled("three", "nothing"))
    report.add(without_labels("four", left=False))
    report.add(without_labels("five", left=True))
    figures = report.as_mapping()
    assert json.loads(json.dumps(figures)) == figures
    assert [figures[f"{kind}documents"] for kind in ("", "failed_", "left_")] == [3, 1, 1]
    assert figures["documents_without_spans"] == 1
    assert figures["spans_per_class"] == {"drug": 1, "gene": 1}
    assert figures["top_strings"] == {"drug": {"aspirin": 1}, "gene": {"aspirin": 1}}
    assert figures["strings_with_several_classes"] == {"aspirin": {"drug": 1, "gene": 1}}
    assert figures["counts_are_lower_bounds"] is False
    assert figures["grounding"]["exact"] == figures["grounding"]["not_found"] == 3
    assert figures["mended"] == {"edges trimmed": 1}
    assert figures["dropped"] == {"too short": 1}
    assert figures["failures"] == {"timeout": 1}
    assert figures["answer_faults"] == {"JSON mended": 3}
    assert {kind: examples[0] for kind, examples in figures["examples"].items()} == {
        "JSON mended": "a comma too many (one)",
        "not_found": "absent (gene, one)",
        "edges trimmed": "We gave ⟦aspirin,⟧ and p to rats. is now ⟦aspirin⟧ (drug, one)",
        "too short": "We gave aspirin, and ⟦p ⟧to rats. (gene, one)",
        "timeout": "nothing came for 60 s (four)",
    }


def test_a_document_that_one_of_its_voters_failed_on_is_a_failed_document() -> None:
    report = AnnotationReport()
    one, failed = labelled("one", "aspirin", aspirin="drug"), without_labels("one", left=False)
    report.add(Annotated(one.document, one.opinions + failed.opinions))
    figures = report.as_mapping()
    assert (figures["documents"], figures["failed_documents"], figures["failures"]) == (0, 1, {"timeout": 1})


def test_memory_does_not_grow_with_the_number_of_documents() -> None:
    report = AnnotationReport()

    def size_after(numbers: range) -> int:
        for number in numbers:
            text = f"drug{number} and aspirin"
            report.add(labelled(str(number), text, **{text.split()[0]: "drug", "aspirin": "drug"}))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        full = size_after(range(5_500))
        assert size_after(range(5_500, 11_000)) < full + 300_000
    finally:
        tracemalloc.stop()
    figures = report.as_mapping()
    assert figures["counts_are_lower_bounds"] is True
    assert figures["top_strings"]["drug"]["aspirin"] == 11_000
