"""Gold documents out of what people made of their sections' tasks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from itertools import groupby
from typing import Any

from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import ConfigError
from kazu_distill.label_studio.annotations import Opinion, TaskRead
from kazu_distill.label_studio.policy import Policy, last_words

OnOpinions = Callable[[Mapping[str, Sequence[Sequence[Span]]]], None]
"""Told of each section that several people spoke about what each of them said last."""


@dataclass(slots=True)
class ReviewCounts:
    """What was found while gold documents were made. Documents are counted by how much of them is reviewed."""

    tasks: int = 0
    other_tasks: int = 0
    outdated_tasks: int = 0
    annotated_tasks: int = 0
    skipped_tasks: int = 0
    pushed_gold: int = 0
    whole_documents: int = 0
    partial_documents: int = 0
    unreviewed_documents: int = 0
    submitted: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    model_versions: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {
            "tasks": {
                "all": self.tasks,
                "annotated": self.annotated_tasks,
                "skipped": self.skipped_tasks,
                "of_an_older_text": self.outdated_tasks,
                "not_ours": self.other_tasks,
            },
            "documents": {
                "reviewed": self.whole_documents,
                "partly_reviewed": self.partial_documents,
                "not_reviewed": self.unreviewed_documents,
            },
            "annotators": {
                name: {
                    "submitted": self.submitted[name],
                    "skipped": self.skipped[name],
                    "seconds": round(self.seconds[name], 1),
                }
                for name in sorted(self.submitted | self.skipped)
            },
            "started_from": dict(sorted(self.model_versions.items())),
            "pushed_gold": self.pushed_gold,
            "regions_left_out": dict(self.left_out.most_common()),
        }


def gold_documents(
    tasks: Iterable[TaskRead | None],
    *,
    policy: Policy,
    partial: str,
    counts: ReviewCounts,
    on_opinions: OnOpinions = lambda opinions: None,  # noqa: ARG005
) -> Iterator[Document]:
    """The documents that people have reviewed; a section without entities is one for which somebody submitted none.

    A document is reviewed when each of its sections has an opinion that counts; sections without words need none. The
    document's ``metadata["review"]`` says for each section who reviewed it, when, how long it took and what it
    started from.

    Args:
        tasks: the tasks of a document one after another, by section and age; None for a task that is none of ours.
        policy: which opinion about a section counts.
        partial: what becomes of a document of which only some sections are reviewed: ``drop`` leaves it out, ``keep``
            gives a document of the reviewed sections alone, since a section without spans would say that it has no
            entity.
        counts: is added to.
        on_opinions: told of each section that several people spoke about.

    Raises:
        ConfigError: ``partial`` is neither.
    """
    if partial not in ("drop", "keep"):
        raise ConfigError(f"partial={partial}: choose drop or keep")
    ours = (task for task in _counted(tasks, counts) if task)
    for identifier, own in groupby(ours, key=lambda task: task.document):
        sections = _sections(own, counts)
        decided = [(section, _decided(section, policy, on_opinions)) for section in sections]
        if all(spans is None for _, spans in decided):
            counts.unreviewed_documents += 1
            continue
        done = [(section, spans or ()) for section, spans in decided if spans is not None or not section.text.strip()]
        is_whole = len(done) == len(sections)
        counts.whole_documents += is_whole
        counts.partial_documents += not is_whole
        if is_whole or partial == "keep":
            yield _document(identifier, done)


def _counted(tasks: Iterable[TaskRead | None], counts: ReviewCounts) -> Iterator[TaskRead | None]:
    for task in tasks:
        counts.tasks += 1
        counts.other_tasks += task is None
        if task:
            counts.annotated_tasks += bool(task.opinions)
            counts.skipped_tasks += bool(task.skipped_by and not task.opinions)
            counts.pushed_gold += task.pushed
            counts.skipped.update(task.skipped_by)
            counts.left_out.update(task.left_out)
            for opinion in task.opinions:
                counts.submitted[opinion.annotator] += 1
                counts.seconds[opinion.annotator] += opinion.seconds or 0.0
                counts.model_versions[opinion.model_version or "nothing"] += 1
        yield task


def _sections(tasks: Iterable[TaskRead], counts: ReviewCounts) -> list[TaskRead]:
    """One task for each section: that of the newest text, with the opinions of all tasks of that text."""
    sections = []
    for _, own in groupby(tasks, key=lambda task: task.number):
        alike = list(own)
        newest = alike[-1]
        same = [task for task in alike if task.text == newest.text]
        counts.outdated_tasks += len(alike) - len(same)
        opinions = [opinion for task in same for opinion in task.opinions]
        in_order = sorted(opinions, key=lambda opinion: (opinion.at, opinion.annotation))
        sections.append(replace(newest, opinions=tuple(in_order)))
    return sections


def _decided(section: TaskRead, policy: Policy, on_opinions: OnOpinions) -> tuple[Span, ...] | None:
    if not section.opinions:
        return None
    voices = last_words(section.opinions)
    if len(voices) > 1:
        on_opinions({name: [opinion.spans] for name, opinion in voices.items()})
    return policy(section.opinions)


def _document(identifier: str, kept: Sequence[tuple[TaskRead, tuple[Span, ...]]]) -> Document:
    metadata = dict(kept[0][0].metadata)
    metadata["review"] = [
        {
            "section": section.number,
            "opinions": [_described(opinion) for opinion in last_words(section.opinions).values()],
        }
        for section, _ in kept
    ]
    return Document(identifier, tuple(Section(section.name, section.text, spans) for section, spans in kept), metadata)


def _described(opinion: Opinion) -> dict[str, Any]:
    return {
        "annotator": opinion.annotator,
        "at": opinion.at.astimezone(UTC).isoformat(),
        "seconds": opinion.seconds,
        "started_from": opinion.model_version,
    }
