"""Which places listings mean, beside trying every way of placing them."""

from itertools import combinations, product

from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.grounding.alignment import Listing, align

Place = tuple[int, int]


@st.composite
def lists_and_places(draw: st.DrawFn) -> tuple[list[Listing], list[list[Place]]]:
    starts = draw(st.lists(st.integers(0, 2), min_size=1, max_size=7))  # which string stands at 0, 1, 2 …
    places = [[(start, start + 1) for start, string in enumerate(starts) if string == wanted] for wanted in range(3)]
    strings = draw(st.lists(st.sampled_from(sorted(set(starts))), max_size=5))
    return [Listing(string, draw(st.sampled_from("xy"))) for string in strings], places


def by_trying_everything(listings: list[Listing], places: list[list[Place]]) -> list[Place] | None:
    """The earliest places that keep the order of the whole list, the k-th listing of a string before the next."""
    turns = {string: [turn for turn, each in enumerate(listings) if each.string == string] for string in range(3)}
    best: list[Place] | None = None
    for choice in product(*(combinations(places[string], len(turns[string])) for string in turns)):
        chosen: dict[int, Place] = {}
        for own, of_string in zip(choice, turns.values(), strict=True):
            chosen.update(zip(of_string, own, strict=True))
        ordered = [chosen[turn] for turn in range(len(listings))]
        if ordered == sorted(ordered) and (best is None or ordered < best):
            best = ordered
    return best


@given(lists_and_places())
def test_the_order_of_the_list_is_kept_where_it_can_be(case: tuple[list[Listing], list[list[Place]]]) -> None:
    listings, places = case
    expected = by_trying_everything(listings, places)
    if expected is not None:
        assert align(listings, places) == expected


@given(lists_and_places())
def test_listings_of_a_string_go_to_its_places_in_order(case: tuple[list[Listing], list[list[Place]]]) -> None:
    listings, places = case
    found = align(listings, places)
    for string, own in enumerate(places):
        of_string = [place for place, each in zip(found, listings, strict=True) if each.string == string]
        if len(of_string) <= len(own):
            assert None not in of_string
            chosen = [place for place in of_string if place is not None]
            assert chosen == sorted(set(chosen))
        for label in "xy":
            of_class = [
                place
                for place, each in zip(found, listings, strict=True)
                if (each.string, each.label) == (string, label)
            ]
            assert sum(place is not None for place in of_class) >= min(len(of_class), 1)
            assert all(place in own for place in of_class if place is not None)


def test_one_mention_out_of_its_place_does_not_lead_the_others_away() -> None:
    places = [[(10, 11)], [(90, 91)], [(20, 21), (95, 96)], [(30, 31)]]
    listings = [Listing(string, "x") for string in (0, 1, 2, 3)]
    assert align(listings, places) == [(10, 11), (90, 91), (20, 21), (30, 31)]


def test_classes_share_the_places_that_are_too_few() -> None:
    listings = [Listing(0, "x"), Listing(0, "y"), Listing(0, "x")]
    assert align(listings, [[(0, 1)]]) == [(0, 1), (0, 1), None]
