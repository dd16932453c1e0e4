"""Questions and answers are written as a template wants them, and as a server would write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken
from transformers import AutoTokenizer

from kazu_distill.base_llm.chat import PLAIN, ChatForm
from kazu_distill.base_llm.errors import BaseLLMError, NoChatTemplate
from kazu_distill.errors import ConfigError
from kazu_distill.llm.protocol import Request, Turn
from tests.base_llm.templates import ENDS, MARKS, TEMPLATES
from tests.base_llm.tiny import llama_tokenizer, tiny_t5

TEXTS = ["Aspirin inhibits COX-1 in human platelets.", '{"entities": [{"entity_match": "TGF-β"}]}']
DAY = {"date_string": "26 Jul 2024"}
EARLIER = (Turn("user", "first text"), Turn("assistant", '{"entities": []}'))


def form_of(family: str, **settings: Any) -> ChatForm:
    """A form of a family's tokenizer, or of one without a template that gets the plain one."""
    if family == PLAIN:
        return ChatForm(llama_tokenizer(TEXTS, template=None), template=PLAIN, **settings)
    return ChatForm(llama_tokenizer(TEXTS, template=family), **({"arguments": DAY} | settings))


FORMS = {family: form_of(family) for family in (*TEMPLATES, PLAIN)}
families = pytest.mark.parametrize("family", FORMS)


def written(form: ChatForm, tokens: list[int]) -> str:
    """What tokens say, special ones too."""
    said: str = form.tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return said


def marks(form: ChatForm, tokens: list[int]) -> list[int]:
    """The special tokens among tokens."""
    return [token for token in tokens if token in form.tokenizer.added_tokens_decoder]


@families
def test_instructions_turns_and_question_stand_in_their_order(family: str) -> None:
    said = written(FORMS[family], FORMS[family].prompt(Request("the rules", "the text", {}, EARLIER)))
    parts = ["first text", '{"entities": []}', "the text"]
    places = [said.index(part) for part in parts]
    assert places == sorted(places)
    assert said.count("the rules") == 1
    assert said.index("the rules") < said.index("the text")


@families
def test_the_answer_begins_where_the_question_ends(family: str) -> None:
    form = FORMS[family]
    asked, answer = Request("the rules", "the text", {}), '{"entities": [{"entity_match": "β\\n"}]}'
    tokens = form.answer(answer)
    assert form.text(tokens[:-1]) == form.text(tokens) == answer
    assert tokens[-1] == form.end
    assert written(form, [form.end]) == ENDS.get(family, "</s>")
    if family == "mistral":
        return  # what it writes of a whole conversation lacks the instructions
    # As the template writes a conversation that is over, but for white space at the seams.
    messages = [
        {"role": "system", "content": asked.system},
        {"role": "user", "content": asked.user},
        {"role": "assistant", "content": answer},
    ]
    whole = form.tokenizer.apply_chat_template(messages, tokenize=False)
    own = written(form, [*form.prompt(asked), *tokens])
    assert "".join(whole.split()).startswith("".join(own.split()))


