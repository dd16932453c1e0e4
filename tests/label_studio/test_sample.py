from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.documents import Document, Section, Span
from kazu_distill.label_studio.sample import Candidate, sample

DOCUMENTS = [Candidate(f"PMID:{number}", 2, frozenset({"gene"})) for number in range(200)]


def test_the_same_documents_are_chosen_in_whatever_order_they_come() -> None:
    chosen = sample(DOCUMENTS, size=20, seed=1)
    assert len(chosen) == 10
    assert sample(DOCUMENTS[::-1], size=20, seed=1) == chosen


def test_another_seed_chooses_others() -> None:
    assert sample(DOCUMENTS, size=20, seed=1) != sample(DOCUMENTS, size=20, seed=2)


def test_few_documents_are_all_chosen() -> None:
    assert len(sample(DOCUMENTS, size=1000, seed=1)) == 200


def test_a_document_is_taken_whole_or_not() -> None:
    assert len(sample(DOCUMENTS, size=5, seed=1)) == 2
    assert sample(DOCUMENTS, size=1, seed=1) == set()


def test_a_rare_class_and_documents_without_entities_are_among_the_few() -> None:
    rare = Candidate("rare", 1, frozenset({"gene", "virus"}))
    empty = Candidate("empty", 1, frozenset())
    for seed in range(20):
        assert {"rare", "empty"} <= sample([*DOCUMENTS, rare, empty], size=8, seed=seed)


def test_a_class_keeps_its_share() -> None:
    halves = [Candidate(f"{number}", 1, frozenset({"a" if number % 2 else "b"})) for number in range(1000)]
    chosen = sample(halves, size=100, seed=3)
    assert len(chosen) == 100
    assert sum(int(number) % 2 for number in chosen) == 50


def test_what_is_shown_already_comes_first_whatever_is_predicted() -> None:
    gold = sample(DOCUMENTS, size=20, seed=1)
    predicted = [Candidate(each.id, each.tasks, frozenset({"disease"} if "7" in each.id else {})) for each in DOCUMENTS]
    assert sample(predicted, size=20, seed=1) != gold
    assert sample(predicted, size=20, seed=1, first=[*gold, "PMID:gone"]) == gold


def test_a_candidate_has_the_classes_of_its_document() -> None:
    sections = (Section("title", "BRCA1", (Span(0, 5, "gene"),)), Section("text", "ill", (Span(0, 3, "disease"),)))
    assert Candidate.of(Document("PMID:1", sections)) == Candidate("PMID:1", 2, frozenset({"gene", "disease"}))


candidates = st.builds(Candidate, st.text(max_size=3), st.integers(0, 4), st.frozensets(st.sampled_from("abc")))


@given(st.lists(candidates, unique_by=lambda each: each.id), st.integers(1, 20), st.integers())
def test_a_sample_never_has_too_many_tasks_and_no_room_for_a_further_document(
    offered: list[Candidate], size: int, seed: int
) -> None:
    first = [each.id for each in offered[::3]]
    chosen = sample(offered, size=size, seed=seed, first=first)
    tasks = sum(each.tasks for each in offered if each.id in chosen)
    assert tasks <= size
    assert all(tasks + each.tasks > size for each in offered if each.id not in chosen)
    assert sample(offered[::-1], size=size, seed=seed, first=first) == chosen
