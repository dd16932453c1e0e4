"""Answers out of a model, several at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

from kazu_distill.base_llm.batches import in_batches
from kazu_distill.base_llm.endings import Endings, TokenTexts
from kazu_distill.base_llm.errors import BaseLLMError, OutOfMemory, is_out_of_memory
from kazu_distill.base_llm.forced_json import ForcedJson
from kazu_distill.base_llm.prefix import SharedPrefix
from kazu_distill.base_llm.sampling import SeededSampling, chance_of
from kazu_distill.base_llm.settings import Described
from kazu_distill.llm.protocol import FinishReason, Sampling

BATCH_TOKENS = 16_384
_FIRST_ANSWERS = 256  # tokens that an answer is expected to have while none has been seen


@dataclass(frozen=True, slots=True)
class Question:
    """A question's tokens, as ``ChatForm.prompt`` gives them; the schema of its answer; which of several answers."""

    prompt: Sequence[int]
    schema: Mapping[str, Any]
    sample: int = 0


@dataclass(frozen=True, slots=True)
class Generated:
    """An answer's text, why it ended, and the tokens of question and answer."""

    text: str
    finish_reason: FinishReason
    input_tokens: int
    output_tokens: int


class Stopped(BaseLLMError):
    """It was told to stop in the middle of an answer."""


