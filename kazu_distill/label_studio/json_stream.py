"""The elements of a JSON list that is too long to be read at once."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any

_SPACE = " \t\r\n"


def elements_of(chunks: Iterable[bytes]) -> Iterator[Any]:
    """The elements of a list, one after another; what is in memory is one of them and a chunk.

    Args:
        chunks: UTF-8 text, cut anywhere.

    Raises:
        ValueError: it is no JSON list, or ends before its end.
    """
    decode = json.JSONDecoder().raw_decode
    text, place, opened = "", 0, False
    for piece in codecs.iterdecode(chunks, "utf-8"):
        text, place = text[place:] + piece, 0
        while (place := _skip(text, place)) < len(text):
            if not opened:
                if text[place] != "[":
                    raise ValueError("this is not a JSON list")
                opened, place = True, place + 1
                continue
            if text[place] == "]":
                return
            try:
                element, end = decode(text, place)
            except json.JSONDecodeError:
                break  # its end is in a later chunk
            end = _skip(text, end)
            if end == len(text) or text[end] not in ",]":
                break  # a number may have more digits
            yield element
            place = end + (text[end] == ",")
    raise ValueError("the JSON list ends before its end")


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _SPACE:
        place += 1
    return place
