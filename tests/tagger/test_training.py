import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import ConfigError
from kazu_distill.schema import Schema
from kazu_distill.tagger.encoder import Encoder
from kazu_distill.tagger.tagger import Tagger, TaggerSettings, pad
from kazu_distill.tagger.training import TrainerSettings, findable, train_tagger
from tests.tagger.encoders import tiny_bert

SCHEMA = Schema(name="test", classes={"gene": {}, "disease, disorder": {}})
ARGUMENTS = {
    "num_train_epochs": 2,
    "per_device_train_batch_size": 4,
    "learning_rate": 1e-2,
    "eval_strategy": "epoch",
    "save_strategy": "epoch",
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
    document("e", "EGFR TP53 causes gout. " * 20, ("EGFR", "gene"), ("TP53", "gene"), ("gout", "disease, disorder")),
]


def places(labelled: Document) -> set[tuple[int, int, str]]:
    return {(span.start, span.end, span.label) for _, span in labelled.spans}


def train(
    encoder: Encoder, out: Path, documents: Sequence[Document] = DOCUMENTS, patience: int = 20, **arguments: Any
) -> tuple[Tagger, list[float]]:
    """A tagger trained and evaluated on the same documents, and its ``mean_f1`` at each evaluation."""
    wanted = findable(documents, threshold=0.5)
    history: list[float] = []
    steps: list[tuple[int, int]] = []

    def score(_: int, __: float, labelled: list[Document]) -> Mapping[str, float]:
        hits = sum(len(places(gold) & places(own)) for gold, own in zip(wanted, labelled, strict=True))
        count = sum(len(gold.spans) + len(own.spans) for gold, own in zip(wanted, labelled, strict=True))
        history.append(2 * hits / count if count else 0.0)
        return {"mean_f1": history[-1]}

    tagger, _ = train_tagger(
        encoder=encoder,
        schema=SCHEMA,
        settings=TaggerSettings(max_length=32, stride=8),
        trainer=TrainerSettings(arguments=ARGUMENTS | arguments, patience=patience, device="cpu", precision="fp32"),
        train=documents,
        evaluation=documents,
        score=score,
        on_step=lambda step, total: steps.append((step, total)),
        out=out,
    )
    assert steps
    return tagger, history


def spans_of(tagger: Tagger, documents: Sequence[Document]) -> list[list[tuple[int, int, str]]]:
    return [[(s.start, s.end, s.label) for _, s in own.spans] for own in tagger.predict(documents)]


@dataclass(frozen=True)
class Trained:
    """A tagger that has learnt its documents, the score of each evaluation, and where its run is."""

    tagger: Tagger
    history: list[float]
    out: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    out = tmp_path_factory.mktemp("trained")
    every: dict[str, Any] = {"eval_strategy": "steps", "eval_steps": 20, "save_strategy": "steps", "save_steps": 20}
    tagger, history = train(tiny_bert(out / "encoder"), out, max_steps=80, **every)
    return Trained(tagger, history, out)


def test_a_tagger_learns_its_documents_and_the_best_of_its_evaluations_is_given_back(trained: Trained) -> None:
    assert max(trained.history) > 0.8
    own = {(number, *span) for number, spans in enumerate(spans_of(trained.tagger, DOCUMENTS)) for span in spans}
    gold = {(number, s.start, s.end, s.label) for number, each in enumerate(DOCUMENTS) for _, s in each.spans}
    assert 2 * len(own & gold) / (len(own) + len(gold)) == pytest.approx(max(trained.history))
    assert any((trained.out / "tensorboard").glob("**/events.out.tfevents.*"))


def test_training_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    encoder = tiny_bert(tmp_path / "encoder")
    first, _ = train(encoder, tmp_path / "1")
    second, _ = train(encoder, tmp_path / "2")
    for name, weights in first.model.state_dict().items():
        assert torch.equal(weights, second.model.state_dict()[name])


def test_gradient_accumulation_has_the_same_loss_scale(tmp_path: Path) -> None:
    encoder = tiny_bert(tmp_path / "encoder")
    alike = [document(str(number), "EGFR causes gout.", ("EGFR", "gene")) for number in range(4)]
    plain: dict[str, Any] = {"num_train_epochs": 1, "max_grad_norm": 0.0, "optim": "sgd", "warmup_steps": 0}
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    still = Encoder(name=encoder.name, learning_rate=1e-2, overrides=no_dropout)
    whole, _ = train(still, tmp_path / "1", alike, **plain)
    parts, _ = train(
        still, tmp_path / "2", alike, **plain, per_device_train_batch_size=2, gradient_accumulation_steps=2
    )
    for name, weights in whole.model.state_dict().items():
        assert torch.allclose(weights, parts.model.state_dict()[name], atol=1e-6), name


def test_training_stops_when_it_no_longer_gets_better_but_not_before_it_finds_something(tmp_path: Path) -> None:
    every: dict[str, Any] = {"eval_strategy": "steps", "eval_steps": 2, "save_strategy": "steps", "save_steps": 2}
    _, history = train(tiny_bert(tmp_path / "encoder"), tmp_path, patience=2, max_steps=1000, **every)
    assert history[:3] == [0.0, 0.0, 0.0]
    assert len(history) < 200
    assert max(history[:-2]) == max(history) > 0


