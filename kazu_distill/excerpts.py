"""Parts of texts for people to read, with an ellipsis wherever something is left out."""

from __future__ import annotations

_LONGEST_MENTION = 80


def marked(text: str, start: int, end: int, *, around: int = 40) -> str:
    """The mention between ``⟦`` and ``⟧``, with so many characters of the text on each side of it, on one line.

    White space is one space each; the middle of a mention that is very long is left out.
    """
    before, after = beside(text, start, end, around=around)
    return " ".join(f"{before}⟦{shortened(text[start:end])}⟧{after}".split())


def beside(text: str, start: int, end: int, *, around: int) -> tuple[str, str]:
    """What stands before and behind a mention, so many characters of each."""
    head = "…" if start > around else ""
    tail = "…" if end + around < len(text) else ""
    return head + text[max(0, start - around) : start], text[end : end + around] + tail


def shortened(text: str, longest: int = _LONGEST_MENTION) -> str:
    """The text, or its two ends where it is longer than so many characters."""
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def beginning(text: str, longest: int) -> str:
    """The text, or its beginning where it is longer than so many characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
