from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset, load_from_disk

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.schema import Schema
from tests.llm_server import LLMServer
from tests.shared_data import shared_data
from tests.stages import Run, fail, run_stage, succeed

CLASSES = {"drug, chemical": {"definition": "A drug."}, "gene/protein": {}, "site:\nwhere": {}}
SCHEMA = Schema(name="tiny", classes=CLASSES)
SENTENCES = (
    ("1,2-dichloroethane harms livers. ", (Span(0, 18, "drug, chemical"), Span(25, 31, "site:\nwhere"))),
    ("EGFR: a \"receptor\", [or] not. ", (Span(0, 4, "gene/protein"),)),
    ("Nothing of note. ", ()),
)  # fmt: skip


def document(number: int) -> Document:
    sections = []
    for text, spans in (SENTENCES[number % 3], SENTENCES[(number + 1) % 3]):
        text = f"{text}Case {number} was a man of {20 + number} years, who came from place {number * 37}."
        sections.append(Section("text", text, spans))
    return Document(f"PMID:{number}/a, b", tuple(sections))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with a schema of its own and documents in three parts."""
    conf = tmp_path / "conf" / "schema"
    conf.mkdir(parents=True)
    classes = {name: {"definition": about["definition"]} for name, about in SCHEMA.as_mapping()["classes"].items()}
    settings = {"_target_": "kazu_distill.schema.Schema", "_convert_": "all", "name": "tiny", "classes": classes}
    (conf / "tiny.yaml").write_text(json.dumps(settings))
    for part, numbers in (("train", range(12)), ("eval", range(12, 15)), ("test", range(15, 20))):
        write_documents(tmp_path / "split" / f"{part}.jsonl", map(document, numbers))
    return tmp_path


def arguments(*more: str) -> list[str]:
    return ["--config-path", "conf", "schema=tiny", "corpus.path=split", "out=out", *more]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def answers(work: Path, right: Callable[[dict[str, Any]], object] = lambda record: record["raw_entities"]) -> Path:
    """instruct-ner's predictions for the records of the test part."""
    rows = lines(work / "out" / "instruct_ner" / "test.jsonl")
    path = work / "prediction.json"
    path.write_text(
        json.dumps([{"id": row["id"], "extracted": right(row), "target": row["raw_entities"]} for row in rows])
    )
    return path


def test_records_of_all_parts_are_counted_and_written(work: Path) -> None:
    run = succeed("instruct", "write", *arguments("price_per_million=25"), cwd=work)
    report = json.loads((work / "out" / "report.json").read_text())
    assert {part: own["documents"] for part, own in report["parts"].items()} == {"train": 12, "eval": 3, "test": 5}
    tokens = report["parts"]["train"]["tokens"]["total"]
    assert report["tuning_cost_usd"] == pytest.approx(tokens * 3 * 25 / 1e6)
    assert f"{tokens:,} tokens (estimated) × 3 epochs" in run.printed
    for part, own in report["parts"].items():
        documents = list(read_documents(work / "split" / f"{part}.jsonl"))
        records = lines(work / "out" / "instruct_ner" / f"{part}.jsonl")
        assert own["records"] == len(records) == 2 * len(documents)
        assert own["spans"] == own["spans_in_records"] == sum(len(each.spans) for each in documents)
        for name in ("openai", "gemini", "sharegpt", "alpaca"):
            assert len(lines(work / "out" / name / f"{part}.jsonl")) == len(records)
    info = json.loads((work / "out" / "dataset_info.json").read_text())
    for described in info.values():
        loaded = load_dataset(
            "json", data_files=str(work / "out" / described["file_name"]), split="train", cache_dir=str(work / "cache")
        )
        assert set(described["columns"].values()) <= set(loaded.column_names)


def test_an_llm_that_has_learnt_the_records_answers_annotate_with_the_labels(work: Path) -> None:
    succeed("instruct", *arguments("formats=[openai]"), cwd=work)
    records = [row["messages"] for row in lines(work / "out" / "openai" / "test.jsonl")]
    learnt = {(system["content"], user["content"]): said["content"] for system, user, said in records}
    with LLMServer(lambda system, user: learnt.get((system, user))) as server:
        succeed(
            "annotate", "--config-path", "conf", "schema=tiny", "corpus=jsonl", "corpus.path=split/test.jsonl",
            "out=labelled", "llm=local", "llm.model=tuned", f"llm.base_url={server.url}/v1",
            "grounding.occurrences=listed", cwd=work,
        )  # fmt: skip
        asked = [(received.system, received.user) for received in server.received]
    assert sorted(asked) == sorted(learnt)
    gold, labelled = (read_documents(work / file) for file in ("split/test.jsonl", "labelled/documents.jsonl"))
    assert [_places(each) for each in labelled] == [_places(each) for each in gold]


