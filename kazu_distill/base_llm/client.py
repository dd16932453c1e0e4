"""An open LLM in this process, asked as any provider is: ``llm=transformers``."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError

from kazu_distill.base_llm.adapters import base_of
from kazu_distill.base_llm.chat import PLAIN
from kazu_distill.base_llm.errors import BaseLLMError
from kazu_distill.base_llm.generation import BATCH_TOKENS, Generator, Question
from kazu_distill.base_llm.memory import asking_memory
from kazu_distill.base_llm.room import room_of
from kazu_distill.base_llm.settings import BaseLLM, Described
from kazu_distill.base_llm.weights import digest
from kazu_distill.base_llm.worker import Worker
from kazu_distill.errors import ConfigError, require_number
from kazu_distill.llm.protocol import Answer, NotInStore, Price, Rejected, Request, Sampling, TooLong, Usage
from kazu_distill.models.device import Precision
from kazu_distill.models.quiet import quieten_libraries
from kazu_distill.models.threads import limit_threads

_USUAL_TOKENS = 2048  # of a question with its answer
_LEAST_ANSWER = 32  # tokens that there must be room for


class TransformersClient:
    """A model of transformers, loaded when it is first asked.

    Args:
        model: a name on the model hub, or a folder; None takes the one that the adapter was made for.
        adapter: a folder that ``kazu_distill.tune`` wrote.
        precision, load_in_4bit, attention, chat_template, template_arguments, device: as in ``BaseLLM``.
        batch_tokens: tokens of questions and answers that are computed at once; halved when memory ends.
        temperature: 0 or None takes the likeliest token each time, and ``top_p`` does not matter then.
        max_output_tokens: the longest answer.
        structured: force answers into the request's JSON schema.
        price: what the model costs.
        offline: nothing is looked at but what determines an answer, and it is never asked.

    Raises:
        BaseLLMError: the model is not there or not usable, or the adapter is for another one.
        ConfigError: a setting is not usable.
    """

    def __init__(
        self,
        *,
        model: str | None,
        adapter: str | None = None,
        precision: Precision = "auto",
        load_in_4bit: bool = False,
        attention: str | None = None,
        chat_template: str | None = None,
        template_arguments: Mapping[str, Any] | None = None,
        device: str = "auto",
        batch_tokens: int = BATCH_TOKENS,
        temperature: float | None,
        top_p: float | None,
        max_output_tokens: int,
        structured: bool = True,
        price: Price | None = None,
        offline: bool = False,
    ) -> None:
        require_number("llm.batch_tokens", batch_tokens, above=0, whole=True)
        require_number("llm.max_output_tokens", max_output_tokens, above=0, whole=True)
        if model is None and adapter is None:
            raise ConfigError("llm.model is not set: give a name on the model hub or a folder, or llm.adapter=FOLDER")
        name = model or base_of(Path(str(adapter)))
        self._settings = BaseLLM(
            name=name,
            adapter=adapter,
            precision=precision,
            load_in_4bit=load_in_4bit,
            attention=attention,
            chat_template=chat_template,
            template_arguments=dict(template_arguments or {}),
            device=device,
        )
        self._sampling = Sampling(temperature, top_p, max_output_tokens)
        self._structured = structured
        self._batch_tokens = batch_tokens
        self.price = price
        self.identity: Mapping[str, Any] = {
            "provider": "transformers",
            **_which(name, adapter),
            "precision": precision,
            "load_in_4bit": load_in_4bit,
            "template": _template(chat_template),
            "template_arguments": dict(self._settings.template_arguments),
            "temperature": float(temperature or 0),
            "top_p": float(top_p) if temperature and top_p is not None else None,
            "max_output_tokens": max_output_tokens,
            "structured": structured,
        }
        self._described = None if offline else self._settings.describe()
        self._worker = Worker(load=self._load, sampling=self._sampling, name=name)

    def remarks(self) -> list[str]:
        """What the model takes when it is loaded, and what to change if it will not fit; nothing of one offline."""
        if self._described is None:
            return []
        tokens = min(_USUAL_TOKENS, self._batch_tokens)
        memory = asking_memory(self._described, batch=self._batch_tokens // tokens, tokens=tokens)
        room = room_of(self._described.device)
        lower = "lower llm.batch_tokens", "set llm.load_in_4bit=true (CUDA)", "choose a smaller model"
        memory = replace(memory, lower=lower)
        return [memory.sentence(room), *([remark] if (remark := memory.remark(room)) else [])]

    async def ask(self, request: Request) -> Answer:
        """Ask once.

        Raises:
            LLMError: no answer came back.
        """
        if self._described is None:
            raise NotInStore("llm.offline=true: the model is not asked")
        begun = time.perf_counter()
        question = Question(self._prompt(request, self._described), request.answer_schema, request.sample)
        generated = await asyncio.wrap_future(self._worker.ask(question))
        return Answer(
            text=generated.text,
            finish_reason=generated.finish_reason,
            usage=Usage(generated.input_tokens, generated.output_tokens),
            latency_s=time.perf_counter() - begun,
        )

    async def close(self) -> None:
        """End what is being generated, and give the memory back."""
        await asyncio.to_thread(self._worker.close)

    def _prompt(self, request: Request, described: Described) -> list[int]:
        try:
            prompt = described.form.prompt(request)
        except TemplateError as error:
            raise Rejected(f"the chat template of {self._settings.name} does not take the question: {error}") from error
        least = min(_LEAST_ANSWER, self._sampling.max_output_tokens)
        if len(prompt) + least > described.context:
            raise TooLong(
                f"the question has {len(prompt):,} tokens, and {self._settings.name} reads "
                f"{described.context:,.0f} with the answer"
            )
        return prompt

    def _load(self) -> Generator:
        assert self._described is not None
        quieten_libraries()
        limit_threads()
        model = self._described.load()
        return Generator(self._described, model, batch_tokens=self._batch_tokens, forced=self._structured)


def _which(name: str, adapter: str | None) -> dict[str, Any]:
    """What tells the weights: a folder may be moved or renamed, and may hold others under the same name."""
    which: dict[str, Any] = {"model": name}
    if Path(name).is_dir():
        which = {"model": Path(name).resolve().name, "weights": digest(Path(name))}
    if adapter is not None:
        if not Path(adapter).is_dir():
            raise BaseLLMError(f"llm.adapter={adapter}: there is no such folder; give one that kazu_distill.tune wrote")
        which["adapter"] = digest(Path(adapter))
    return which


def _template(template: str | None) -> str | None:
    """What takes the place of the model's own template, by what stands in it."""
    if template in (None, PLAIN):
        return template
    try:
        return hashlib.sha256(Path(template).expanduser().read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise ConfigError(f"chat_template={template}: give a file with a template, or {PLAIN} ({error})") from error
