"""The mistakes as the page's script reads them: JSON that can stand inside HTML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from kazu_distill.scoring.mistakes import Kind, Mistake

GOLD, PREDICTED = 1, 2
"""Which entity a piece of text belongs to; their sum if to both."""

Piece: TypeAlias = tuple[str, int]

_UNSAFE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}


def embedded_json(values: Any) -> str:
    """JSON that ends no script element and begins no comment or entity, whatever strings it holds.

    All but ASCII is written as escapes, among it the line separators that JavaScript once took for line ends.
    """
    return json.dumps(values, separators=(",", ":"), allow_nan=False).translate(_UNSAFE)


def browser_data(mistakes: Sequence[Mistake], labels: Sequence[str]) -> dict[str, Any]:
    """Mistakes in short: strings that come again and again are numbers.

    A mistake is: document, section name, kind, class and score of the gold entity, the same of the predicted one (class
    -1 where there is none), text before, pieces, text after. The text is cut into pieces here, since Python counts
    characters otherwise than JavaScript does.
    """
    kinds: dict[Kind, int] = {
        kind: number for number, kind in enumerate(kind for kind in Kind if kind is not Kind.CORRECT)
    }
    documents = {each.document: None for each in mistakes}
    sections = {each.section_name: None for each in mistakes}
    classes = {label: number for number, label in enumerate(labels)}
    places = [{name: number for number, name in enumerate(names)} for names in (documents, sections)]
    rows = []
    for each in mistakes:
        spans = each.judgement.gold, each.judgement.predicted
        sides = [(classes[span.label], round(span.score, 4)) if span else (-1, 0) for span in spans]
        before, after = surroundings(each)
        rows.append(
            [
                places[0][each.document],
                places[1][each.section_name],
                kinds[each.judgement.kind],
                *sides[0],
                *sides[1],
                before,
                pieces(each),
                after,
            ]
        )
    return {
        "labels": list(labels),
        "kinds": [kind.value for kind in kinds],
        "documents": list(documents),
        "sections": list(sections),
        "mistakes": rows,
    }


def pieces(mistake: Mistake) -> list[Piece]:
    """The text of a mistake, cut where one of its entities begins or ends."""
    sides = [(span, own) for span, own in ((mistake.judgement.gold, GOLD), (mistake.judgement.predicted, PREDICTED))]
    spans = [(span.start, span.end, own) for span, own in sides if span]
    edges = sorted({edge for start, end, _ in spans for edge in (start, end)})
    return [
        (
            mistake.text[begin - edges[0] : end - edges[0]],
            sum(own for start, stop, own in spans if start <= begin and end <= stop),
        )
        for begin, end in pairwise(edges)
    ]


def surroundings(mistake: Mistake) -> tuple[str, str]:
    """The text before and after a mistake, with an ellipsis where it was cut."""
    ellipses = ["…" if cut else "" for cut in mistake.cut]
    return ellipses[0] + mistake.before, mistake.after + ellipses[1]