def test_examples_stand_in_front_and_are_of_no_document_that_is_measured_on(work: Path) -> None:
    settings = ("examples=bm25", "examples.path=split", "examples.k=3", "formats=[openai,alpaca]", "noise.mask_names=1")
    succeed("instruct", *arguments(*settings), cwd=work)
    texts = {
        part: {section.text for each in read_documents(work / "split" / f"{part}.jsonl") for section in each.sections}
        for part in ("train", "eval", "test")
    }
    for part in texts:
        rows = [row["messages"] for row in lines(work / "out" / "openai" / f"{part}.jsonl")]
        shown = [message["content"] for row in rows for message in row[1:-2] if message["role"] == "user"]
        assert shown
        assert set(shown) <= texts["train"]
        assert all(row[-2]["content"] not in {message["content"] for message in row[:-2]} for row in rows)
        first = lines(work / "out" / "alpaca" / f"{part}.jsonl")[0]["instruction"]
        assert f"Text:\n{rows[0][1]['content']}\n\nAnswer:\n{rows[0][2]['content']}" in first
        assert ("LABEL_" in first) == (part == "train")
    figures = json.loads((work / "out" / "report.json").read_text())["shown_examples"]
    assert figures["excluded_evaluation"] > 0


def test_background_stands_in_front_and_is_no_text_that_is_measured_on(work: Path) -> None:
    folder = work / "texts"
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}.txt").write_text(document(number).sections[0].text)
    (folder / "book.txt").write_text("Livers are harmed by 1,2-dichloroethane, a solvent of the trade.")
    succeed(
        "instruct",
        *arguments("knowledge=folder", "knowledge.path=texts", "knowledge.k=20", "formats=[openai]"),
        cwd=work,
    )
    measured = {document(number).sections[0].text for number in range(12, 20)}
    said = [
        message["content"]
        for part in ("train", "test")
        for row in lines(work / "out" / "openai" / f"{part}.jsonl")
        for message in row["messages"][1:-2]
    ]
    assert any("a solvent of the trade" in text for text in said)
    assert not any(text in each for each in said for text in measured)


def test_the_same_seed_writes_the_same_bytes_and_another_one_others(work: Path) -> None:
    settings = (
        "prompt=class_lists", "prompt.class_by_class=true", "noise.shuffle=0.5", "noise.mask_names=0.5",
        "negatives.by=uniform", "formats=[alpaca,instruct_ner]",
    )  # fmt: skip
    made = []
    for seed in (1, 1, 2):
        succeed("instruct", *arguments(*settings, f"seed={seed}"), cwd=work)
        made.append({file: file.read_bytes() for file in (work / "out").rglob("*.jsonl")})
    assert made[0] == made[1] != made[2]
    assert {file for file in made[0] if made[0][file] != made[2][file]} == {
        file for file in made[0] if file.name == "train.jsonl"
    }


def test_a_plan_says_what_it_costs_and_writes_nothing(work: Path) -> None:
    run = succeed("instruct", *arguments("plan=true", "price_per_million=25", "epochs=2"), cwd=work)
    assert "× 2 epochs" in run.printed
    assert "$" in run.printed
    assert {file.name for file in (work / "out").rglob("*") if file.is_file()} <= {"config.yaml", "instruct.log"}


def test_datasets_are_folders_that_load(work: Path) -> None:
    succeed("instruct", *arguments("files=datasets", "formats=[sharegpt]"), cwd=work)
    loaded = load_from_disk(str(work / "out" / "datasets" / "sharegpt"))
    assert {part: len(own) for part, own in loaded.items()} == {"train": 24, "eval": 6, "test": 10}
    assert not (work / "out" / "sharegpt").exists()


def test_right_predictions_become_documents_that_evaluate_finds_perfect(work: Path) -> None:
    succeed("instruct", *arguments("prompt=class_lists"), cwd=work)
    run = succeed("instruct", "read", *arguments("prompt=class_lists", f"predictions={answers(work)}"), cwd=work)
    assert "5 documents read" in run.printed
    succeed(
        "evaluate", "--config-path", "conf", "schema=tiny", "gold.path=split/test.jsonl",
        "predicted.path=out/documents.jsonl", "out=scores", "resamples=10", cwd=work,
    )  # fmt: skip
    assert json.loads((work / "scores" / "metrics.json").read_text())["mean_f1"] == 1
    report = json.loads((work / "out" / "read.json").read_text())
    for errors in report["errors"].values():
        assert {kind for kind, count in errors["kinds"].items() if count} == {"correct"}


