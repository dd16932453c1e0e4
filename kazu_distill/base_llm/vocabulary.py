"""What a tokenizer cannot write, and adding it.

T5's vocabulary has no braces and few Greek letters, and its normalizer turns line breaks into spaces: an answer in JSON
would be learnt without its braces. Bytes stand in for what a vocabulary lacks in most newer models, which miss nothing.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from tokenizers import AddedToken, decoders, pre_tokenizers
from transformers import TokenizersBackend

_SPACE = " "
_MARK = "▁"


def missing(tokenizer: Any, texts: Iterable[str]) -> Counter[str]:
    """What of texts is lost or changed when they are encoded and decoded, and how often it stands in them.

    ``add`` makes exactly the same texts survive, but for two kinds of piece that are missing ever after: special tokens
    of the tokenizer, and ``▁`` where that is how it writes a space.

    Args:
        tokenizer: one of transformers'; it is not changed.
        texts: with no more special tokens in them than ``ChatForm`` leaves.

    Returns:
        Characters, special tokens, two spaces where a tokenizer makes one of them, and one space for a text that loses
        nothing else, such as the space at its beginning; that takes no token, but ``add`` as well.
    """
    lost = _not_surviving(tokenizer, list(texts))
    if not lost:
        return Counter()
    tokenizer = copy.deepcopy(tokenizer)
    add(tokenizer, ())
    special = _special(tokenizer)
    parts = [part for text in lost for part in _between(special, text)]
    alone = _lost_alone(tokenizer, parts)
    add(tokenizer, alone)
    never = {*special, *_lost_alone(tokenizer, alone)}
    pieces = {*alone, *never}
    for text in _not_surviving(tokenizer, lost):
        for part in _between(never, text):
            for piece in _lost_beside(tokenizer, part):
                add(tokenizer, [piece])
                pieces.add(piece)
    found = Counter[str]()
    for text in lost:
        found += Counter(re.findall(_any_of(pieces), text)) or Counter([_SPACE])
    return found


def add(tokenizer: Any, pieces: Iterable[str]) -> int:
    """Add pieces as ordinary tokens that are found before a text is normalized.

    A tokenizer that begins each stretch of text with a space, as T5's does, would put one behind every token that is
    added; it is told not to, and is saved from then on as what its ``tokenizer.json`` says.

    Returns:
        How many tokens are new, and need rows in the model's embeddings.
    """
    before, special = len(tokenizer), _special(tokenizer)
    if _begins_with_space(tokenizer.backend_tokenizer):
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
        tokenizer.backend_tokenizer.decoder = decoders.Metaspace(prepend_scheme="never")
        # A class of its own, such as T5Tokenizer, would build its own way with spaces again when it is loaded.
        tokenizer.__class__ = TokenizersBackend
    tokenizer.add_tokens(
        [AddedToken(piece, normalized=False) for piece in sorted(set(pieces) - special - {_SPACE, _MARK})]
    )
    return len(tokenizer) - before


def _begins_with_space(backend: Any) -> bool:
    state = json.loads(backend.to_str())["pre_tokenizer"] or {}
    parts = state.get("pretokenizers", [state])
    return any(part.get("type") == "Metaspace" and part.get("prepend_scheme") != "never" for part in parts)


def _special(tokenizer: Any) -> set[str]:
    added = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    return added | set(tokenizer.all_special_tokens)


def _any_of(pieces: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(pieces, key=len, reverse=True))) or r"(?!)"


def _between(pieces: Iterable[str], text: str) -> list[str]:
    return re.split(_any_of(pieces), text)


def _not_surviving(tokenizer: Any, texts: list[str]) -> list[str]:
    if not texts:
        return []
    tokens = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
    written = tokenizer.batch_decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return [text for text, back in zip(texts, written, strict=True) if text != back]


def _lost_alone(tokenizer: Any, texts: Iterable[str]) -> list[str]:
    return _not_surviving(tokenizer, sorted(set().union(*texts) - {_SPACE}))


def _lost_beside(tokenizer: Any, text: str) -> Iterator[str]:
    """Characters that are lost only beside others, such as accents that a normalizer joins to their letters.

    The tokenizer must have learnt each of them before the next is asked for.
    """
    last = ""
    while _not_surviving(tokenizer, [text]):
        survives, fails = 0, len(text)
        while fails - survives > 1:
            middle = (survives + fails) // 2
            if _not_surviving(tokenizer, [text[:middle]]):
                fails = middle
            else:
                survives = middle
        piece = text[survives]
        piece = 2 * _SPACE if piece == _SPACE and text[:survives].endswith(_SPACE) else piece
        if piece in (last, _SPACE):
            return  # nothing can be done about it
        yield (last := piece)
