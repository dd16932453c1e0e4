"""A proposal as a file of ``conf/schema``, to be edited."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from kazu_distill.label_studio.colours import colours_of
from kazu_distill.proposing.proposal import Proposal, ProposedClass
from kazu_distill.schema import EntityClass

_EXAMPLES = 8
_IN_DEFINITION = 3
_HEAD = """\
# Proposed by python -m kazu_distill.schema from {source}:
# {spans:,} spans of {types:,} free types, joined to {classes:,} classes. Rename the classes, write definitions in place
# of TO EDIT, move types from one class to another, merge and delete as you like.
#
# ask_for: types asks what schema=open asks, so that stored answers to that are used again; a mention is of the class
# that lists its type. ask_for: classes asks for the classes by their definitions, in new requests.
_target_: kazu_distill.schema.Schema
_convert_: all
name: {name}
ask_for: types
classes:"""
_TAIL = """\
# Left out, as they are rare and unlike the classes: {types:,} types with {spans:,} spans. Write one under the types of
# a class to have its spans."""


def schema_file(proposal: Proposal, *, name: str, source: str) -> str:
    """The file's text; whatever comes from documents and LLMs is quoted, or stands in a comment on one line.

    Args:
        proposal: the classes.
        name: of the schema.
        source: what the types are from.
    """
    types = [*(each for proposed in proposal.classes for each in proposed.types), *proposal.left_out]
    spans = sum(each.spans for each in types)
    counts = {"spans": spans, "types": len(types), "classes": len(proposal.classes)}
    lines = [_HEAD.format(source=_remark(source), name=_quoted(name), **counts)]
    for each, colour in zip(proposal.classes, _colours(proposal.classes), strict=True):
        lines += _class_lines(each, colour)
    if proposal.left_out:
        spans = sum(each.spans for each in proposal.left_out)
        lines.append(_TAIL.format(types=len(proposal.left_out), spans=spans))
        lines += [
            f"#   {_remark(each.name)}: {each.spans:,}, such as {_remark(each.mentions[0][0])}"
            for each in proposal.left_out
        ]
    return "\n".join(lines) + "\n"


def _class_lines(proposed: ProposedClass, colour: str) -> Iterator[str]:
    mentions = [mention for mention, _ in proposed.mentions if any(map(str.isalnum, mention)) and _can_stand(mention)]
    names = [each.name for each in proposed.types]
    also = f", also called {', '.join(names[1:4])}" if len(names) > 1 else ""
    such = f", such as {', '.join(mentions[:_IN_DEFINITION])}" if mentions else ""
    # Hydra's own keys, such as _target_, begin with an underscore.
    name = proposed.name.replace("_", " ").strip() or "unnamed"
    yield f"  {_quoted(name)}:  # {proposed.spans:,} spans, {len(proposed.mentions):,} different mentions"
    definition = f"TO EDIT: {name}{also}{such}.".replace("${", "$ {")
    yield f"    definition: {_quoted(definition)}"
    yield f"    examples: [{', '.join(map(_quoted, mentions[:_EXAMPLES]))}]"
    spellings = [spelling for each in proposed.types for spelling in each.spellings if _can_stand(spelling[0])]
    if spellings:
        yield "    types:"
        yield from (f"      - {_quoted(spelling)}  # {count:,}" for spelling, count in spellings)
    yield f"    colour: {_quoted(colour)}"


def _colours(classes: Sequence[ProposedClass]) -> list[str]:
    return colours_of([EntityClass(each.name) for each in classes])


def _can_stand(value: str) -> bool:
    """Whether a value is read as it is written. OmegaConf resolves ``${…}`` more than once, so no escape keeps it."""
    return value != "???" and "${" not in value


def _quoted(text: str) -> str:
    """A YAML scalar that is this text."""
    return _UNSEEN.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    return "".join(mark if mark.isprintable() else f"\\U{ord(mark):08x}" for mark in match[0])


def _remark(text: str) -> str:
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


_UNSEEN = re.compile(r"[^\x20-\x7e]+")
