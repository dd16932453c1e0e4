from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.label_studio.colours import LEAST_CONTRAST, colours_of, contrasts
from kazu_distill.schema import EntityClass
from tests.test_config import composed

hex_colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def classes(colours: list[str]) -> list[EntityClass]:
    return [EntityClass(f"class {number}", colour=colour) for number, colour in enumerate(colours)]


def apart(one: str, other: str) -> float:
    """How far two colours are from each other in RGB."""
    points = [[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in (one, other)]
    return math.dist(*points)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrasts("#000000")[0] == pytest.approx(21)
    assert contrasts("#ffffff")[0] == pytest.approx(1)
    assert contrasts("#767676")[0] == pytest.approx(4.54, abs=0.01)  # the lightest grey that passes


@given(st.lists(hex_colours, min_size=1, max_size=30))
def test_any_schema_gets_colours_that_can_be_read_and_differ(colours: list[str]) -> None:
    shown = colours_of(classes(colours))
    assert len(set(shown)) == len(colours)
    assert all(min(contrasts(colour)) >= LEAST_CONTRAST for colour in shown)


@pytest.mark.parametrize(("number", "least"), [(1, 0), (18, 60), (60, 20), (300, 0)])
def test_classes_without_colours_get_some_that_can_be_told_apart(number: int, least: float) -> None:
    shown = colours_of(classes(["#888888"] * number))
    assert len(set(shown)) == number
    assert all(min(contrasts(colour)) >= LEAST_CONTRAST for colour in shown)
    assert all(apart(one, other) > least for one, other in combinations(shown, 2))


def test_a_colour_that_can_be_read_stays_and_a_light_one_keeps_its_hue() -> None:
    assert colours_of(classes(["#1f77b4", "#d62728"])) == ["#1f77b4", "#d62728"]
    (yellow,) = colours_of(classes(["#ffe119"]))
    red, green, blue = (int(yellow[place : place + 2], 16) for place in (1, 3, 5))
    assert red > green > blue


@pytest.mark.parametrize("schema", ["kazu", "bc5cdr", "bionlp13cg", "ncbi_disease"])
def test_the_schemas_that_ship_can_be_read_and_told_apart(schema: str) -> None:
    given_classes = composed("train", f"schema={schema}").schema.classes
    shown = colours_of(classes([settings.get("colour", "#888888") for settings in given_classes.values()]))
    assert all(min(contrasts(colour)) >= LEAST_CONTRAST for colour in shown)
    assert all(apart(one, other) >= 40 for one, other in combinations(shown, 2))
