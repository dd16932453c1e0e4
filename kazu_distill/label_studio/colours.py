"""Colours of classes that can be read on Label Studio's page and told from each other.

The page writes a class's name in its colour on white, and writes the text in a near-black over a tint of the colour:
15 % of it on a button, 30 % on a span, and on two spans that coincide a tint over a tint.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from functools import cache

from kazu_distill.schema import EntityClass

_RGB = tuple[float, float, float]

LEAST_CONTRAST = 4.5
"""The ratio that WCAG 2 (AA) asks of text and its background."""

_UNSET = "#888888"  # the colour of a class that was given none
_WHITE: _RGB = (255.0, 255.0, 255.0)
_INK: _RGB = (38.0, 37.0, 34.0)  # of the page's text
_TINT = 0.3
_DISTINCT = 45.0  # between two colours, as the distance of their points in RGB
_HUES, _SATURATIONS, _LIGHTNESSES = 36, (0.9, 0.55), (0.44, 0.36, 0.28, 0.2)


def colours_of(classes: Sequence[EntityClass]) -> list[str]:
    """A colour for each class, all different: the schema's, lighter or darker where it could not be read.

    A class without a colour, or with one that comes out like another class's, gets the one of a wide choice that is
    farthest from all others.
    """
    chosen: dict[int, _RGB] = {}
    for number, entity_class in enumerate(classes):
        colour = _readable(_parsed(entity_class.colour))
        if entity_class.colour != _UNSET and all(_distance(colour, other) >= _DISTINCT for other in chosen.values()):
            chosen[number] = colour
    nearest = {
        colour: min((_distance(colour, other) for other in chosen.values()), default=math.inf)
        for colour in _choice(max(_HUES, len(classes)))
    }
    for number in range(len(classes)):
        if number not in chosen:
            farthest = chosen[number] = max(nearest, key=nearest.__getitem__)
            nearest = {colour: min(near, _distance(colour, farthest)) for colour, near in nearest.items()}
    return [_written(chosen[number]) for number in range(len(classes))]


def contrasts(colour: str) -> tuple[float, float, float]:
    """Of what the page shows: a name in the colour on white, text on a span, text on two spans that coincide."""
    parsed = _parsed(colour)
    span = _tinted(parsed, _WHITE)
    return _contrast(parsed, _WHITE), _contrast(_INK, span), _contrast(_INK, _tinted(parsed, span))


@cache
def _choice(hues: int) -> list[_RGB]:
    colours = [
        _rounded(colorsys.hls_to_rgb(hue / hues, lightness, saturation))
        for saturation in _SATURATIONS
        for lightness in _LIGHTNESSES
        for hue in range(hues)
    ]
    return [colour for colour in colours if _is_readable(colour)]


def _readable(colour: _RGB) -> _RGB:
    """The colour, or the nearest in lightness that can be read."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    tried = (lightness + step * sign / 100 for step in range(1, 101) for sign in (-1, 1))
    others = (_rounded(colorsys.hls_to_rgb(hue, other, saturation)) for other in tried if 0 <= other <= 1)
    return next(each for each in (colour, *others) if _is_readable(each))


def _is_readable(colour: _RGB) -> bool:
    return min(contrasts(_written(colour))) >= LEAST_CONTRAST


def _contrast(one: _RGB, other: _RGB) -> float:
    """The ratio of the lighter to the darker, 1 to 21 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: _RGB) -> float:
    red, green, blue = (_linear(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else math.pow((part + 0.055) / 1.055, 2.4)


def _tinted(colour: _RGB, background: _RGB) -> _RGB:
    red, green, blue = (_TINT * own + (1 - _TINT) * below for own, below in zip(colour, background, strict=True))
    return red, green, blue


def _distance(one: _RGB, other: _RGB) -> float:
    return math.dist(one, other)


def _rounded(parts: _RGB) -> _RGB:
    red, green, blue = (float(round(255 * part)) for part in parts)
    return red, green, blue


def _parsed(colour: str) -> _RGB:
    return float(int(colour[1:3], 16)), float(int(colour[3:5], 16)), float(int(colour[5:7], 16))


def _written(colour: _RGB) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in colour)
