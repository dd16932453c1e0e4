import json

import pytest

from kazu_distill.instruction.formats import FORMATS, dataset_info, format_of
from tests.instruction.examples import TEXT, record

ANSWER = record().answer


def test_instruct_ner_has_its_six_fields_and_trains_on_source_and_output() -> None:
    written = format_of("instruct_ner", full=True)(record())
    assert written == {
        "instruction": "Find entities.",
        "input": TEXT,
        "output": ANSWER,
        "source": f"### Task: Find entities.\n### Input: {TEXT}\n### Answer: ",
        "raw_entities": {"drug, chemical": ["1,2-dichloroethane"], "gene": []},
        "id": "1/0/0-33",
    }
    short = format_of("instruct_ner", full=False)(record())
    assert short["raw_entities"] == {"drug, chemical": ["1,2-dichloroethane"]}


def test_openai_has_messages_and_does_not_learn_the_answers_of_examples() -> None:
    messages = format_of("openai", full=True)(record(with_example=True))["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "assistant"]
    assert [message.get("weight") for message in messages] == [None, None, 0, None, None]
    assert (messages[0]["content"], messages[-2]["content"], messages[-1]["content"]) == (
        "Find entities.",
        TEXT,
        ANSWER,
    )


def test_gemini_has_contents_of_user_and_model() -> None:
    written = format_of("gemini", full=True)(record(with_example=True))
    assert written["systemInstruction"] == {"role": "system", "parts": [{"text": "Find entities."}]}
    assert [content["role"] for content in written["contents"]] == ["user", "model", "user", "model"]
    assert written["contents"][-1]["parts"] == [{"text": ANSWER}]


def test_sharegpt_speaks_in_turn_as_llama_factory_wants_it() -> None:
    written = format_of("sharegpt", full=True)(record(with_example=True))
    assert [turn["from"] for turn in written["conversations"]] == ["human", "gpt", "human", "gpt"]
    assert written["system"] == "Find entities."
    assert written["conversations"][-1]["value"] == ANSWER


def test_alpaca_has_one_text_in_which_examples_stand_after_the_guidelines() -> None:
    assert format_of("alpaca", full=True)(record()) == {
        "instruction": "Find entities.",
        "input": TEXT,
        "output": ANSWER,
    }
    with_example = format_of("alpaca", full=True)(record(with_example=True))["instruction"]
    assert with_example == 'Find entities.\n\nText:\nAspirin.\n\nAnswer:\n{"drug, chemical": ["Aspirin"]}'


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_json_with_the_answer_as_it_is_and_says_nothing_of_the_document(name: str) -> None:
    written = format_of(name, full=True)(record())
    assert json.loads(json.dumps(written)) == written
    texts = [text for text in _strings(written) if text == ANSWER]
    assert len(texts) == 1


def test_dataset_info_describes_the_columns_that_the_files_have() -> None:
    info = dataset_info(FORMATS, ["train", "test"])
    assert sorted(info) == [f"{name}_{part}" for name in ("alpaca", "openai", "sharegpt") for part in ("test", "train")]
    for name, described in info.items():
        form, part = name.split("_")
        assert described["file_name"] == f"{form}/{part}.jsonl"
        written = format_of(form, full=True)(record(with_example=True))
        assert set(described["columns"].values()) <= set(written)
        if described["formatting"] == "sharegpt":
            tags = described["tags"]
            turns = written[described["columns"]["messages"]]
            said = {turn[tags["role_tag"]] for turn in turns if turn[tags["content_tag"]]}
            assert said <= {value for tag, value in tags.items() if tag not in ("role_tag", "content_tag")}


def _strings(values: object) -> list[str]:
    if isinstance(values, str):
        return [values]
    inside = values.values() if isinstance(values, dict) else values if isinstance(values, list) else []
    return [text for value in inside for text in _strings(value)]