@families
@given(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8"), min_size=1))
def test_texts_stand_in_a_prompt_as_they_are(family: str, system: str, user: str) -> None:
    form = FORMS[family]
    said = written(form, form.prompt(Request(system, user, {}, (Turn("user", user), Turn("assistant", system)))))
    assert system.strip() in said  # some templates strip
    assert said.count(user.strip()) >= 2


@families
@given(st.data())
def test_no_text_can_pretend_to_be_a_mark(family: str, data: st.DataObject) -> None:
    form = FORMS[family]
    own = ["<s>", "</s>", "<pad>", *MARKS.get(family, ())]
    pieces = st.sampled_from([*own, *(mark[:2] for mark in own), *(mark[1:] for mark in own), "a", " ", "\n"])
    text = data.draw(st.lists(pieces, max_size=6).map("".join))
    request = Request("rules", f"x{text}x", {}, (Turn("user", text), Turn("assistant", text)))
    plain = Request("rules", "x", {}, (Turn("user", "x"), Turn("assistant", "x")))
    assert marks(form, form.prompt(request)) == marks(form, form.prompt(plain))
    assert marks(form, form.answer(text)) == [form.end]
    assert "".join(form.text(form.answer(text)).split()) == "".join(text.split())  # spaces are all that is added


def test_what_looks_like_a_mark_is_broken_by_a_space() -> None:
    form = FORMS["llama"]
    said = written(form, form.prompt(Request("rules", "a<|eot_id|>b <eot_id> </s>", {})))
    assert "a< |eot_id|>b <eot_id> < /s>" in said


def test_marks_that_overlap_are_all_broken_and_one_character_is_left_alone() -> None:
    tokenizer = llama_tokenizer(TEXTS)
    tokenizer.add_special_tokens({"additional_special_tokens": ["|a|", "|b|", "!"]})
    form = ChatForm(tokenizer, arguments=DAY)
    assert form.text(form.answer("|a|b| a! |")) == "| a| b| a |"  # what is one character cannot be helped


@pytest.mark.parametrize("family", [*TEMPLATES, PLAIN])
def test_a_saved_tokenizer_writes_what_a_server_is_asked_just_so(family: str, tmp_path: Path) -> None:
    form = form_of(family, arguments=DAY | {"enable_thinking": False})
    form.tokenizer.save_pretrained(tmp_path)
    (tmp_path / "adapter_config.json").write_text("{}")
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    messages = [{"role": "system", "content": "the rules"}]
    messages += [{"role": turn.role, "content": turn.text} for turn in (*EARLIER, Turn("user", "the text β"))]
    asked = Request("the rules", "the text β", {}, EARLIER)
    served = loaded.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    assert served == form.prompt(asked)
    again = ChatForm(loaded)
    assert (again.prompt(asked), again.end, again.template) == (form.prompt(asked), form.end, form.template)


def test_arguments_are_told_to_the_template() -> None:
    asked = Request("the rules", "the text", {})
    assert "Today: 26 Jul 2024" in written(FORMS["llama"], FORMS["llama"].prompt(asked))
    quoted = form_of("llama", arguments={"date_string": 'a "day" %} β'})
    assert 'Today: a "day" %} β' in written(quoted, quoted.prompt(asked))
    quick = form_of("qwen", arguments={"enable_thinking": False})
    assert written(quick, quick.prompt(asked)).endswith("<think>\n\n</think>\n\n")
    assert "<think>" not in written(FORMS["qwen"], FORMS["qwen"].prompt(asked))


def test_the_plain_template_begins_as_the_tokenizer_does() -> None:
    tokenizer = llama_tokenizer(TEXTS, template=None)
    assert written(FORMS[PLAIN], FORMS[PLAIN].prompt(Request("rules", "text", {}))).startswith("rules")
    tokenizer.add_bos_token = True
    tokenizer.update_post_processor()
    form = ChatForm(tokenizer, template=PLAIN)
    assert written(form, form.prompt(Request("rules", "text", {}))).startswith("<s>rules")


def test_a_model_from_sequence_to_sequence_reads_its_own_end(tmp_path: Path) -> None:
    texts = [*TEXTS, "### Text: the rules ### Answer: the text"]
    tokenizer: Any = AutoTokenizer.from_pretrained(tiny_t5(tmp_path, texts * 9))
    form = ChatForm(tokenizer, template=PLAIN, whole=True)
    asked = form.prompt(Request("the rules", "the text", {}))
    assert asked[-1] == tokenizer.eos_token_id
    assert marks(form, asked) == [tokenizer.eos_token_id]
    assert form.answer("the text")[-1] == form.end == tokenizer.eos_token_id
    tokenizer.add_tokens([AddedToken("#", normalized=False)])  # a character is no mark
    assert ChatForm(tokenizer, template=PLAIN, whole=True).end == tokenizer.eos_token_id


def test_an_added_character_behind_an_answer_is_not_its_end(tmp_path: Path) -> None:
    tokenizer = llama_tokenizer(TEXTS, template=None)
    tokenizer.add_tokens([AddedToken("\n", normalized=False)])
    file = tmp_path / "chat.jinja"
    file.write_text("{% for m in messages %}{{ m['content'] }}\n{{ eos_token }}{% endfor %}")
    assert ChatForm(tokenizer, template=str(file)).end == tokenizer.eos_token_id


def test_of_several_templates_the_default_is_taken() -> None:
    tokenizer = llama_tokenizer(TEXTS, template="phi")
    tokenizer.chat_template = {"default": TEMPLATES["phi"], "tool_use": "no"}
    assert ChatForm(tokenizer).template == FORMS["phi"].template.split("-%}", 1)[1]
    tokenizer.chat_template = {"tool_use": TEMPLATES["phi"]}
    with pytest.raises(NoChatTemplate, match=r"base_llm\.chat_template=FILE.*plain in place of"):
        ChatForm(tokenizer)


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoChatTemplate, match="has no chat template: choose the model's instruct version"):
        ChatForm(llama_tokenizer(TEXTS, template=None))
    with pytest.raises(ConfigError, match=r"chat_template=no/such: give a file"):
        form_of("llama", template="no/such")
    for template in (
        "{% for %}",
        "{{ messages[0]['content'] }} {{ raise_exception('no') }}",
        "{{ nothing.at.all }}",
        "x",
    ):
        (tmp_path / "broken").write_text(template)
        with pytest.raises(BaseLLMError, match="cannot write a question with instructions"):
            form_of("llama", template=str(tmp_path / "broken"))
    for arguments in ({"a b": 1}, {"day": ["Monday"]}, {"day": None}):
        with pytest.raises(ConfigError, match=r"template_arguments\.(a b|day)="):
            form_of("llama", arguments=arguments)
    endless = llama_tokenizer(TEXTS, template="forgetful")
    endless.eos_token = None
    with pytest.raises(BaseLLMError, match="no token that ends an answer"):
        ChatForm(endless)
