"""Where sentences and paragraphs of biomedical prose end."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

import regex

# A stop with what may close behind it (quotes, brackets, numbers of references), then space; East Asian stops need no
# space; or a line's end. Each alternative takes all it can and cannot begin within its own run, so that a text of
# nothing but stops, or of nothing but space, is read once.
_END = regex.compile(
    r"""
    (?<![.!?…])(?P<stop>[.!?…]++)["'”’»)\]}]*+
        (?:\[[\d,–\-\ ]{1,30}\]|(?<=\p{L}{2}\.)\d{1,3}(?:[,–-]\d{1,3}){0,9}+)?+\s++
    | (?<![。！？｡])(?P<east_asian>[。！？｡]++)[」』”’）)】》〉]*+\s*+
    | (?<!\n)\n\s*+
    """,
    regex.VERBOSE,
)
_NEXT = regex.compile(r"""["'“‘«(\[{]*+(\S{1,20})""")
_WORD_BEFORE = regex.compile(r"""[^\s"'“‘«(\[{/–—]{1,20}$""")
_ABBREVIATION = regex.compile(
    r"(?:\p{L}\.)*\p{L}|Ph\.D|al|etc|Figs?|Refs?|Eqs?|Suppl|spp?|subsp|var|resp|Inc|Ltd|Co|Jr|Sr"
    r"|Proc|Natl|Acad|Sci|Biol|Chem|Med|Engl|Clin|Exp|Pharmacol|Res|Int|Eur|Am|Rev|Lett|Nat|Genet|Immunol|Oncol|Pathol"
)
_BULLET = regex.compile(r"[-*•▪◦‣·–—]\s|\d{1,3}[.)]\s|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})\)\s")
_EXTENDS = regex.compile(r"[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]|(?<=\r)\n")

# What never ends a sentence, and what does not before a number.
_INTRODUCES = regex.compile(r"[Ee]\.g|[Ii]\.e|cf|vs|viz|ca|Dr|Prof|Mr|Mrs|Ms|St|v|et")
_IS_NUMBERED = regex.compile(
    r"figs?|eqs?|refs?|nos?|tab|sect?|ch|vol|pp?|suppl?|eds?|app|n|nr|art|cat|approx|ext", regex.IGNORECASE
)
# After an initial or an abbreviation ("vitamin C", "et al", "i.v") only a word that usually begins a sentence does so.
_BEGINNER = regex.compile(
    r"An?|After|All|Although|And|Another|As|At|Because|Both|But|By|Conclusions?|Despite|During|Each|Finally|First|For"
    r"|Four|From|Furthermore|Given|Here|How|However|If|Importantly|In|Interestingly|Into|Its?|Later|Many|Methods"
    r"|Moreover|Most|Neither|No|None|Next|Nor|Notably|Of|On|One|Only|Other|Our|Overall|Patients|Results|Second|Several"
    r"|Similarly|Since|So|Some|Such|Taken|That|The|Their|Then|There|Therefore|These|They|This|Those|Three|Thus|To"
    r"|Together|Treatment|Two|Under|Until|Unlike|Upon|Using|We|What|When|Where|Whereas|Whether|Which|While|With|Within"
    r"|Without|Yet"
)
# A line that ends so, or whose next one begins in lower case, goes on.
_GOES_ON = regex.compile(
    r"(?:[,;:(\[/–-]|\b(?:a|an|and|as|at|by|for|from|in|into|of|on|or|that|than|the|to|was|were|with))\s*$"
)


@dataclass(slots=True)
class Ends:
    """Positions in a text, ascending, at which the next sentence begins; space before it belongs to the one that ends.

    ``paragraphs``: also a line ends there. ``lines``: a line ends without a stop, such as a heading.
    """

    paragraphs: list[int] = field(default_factory=list)
    sentences: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def first_after(self, position: int) -> int | None:
        """The first end of any kind at a position or after it."""
        kinds = (self.paragraphs, self.sentences, self.lines)
        places = ((kind, bisect_left(kind, position)) for kind in kinds)
        return min((kind[place] for kind, place in places if place < len(kind)), default=None)


def ends_in(text: str, start: int = 0, end: int | None = None) -> Ends:
    """The sentence ends between two positions; the whole text's around them is seen."""
    ends = Ends()
    end = len(text) if end is None else end
    for match in _END.finditer(text, start, end):
        position = match.end()
        if not start < position < end or splits_character(text, position):
            continue
        lines = match.group().count("\n")
        stop = match["stop"]
        if stop is None and match["east_asian"] is None:
            if _BULLET.match(text, position):
                ends.sentences.append(position)
            elif lines > 1 or _line_ends(text, match.start(), position):
                ends.lines.append(position)
        elif stop is None or lines > 1 or _ends_sentence(text, match.start(), stop, position):
            (ends.paragraphs if lines else ends.sentences).append(position)
    return ends


def splits_character(text: str, position: int) -> bool:
    """Whether a mark, a joiner or the second half of a line's end stands at a position."""
    return _EXTENDS.match(text, position) is not None


def _ends_sentence(text: str, stop_at: int, stop: str, position: int) -> bool:
    """Whether a sentence ends with a stop, judged by the words before and after it."""
    following = _NEXT.match(text, position)
    if following is None:
        return False
    word = following[1]
    if word[0].islower() and not _looks_like_name(word):
        return False
    if stop != ".":
        return True
    before = _WORD_BEFORE.search(text, max(0, stop_at - 21), stop_at)
    if before is None:
        return True
    last = before.group()
    if _INTRODUCES.fullmatch(last):
        return False
    if word[0].isdigit() and _IS_NUMBERED.fullmatch(last):
        return False
    if last.isdigit() and _begins_line(text, before.start()):
        return False  # "1. Introduction"
    return _ABBREVIATION.fullmatch(last) is None or _BEGINNER.fullmatch(word.rstrip(",;:")) is not None


def _looks_like_name(word: str) -> bool:
    """Whether a word in lower case can begin a sentence: p53, mRNA, α-synuclein."""
    return not word[0].isascii() or any(character.isupper() or character.isdigit() for character in word)


def _line_ends(text: str, line_end: int, position: int) -> bool:
    """Whether a sentence ends with a line that has no stop, or the line is only wrapped."""
    return not text[position].islower() and _GOES_ON.search(text, max(0, line_end - 12), line_end) is None


def _begins_line(text: str, position: int) -> bool:
    line = text.rfind("\n", max(0, position - 10), position)
    return not text[max(0, line + 1, position - 10) : position].strip() and (line >= 0 or position < 10)
