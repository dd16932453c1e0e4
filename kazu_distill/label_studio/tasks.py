"""How documents look in Label Studio: the labelling interface, a task a section, a region a span."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from kazu_distill.documents import Document, Section
from kazu_distill.schema import Schema

# The names that tie a region to the control and the text of the labelling interface. Label Studio drops a prediction
# that names others, without an error.
_LABELS = "label"
_TEXT = "text"

TaskKey = tuple[str, int, str]
"""What makes a task the same: document id, number of the section, text (offsets of another text would not fit)."""


def labelling_config(schema: Schema) -> str:
    """The XML of the labelling interface: the classes in the schema's order and colours, above the section's text.

    A class name is shown as it is, but for ``$word``, which Label Studio takes for a field of the task.
    """
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value="$document", size="5")
    ElementTree.SubElement(view, "Header", value="$section", size="6")
    labels = ElementTree.SubElement(view, "Labels", name=_LABELS, toName=_TEXT)
    for entity_class in schema.classes:
        ElementTree.SubElement(labels, "Label", value=entity_class.name, background=entity_class.colour)
    # By symbol, since a selection by word would move the ends of what a reviewer marks inside a word.
    ElementTree.SubElement(view, "Text", name=_TEXT, value="$text", valueType="text", granularity="symbol")
    return ElementTree.tostring(view, encoding="unicode")


def classes_of(config: str) -> set[str]:
    """The classes that the XML of a labelling interface offers."""
    return {label.get("value", "") for label in ElementTree.fromstring(config).iter("Label")}


def task_of(document: Document, section_number: int) -> dict[str, Any]:
    """The task of a section, as Label Studio imports it; ``section_number`` counts from 0."""
    section = document.sections[section_number]
    return {
        "data": {
            "text": section.text,
            "document": document.id,
            "section": section.name,
            "section_number": section_number,
        }
    }


def key_of(task: Mapping[str, Any]) -> TaskKey:
    """The identity of a task as it was imported or exported; one that somebody else made is like none of ours."""
    data = task["data"]
    return data.get("document", ""), data.get("section_number", -1), data.get("text", "")


def regions_of(section: Section) -> list[dict[str, Any]]:
    """The section's spans as Label Studio's regions, in their order, a region for each span.

    Spans that coincide, nest or cross are regions of their own. Offsets are code points, as ours. A region's id is
    its number, so the same spans make the same regions.
    """
    return [
        {
            "id": f"span-{number}",
            "from_name": _LABELS,
            "to_name": _TEXT,
            "type": "labels",
            "score": span.score,
            "value": {
                "start": span.start,
                "end": span.end,
                "text": section.mention(span),
                "labels": [span.label],
            },
        }
        for number, span in enumerate(section.spans)
    ]


def prediction_of(section: Section, *, task_id: int, model_version: str) -> dict[str, Any]:
    """A section's spans as a prediction for its task; its score, 0 to 1, is the mean of the spans' (None: no spans)."""
    scores = [span.score for span in section.spans]
    return {
        "task": task_id,
        "model_version": model_version,
        "score": sum(scores) / len(scores) if scores else None,
        "result": regions_of(section),
    }
