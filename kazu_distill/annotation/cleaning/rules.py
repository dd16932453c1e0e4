"""Rules that drop spans; ``edges`` has the one that mends them."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from kazu_distill.annotation.cleaning.cleaner import Drop, Rule
from kazu_distill.annotation.grounding.grounder import GroundedSpan
from kazu_distill.annotation.grounding.inflection import stem
from kazu_distill.schema import EntityClass, Schema


def minimal_length(*, characters: int = 2) -> Rule:
    """Drop mentions shorter than a number of characters (Kazu's is 2)."""

    def rule(span: GroundedSpan, *_: object) -> GroundedSpan | Drop:
        return span if span.end - span.start >= characters else Drop("too short")

    return rule


def maximal_words(*, words: int = 15) -> Rule:
    """Drop mentions of more words than an entity has: an LLM that copies whole sentences."""

    def rule(span: GroundedSpan, text: str, _: Schema) -> GroundedSpan | Drop:
        return span if len(text[span.start : span.end].split()) <= words else Drop("too many words")

    return rule


def not_a_sentence() -> Rule:
    """Drop mentions that go on over a sentence's end."""

    def rule(span: GroundedSpan, text: str, _: Schema) -> GroundedSpan | Drop:
        return Drop("goes over a sentence's end") if _SENTENCE_END.search(text[span.start : span.end]) else span

    return rule


def not_a_stop_word() -> Rule:
    """Drop mentions that the schema lists as too general for their class, and the class's own name.

    What the schema gives as an example of the class stays, in singular and plural: in some corpora "cells" are marked.
    """

    def rule(span: GroundedSpan, text: str, schema: Schema) -> GroundedSpan | Drop:
        entity_class = schema.find(span.label)
        mention = _fold(text[span.start : span.end])
        if entity_class is None or _stem(mention) in _example_stems(entity_class):
            return span
        if mention in entity_class.stop_words:
            return Drop("stop word")
        own_name = _fold(entity_class.name)
        return Drop("the class's own name") if mention in (own_name, f"{own_name}s") else span

    return rule


def not_generic() -> Rule:
    """Drop mentions that are only a general word for their class: "these patients", "such a disease", "cell lines".

    That is a stop word of the class or the class's own name, in the singular or plural, with or without words before
    it that choose or count (determiners and quantifiers, as grammars of English list them) and name nothing.
    """

    def rule(span: GroundedSpan, text: str, schema: Schema) -> GroundedSpan | Drop:
        entity_class = schema.find(span.label)
        if entity_class is None:
            return span
        words = text[span.start : span.end].split()
        while len(words) > 1 and _chooses_or_counts(words[0]):
            words = words[1:]
        mention = _stem(" ".join(words))
        if mention in _example_stems(entity_class):
            return span
        return Drop("general word") if mention in _general_stems(entity_class) else span

    return rule


def not_a_placeholder(*, placeholders: Collection[str]) -> Rule:
    """Drop words by which an LLM says that there is nothing, where they happen to stand in the text."""
    folded = {placeholder.casefold() for placeholder in placeholders}

    def rule(span: GroundedSpan, text: str, _: Schema) -> GroundedSpan | Drop:
        return Drop("placeholder") if text[span.start : span.end].casefold() in folded else span

    return rule


def _fold(mention: str) -> str:
    return " ".join(mention.casefold().replace("_", " ").split())


@lru_cache(maxsize=1000)
def _example_stems(entity_class: EntityClass) -> frozenset[str]:
    return frozenset(map(_stem, entity_class.examples))


@lru_cache(maxsize=1000)
def _general_stems(entity_class: EntityClass) -> frozenset[str]:
    return frozenset(map(_stem, (*entity_class.stop_words, entity_class.name)))


def _stem(mention: str) -> str:
    """The mention in lower case, its last word without the ending of a plural."""
    *before, last = _fold(mention).split() or [""]
    return " ".join((*before, stem(last)))


def _chooses_or_counts(word: str) -> bool:
    # "ALL" and "NO" are a leukaemia and a gas, "A" may be a name; a capital may only begin the word.
    return (word[1:].islower() and word.lower() in _DETERMINERS) or word in ("a", "A") or word.isdecimal()


# "S. Typhimurium strain LT2" is no sentence's end: a single capital before the stop is an initial.
_SENTENCE_END = re.compile(r"(?<!\b[A-Z])[.!?]\s+[A-Z]\w*\s+[a-z]+\s|\n\s*\n")
_DETERMINERS = frozenset(
    {"the", "an", "this", "that", "these", "those", "such", "which", "what", "whose", "of", "own", "same", "different"}
    | {"my", "our", "your", "his", "her", "its", "their", "other", "others", "another", "either", "neither", "no"}
    | {"some", "any", "all", "both", "each", "every", "many", "much", "more", "most", "several", "few", "fewer", "less"}
    | {"various", "certain", "multiple", "numerous", "one", "two", "three", "four", "five", "six", "seven", "eight"}
    | {"nine", "ten"}
)
