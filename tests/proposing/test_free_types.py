"""Types under all their spellings."""

from __future__ import annotations

from kazu_distill.proposing.free_types import free_types
from tests.proposing.typed import typed


def test_spellings_of_a_type_are_one_and_the_most_frequent_one_is_its_name() -> None:
    document = typed(
        ("HeLa", "cell line"),
        ("MCF-7", "Cell-Lines"),
        ("A549", "cell_line"),
        ("HeLa", "cell line"),
        ("mice", "species"),
    )
    cell_line, species = free_types([document])
    assert (cell_line.name, cell_line.spans) == ("cell line", 4)
    assert cell_line.spellings == (("cell line", 2), ("Cell-Lines", 1), ("cell_line", 1))
    assert cell_line.mentions == (("HeLa", 2), ("A549", 1), ("MCF-7", 1))
    assert species.name == "species"


def test_types_of_other_words_stay_apart() -> None:
    names = ["gene", "genome", "cell line", "cell", "virus", "viral protein", "disease", "DNA"]
    found = free_types([typed(*((name, name) for name in names))])
    assert sorted(each.name for each in found) == sorted(names)


def test_the_most_frequent_type_comes_first_over_all_documents() -> None:
    documents = [typed(("a", "gene"), document_id="1"), typed(("b", "drug"), ("c", "drug"), document_id="2")]
    assert [(each.name, each.spans) for each in free_types(documents)] == [("drug", 2), ("gene", 1)]
    assert free_types([]) == []
