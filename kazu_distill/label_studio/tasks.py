"""How documents look in Label Studio: a task a section, a region a span; and how what is there is known again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from kazu_distill.documents import Document, Section
from kazu_distill.label_studio.view import LABELS, TEXT

_MOST_METADATA = 20  # fields
_LONGEST_METADATA = 200  # characters

TaskKey = tuple[str, int, bytes]
"""What makes a task the same: document id, number of the section, hash of its text (other texts, other offsets)."""


FIELDS = ("text", "document", "section", "section_number", "source", "metadata", "priority")
"""The fields of a task's data that are ours."""


def task_of(document: Document, section_number: int, *, priority: float | None = None) -> dict[str, Any]:
    """The task of a section, as Label Studio imports it; ``section_number`` counts from 0.

    Of the document's metadata its ``source`` is a field of its own, and what else is short and plain goes along.
    """
    section = document.sections[section_number]
    data = {
        "text": section.text,
        "document": document.id,
        "section": section.name,
        "section_number": section_number,
        "source": str(document.metadata.get("source", ""))[:_LONGEST_METADATA],
        "metadata": _shown_metadata(document.metadata),
    }
    return {"data": data if priority is None else {**data, "priority": priority}}


def is_a_section(task: Mapping[str, Any]) -> bool:
    """Whether a task, imported or exported, is the section of a document, and not something that somebody else made."""
    kinds = {"document": str, "section": str, "section_number": int, "text": str}
    return all(isinstance(task["data"].get(name), kind) for name, kind in kinds.items())


def key_of(task: Mapping[str, Any]) -> TaskKey:
    """The identity of a task that is a section, as it was imported or exported."""
    data = task["data"]
    text = data["text"].encode(errors="surrogatepass")
    return data["document"], data["section_number"], hashlib.sha256(text).digest()[:16]


def regions_of(section: Section) -> list[dict[str, Any]]:
    """The section's spans as Label Studio's regions, in their order, a region for each span.

    Spans that coincide, nest or cross are regions of their own. Offsets are code points, as ours. A region's id is
    its number, so the same spans make the same regions.
    """
    return [
        {
            "id": f"span-{number}",
            "from_name": LABELS,
            "to_name": TEXT,
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


def prediction_of(section: Section, *, model_version: str) -> dict[str, Any]:
    """A section's spans as a prediction; its score, 0 to 1, is the mean of the spans' (None: no spans)."""
    scores = [span.score for span in section.spans]
    return {
        "model_version": model_version,
        "score": sum(scores) / len(scores) if scores else None,
        "result": regions_of(section),
    }


def annotation_of(section: Section) -> dict[str, Any]:
    """A section's spans as a ground-truth annotation that bears our mark, by which it is known again."""
    regions = regions_of(section)
    return {"result": regions, "ground_truth": True, "import_id": mark_of(regions)}


def is_ours(annotation: Mapping[str, Any]) -> bool:
    """Whether an annotation was pushed and nobody has changed or confirmed it since.

    Label Studio says who an annotation belongs to, but the one who pushes may also be the one who reviews. So what is
    pushed bears the hash of its spans: a change of a span no longer fits it, and what is submitted in the page has a
    time that it took.
    """
    return (
        annotation.get("import_id") == mark_of(annotation.get("result") or [])
        and annotation.get("lead_time") is None
        and not annotation.get("was_cancelled")
    )


def mark_of(regions: Iterable[Mapping[str, Any]]) -> int:
    """A positive number of 62 bits that depends on where each region stands and on its class, in their order."""
    return int.from_bytes(_digest((*place, 0.0) for place in map(_place, regions))[:8], "big") >> 2


def digest_of(regions: Iterable[Mapping[str, Any]]) -> bytes:
    """A hash of where each region stands, its class and its score, in their order."""
    return _digest((*_place(region), float(region.get("score") or 0.0)) for region in regions)


def _place(region: Mapping[str, Any]) -> tuple[Any, Any, str]:
    value = region.get("value") or {}
    return value.get("start"), value.get("end"), "\0".join(value.get("labels") or [])


def _digest(values: Iterable[tuple[Any, ...]]) -> bytes:
    return hashlib.sha256(repr(list(values)).encode(errors="surrogatepass")).digest()[:16]


def _shown_metadata(metadata: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    plain = {
        str(name)[:_LONGEST_METADATA]: value
        for name, value in metadata.items()
        if name != "source" and isinstance(value, (str, int, float, bool)) and _is_small(value)
    }
    return dict(list(plain.items())[:_MOST_METADATA])


def _is_small(value: str | int | float) -> bool:
    # A browser's numbers are exact up to 2**53.
    return len(value) <= _LONGEST_METADATA if isinstance(value, str) else abs(value) < 2**53
