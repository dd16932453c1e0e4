"""A mention in the text around it, on one line, for people to read."""

from __future__ import annotations

_LONGEST_MENTION = 80


def marked(text: str, start: int, end: int, *, around: int = 40) -> str:
    """The mention between ``⟦`` and ``⟧``, with so many characters of the text on each side of it.

    White space is one space each; a cut is shown by an ellipsis, so is the middle of a mention that is very long.
    """
    before, after = text[max(0, start - around) : start], text[end : end + around]
    head = "…" if start > around else ""
    tail = "…" if end + around < len(text) else ""
    return " ".join(f"{head}{before}⟦{shortened(text[start:end])}⟧{after}{tail}".split())


def shortened(text: str, longest: int = _LONGEST_MENTION) -> str:
    """The text, or its two ends where it is longer than so many characters."""
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
