"""Small training runs for tests: a few documents, a tiny encoder, scores by counting."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.models.early_stopping import EarlyStopping
from kazu_distill.models.trainer import OnStep
from kazu_distill.schema import Schema
from kazu_distill.tagger.encoder import Encoder
from kazu_distill.tagger.labels import label_scheme
from kazu_distill.tagger.loss import MultilabelLoss
from kazu_distill.tagger.settings import TaggerSettings
from kazu_distill.tagger.tagger import Tagger
from kazu_distill.tagger.trainer_settings import TrainerSettings
from kazu_distill.tagger.training import Trained, findable, train_tagger

SCHEMA = Schema(name="test", classes={"gene": {}, "disease, disorder": {}})
ARGUMENTS = {
    "num_train_epochs": 2,
    "learning_rate": 1e-2,
    "eval_strategy": "epoch",
    "report_to": ["tensorboard"],
    "seed": 1,
}


def document(identifier: str, text: str, *labelled: tuple[str, str]) -> Document:
    """A document in which every place of some strings is a span."""
    spans = [Span(*place.span(), label) for mention, label in labelled for place in re.finditer(mention, text)]
    return Document(identifier, (Section("", text, tuple(spans)),))


DOCUMENTS = [
    document("a", "EGFR causes gout in some.", ("EGFR", "gene"), ("gout", "disease, disorder")),
    document("b", "They saw TP53 and asthma.", ("TP53", "gene"), ("asthma", "disease, disorder")),
    document("c", "Nothing was found."),
    document("d", ""),
    document("e", "EGFR and TP53 cause gout. " * 20, ("EGFR", "gene"), ("TP53", "gene"), ("gout", "disease, disorder")),
]


def places(labelled: Document) -> set[tuple[int, int, str]]:
    return {(span.start, span.end, span.label) for _, span in labelled.spans}


def train(
    encoder: Encoder,
    out: Path,
    documents: Sequence[Document] = DOCUMENTS,
    *,
    scheme: str = "bio",
    batch_tokens: int = 100,
    patience: int = 20,
    on_step: OnStep = lambda step, total: None,  # noqa: ARG005
    **arguments: Any,
) -> tuple[Trained, list[float]]:
    """A tagger trained and evaluated on the same documents, and its ``mean_f1`` at each evaluation."""
    wanted = findable(documents, threshold=0.5)
    history: list[float] = []

    def score(_: int, __: float, labelled: list[Document]) -> Mapping[str, float]:
        hits = sum(len(places(gold) & places(own)) for gold, own in zip(wanted, labelled, strict=True))
        count = sum(len(gold.spans) + len(own.spans) for gold, own in zip(wanted, labelled, strict=True))
        history.append(2 * hits / count if count else 0.0)
        return {"mean_f1": history[-1]}

    write_documents(out / "train.jsonl", documents)
    trained = train_tagger(
        encoder=encoder,
        schema=SCHEMA,
        scheme=label_scheme(scheme, SCHEMA.labels),
        settings=TaggerSettings(max_length=32, stride=8),
        trainer=TrainerSettings(
            batch_tokens=batch_tokens,
            loss=MultilabelLoss(focus=0.0),
            early_stopping=EarlyStopping(patience=patience),
            arguments=ARGUMENTS | arguments,
            device="cpu",
            precision="fp32",
        ),
        train=[out / "train.jsonl"],
        evaluation=documents,
        score=score,
        on_step=on_step,
        out=out,
    )
    return trained, history


def spans_of(tagger: Tagger, documents: Sequence[Document]) -> list[list[tuple[int, int, str]]]:
    return [[(s.start, s.end, s.label) for _, s in own.spans] for own in tagger.label(documents)]


def same_weights(first: Trained, second: Trained, *, tolerance: float = 0.0) -> bool:
    others = second.model.state_dict()
    return all(
        torch.allclose(weights, others[name], rtol=0, atol=tolerance)
        for name, weights in first.model.state_dict().items()
    )


def schema_file(conf: Path) -> bool:
    """Write ``SCHEMA`` as ``schema=tiny`` of a configuration folder; False where it stands there already."""
    path = conf / "schema/tiny.yaml"
    if path.exists():
        return False
    path.parent.mkdir(parents=True)
    classes = "".join(f'  "{label}": {{}}\n' for label in SCHEMA.labels)
    path.write_text(f"_target_: kazu_distill.schema.Schema\n_convert_: all\nname: tiny\nclasses:\n{classes}")
    return True
