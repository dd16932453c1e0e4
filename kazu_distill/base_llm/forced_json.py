"""Answers that cannot but keep to their JSON schema: at each token, only those that can go on with it are possible."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from transformers import LogitsProcessor

from kazu_distill.base_llm.chat import ChatForm
from kazu_distill.base_llm.errors import BaseLLMError
from kazu_distill.errors import ConfigError

_NEEDED = '{}[]":,\\'  # what JSON is written with


class ForcedJson:
    """Holds a model to JSON schemas, written as ``json.dumps`` writes, on one line: the form that tuning teaches.

    Every other kind of white space is left out; a model that was not tuned could write it without end.

    Args:
        form: whose tokens are written.
        vocabulary: for how many tokens the model gives scores; some have more than their tokenizer.
        ends: the tokens that end an answer.

    Raises:
        ConfigError: xgrammar is not installed.
        BaseLLMError: the tokenizer cannot write JSON, as T5's cannot.
    """

    def __init__(self, form: ChatForm, *, vocabulary: int, ends: Collection[int]) -> None:
        try:
            import xgrammar
        except ImportError as error:
            raise ConfigError(
                'forced JSON needs xgrammar: pip install "kazu-distill[open-llm]", or set llm.structured=false'
            ) from error
        missing = [mark for mark in _NEEDED if form.text(form.answer(mark)[:-1]).strip() != mark]
        if missing:
            raise BaseLLMError(
                f"the tokenizer of {form.tokenizer.name_or_path} has no {' '.join(missing)}, so the model cannot write "
                "JSON: set llm.structured=false and ask in another form (prompt=inline, prompt=tokens), or tune the "
                "model, which adds what it lacks"
            )
        self._xgrammar = xgrammar
        more: dict[str, Any] = {"vocab_size": vocabulary, "stop_token_ids": sorted(ends)}
        tokens = xgrammar.TokenizerInfo.from_huggingface(form.tokenizer, **more)
        if tokens.vocab_type is xgrammar.VocabType.RAW:  # of T5's kind it is not known how they write a space
            pieces = [piece.replace("▁".encode(), b" ") for piece in tokens.decoded_vocab]
            tokens = xgrammar.TokenizerInfo(pieces, xgrammar.VocabType.RAW, **more)
        self._compiler = xgrammar.GrammarCompiler(tokens)
        # Where each text begins with a space, as in SentencePiece, so does what the model was taught.
        self._has_space = tokens.decoded_vocab[form.answer("{")[0]].startswith(b" ")
        self._vocabulary = vocabulary
        # A special token's name is text to a grammar, so that it could stand in a string; it would be lost in reading.
        special = {token for token in form.tokenizer.all_special_ids if token not in ends}
        added = form.tokenizer.added_tokens_decoder.items()
        special |= {token for token, kind in added if kind.special and token not in ends}
        self._forbidden = torch.tensor(sorted(special), dtype=torch.long)
        self._compiled: dict[str, Any] = {}

    def processor(self, schemas: Sequence[Mapping[str, Any]]) -> LogitsProcessor:
        """What holds the rows of a batch to their schemas; a row whose schema is empty is free."""
        matchers = [
            self._xgrammar.GrammarMatcher(self._grammar(schema), terminate_without_stop_token=False) if schema else None
            for schema in schemas
        ]
        return _Held(self._xgrammar, matchers, self._vocabulary, self._forbidden)

    def _grammar(self, schema: Mapping[str, Any]) -> Any:
        key = json.dumps(schema, ensure_ascii=False)  # not sorted: fields are written in the order in which they stand
        if key not in self._compiled:
            grammar = self._xgrammar.Grammar.from_json_schema(key, any_whitespace=False, separators=(", ", ": "))
            if self._has_space:
                grammar = self._xgrammar.Grammar.concat(self._xgrammar.Grammar.from_regex(" ?"), grammar)
            self._compiled[key] = self._compiler.compile_grammar(grammar)
        return self._compiled[key]


class _Held(LogitsProcessor):
    """Makes the tokens impossible that a row's grammar does not allow next."""

    def __init__(self, xgrammar: Any, matchers: list[Any], vocabulary: int, forbidden: torch.Tensor) -> None:
        self._xgrammar = xgrammar
        self._matchers = matchers
        self._bitmask = xgrammar.allocate_token_bitmask(len(matchers), vocabulary)
        self._forbidden = forbidden
        self._begun = False

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores ``(rows, vocabulary)``, minus infinity for what is not allowed."""
        if self._begun:
            for row, token in enumerate(input_ids[:, -1].tolist()):
                self._accept(row, token)
        self._begun = True
        for row, matcher in enumerate(self._matchers):
            if matcher is not None:
                matcher.fill_next_token_bitmask(self._bitmask, row)
        held = [row for row, matcher in enumerate(self._matchers) if matcher is not None]
        if held:
            # Its kernels are for CUDA and the CPU.
            there = scores if scores.device.type in ("cuda", "cpu") else scores.cpu()
            self._xgrammar.apply_token_bitmask_inplace(there, self._bitmask.to(there.device))
            scores = there.to(scores.device)
            rows = torch.tensor(held, device=scores.device)[:, None]
            scores[rows, self._forbidden.to(scores.device)] = -torch.inf
        return scores

    def _accept(self, row: int, token: int) -> None:
        matcher = self._matchers[row]
        if matcher is None:
            return
        is_whole = matcher.is_completed()
        if not matcher.accept_token(token) and not is_whole:
            raise BaseLLMError(f"forced JSON: token {token} was taken, which the grammar does not allow")
        if matcher.is_terminated() or is_whole:  # what comes behind an answer is filling
            self._matchers[row] = None
            self._bitmask[row] = -1
