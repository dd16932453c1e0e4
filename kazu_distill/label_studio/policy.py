"""Which of several opinions about a section counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError
from kazu_distill.label_studio.annotations import Opinion

Policy = Callable[[Sequence[Opinion]], "tuple[Span, ...] | None"]
"""Of opinions in the order in which they were given, at least one, the spans that count; None if none of them does."""


def policy_of(name: str, *, person: str | None = None) -> Policy:
    """The policy of a name.

    Args:
        name: ``latest``: the opinion that was given or changed last. ``majority``: the spans that more than half of the
            people who spoke have, of each the last word. ``person``: the last word of one person alone.
        person: the e-mail address of that person.

    Raises:
        ConfigError: there is no such policy, or a person is missing or too much.
    """
    if name not in ("latest", "majority", "person"):
        raise ConfigError(f"policy={name}: choose latest, majority or person (with by=E-MAIL)")
    if (name == "person") != bool(person):
        raise ConfigError(f"policy={name} by={person}: policy=person takes by=E-MAIL, and the others take no by")
    if person:
        return lambda opinions: _of_person(opinions, person)
    return _latest if name == "latest" else _majority


def last_words(opinions: Sequence[Opinion]) -> dict[str, Opinion]:
    """The last opinion of each person."""
    return {opinion.annotator: opinion for opinion in opinions}


def _latest(opinions: Sequence[Opinion]) -> tuple[Span, ...]:
    return opinions[-1].spans


def _of_person(opinions: Sequence[Opinion], person: str) -> tuple[Span, ...] | None:
    opinion = last_words(opinions).get(person)
    return opinion.spans if opinion else None


def _majority(opinions: Sequence[Opinion]) -> tuple[Span, ...]:
    voters = last_words(opinions).values()
    if len(voters) == 1:
        return opinions[-1].spans
    votes = Counter(span.place for opinion in voters for span in opinion.spans)
    spans = {span.place: span for opinion in voters for span in opinion.spans}
    return tuple(replace(spans[place], source="majority") for place in sorted(votes) if 2 * votes[place] > len(voters))
