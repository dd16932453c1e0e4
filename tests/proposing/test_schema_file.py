"""A proposal's file is read back as a schema, whatever the types and mentions are."""

from __future__ import annotations

from typing import Any

import pytest
from hydra.utils import instantiate
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from kazu_distill.proposing.free_types import FreeType
from kazu_distill.proposing.proposal import Proposal, ProposedClass
from kazu_distill.proposing.schema_file import schema_file
from kazu_distill.schema import Schema

HOSTILE = (
    "${oc.env:HOME}", r"\${x}", "a: b", "# no", "- [x]", "no", "1", "null", '"q"', "it's", "{a}", "\U0001f9ec β\u2028γ",
    "a\nb: c", "\ttab", "%x", "@y", "!!python/object:os.system", "a\x85b", "\\", "<<", "_target_", "x,y/z;1,2-dichlor",
)  # fmt: skip
names = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda text: bool(text.strip())
)


def free_type(name: str, *mentions: str, spans: int = 3) -> FreeType:
    return FreeType(((name, spans),), tuple((mention, 1) for mention in mentions))


def read(text: str) -> Schema:
    schema = instantiate(OmegaConf.create(text))
    assert isinstance(schema, Schema)
    return schema


def test_the_file_has_classes_with_types_examples_colours_and_something_to_edit() -> None:
    drug = ProposedClass((free_type("drug", "aspirin", "5-FU", spans=7), free_type("compound", "Aspirin")))
    gene = ProposedClass((free_type("gene", "p53"),))
    text = schema_file(Proposal((drug, gene), (free_type("assay", "ELISA"),)), name="mine", source="runs/d.jsonl")
    schema = read(text)
    assert (schema.name, schema.ask_for, schema.labels) == ("mine", "types", ("drug", "gene"))
    entity_class = schema.of_type("Compound")
    assert entity_class is not None
    assert entity_class.name == "drug"
    assert entity_class.examples == ("Aspirin", "5-FU") or entity_class.examples == ("aspirin", "5-FU")
    assert entity_class.definition.startswith("TO EDIT: drug, also called compound, such as ")
    assert len({each.colour for each in schema.classes} | {"#888888"}) == 3
    assert "assay: 3, such as ELISA" in text
    assert schema.of_type("assay") is None


@given(
    st.lists(names, min_size=1, max_size=4, unique_by=lambda name: " ".join(name.replace("_", " ").casefold().split())),
    names,
)
def test_nothing_that_an_llm_or_a_document_says_is_more_than_text(labels: list[str], mention: str) -> None:
    own = [free_type(label, mention) for label in labels]
    proposal = Proposal((ProposedClass(tuple(own)),), (free_type(mention, labels[0]),))
    text = schema_file(proposal, name="mine", source=mention)
    [entity_class] = read(text).classes
    assert entity_class.name == (labels[0].replace("_", " ").strip() or "unnamed")
    assert set(entity_class.types) == {label for label in labels if can_stand(label)}
    assert entity_class.examples == ((mention,) if can_stand(mention) and any(map(str.isalnum, mention)) else ())
    assert entity_class.definition.startswith("TO EDIT")
    plain: Any = OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    assert set(plain) == {"_target_", "_convert_", "name", "ask_for", "classes"}


def can_stand(value: str) -> bool:
    """Whether a value of a configuration can be this text: the others are left out."""
    return value != "???" and "${" not in value


@pytest.mark.parametrize("label", ["???", "${oc.env:HOME}"])
def test_a_type_that_the_configuration_cannot_write_is_left_to_be_not_in_the_schema(label: str) -> None:
    proposal = Proposal((ProposedClass((free_type("gene", label), free_type(label, "x"))),), ())
    [entity_class] = read(schema_file(proposal, name="mine", source="d")).classes
    assert entity_class.types == ("gene",)
    assert entity_class.examples == ("x",)
