"""What ``tune`` says before it loads a model, and what it says where it cannot go on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kazu_distill.base_llm.settings import BaseLLM
from kazu_distill.document_files import write_documents
from kazu_distill.tuning.records import read_records
from kazu_distill.tuning.rows import row_of
from tests.base_llm.tiny import tiny_llama
from tests.stages import fail, succeed
from tests.tuning.learning import ALONE, Work, documents, work_in


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    return work_in(tmp_path_factory.mktemp("work"), documents(8))


@pytest.fixture
def model(work: Work) -> Path:
    return work.model("llama", hidden=32)


def error(work: Work, out: Path, model: Path, *settings: str) -> str:
    """What is said where a run cannot go on; it is one line."""
    said = fail("tune", *work.arguments(out, model, *settings), environment=ALONE)
    assert len(said.splitlines()) == 1, said
    assert not (out / "adapter").exists()
    return said


def test_a_plan_says_what_is_learnt_and_what_it_takes_and_loads_nothing(
    work: Work, model: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"  # without its weights
    shutil.copytree(model, bare, ignore=shutil.ignore_patterns("*.safetensors"))
    run = succeed("tune", *work.arguments(tmp_path / "out", bare, "plan=true"), environment=ALONE)
    for said in (
        "train: 8 records",
        "eval: 8 documents, 8 questions",
        "mean F1 100.0, the most",
        "lora of rank 16",
        "steps an epoch",
        "needs about",
    ):
        assert said in run.printed
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"config.yaml"}


def test_records_that_are_too_long_are_left_out_and_counted(work: Work, model: Path, tmp_path: Path) -> None:
    form = BaseLLM(name=str(model), device="cpu").describe().form
    lengths = sorted(len(row_of(record, form)) for record in read_records(work.folder / "instruct/openai/train.jsonl"))
    settings = ["plan=true", f"max_tokens={lengths[3]}"]
    run = succeed("tune", *work.arguments(tmp_path, model, *settings), environment=ALONE)
    kept = sum(length <= lengths[3] for length in lengths)
    assert 4 <= kept < 8
    assert f"{8 - kept} records are longer than" in run.printed
    assert f"train: {kept} records, {sum(lengths[:kept]):,} tokens" in run.printed
    assert "tokens): raise max_tokens, choose a model" in error(work, tmp_path, model, "max_tokens=3")


def test_a_tokenizer_without_padding_will_do(work: Work, tmp_path: Path) -> None:
    model = tiny_llama(tmp_path / "model", ["Aspirin."], padding=False)
    succeed("tune", *work.arguments(tmp_path / "out", model, "plan=true"), environment=ALONE)


@pytest.mark.slow
def test_a_model_that_cannot_be_tuned_is_an_error(work: Work, model: Path, tmp_path: Path) -> None:
    no_template = tiny_llama(tmp_path / "no_template", ["Aspirin."], template=None)
    assert "has no chat template: choose the model's instruct version" in error(work, tmp_path, no_template)
    short = tiny_llama(tmp_path / "short", ["Aspirin."], positions=64)
    assert "choose a model with a longer context" in error(work, tmp_path, short)
    assert "cannot be loaded" in error(work, tmp_path, tmp_path / "nothing")
    assert "tuning starts from a whole model" in error(work, tmp_path, model, "base_llm.adapter=runs/tune/adapter")
    assert "load_in_4bit=true needs CUDA" in error(work, tmp_path, model, "base_llm.load_in_4bit=true")


@pytest.mark.slow
def test_data_that_are_not_there_or_of_another_schema_are_errors(work: Work, model: Path, tmp_path: Path) -> None:
    assert "instruct write formats=[openai] out=" in error(work, tmp_path, model, f"data={tmp_path / 'nothing'}")
    assert "which it has not; give the schema= that" in error(
        work, tmp_path, model, "schema=bc5cdr", f"corpus.path={_unlabelled(tmp_path)}"
    )
    assert "give the schema=, prompt= and corpus.path= that instruct" in error(work, tmp_path, model, "prompt=tokens")
    write_documents(tmp_path / "others/eval.jsonl", documents(3))
    assert "was asked about and is not there" in error(work, tmp_path, model, f"corpus.path={tmp_path / 'others'}")


def _unlabelled(folder: Path) -> Path:
    """The eval documents without their labels, which another schema would not know."""
    own = [each.without_spans() for each in documents(8)]
    renamed = [type(each)(f"eval-{each.id}", each.sections) for each in own]
    write_documents(folder / "unlabelled/eval.jsonl", renamed)
    return folder / "unlabelled"


@pytest.mark.slow
def test_settings_that_cannot_be_are_errors(work: Work, model: Path, tmp_path: Path) -> None:
    for settings, said in (
        (["plan=no"], "plan=no: give true or false"),
        (["push_to_hub=one"], "push_to_hub=one: write owner/name"),
        (["adapter.kind=full"], "adapter.kind=full: choose lora or dora"),
    ):
        assert said in error(work, tmp_path, model, *settings), settings


def test_what_is_left_is_said_of_to_whom_it_concerns(work: Work, model: Path, tmp_path: Path) -> None:
    settings = [
        "+trainer.arguments.max_steps=2",
        "trainer.arguments.eval_strategy=steps",
        "+trainer.arguments.eval_steps=5",
    ]
    settings += ["eval_documents=3", "merge=true", "push_to_hub=someone/tuned"]
    run = succeed("tune", *work.arguments(tmp_path, model, *settings), environment=ALONE)
    assert "HF_TOKEN is not set" in run.errors
    assert str(tmp_path / "merged") in run.errors, "the whole model is what is put there"
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["step"] == 2
    assert metrics["gold_entities"] < sum(len(each.spans) for each in documents(8)), "a sample of three"
    for name, library in (("adapter", "peft"), ("merged", "transformers")):
        card = (tmp_path / name / "README.md").read_text()
        assert f"library_name: {library}" in card
        assert "someone/tuned" in card
        assert "LoRA of rank 16" in card
        assert "| illness |" in card
        assert str(tmp_path) not in (tmp_path / name / "tokenizer_config.json").read_text()
    assert "llm.adapter=FOLDER" in (tmp_path / "adapter/README.md").read_text()
    assert "vllm serve FOLDER" in (tmp_path / "merged/README.md").read_text()
    assert (tmp_path / "adapter/training.yaml").is_file()
