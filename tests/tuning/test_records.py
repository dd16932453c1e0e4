import json
from pathlib import Path
from typing import Any

import pytest

from kazu_distill.errors import CorpusError
from kazu_distill.instruction.formats import openai
from kazu_distill.llm.protocol import Request, Turn
from kazu_distill.tuning.records import ChatRecord, read_records, records_file
from tests.instruction.examples import record

SYSTEM, USER, ANSWER = ({"role": role, "content": role.upper()} for role in ("system", "user", "assistant"))


def written(folder: Path, *lines: Any) -> Path:
    """A file of chat messages of the train part."""
    (folder / "openai").mkdir(parents=True, exist_ok=True)
    path = folder / "openai/train.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_what_instruct_writes_is_read_back(tmp_path: Path) -> None:
    records = [record(), record(with_example=True)]
    written(tmp_path, *map(openai, records))
    assert list(read_records(records_file(tmp_path, "train"))) == [
        ChatRecord(Request(each.instructions, each.text, {}, each.earlier), each.answer) for each in records
    ]
    assert records[1].earlier == (Turn("user", "Aspirin."), Turn("assistant", '{"drug, chemical": ["Aspirin"]}'))


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [SYSTEM, USER],
        [USER, ANSWER, USER, ANSWER],
        [SYSTEM, USER, USER, ANSWER],
        [SYSTEM, USER, ANSWER, USER],
        [SYSTEM, USER, ANSWER | {"weight": 0}],
        [SYSTEM, USER, {"role": "assistant"}],
        [SYSTEM, "USER", ANSWER],
    ],
)
def test_what_is_no_record_is_an_error_that_names_its_line(tmp_path: Path, messages: Any) -> None:
    path = written(tmp_path, {"messages": [SYSTEM, USER, ANSWER]}, {"messages": messages})
    with pytest.raises(CorpusError, match=rf"{path}:2: .*instruct write formats=\[openai\]"):
        list(read_records(path))


def test_where_there_are_no_records_the_command_that_writes_them_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=rf"instruct write formats=\[openai\] out={tmp_path}$"):
        records_file(tmp_path, "train")
    with pytest.raises(CorpusError, match=r"instruct write formats=\[openai\]$"):
        records_file(Path("runs/instruct"), "nothing")