def test_a_saved_tagger_predicts_the_same_and_loads_with_transformers_alone(trained: Trained, tmp_path: Path) -> None:
    trained.tagger.save(tmp_path)
    again = Tagger.from_pretrained(tmp_path, device="cpu", precision="fp32")
    assert again.schema.labels == SCHEMA.labels
    assert again.settings == trained.tagger.settings
    assert list(again.predict(DOCUMENTS)) == list(trained.tagger.predict(DOCUMENTS))
    assert (tmp_path / "model.safetensors").is_file()
    model = AutoModelForTokenClassification.from_pretrained(tmp_path)
    assert model.config.id2label[2] == "B-disease, disorder"
    assert AutoTokenizer.from_pretrained(tmp_path).is_fast


def test_prediction_does_not_depend_on_the_batch(trained: Trained, tmp_path: Path) -> None:
    trained.tagger.save(tmp_path)
    small = Tagger.from_pretrained(tmp_path, device="cpu", precision="fp32", batch_tokens=1)
    together = spans_of(trained.tagger, DOCUMENTS)
    assert any(together)
    assert together == spans_of(small, DOCUMENTS)
    assert [spans_of(trained.tagger, [alone])[0] for alone in DOCUMENTS] == together
    by_text = trained.tagger.predict_texts(section.text for gold in DOCUMENTS for section in gold.sections)
    assert [[(s.start, s.end, s.label) for s in spans] for spans in by_text] == together


def test_rows_are_padded_no_longer_than_the_encoder_has_positions() -> None:
    for rows, longest, shape in (([[1] * 60], 60, (1, 60)), ([[1] * 60, [1]], 512, (2, 64)), ([[1]], 512, (1, 8))):
        input_ids, attention_mask = pad(rows, padding=0, device=torch.device("cpu"), longest=longest)
        assert input_ids.shape == attention_mask.shape == shape
        assert attention_mask.sum() == sum(map(len, rows))


def test_a_class_that_never_occurs_is_no_trouble(tmp_path: Path) -> None:
    genes = [document("a", "EGFR rose.", ("EGFR", "gene")), document("b", "")]
    train(tiny_bert(tmp_path / "encoder"), tmp_path, genes, num_train_epochs=1)


def test_a_student_finds_the_spans_whose_score_is_above_the_threshold(tmp_path: Path) -> None:
    text, scores = "EGFR TP53", {"EGFR": 0.2, "TP53": 0.8}
    spans = tuple(Span(text.index(gene), text.index(gene) + 4, "gene", score) for gene, score in scores.items())
    documents = [Document(str(number), (Section("", text, spans),)) for number in range(4)]
    assert {document.sections[0].spans for document in findable(documents, threshold=0.5)} == {spans[1:]}
    assert {document.spans[0][1] for document in findable(documents, threshold=0.1)} == {spans[0]}
    tagger, history = train(tiny_bert(tmp_path / "encoder"), tmp_path, documents, num_train_epochs=30)
    assert spans_of(tagger, documents) == [[(5, 9, "gene")]] * 4
    assert max(history) == 1.0


def test_no_span_is_to_be_found_at_the_threshold_itself() -> None:
    even = Document("a", (Section("", "EGFR", (Span(0, 4, "gene", score=0.5),)),))
    assert findable([even], threshold=0.5) == [even.without_spans()]


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    encoder = tiny_bert(tmp_path / "encoder", positions=16)
    with pytest.raises(ConfigError, match="max_length=32 is more than the encoder can take"):
        train(encoder, tmp_path)
    with pytest.raises(ConfigError, match="no entity"):
        train(tiny_bert(tmp_path / "encoder"), tmp_path, [DOCUMENTS[2]])
    with pytest.raises(ConfigError, match=r"trainer.arguments: .*learning_rat"):
        train(tiny_bert(tmp_path / "encoder"), tmp_path, learning_rat=1)
    with pytest.raises(ConfigError, match=r"encoder.name=/path"):
        train(Encoder(name=str(tmp_path / "nothing"), learning_rate=1.0), tmp_path)
    with pytest.raises(ConfigError, match=r"trainer\.patience=0"):
        train(tiny_bert(tmp_path / "encoder"), tmp_path, patience=0)
    (tmp_path / "encoder/tokenizer.json").unlink()
    with pytest.raises(ConfigError, match="no tokenizer files"):
        train(Encoder(name=str(tmp_path / "encoder"), learning_rate=1.0), tmp_path)
    with pytest.raises(ConfigError, match=r"it has no tagger\.json"):
        Tagger.from_pretrained(tmp_path / "encoder")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/tagger.json").write_text(json.dumps({}))
    SCHEMA.save(tmp_path / "broken/schema.json")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        Tagger.from_pretrained(tmp_path / "broken")
