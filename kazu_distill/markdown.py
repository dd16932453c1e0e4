"""Markdown (GitHub's) in which no text that is quoted can become markup."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence


def as_code(text: str) -> str:
    """A text of anyone's as a code span of a table's cell or a paragraph, on one line."""
    line = _one_line(text)
    if not line:
        return ""
    line = _BACKSLASHED_PIPE.sub(r"\1 ", line)  # parsers differ on what \\| is
    longest = max((len(run) for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{padding}{line}{padding}{fence}".replace("|", "\\|")


def as_text(text: str) -> str:
    """A name of ours or of the user's as plain text, on one line."""
    return _SPECIAL.sub(lambda mark: f"&#{ord(mark[0])};", _one_line(text))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; the columns whose head ends in ``>`` are aligned to the right."""
    names = [name.removesuffix(">").strip() for name in head]
    rules = ["---:" if name.endswith(">") else "---" for name in head]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (names, rules, *rows))


def _one_line(text: str) -> str:
    """The text without line breaks and without characters that cannot be seen or turn the direction of writing."""
    return " ".join("".join(mark if _is_visible(mark) else " " for mark in text).split())


def _is_visible(character: str) -> bool:
    return character in "\u200c\u200d" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


_BACKTICKS = re.compile("`+")
_BACKSLASHED_PIPE = re.compile(r"(\\+)(?=\|)")
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&!:@$]|(?<=\d)\.")
