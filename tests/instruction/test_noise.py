from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.errors import ConfigError
from kazu_distill.instruction.noise import Noise
from kazu_distill.schema import EntityClass, Schema
from tests.instruction.hostile import schemas

SCHEMA = Schema(
    name="test",
    classes={
        "drug": {
            "definition": "A drug.",
            "paraphrases": ["A medicine.", "A remedy."],
            "near_misses": {"therapy": "chemotherapy"},
        },
        "therapy": {"definition": "A therapy."},
        "gene": {"definition": "A gene.", "near_misses": {"Drug": "an antibody"}},
        "bare": {},
    },
    ignored=["LABEL_2"],
)
PROBABILITIES = st.sampled_from([0.0, 0.5, 1.0])
NOISES = st.builds(
    Noise, shuffle=PROBABILITIES, paraphrase=PROBABILITIES, drop_definitions=PROBABILITIES, mask_names=PROBABILITIES
)


def definitions(schema: Schema) -> dict[str, str]:
    return {each.name: each.definition for each in schema.classes}


def test_without_noise_a_schema_is_shown_as_it_is() -> None:
    shown = Noise().of(SCHEMA, Random(1))
    assert shown.schema.classes == SCHEMA.classes
    assert shown.names == {label: label for label in SCHEMA.labels}
    assert not Noise().changes_anything


@given(schemas(), NOISES, st.integers())
def test_every_class_is_shown_once_and_can_be_told_from_the_others(schema: Schema, noise: Noise, seed: int) -> None:
    shown = noise.of(schema, Random(seed))
    assert list(shown.names) == list(schema.labels)
    assert sorted(shown.names.values()) == sorted(shown.schema.labels)
    assert shown.schema.ignored == schema.ignored
    again = noise.of(schema, Random(seed))
    assert (again.schema.classes, again.names) == (shown.schema.classes, shown.names)


@given(schemas(), st.integers())
def test_one_setting_does_not_change_what_another_draws(schema: Schema, seed: int) -> None:
    shuffled = Noise(shuffle=0.5).of(schema, Random(seed)).schema
    both = Noise(shuffle=0.5, paraphrase=1).of(schema, Random(seed)).schema
    assert shuffled.labels == both.labels


def test_definitions_are_dropped_with_all_that_explains_a_class() -> None:
    shown = Noise(drop_definitions=1).of(SCHEMA, Random(1)).schema
    assert shown.classes == tuple(EntityClass(label) for label in SCHEMA.labels)


def test_definitions_are_paraphrased_where_there_are_paraphrases() -> None:
    seen = {definitions(Noise(paraphrase=1).of(SCHEMA, Random(seed)).schema)["drug"] for seed in range(20)}
    assert seen == {"A medicine.", "A remedy."}
    assert definitions(Noise(paraphrase=1).of(SCHEMA, Random(1)).schema)["gene"] == "A gene."


def test_the_order_differs_from_record_to_record() -> None:
    orders = {Noise(shuffle=1).of(SCHEMA, Random(seed)).schema.labels for seed in range(50)}
    assert len(orders) > 5
    assert {tuple(sorted(order)) for order in orders} == {tuple(sorted(SCHEMA.labels))}


def test_a_masked_class_keeps_its_definition_and_its_number_says_nothing() -> None:
    numbers = set()
    for seed in range(20):
        shown = Noise(mask_names=1, drop_definitions=1).of(SCHEMA, Random(seed))
        numbers.add(shown.names["drug"])
        by_name = {each.name: each for each in shown.schema.classes}
        drug, gene = by_name[shown.names["drug"]], by_name[shown.names["gene"]]
        assert (drug.definition, gene.definition) == ("A drug.", "A gene.")
        assert drug.near_misses == ((shown.names["therapy"], "chemotherapy"),)
        assert gene.near_misses == ((shown.names["drug"], "an antibody"),)
    assert len(numbers) > 1


def test_a_mask_is_no_name_of_the_schema_and_a_class_of_which_nothing_is_said_keeps_its_own() -> None:
    for seed in range(20):
        names = Noise(mask_names=1).of(SCHEMA, Random(seed)).names
        assert names["bare"] == "bare"
        assert "LABEL_2" not in names.values()


@pytest.mark.parametrize("value", [-0.1, 1.1, "yes", True])
def test_a_probability_that_is_none_is_an_error(value: float) -> None:
    with pytest.raises(ConfigError, match=r"noise\.shuffle"):
        Noise(shuffle=value)
