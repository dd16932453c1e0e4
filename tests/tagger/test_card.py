"""The model card says what the model is, and shows names and definitions as they are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import ConfigError
from kazu_distill.models.hub import HubError, check_repository, push_to_hub
from kazu_distill.schema import Schema
from kazu_distill.tagger.card import LabelledData, labelled_data, model_card
from kazu_distill.tagger.labels import label_scheme
from kazu_distill.tagger.settings import TaggerSettings
from tests.stages import REPOSITORY
from tests.tagger.families import tiny_encoder

ODD = "disease, <b>disorder</b> | *phenotype* [x](http://y) `z` \\ & $1$\n# --- __init__ :smile: ~~no~~"
SCHEMA = Schema(
    name="test", classes={"gene": {"definition": "A gene.", "examples": ["EGFR"]}, ODD: {"definition": ODD}}
)
FIGURES: dict[str, float | int | None] = {
    "gene_precision": 0.5, "gene_recall": 1.0, "gene_f1": 2 / 3, "gene_support": 7, "mean_f1": 2 / 3,
    f"{ODD}_precision": None, f"{ODD}_recall": None, f"{ODD}_f1": None, f"{ODD}_support": 0,
}  # fmt: skip


def documents(source: str) -> LabelledData:
    spans = (Span(0, 4, "gene", source=source), Span(0, 4, ODD, source=source))
    return labelled_data([Document("a", (Section("", "EGFR", spans),)), Document("b", ())])


def card(evaluation: str = "gold", **changed: Any) -> str:
    settings = TaggerSettings(max_length=48, stride=12, thresholds={"gene": 0.35})
    values: dict[str, Any] = {
        "title": "owner/name",
        "schema": SCHEMA,
        "settings": settings,
        "metrics": FIGURES,
        "train": documents("gemini_1.5 *flash*"),
        "evaluation": documents(evaluation),
        "base_model": "google/electra-base-discriminator",
        "architecture": "electra",
        "parameters": 109_000_000,
        "versions": {"torch": "2.13.0"},
    }
    return model_card(**values | changed)


def split(text: str) -> tuple[str, str]:
    """Front matter and body."""
    nothing, front, body = re.split(r"^---$", text, maxsplit=2, flags=re.MULTILINE)
    assert nothing == ""
    return front, body


def shown(text: str) -> tuple[set[str], str]:
    """The kinds of markup in a card, and all its text as a reader sees it."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(split(text)[1])
    inline = [child for token in tokens for child in token.children or []]
    return {token.type for token in [*tokens, *inline]}, " ".join(token.content for token in inline if token.content)


def test_names_and_definitions_are_shown_as_they_are() -> None:
    kinds, text = shown(card())
    kinds_of_plain_names, _ = shown(card(schema=Schema(name="plain", classes={"gene": {}, "other": {}})))
    assert kinds == kinds_of_plain_names
    one_line = ODD.replace("\n", " ")
    assert text.count(one_line) == 3  # name, definition and the table of figures
    assert "gemini_1.5 *flash*" in text


def test_the_front_matter_is_what_the_hub_reads() -> None:
    front = yaml.safe_load(split(card())[0])
    assert front["library_name"] == "transformers"
    assert front["pipeline_tag"] == "token-classification"
    assert front["base_model"] == "google/electra-base-discriminator"
    assert "license" not in front
    assert "base_model" not in yaml.safe_load(split(card(base_model=None))[0])


def test_every_class_has_its_figures_and_its_threshold() -> None:
    _, text = shown(card())
    assert "gene 50.0 100.0 66.7 7 1 0.35" in text
    assert f"{ODD} – – – 0 1 0.50".replace("\n", " ") in text


def test_figures_against_labels_of_a_machine_are_called_that() -> None:
    silver, gold = card(evaluation="gemini_1.5 *flash*"), card(evaluation="gold")
    for said in ("the labels of its own teacher, not the truth", "No figure here was measured against human gold"):
        assert said in silver
        assert said not in gold
    assert "labels that are not all said to be humans'" in card(evaluation="some other LLM")
    assert "made by a machine" in gold  # the training documents are


def test_the_program_of_the_card_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model: Any
    model, tokenizer = tiny_encoder("bert", tmp_path).load(label_scheme("bio", SCHEMA.labels))
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    program = re.findall(r"```python\n(.*?)```", card(), flags=re.DOTALL)[1]
    exec(program.replace("path/to/this/folder", str(tmp_path)).replace("> 0.5", "> 0.0"), {})
    assert re.search(r"^'C' \{'B-gene': 0\.\d+, 'I-gene': ", capsys.readouterr().out, flags=re.MULTILINE)


def test_the_schemas_that_ship_give_a_card() -> None:
    for file in sorted((REPOSITORY / "conf/schema").glob("*.yaml")):
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
        schema = Schema(**{key: value for key, value in values.items() if not key.startswith("_")})
        if schema.is_open:  # nothing can be trained with it
            continue
        _, text = shown(card(schema=schema))
        assert all(label in text for label in schema.labels)


def test_what_fails_at_the_hub_says_how_to_put_the_model_there_later(tmp_path: Path) -> None:
    with pytest.raises(HubError, match=rf"HF_TOKEN is not set.*hf upload owner/name {tmp_path} \. --private"):
        push_to_hub(tmp_path, "owner/name", token=None)
    with pytest.raises(ConfigError, match="push_to_hub=name: write owner/name"):
        check_repository("name")
    with pytest.raises(ConfigError, match="push_to_hub=a b/c: write owner/name"):
        check_repository("a b/c")
    check_repository("owner/name")


@pytest.mark.parametrize(
    ("environment", "reason"),
    [({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set"), ({"HF_ENDPOINT": "http://127.0.0.1:1"}, "refused")],
)
def test_a_hub_that_cannot_be_reached_is_an_error_of_ours(
    environment: dict[str, str], reason: str, tmp_path: Path
) -> None:
    program = f"""
from pathlib import Path
from kazu_distill.models.hub import HubError, push_to_hub
try:
    push_to_hub(Path({str(tmp_path)!r}), "owner/name", token="hf_none")
except HubError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert reason in done.stdout
    assert f"hf upload owner/name {tmp_path} . --private" in done.stdout