def test_wrong_predictions_have_their_kind_and_those_that_are_missing_are_failures(work: Path) -> None:
    succeed("instruct", *arguments(), cwd=work)

    def wrong(record: dict[str, Any]) -> dict[str, list[str]]:
        swapped = {"drug, chemical": "gene/protein", "gene/protein": "drug, chemical"}
        return {swapped.get(name, name): own for name, own in record["raw_entities"].items()}

    path = answers(work, wrong)
    path.write_text(json.dumps(json.loads(path.read_text())[1:]))
    run = run_stage("instruct", "read", *arguments(f"predictions={path}"), cwd=work)
    assert run.status == 3, run.errors
    [failure] = lines(work / "out" / "failed.jsonl")
    assert (failure["kind"], failure["document_id"]) == ("no prediction", document(15).id)
    report = json.loads((work / "out" / "read.json").read_text())
    kinds = report["errors"]["on_offsets"]["kinds"]
    assert kinds["mistaken class"] > 0
    assert kinds["not recognised"] == kinds["over-predicted"] == 0
    assert [read.id for read in read_documents(work / "out" / "documents.jsonl")] == [
        document(n).id for n in range(16, 20)
    ]


def test_a_file_can_be_dealt_into_parts_and_read_again(work: Path) -> None:
    everything = work / "all.jsonl"
    write_documents(everything, map(document, range(20)))
    settings = ("corpus.path=all.jsonl", "split.test=0.2", "formats=[instruct_ner]")
    succeed("instruct", *arguments(*settings), cwd=work)
    assert len(lines(work / "out" / "instruct_ner" / "test.jsonl")) == 8
    run = succeed("instruct", "read", *arguments(*settings, f"predictions={answers(work)}"), cwd=work)
    assert "4 documents read" in run.printed


def test_long_records_are_left_out_counted_and_failures_when_answers_are_read(work: Path) -> None:
    long = Document("long", (Section("text", "EGFR. " * 300, (Span(0, 4, "gene/protein"),)),))
    write_documents(work / "split" / "test.jsonl", [document(15), long])
    run = succeed("instruct", *arguments("max_tokens=700", "prompt.instructions=$classes"), cwd=work)
    assert "test: 1 records are left out, longer than max_tokens, such as long/0/0-1800" in run.printed
    assert "chunks.tokens" in run.printed
    read = run_stage("instruct", "read", *arguments(f"predictions={answers(work)}"), cwd=work)
    assert read.status == 3, read.errors
    assert [failure["kind"] for failure in lines(work / "out" / "failed.jsonl")] == ["longer than max_tokens"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["corpus.path=nowhere"], "nowhere"),
        (["formats=[llama]"], "instruct_ner"),
        (["form=long"], "full"),
        (["files=csv"], "jsonl"),
        (["max_tokens=5"], "longer than max_tokens"),
        (["noise.shuffle=2"], "noise.shuffle"),
        (["negatives.by=often"], "frequency"),
        (["split.test=0.1"], "in parts already"),
        (["parts={a/b: split}"], "a/b"),
        (["parts={train: split/train.jsonl, test: split/train.jsonl}"], "is in two parts, train and test"),
        (["parts={eval: split/test.jsonl, test: split/test.jsonl}"], "is in two parts, eval and test"),
        (["schema=bc5cdr"], "is not in the schema"),
        (["tokenizer=nowhere"], "no tokenizer"),
        (["corpus.path=empty.jsonl"], "no documents"),
        (["corpus.path=unlabelled.jsonl"], "no document has a span"),
        (["action=read"], "predictions=FILE"),
        (["action=read", "predictions=none.json"], "none.json: no such file"),
        (["action=read", "predictions=answers.txt"], "it is written with the records"),
        (["action=read", "predictions=none.json", "part=dev"], "train, eval, test"),
    ],
)
def test_what_cannot_be_done_is_an_error_that_says_what_to_change(
    work: Path, settings: list[str], message: str
) -> None:
    (work / "empty.jsonl").touch()
    write_documents(work / "unlabelled.jsonl", [document(1).without_spans()])
    (work / "answers.txt").write_text('{"answer": "{}"}')
    assert message in fail("instruct", *arguments(*settings), cwd=work)
    assert not list((work / "out").rglob("*.jsonl"))


def test_predictions_of_a_real_corpus_come_back(tmp_path: Path) -> None:
    source = shared_data("ncbi_disease")
    settings = [
        "schema=ncbi_disease", "corpus=pubtator", "corpus.on_error=skip", "prompt=class_lists", f"out={tmp_path}",
        f"parts={{test: {source / 'NCBItestset_corpus.txt'}}}", f"corpus.path={source}", "formats=[instruct_ner]",
    ]  # fmt: skip
    succeed("instruct", "write", *settings)
    answered = [{"id": row["id"], "answer": row["output"]} for row in lines(tmp_path / "instruct_ner" / "test.jsonl")]
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(map(json.dumps, answered)))
    run: Run = run_stage("instruct", "read", *settings, f"predictions={path}")
    assert run.status == 0, run.errors
    report = json.loads((tmp_path / "read.json").read_text())
    assert {kind for kind, count in report["errors"]["on_strings"]["kinds"].items() if count} == {"correct"}


def _places(document: Document) -> list[list[tuple[int, int, str]]]:
    return [[span.place for span in section.spans] for section in document.sections]
