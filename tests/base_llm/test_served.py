"""An open LLM behind a real server answers as it does in this process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from transformers import GenerationConfig

from kazu_distill.base_llm.generation import Generator
from kazu_distill.base_llm.settings import BaseLLM, Described
from kazu_distill.llm.openai import OpenAIClient
from kazu_distill.llm.protocol import Answer, Refused, Request, Sampling, Turn
from tests.base_llm.tiny import tiny_llama
from tests.llm.asking import SCHEMA
from tests.transformers_server import TransformersServer

TEXTS = (
    "Aspirin caused acute renal failure in one patient; warfarin did not.",
    '{"entities": [{"entity_match": "Aspirin", "entity_class": "Chemical"}]}',
)
QUESTIONS = (
    Request("List the chemicals.", "Aspirin caused acute renal failure.", SCHEMA),
    Request("List the chemicals.", " α–β 🧬 \n two lines", SCHEMA),
    Request("List the diseases.", "And now?", SCHEMA, (Turn("user", "Warfarin did not."), Turn("assistant", "{}"))),
)
GREEDY = Sampling(0.0, None, 24)


def saved_with_its_form(folder: Path, template: str) -> Described:
    """A random model, saved with the template as it was changed and the ends that its form has."""
    described = BaseLLM(str(tiny_llama(folder, TEXTS, template=template)), precision="fp32", device="cpu").describe()
    described.form.tokenizer.save_pretrained(folder)
    ends = GenerationConfig(eos_token_id=[described.form.tokenizer.eos_token_id, described.form.end])  # type: ignore[no-untyped-call]
    ends.save_pretrained(folder)
    return described


def asked(server: TransformersServer, questions: Sequence[Request], **settings: Any) -> list[Answer]:
    """What a server answers."""
    given: dict[str, Any] = {
        "model": server.model, "api_key_env": None, "base_url": server.url, "provider": "local", "temperature": 0.0,
        "top_p": None, "max_output_tokens": GREEDY.max_output_tokens, "token_limit_key": "max_tokens",
        "timeout_s": 60, "structured": False,
    }  # fmt: skip

    async def ask() -> list[Answer]:
        client = OpenAIClient(**(given | settings))
        try:
            return [await client.ask(question) for question in questions]
        finally:
            await client.close()

    return asyncio.run(ask())


@pytest.mark.slow
@pytest.mark.parametrize("template", ["llama", "gemma"])
def test_answers_over_http_are_those_in_process_also_where_a_template_refused_instructions(
    template: str, tmp_path: Path
) -> None:
    described = saved_with_its_form(tmp_path, template)
    generator = Generator(described, described.load())
    here = generator.generate([described.form.prompt(question) for question in QUESTIONS], GREEDY)
    with TransformersServer(tmp_path) as server:
        there = asked(server, QUESTIONS)
        assert [answer.text for answer in there] == [answer.text for answer in here]
        assert all(answer.text for answer in there)
        assert [answer.finish_reason for answer in there] == [answer.finish_reason for answer in here]
        assert [answer.usage.input_tokens for answer in there] == [answer.input_tokens for answer in here]
        if template == "llama":
            forced = asked(server, QUESTIONS[:1], structured=True)
            assert forced[0].text == there[0].text, "it takes a schema and does not hold answers to it"
            with pytest.raises(Refused, match=r"model 'another' is unknown .* pinned to"):
                asked(server, QUESTIONS[:1], model="another")
        process = server._process
    assert process
    assert process.poll() is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
