"""What people made of a task in Label Studio, read as opinions: whose, when, and which spans of the section's text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kazu_distill.documents import Span, problem_of
from kazu_distill.label_studio.tasks import is_ours


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a person submitted about a section, once.

    ``annotator`` is an e-mail address. ``seconds`` is how long it took, where Label Studio knows; ``model_version``
    names the predictions that the person started from. A submission without spans says that there is no entity.
    """

    annotation: int
    annotator: str
    at: datetime
    seconds: float | None
    model_version: str | None
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class TaskRead:
    """A section as its task holds it, with what was made of it.

    ``opinions`` are in the order in which they were given. ``skipped_by`` names those who skipped the task, which
    says nothing about its entities; ``pushed`` counts ground truth of ours that nobody has touched; ``left_out`` counts
    by reason what of the opinions is no span of ours.
    """

    task: int
    document: str
    number: int
    name: str
    text: str
    metadata: Mapping[str, Any]
    opinions: tuple[Opinion, ...]
    skipped_by: tuple[str, ...]
    pushed: int
    left_out: Counter[str]


def read_task(
    record: Mapping[str, Any],
    *,
    labels: Collection[str],
    people: Mapping[int, str],
    versions: Mapping[int, str],
    with_pushed: bool = False,
) -> TaskRead | None:
    """A task that was made of a section of ours; None for any other.

    Args:
        record: the task with its annotations, as Label Studio gives them.
        labels: the classes that spans may have.
        people: the e-mail address of each user id.
        versions: the model version of each prediction id, as far as they are known.
        with_pushed: whether ground truth that was pushed, and that nobody has touched, is an opinion as well.
    """
    data = record["data"]
    document, number, text = data.get("document"), data.get("section_number"), data.get("text")
    if not (isinstance(document, str) and type(number) is int and isinstance(text, str)):
        return None
    opinions, skipped, pushed, left_out = [], [], 0, Counter[str]()
    for annotation in record["annotations"]:
        person = annotation["completed_by"]
        annotator = people.get(person, f"user {person}") if person is not None else "a user who is gone"
        if annotation["was_cancelled"]:
            skipped.append(annotator)
            continue
        if is_ours(annotation):
            pushed += 1
            if not with_pushed:
                continue
        spans, lost = spans_of(annotation["result"], text, labels=labels, source=annotator)
        left_out += lost
        opinions.append(
            Opinion(
                annotation=annotation["id"],
                annotator=annotator,
                at=datetime.fromisoformat(annotation["updated_at"]),
                seconds=annotation["lead_time"],
                model_version=versions.get(annotation["parent_prediction"]),
                spans=spans,
            )
        )
    metadata = dict(data["metadata"]) if isinstance(data.get("metadata"), dict) else {}
    if data.get("source"):
        metadata["source"] = data["source"]
    return TaskRead(
        task=record["id"],
        document=document,
        number=number,
        name=str(data.get("section", "")),
        text=text,
        metadata=metadata,
        opinions=tuple(sorted(opinions, key=lambda opinion: (opinion.at, opinion.annotation))),
        skipped_by=tuple(skipped),
        pushed=pushed,
        left_out=left_out,
    )


def spans_of(result: Any, text: str, *, labels: Collection[str], source: str) -> tuple[tuple[Span, ...], Counter[str]]:
    """The spans of an annotation's regions in their order, a span for each class of a region; and what was left out.

    People change the labelling interface, and other programs import annotations: what is no span of ours is counted by
    its reason. Offsets are code points, as in the page; a region whose words stand elsewhere was made by other rules.

    Args:
        result: the regions.
        text: the section's text.
        labels: the classes that spans may have.
        source: who made them.
    """
    spans: dict[tuple[int, int, str], Span] = {}
    left_out = Counter[str]()
    for region in result if isinstance(result, list) else ():
        for span in _spans_of_region(region, text, source):
            if isinstance(span, str):
                left_out[span] += 1
            elif span.label not in labels:
                left_out[f'the class "{span.label}" is not in the schema'] += 1
            elif span.place in spans:
                left_out["the same span twice"] += 1
            else:
                spans[span.place] = span
    return tuple(spans.values()), left_out


def _spans_of_region(region: Any, text: str, source: str) -> Iterator[Span | str]:
    """The spans of a region, or why it has none."""
    kind = region.get("type") if isinstance(region, dict) else None
    if kind != "labels":
        yield "a relation" if kind == "relation" else f"a region of another kind ({kind})"
        return
    value = region.get("value")
    start, end = (value.get("start"), value.get("end")) if isinstance(value, dict) else (None, None)
    if not (isinstance(value, dict) and type(start) is int and type(end) is int):
        yield "a region without a place"
        return
    if problem_of(Span(start, end, "any"), text):
        yield "a region outside the text"
        return
    words = value.get("text")
    if isinstance(words, str) and _comparable(words) != _comparable(text[start:end]):
        yield "a region whose words stand elsewhere"
        return
    classes = [name for name in _strings(value.get("labels")) if name]
    if not classes:
        yield "a region without a class"
    for name in classes:
        yield Span(start, end, name, source=source)


def _comparable(words: str) -> list[str]:
    r"""Words without the space between them; the page writes a backslash and an "n" for each line end."""
    return words.replace("\\n", " ").split()


def _strings(values: Any) -> Iterable[str]:
    return (value for value in values if isinstance(value, str)) if isinstance(values, list) else ()
