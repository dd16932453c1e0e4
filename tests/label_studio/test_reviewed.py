"""Gold documents out of tasks, without a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError
from kazu_distill.label_studio.annotations import Opinion, TaskRead
from kazu_distill.label_studio.policy import policy_of
from kazu_distill.label_studio.reviewed import ReviewCounts, gold_documents

GENE, DISEASE = Span(0, 5, "gene"), Span(0, 5, "disease")


def opinion(person: str, *spans: Span, hour: int = 0) -> Opinion:
    return Opinion(hour, person, datetime(2026, 11, 21, hour, tzinfo=UTC), 30.0, "llm", spans)


def task(
    number: int, *opinions: Opinion, document: str = "d", text: str = "BRCA1", identifier: int = 0, **fields: Any
) -> TaskRead:
    values: dict[str, Any] = {"metadata": {}, "skipped_by": (), "pushed": 0, "left_out": Counter()} | fields
    return TaskRead(
        task=identifier or number, document=document, number=number, name="s", text=text, opinions=opinions, **values
    )


def gold(*tasks: TaskRead | None, partial: str = "drop", policy: str = "latest") -> tuple[list[Any], ReviewCounts]:
    """For each document its id and spans, and what was counted."""
    counts = ReviewCounts()
    documents = gold_documents(tasks, policy=policy_of(policy), partial=partial, counts=counts)
    return [(each.id, [section.spans for section in each.sections]) for each in documents], counts


def test_a_document_is_gold_when_all_its_sections_with_words_are_reviewed() -> None:
    said = opinion("ada", GENE)
    assert gold(task(0, said), task(1, said))[0] == [("d", [(GENE,), (GENE,)])]
    assert gold(task(0, said), task(1, text=" \n"))[0] == [("d", [(GENE,), ()])]
    documents, counts = gold(task(0, said), task(1), task(0, document="e"))
    assert documents == []
    assert (counts.partial_documents, counts.unreviewed_documents) == (1, 1)


def test_of_a_partly_reviewed_document_the_reviewed_sections_can_be_kept() -> None:
    assert gold(task(0), task(1, opinion("ada", GENE)), partial="keep")[0] == [("d", [(GENE,)])]
    with pytest.raises(ConfigError, match="choose drop or keep"):
        gold(task(0), partial="some")


def test_of_an_older_text_nothing_counts_and_tasks_of_one_text_are_one() -> None:
    older = task(0, opinion("ada", GENE), text="BRCA2", identifier=1)
    documents, counts = gold(older, task(0, identifier=2))
    assert (documents, counts.outdated_tasks) == ([], 1)
    twice = [task(0, opinion("ada", GENE, hour=2), identifier=1), task(0, opinion("bob", DISEASE), identifier=2)]
    assert gold(*twice)[0] == [("d", [(GENE,)])]


def test_what_people_did_is_counted() -> None:
    tasks = [
        task(0, opinion("ada", GENE), opinion("bob"), skipped_by=("eve",), left_out=Counter({"a relation": 2})),
        task(0, document="e", skipped_by=("ada",), pushed=1),
        None,
    ]
    _, counts = gold(*tasks)
    said = counts.as_json()
    assert said["tasks"] == {"all": 3, "annotated": 1, "skipped": 1, "of_an_older_text": 0, "not_ours": 1}
    assert said["annotators"]["ada"] == {"submitted": 1, "skipped": 1, "seconds": 30.0}
    assert said["annotators"]["eve"] == {"submitted": 0, "skipped": 1, "seconds": 0.0}
    assert said["started_from"] == {"llm": 2}
    assert said["regions_left_out"] == {"a relation": 2}
    assert said["pushed_gold"] == 1


def test_the_last_words_of_several_people_are_told_for_their_agreement() -> None:
    told: list[Mapping[str, Sequence[Sequence[Span]]]] = []
    tasks = [
        task(0, opinion("ada", GENE), opinion("bob", DISEASE, hour=1), opinion("ada", hour=2)),
        task(1, opinion("ada", GENE), opinion("ada", hour=1)),
    ]
    list(
        gold_documents(
            tasks, policy=policy_of("latest"), partial="drop", counts=ReviewCounts(), on_opinions=told.append
        )
    )
    assert told == [{"ada": [()], "bob": [(DISEASE,)]}]


def test_by_one_person_a_section_that_only_others_spoke_about_is_not_reviewed() -> None:
    counts = ReviewCounts()
    tasks = [task(0, opinion("ada", GENE)), task(0, opinion("bob", GENE), document="e")]
    documents = gold_documents(tasks, policy=policy_of("person", person="bob"), partial="drop", counts=counts)
    assert [document.id for document in documents] == ["e"]
