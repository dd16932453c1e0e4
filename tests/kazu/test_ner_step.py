"""Kazu's own NER step runs a model of scheme ``io`` as it was saved, in Kazu's own environment."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.tagger.tagger import Tagger
from tests.stages import REPOSITORY, succeed
from tests.tagger.encoders import tiny_bert

ENVIRONMENT = REPOSITORY / ".venv-kazu"
MAX_LENGTH, STRIDE = 64, 16
GENE, DRUG, DISEASE = "gene or gene product", "drug", "disease, disorder, phenotype or trait"
MENTIONS = {
    r"\b(EGFR|TP53|TGF-β1)\b": GENE,
    r"\b(EGFR inhibitors|pembrolizumab|5-fluorouracil)\b": DRUG,
    r"\b(gout|non-small cell lung cancer|Crohn's disease)": DISEASE,
}
TEXTS = [
    "EGFR causes gout in some.",
    "They gave EGFR inhibitors, pembrolizumab and 5-fluorouracil for non-small cell lung cancer",
    "🧬 TP53, EGFR or TGF-β1: in Crohn's disease, no (other) gene was found; gout was.",
    "Nothing was found.",
    "",
    " pembrolizumab ",
]
# Not expressed by the scheme: two mentions of a class that stand side by side. Cut short by Kazu: a mention in which a
# bracket or a semicolon stands right before the last word.


def labelled(identifier: str, text: str) -> Document:
    """A document in which every mention is a span; those of two classes may nest."""
    spans = [Span(*place.span(), label) for each, label in MENTIONS.items() for place in re.finditer(each, text)]
    return Document(identifier, (Section("", text, tuple(spans)),))


def places(document: Document) -> set[tuple[int, int, str]]:
    return {(span.start, span.end, span.label) for _, span in document.spans}


@pytest.mark.slow
def test_kazu_finds_what_our_tagger_finds(tmp_path: Path) -> None:
    if not (ENVIRONMENT / "kazu.installed").exists():
        pytest.skip(f"needs Kazu in {ENVIRONMENT}: bash scripts/kazu_environment.sh")
    documents = [labelled(str(number), text) for number, text in enumerate(TEXTS)]
    for part in ("train", "eval"):
        write_documents(tmp_path / f"{part}.jsonl", documents)
    encoder = tiny_bert(tmp_path / "encoder", positions=512)  # Kazu pads to what the tokenizer says, 512
    succeed(
        "train", "--config-path", "conf", "schema=kazu", "labels.scheme=io", "thresholds=null", "label_studio=off",
        f"data={tmp_path}", f"out={tmp_path / 'run'}", f"encoder.name={encoder.name}",
        "encoder.learning_rate=0.01", f"tagger.max_length={MAX_LENGTH}", f"tagger.stride={STRIDE}", "device=cpu",
        "trainer.batch_tokens=64", "trainer.early_stopping.patience=1000", "trainer.arguments.num_train_epochs=60",
        "trainer.arguments.eval_strategy=steps", "+trainer.arguments.eval_steps=60",
    )  # fmt: skip
    model = tmp_path / "run/model"
    ours = list(Tagger.from_pretrained(model, device="cpu", precision="fp32").label(documents))
    assert list(map(places, ours)) == list(map(places, documents))

    unlabelled = [document.without_spans() for document in documents]
    write_documents(tmp_path / "texts.jsonl", unlabelled)
    job = {
        "model": str(model),
        "documents": str(tmp_path / "texts.jsonl"),
        "out": str(tmp_path / "kazu.jsonl"),
        "max_length": MAX_LENGTH,
        "stride": STRIDE,
        "batch_size": 4,
        "warm_up": "",
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    run = subprocess.run(
        [ENVIRONMENT / "bin/python", "scripts/kazu_peer.py", tmp_path / "job.json", tmp_path / "result.json"],
        cwd=REPOSITORY, env=os.environ | {"HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    kazu = list(read_documents(tmp_path / "kazu.jsonl"))
    assert list(map(places, kazu)) == list(map(places, ours))
