"""What JSON as LLMs write it is made of, as patterns; each of them is linear in the text that it looks at."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|.)", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"} | {mark: mark for mark in "\"'\\/"}
CONSTANTS: dict[str, bool | None] = {
    "true": True, "false": False, "null": None, "True": True, "False": False, "None": None,
    "NaN": None, "Infinity": None, "-Infinity": None, "undefined": None,
}  # fmt: skip
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
# A bracket among words, as in "[1]" or "{two}", begins no value.
START = re.compile(r"""\{(?=\s*(?:["'“}]|//|/\*|\#|\w+\s*:|\Z)) | \[(?=\s*(?:[\[\]{"'“]|//|/\*|\#|\Z))""", re.VERBOSE)
TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<mark>[{}\[\],:])
    | "(?P<plain>[^"\\]*)"(?=\s*[,:}\]])
    | (?P<quote>["'“])
    | (?P<comment>//[^\n]*|\#[^\n]*|/\*)
    | (?P<bare>[^\s,:{}\[\]"“]+)
    """,
    re.VERBOSE,
)
COLON = re.compile(r"\s*:")
# A quote, or where the next key begins with no quote before it: the string was not closed.
STRING_ENDS = {
    opening: re.compile(rf"\\.|[,{{]\s*{opening}(?=\w+{closing}\s*:)|{closing}", re.DOTALL)
    for opening, closing in {'"': '"', "'": "'", "“": "”"}.items()
}
AFTER_STRING = {opening: re.compile(rf"\s*(?:[,:}}\]{opening}]|//|/\*|#|\Z)") for opening in STRING_ENDS}


def unescape(text: str) -> str:
    """What the escapes in a string stand for; one that JSON does not know, as in LaTeX, stands for itself."""
    return _ESCAPE.sub(_meaning, text) if "\\" in text else text


def _meaning(escape: re.Match[str]) -> str:
    if escape["code"]:
        return chr(int(escape["code"], 16))
    return _ESCAPES.get(escape[0][1], escape[0])