class Generator:
    """Has a loaded model answer questions.

    Args:
        described: the model's form and device.
        model: with its weights.
        batch_tokens: tokens of a batch, of its questions, filled up to the longest, and the answers that are expected.
        forced: hold answers with a schema to it.
        reuse: read what all questions begin with once.
    """

    def __init__(
        self,
        described: Described,
        model: Any,
        *,
        batch_tokens: int = BATCH_TOKENS,
        forced: bool = False,
        reuse: bool = True,
    ) -> None:
        self.stopped = threading.Event()
        """Ends what is being generated at its next token."""
        self._described = described
        self._form = described.form
        self._model = model
        self._batch_tokens = batch_tokens
        self._is_forced = forced
        self._prefix = SharedPrefix(model, described.device) if reuse else None
        self._ends = frozenset({self._form.end, *_own_ends(model)})
        self._texts = TokenTexts(self._form.text)
        self._answers: deque[int] = deque(maxlen=64)  # tokens of the latest

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        sampling: Sampling,
        *,
        schemas: Sequence[Mapping[str, Any]] = (),
    ) -> list[Generated]:
        """The answers to questions, in their order.

        Args:
            prompts: as ``ChatForm.prompt`` gives them.
            sampling: temperature 0 or None takes the likeliest token each time.
            schemas: of the answers; an answer ends where its JSON object is whole. None for those in plain text.

        Raises:
            OutOfMemory: not even one question fits.
            Stopped: ``stopped`` was set.
        """
        questions = [Question(*pair) for pair in zip(prompts, schemas or [{}] * len(prompts), strict=True)]
        answers: dict[int, Generated] = {}
        for batch in self.batches(questions, sampling):
            answers |= zip(batch, self.answer([questions[place] for place in batch], sampling), strict=True)
        return [answers[place] for place in range(len(prompts))]

    def batches(self, questions: Sequence[Question], sampling: Sampling) -> list[list[int]]:
        """The places of questions that are best answered together."""
        expected = max(self._answers, default=min(_FIRST_ANSWERS, sampling.max_output_tokens))
        lengths = [len(question.prompt) for question in questions]
        return in_batches(lengths, budget=self._batch_tokens, answer=expected)

    def answer(self, batch: Sequence[Question], sampling: Sampling) -> list[Generated]:
        """The answers to questions in one batch, or in halves of it if memory ends.

        Raises:
            OutOfMemory: not even one question fits.
            Stopped: ``stopped`` was set.
        """
        try:
            return self._generated(batch, sampling)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Outside of the handler, whose traceback holds the tensors of the batch.
        if self._prefix is not None:
            self._prefix.forget()
        if self._described.device.type == "cuda":
            torch.cuda.empty_cache()
        if len(batch) == 1:
            raise OutOfMemory(
                f"{self._described.settings.name}: no memory is left on {self._described.device} for one question of "
                f"{len(batch[0].prompt):,} tokens: lower llm.max_output_tokens, chunks.tokens or examples.k, set "
                "llm.load_in_4bit=true (CUDA), or take a smaller model"
            )
        longest = max(len(question.prompt) for question in batch)
        self._batch_tokens = max(1, min(self._batch_tokens, len(batch) * longest) // 2)
        half = len(batch) // 2
        return [*self.answer(batch[:half], sampling), *self.answer(batch[half:], sampling)]

    @torch.inference_mode()
    def _generated(self, batch: Sequence[Question], sampling: Sampling) -> list[Generated]:
        prompts = [question.prompt for question in batch]
        known, cache = self._prefix.of(prompts) if self._prefix is not None else (0, None)
        longest, padding = max(map(len, prompts)), self._form.tokenizer.pad_token_id
        # What is known stands before the padding: its keys and values do.
        filled = [[*prompt[:known], *[padding] * (longest - len(prompt)), *prompt[known:]] for prompt in prompts]
        mask = [[1] * known + [0] * (longest - len(prompt)) + [1] * (len(prompt) - known) for prompt in prompts]
        endings = Endings(
            ends=self._ends,
            limits=[self.room(len(prompt), sampling) for prompt in prompts],
            objects=[bool(question.schema) for question in batch],
            texts=self._texts,
            stopped=self.stopped,
        )
        device = self._described.device
        with _nothing_of_its_own(self._model):
            self._model.generate(
                input_ids=torch.tensor(filled, device=device),
                attention_mask=torch.tensor(mask, device=device),
                generation_config=self._config(endings),
                logits_processor=LogitsProcessorList(self._processors(batch, sampling)),
                stopping_criteria=StoppingCriteriaList([endings]),
                **({} if cache is None else {"past_key_values": cache}),
            )
        if self.stopped.is_set():
            raise Stopped("it was told to stop")
        self._answers.extend(endings.written)
        return [
            Generated(self._form.text(answer), finished or FinishReason.LENGTH, len(prompt), written)
            for prompt, answer, finished, written in zip(
                prompts, endings.answers, endings.finished, endings.written, strict=True
            )
        ]

    def room(self, asked: int, sampling: Sampling) -> int:
        """The most tokens that an answer to a question of so many may have."""
        return int(min(sampling.max_output_tokens, self._described.context - asked))

    def _processors(self, batch: Sequence[Question], sampling: Sampling) -> Iterator[Any]:
        if self._is_forced and any(question.schema for question in batch):
            yield self._forced.processor([question.schema for question in batch])
        if sampling.temperature:
            yield SeededSampling(sampling, [chance_of(question.prompt, question.sample) for question in batch])

    @cached_property
    def _forced(self) -> ForcedJson:
        vocabulary = max(self._described.config.get_text_config().vocab_size, len(self._form.tokenizer))
        return ForcedJson(self._form, vocabulary=vocabulary, ends=self._ends)

    def _config(self, endings: Endings) -> GenerationConfig:
        start = {}
        if self._described.is_seq2seq:
            start["decoder_start_token_id"] = self._described.config.decoder_start_token_id
        return GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=max(1, *endings.limits),
            do_sample=False,
            eos_token_id=sorted(self._ends),
            pad_token_id=self._form.tokenizer.pad_token_id,
            use_cache=True,
            **start,
        )


def _own_ends(model: Any) -> list[int]:
    """The tokens that a model itself ends with; those that converse have several."""
    ends = model.generation_config.eos_token_id
    return [] if ends is None else [ends] if isinstance(ends, int) else list(ends)


@contextmanager
def _nothing_of_its_own(model: Any) -> Iterator[None]:
    """Leave out what a model's makers suggest for generating, such as top_k; transformers would put it in."""
    owners = [model, model.get_base_model()] if hasattr(model, "get_base_model") else [model]
    own = [owner.generation_config for owner in owners]
    try:
        for owner in owners:
            owner.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        yield
    finally:
        for owner, suggested in zip(owners, own, strict=True):
            owner.generation_config = suggested
