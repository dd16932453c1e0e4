"""The test server's own promise: run by hand, it answers for a whole text and for a part of it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.llm.asking import QUESTION, ask, client_of


def test_the_server_answers_out_of_a_file(tmp_path: Path) -> None:
    entities = [{"entity_match": name, "entity_class": "gene"} for name in ("BRCA1", "TP53")]
    record = {"text": "BRCA1 here. TP53 there.", "answer": json.dumps({"entities": entities})}
    (tmp_path / "answers.jsonl").write_text(json.dumps(record) + "\n")
    command = [sys.executable, "-m", "tests.llm_server", str(tmp_path / "answers.jsonl"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split("/v1")[0].removeprefix("llm.base_url=")
        found = [
            [entity["entity_match"] for entity in json.loads(ask(client_of("openai", url), question).text)["entities"]]
            for text in ("BRCA1 here. TP53 there.", "TP53 there.", "Nothing known.")
            for question in [replace(QUESTION, user=text)]
        ]
        process.terminate()
    assert found == [["BRCA1", "TP53"], ["TP53"], []]
