"""Documents that a tiny model learns by heart, and the run that has it learn them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random
from typing import Literal

from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.schema import Schema
from kazu_distill.tuning.records import ChatRecord, read_records
from tests.base_llm.tiny import tiny_llama, tiny_t5
from tests.stages import Run, succeed

ALONE = {"OMP_NUM_THREADS": "1"}
"""For models so small that threads would only wait for each other."""
SCHEMA = Schema(name="tiny", classes={"drug": {}, "illness": {}})
_DRUGS = ("aspirin", "lithium", "{S}-warfarin", "5-FU", "β-carotene", "vitamin K")
_ILLNESSES = ("gout", "acute renal failure", "ataxia", "Sjögren syndrome", "mania")
_FORMS = (
    "{drug} caused {illness} in {n} men.",
    "No {illness} in {n} women on {drug}; {drug} was stopped.",
    "We saw {illness}\nand {illness} again, {n} times.",
    "Of {n} patients nothing is told.",
)
_PROMPT = {  # as short as can be, for models with a short breath
    "_target_": "kazu_distill.annotation.prompt.Prompt",
    "class_by_class": False,
    "style": {"_target_": "kazu_distill.annotation.styles.class_lists.ClassLists"},
    "instructions": "List as JSON:\n$classes",
}


def documents(count: int, *, seed: int = 1) -> list[Document]:
    """Short documents, no two of which are the same, some with the same mention twice and some with none."""
    random = Random(seed)
    choices = random.sample(list(product(_FORMS, _DRUGS, _ILLNESSES, range(3, 60))), count)
    return [_document(str(number), *choice) for number, choice in enumerate(choices)]


def _document(identifier: str, form: str, drug: str, illness: str, number: int) -> Document:
    text, spans = "", []
    for piece in form.replace("}", "{").split("{"):
        said = {"drug": drug, "illness": illness, "n": str(number)}.get(piece, piece)
        if piece in ("drug", "illness"):
            spans.append(Span(len(text), len(text) + len(said), piece))
        text += said
    return Document(identifier, (Section("", text, tuple(spans)),))


@dataclass(frozen=True, slots=True)
class Work:
    """A folder with a configuration, documents, records of them and tiny models."""

    folder: Path

    @property
    def common(self) -> list[str]:
        """Settings of every stage that asks or reads answers."""
        return ["--config-path", str(self.folder / "conf"), "schema=tiny", "prompt=terse"]

    @property
    def file(self) -> Path:
        """The documents, which are learnt and measured on alike: whether they are known by heart is the question."""
        return self.folder / "split/eval.jsonl"

    def model(self, kind: str, *, template: str | None = "llama", hidden: int = 128, layers: int = 2) -> Path:
        """A model with random weights, of Llama's shape or T5's, with a tokenizer of the records."""
        folder = self.folder / f"{kind}-{template}-{hidden}"
        if folder.exists():
            return folder
        texts = (self.folder / "instruct/openai/train.jsonl").read_text(encoding="utf-8").splitlines()
        said = [message["content"] for line in texts for message in json.loads(line)["messages"]]
        if kind == "t5":
            tiny_t5(folder, said, vocabulary=300, hidden=hidden, layers=layers)
            config = json.loads((folder / "config.json").read_text())
            (folder / "config.json").write_text(json.dumps(config | {"dropout_rate": 0.0}))  # it is to learn by heart
            return folder
        return tiny_llama(folder, said, template=template, vocabulary=600, hidden=hidden, layers=layers)

    def tune(self, out: Path, model: Path, *settings: str) -> Run:
        """Run the stage."""
        return succeed("tune", *self.arguments(out, model, *settings), environment=ALONE)

    def arguments(self, out: Path, model: Path, *settings: str) -> list[str]:
        """The stage's arguments for a run on the CPU."""
        return [
            *self.common, f"corpus.path={self.folder / 'split'}", f"data={self.folder / 'instruct'}", f"out={out}",
            f"base_llm.name={model}", "device=cpu", *settings,
        ]  # fmt: skip


def work_in(folder: Path, learnt: Sequence[Document], *settings: str) -> Work:
    """Write configuration, documents and the records of them."""
    work = Work(folder)
    for group, name, values in (
        ("schema", "tiny", {"_target_": "kazu_distill.schema.Schema", "name": "tiny", "_convert_": "all",
                            "classes": {label: {} for label in SCHEMA.labels}}),
        ("prompt", "terse", _PROMPT),
    ):  # fmt: skip
        (folder / "conf" / group).mkdir(parents=True)
        (folder / "conf" / group / f"{name}.yaml").write_text(json.dumps(values))
    for part in ("train", "eval"):  # a document may not be in two parts under one id
        renamed = [Document(f"{part}-{each.id}", each.sections) for each in learnt]
        write_documents(folder / f"split/{part}.jsonl", renamed)
    succeed(
        "instruct", "write", *work.common, f"corpus.path={folder / 'split'}", f"out={folder / 'instruct'}",
        "formats=[openai]", *settings,
    )  # fmt: skip
    return work


BY_HEART = [
    "base_llm.tuning.gradient_checkpointing=false", "base_llm.tuning.gradient_accumulation_steps=1",
    "base_llm.tuning.batch_tokens=4096", "trainer.arguments.warmup_steps=0.05", "trainer.arguments.eval_strategy=steps",
    "+trainer.arguments.eval_steps=0.9999", "eval_documents=null",
]  # fmt: skip
"""Settings of a run that learns by heart."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """A model that has learnt 30 documents by heart, from random weights: where it is, and what it was taught."""

    work: Work
    out: Path
    run: Run

    @property
    def model(self) -> Path:
        """The folder of the whole model."""
        return self.out / "merged"

    @property
    def records(self) -> list[ChatRecord]:
        """The questions about the documents, with the answers that it was taught."""
        return list(read_records(self.work.folder / "instruct/openai/eval.jsonl"))


def learnt_by_heart(folder: Path, kind: Literal["llama", "t5"]) -> Learnt:
    """Have a tiny model with random weights learn 30 documents; all its weights are tuned."""
    work = work_in(folder, documents(30))
    run = work.tune(
        folder / "run",
        work.model(kind),
        "adapter=null",
        *BY_HEART,
        "base_llm.tuning.learning_rate=3e-3",
        "trainer.arguments.num_train_epochs=120",
    )
    return Learnt(work, folder / "run", run)
