"""How a question and its answer are written for a model: by its chat template, and the same when tuned and when asked.

A question's tokens are the template's with its generation prompt; the answer's are tokenized by themselves and end with
the token that ends a turn. So what a model is tuned on begins with exactly the tokens that it is asked with, whatever a
template makes of a whole conversation (some take thoughts or line breaks away from earlier answers).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError

from kazu_distill.base_llm.errors import BaseLLMError, NoChatTemplate
from kazu_distill.errors import ConfigError
from kazu_distill.llm.protocol import Request, Turn

PLAIN = "plain"
"""The template that comes with the program, for models that were never taught to converse."""

_SYSTEM, _USER, _ANSWER = "kdsystem", "kduser", "kdanswer"  # words that no template has
# Some templates refuse a system message, or forget it; then it stands at the head of the user's first.
_SYSTEM_INTO_USER = """\
{%- if messages[0]['role'] == 'system' -%}
{%- set messages = [{'role': 'user', 'content': messages[0]['content'] + '\\n\\n' + messages[1]['content']}] \
+ messages[2:] -%}
{%- endif -%}
"""


class ChatForm:
    """Writes questions and answers as tokens.

    What has to be changed of a template, such as where it takes no system message, is changed in the template itself
    (``template``), so that a server which is given the tokenizer writes the same.

    Args:
        tokenizer: with a chat template.
        template: takes the place of the tokenizer's: ``plain``, or a file with Jinja; None leaves it.
        arguments: what the template is told, such as ``enable_thinking: false``.
        whole: the model reads a text with the tokenizer's own special tokens around it, as T5 does.

    Raises:
        NoChatTemplate: there is none.
        ConfigError: ``template`` is no file, or an argument cannot be told.
        BaseLLMError: the template cannot write a question, or nothing ends an answer.
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        template: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        whole: bool = False,
    ) -> None:
        self.tokenizer = tokenizer
        self._whole = whole
        given = _given(template) if template else _own(tokenizer)
        if template == PLAIN and not whole and _begins_a_text(tokenizer):
            given = "{{ bos_token }}" + given
        self.template = _told(arguments or {}) + given
        if _SYSTEM not in self._probe():
            self.template = _told(arguments or {}) + _SYSTEM_INTO_USER + given
            if _SYSTEM not in self._probe():
                raise BaseLLMError(
                    f"the chat template of {tokenizer.name_or_path} cannot write a question with instructions; give "
                    f"another (chat_template=FILE, or chat_template={PLAIN})"
                )
        tokenizer.chat_template = self.template
        special = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
        special |= set(tokenizer.all_special_tokens)
        # What is one character, as some tokenizers' padding is, no space can break.
        broken = sorted((name.strip() for name in special if len(name.strip()) > 1), key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, broken))) if broken else None
        self.end = self._end()
        """The token that ends an answer."""

    def prompt(self, request: Request) -> list[int]:
        """The tokens of a question, up to where the answer begins.

        What looks like a special token in a text, such as the end of a turn, is broken by a space, so that no text can
        pretend to be more than text.
        """
        messages = [message | {"content": self._harmless(message["content"])} for message in _messages(request)]
        return self._tokens(self._written(messages, ask=True), whole=self._whole)

    def answer(self, text: str) -> list[int]:
        """The tokens of an answer, with the one that ends it."""
        return [*self._tokens(self._harmless(text), whole=False), self.end]

    def text(self, tokens: list[int]) -> str:
        """What the tokens of an answer say."""
        text: str = self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _harmless(self, text: str) -> str:
        if self._special is None:
            return text
        broken = self._special.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
        # One that overlaps another is found when that one is broken.
        return broken if broken == text else self._harmless(broken)

    def _tokens(self, text: str, *, whole: bool) -> list[int]:
        tokens: list[int] = self.tokenizer(text, add_special_tokens=whole, verbose=False)["input_ids"]
        return tokens

    def _written(self, messages: list[dict[str, str]], *, ask: bool) -> str:
        written: str = self.tokenizer.apply_chat_template(
            messages, chat_template=self.template, tokenize=False, add_generation_prompt=ask
        )
        return written

    def _probe(self) -> str:
        """A question as the template writes it; nothing if it refuses."""
        messages = _messages(Request(_SYSTEM, _USER, {}))
        try:
            return self._written(messages, ask=True)
        except (TemplateError, TypeError, ValueError, KeyError, IndexError):
            return ""

    def _end(self) -> int:
        """What stands behind an answer, up to the first token that is not text."""
        messages = [*_messages(Request(_SYSTEM, _USER, {})), {"role": "assistant", "content": _ANSWER}]
        try:
            behind = self._written(messages, ask=False).rpartition(_ANSWER)[2]
        except (TemplateError, TypeError, ValueError, KeyError, IndexError):
            behind = ""
        # Marks of some families count as ordinary tokens; so do characters that were added to a vocabulary.
        added = self.tokenizer.added_tokens_decoder.items()
        ends = {token for token, mark in added if mark.special or len(mark.content.strip()) > 1}
        for token in self._tokens(behind, whole=False):
            if token in ends or token in self.tokenizer.all_special_ids:
                return token
        if self.tokenizer.eos_token_id is None:
            raise BaseLLMError(
                f"the tokenizer of {self.tokenizer.name_or_path} has no token that ends an answer (eos_token), so that "
                "a model would never stop; choose another model"
            )
        return int(self.tokenizer.eos_token_id)


def _messages(request: Request) -> list[dict[str, str]]:
    turns = (*request.earlier, Turn("user", request.user))
    return [
        {"role": "system", "content": request.system},
        *({"role": turn.role, "content": turn.text} for turn in turns),
    ]


def _begins_a_text(tokenizer: Any) -> bool:
    """Whether a tokenizer has a token of its own before every text, as most models were taught to expect."""
    begins = tokenizer("a")["input_ids"][:1]
    return bool(tokenizer.bos_token_id is not None and begins == [tokenizer.bos_token_id])


def _own(tokenizer: Any) -> str:
    template = tokenizer.chat_template
    if isinstance(template, dict):
        template = template.get("default")
    if not template:
        raise NoChatTemplate(
            f"the tokenizer of {tokenizer.name_or_path} has no chat template: choose the model's instruct version, or "
            f"give one (base_llm.chat_template=FILE, or llm.chat_template=FILE where it is asked); {PLAIN} in place of "
            "FILE will do for a base model that is to be tuned"
        )
    return str(template)


def _given(template: str) -> str:
    file = Path(__file__).with_name("plain.jinja") if template == PLAIN else Path(template).expanduser()
    try:
        return file.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"chat_template={template}: give a file with a template, or {PLAIN} ({error})") from error


def _told(arguments: Mapping[str, Any]) -> str:
    """Arguments as the head of a template."""
    for name, value in arguments.items():
        if not str(name).isidentifier() or not isinstance(value, str | bool | int | float):
            raise ConfigError(
                f"template_arguments.{name}={value}: a name with a text, a number, true or false is needed"
            )
    return "".join(
        f"{{%- set {name} = {json.dumps(value, ensure_ascii=False)} -%}}" for name, value in arguments.items()
    )
