import json
from pathlib import Path

import pytest

from kazu_distill.errors import CorpusError
from kazu_distill.instruction.predictions import Prediction, read_predictions

ROWS = [
    {"id": "a", "extracted": {"gene": ["EGFR"], "drug": []}, "target": {"gene": [], "drug": []}},
    {"id": "b", "extracted": {}, "target": {}},
]
WANTED = {
    "a": Prediction('{"gene": ["EGFR"], "drug": []}', extracted=True, target={"gene": [], "drug": []}),
    "b": Prediction("{}", extracted=True, target={}),
}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("prediction.json", json.dumps(ROWS)),
        ("prediction.json", json.dumps(ROWS, indent=2)),
        ("prediction.json", json.dumps({key: {str(n): row[key] for n, row in enumerate(ROWS)} for key in ROWS[0]})),
        ("prediction.jsonl", "\n".join(map(json.dumps, ROWS))),
        ("prediction.json", "\ufeff" + "\n\n".join(map(json.dumps, ROWS))),
    ],
    ids=["list", "indented", "columns", "lines", "lines in .json"],
)
def test_instruct_ners_predictions_are_read_in_each_form_that_pandas_writes(
    name: str, content: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    read = read_predictions(tmp_path / name)
    assert (read.by_id, list(read.in_order)) == (WANTED, [])


def test_answers_are_read_by_id_or_in_order(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "a", "answer": "{}"}\n{"id": 7, "answer": "[]"}\n')
    assert read_predictions(path).by_id == {"a": Prediction("{}"), "7": Prediction("[]")}
    path.write_text('{"prompt": "…", "predict": "{}", "label": "x"}\n{"predict": ""}\n')
    assert list(read_predictions(path).in_order) == [Prediction("{}"), Prediction("")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no predictions"),
        ("[]", "no predictions"),
        (
            '{"id": "a", "answer": "{}"}\n{"id": "a", "answer": "{}"}',
            r'p\.json:2: id "a" stands already at .*p\.json:1',
        ),
        ('{"id": "a", "answer": "{}"}\n{"answer": "{}"}', "some predictions have an id"),
        ('{"id": "a"}', "no answer or predict"),
        ('{"id": ["a"], "answer": "{}"}', "must be text"),
        ('{"id": "a", "extracted": ["EGFR"]}', "must be objects"),
        ('{"id": "a", "extracted": {"gene": "EGFR"}}', "must be objects"),
        ('["a"]', "is no object"),
        ("{", "not JSON"),
        ('[{"id": ', "not JSON"),
    ],
)
def test_what_is_no_file_of_predictions_is_an_error_that_says_where(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(content)
    with pytest.raises(CorpusError, match=message):
        read_predictions(path)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file"):
        read_predictions(tmp_path / "p.json")
