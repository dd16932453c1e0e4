"""A schema is checked when it is built, and every schema that ships is sound."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from kazu_distill.errors import ConfigError
from kazu_distill.schema import Schema

SHIPPED = sorted((Path(__file__).parents[2] / "conf" / "schema").glob("*.yaml"))


def shipped(name: str) -> Schema:
    schema = instantiate(OmegaConf.load(Path(__file__).parents[2] / "conf" / "schema" / f"{name}.yaml"))
    assert isinstance(schema, Schema)
    return schema


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_schema_has_its_file_s_name_definitions_examples_and_colours(path: Path) -> None:
    schema = shipped(path.stem)
    assert schema.name == path.stem
    colours = [entity_class.colour for entity_class in schema.classes]
    assert len(set(colours)) == len(colours)
    for entity_class in schema.classes:
        assert entity_class.definition.endswith(".")
        assert len(entity_class.examples) >= 2
        folded = {example.casefold() for example in entity_class.examples}
        assert not folded & entity_class.stop_words, "an example would be dropped in cleaning"


def test_the_kazu_schema_has_kazu_s_18_classes_and_stop_words() -> None:
    schema = shipped("kazu")
    assert len(schema.labels) == 18
    assert schema.labels[0] == "gene or gene product"
    assert "disease, disorder, phenotype or trait" in schema.labels
    assert schema.ignores("Other")
    assert schema.ignores("clinical trial endpoint")
    mutation = schema.find("mutation")
    assert mutation is not None
    assert {"de novo", "cnvs", "tko"} <= mutation.stop_words
    assert sum(len(entity_class.stop_words) for entity_class in schema.classes) == 80


def test_a_class_is_found_whatever_its_case_and_spacing() -> None:
    schema = shipped("kazu")
    found = schema.find("  Cell  TYPE ")
    assert found is not None
    assert found.name == "cell type"
    assert schema.find("cells") is None


def test_a_saved_schema_is_loaded_as_it_was(tmp_path: Path) -> None:
    schema = shipped("kazu")
    schema.save(tmp_path / "schema.json")
    loaded = Schema.load(tmp_path / "schema.json")
    assert loaded.as_mapping() == schema.as_mapping()
    assert loaded.classes == schema.classes


@pytest.mark.parametrize("content", [None, "{", '{"labels": []}', "[]"])
def test_a_file_that_is_no_schema_is_an_error_that_names_it(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "schema.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=r"schema\.json"):
        Schema.load(path)


@pytest.mark.parametrize(
    ("classes", "ignored", "reason"),
    [
        ({}, (), "no classes"),
        ({"Drug": None, "drug ": None}, (), "a class twice"),
        ({"drug": None}, ("Drug",), "stands under `ignored:`"),
        ({"drug": {"color": "#000000"}}, (), "unknown key 'color'"),
        ({"drug": {"colour": None}}, (), "with the quotes"),
        ({"drug": {"colour": "red"}}, (), "with the quotes"),
        ({"drug": {"stop_words": "drug"}}, (), r"write a list, such as \[drug\]"),
        ({"drug": {"stop_words": [False]}}, (), "stop_words: False is not text"),
        ({"drug": {"examples": [5]}}, (), "examples: 5 is not text"),
    ],
)
def test_a_mistake_in_a_schema_is_named(
    classes: Mapping[str, Mapping[str, Any] | None], ignored: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        Schema(name="mine", classes=classes, ignored=ignored)


def test_the_open_schema_has_no_classes_and_says_so_to_whoever_needs_them() -> None:
    schema = shipped("open")
    assert schema.is_open
    assert schema.find("drug") is None
    with pytest.raises(ConfigError, match=r"python -m kazu_distill\.schema"):
        _ = schema.labels


def test_a_class_is_found_by_its_types_whatever_their_case_spaces_and_underscores() -> None:
    schema = Schema(name="mine", classes={"drug": {"types": ["Small  molecule"]}, "gene": {}}, ask_for="types")
    assert not schema.is_open
    assert [each and each.name for each in map(schema.of_type, ("small_molecule", "GENE", "cell"))] == [
        "drug",
        "gene",
        None,
    ]
    assert schema.find("small molecule") is None, "a type is no class"
    assert schema.only(["gene"]).of_type("small molecule") is None


@pytest.mark.parametrize(
    ("classes", "ignored", "reason"),
    [
        ({"drug": {"types": ["compound"]}, "metabolite": {"types": ["Compound"]}}, (), "a type of 'metabolite' and of"),
        ({"drug": {"types": ["gene"]}, "gene": {}}, (), "'gene' is a type of 'drug' and of 'gene'"),
        ({"drug": {"types": ["other"]}}, ("Other",), "and under `ignored:`"),
        ({"drug": {"types": "compound"}}, (), r"write a list, such as \[compound\]"),
    ],
)
def test_a_type_is_of_one_class(
    classes: Mapping[str, Mapping[str, Any] | None], ignored: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        Schema(name="mine", classes=classes, ignored=ignored, ask_for="types")


def test_what_is_asked_for_is_classes_or_types(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="choose classes or types"):
        Schema(name="mine", classes={}, ask_for="anything")  # type: ignore[arg-type]
    shipped("open").save(tmp_path / "schema.json")
    assert Schema.load(tmp_path / "schema.json").is_open
