import json
from pathlib import Path
from typing import Any

import datasets
import pytest
from datasets import load_dataset, load_from_disk

from kazu_distill.instruction.dataset_folders import write_datasets
from kazu_distill.instruction.formats import FORMATS, format_of
from kazu_distill.instruction.writing import RecordFiles
from tests.instruction.examples import record

RECORDS = [record("1", with_example=True), record("2"), record("3", text="1,2-dichloroethane; µ 😀 and\u2028more")]


def write(out: Path, *, full: bool = True) -> None:
    files = RecordFiles(out, lines=out, formats=FORMATS, full=full)
    with files.opened():
        files.begin("train")
        files.begin("eval")
        files.add("train", record("left out").asked, None, left_out="too long")
        for each in RECORDS:
            files.add("train", each.asked, each)


def test_a_line_stands_for_each_question_that_is_not_left_out(tmp_path: Path) -> None:
    write(tmp_path)
    asked = [json.loads(line) for line in (tmp_path / "questions" / "train.jsonl").read_text().splitlines()]
    assert [question["left_out"] for question in asked] == ["too long", "", "", ""]
    for name in FORMATS:
        lines = (tmp_path / name / "train.jsonl").read_bytes().splitlines()
        assert [json.loads(line) for line in lines] == [format_of(name, full=True)(each) for each in RECORDS]
        assert (tmp_path / name / "eval.jsonl").read_bytes() == b""


def test_files_of_a_run_that_fails_do_not_replace_those_there_are(tmp_path: Path) -> None:
    write(tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.jsonl")}
    files = RecordFiles(tmp_path, lines=tmp_path, formats=FORMATS, full=True)

    def killed() -> None:
        with files.opened():
            files.add("train", RECORDS[0].asked, RECORDS[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("name", FORMATS)
def test_the_datasets_library_loads_the_lines(name: str, tmp_path: Path) -> None:
    write(tmp_path)
    loaded = load_dataset(
        "json", data_files=str(tmp_path / name / "train.jsonl"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [_without_none(row) for row in loaded] == [format_of(name, full=True)(each) for each in RECORDS]


def test_folders_for_datasets_hold_the_same_and_are_the_same_bytes_again(tmp_path: Path) -> None:
    write(tmp_path, full=False)
    made = []
    for out in (tmp_path / "one", tmp_path / "two"):
        out.mkdir()
        write_datasets(out, tmp_path, formats=FORMATS, parts=["train", "eval"])
        write_datasets(out, tmp_path, formats=["openai"], parts=["train", "eval"])  # which replaces a folder
        made.append({file.relative_to(out): file.read_bytes() for file in out.rglob("*") if file.is_file()})
    assert made[0] == made[1]
    assert {path.parts[0] for path in made[0]} == {"datasets"}
    for name in FORMATS:
        loaded = load_from_disk(str(tmp_path / "one" / "datasets" / name))
        assert list(loaded) == ["train"]  # the other part has no record
        wanted = [format_of(name, full=False)(each) for each in RECORDS]
        rows = [_without_none(row) for row in loaded["train"]]
        for row in rows:
            if "raw_entities" in row:
                row["raw_entities"] = {each["entity_class"]: each["mentions"] for each in row["raw_entities"]}
        assert rows == wanted


def test_the_progress_bars_of_datasets_stay_as_they_were(tmp_path: Path) -> None:
    write(tmp_path)
    was = datasets.utils.logging.is_progress_bar_enabled()
    write_datasets(tmp_path, tmp_path, formats=["alpaca"], parts=["train"])
    assert datasets.utils.logging.is_progress_bar_enabled() == was


def _without_none(values: Any) -> Any:
    """Without what Arrow adds where a record has no value."""
    if isinstance(values, dict):
        return {key: _without_none(value) for key, value in values.items() if value is not None}
    return [_without_none(value) for value in values] if isinstance(values, list) else values
