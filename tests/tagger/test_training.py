import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoModelForTokenClassification, AutoTokenizer

from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import ConfigError
from kazu_distill.tagger.encoder import Encoder
from kazu_distill.tagger.padding import pad
from kazu_distill.tagger.saved import save_parts
from kazu_distill.tagger.tagger import Tagger
from kazu_distill.tagger.training import Trained, findable
from tests.tagger.encoders import tiny_bert
from tests.tagger.training_runs import DOCUMENTS, SCHEMA, document, same_weights, spans_of, train


@dataclass(frozen=True)
class Run:
    """A tagger that has learnt its documents, the score of each evaluation, and where its run is."""

    trained: Trained
    history: list[float]
    out: Path

    @property
    def tagger(self) -> Tagger:
        return self.trained.tagger

    def save(self, folder: Path) -> None:
        self.trained.model.save_pretrained(folder)
        save_parts(folder, self.trained.parts)


@pytest.fixture(scope="module", params=["bio", "io"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("trained")
    every: dict[str, Any] = {"eval_strategy": "steps", "eval_steps": 20}
    trained, history = train(tiny_bert(out / "encoder"), out, scheme=request.param, max_steps=80, **every)
    return Run(trained, history, out)


def test_a_tagger_learns_its_documents_and_the_best_of_its_evaluations_is_given_back(run: Run) -> None:
    assert max(run.history) > 0.8
    own = {(number, *span) for number, spans in enumerate(spans_of(run.tagger, DOCUMENTS)) for span in spans}
    gold = {(number, s.start, s.end, s.label) for number, each in enumerate(DOCUMENTS) for _, s in each.spans}
    assert 2 * len(own & gold) / (len(own) + len(gold)) == pytest.approx(max(run.history))
    assert run.trained.best_step == 20 * (1 + run.history.index(max(run.history)))
    assert any((run.out / "tensorboard").glob("**/events.out.tfevents.*"))


def test_training_is_the_same_for_the_same_seed_and_another_for_another(tmp_path: Path) -> None:
    encoder = tiny_bert(tmp_path / "encoder")
    first, _ = train(encoder, tmp_path / "1")
    second, _ = train(encoder, tmp_path / "2")
    other, _ = train(encoder, tmp_path / "3", seed=2)
    assert same_weights(first, second)
    assert not same_weights(first, other)


def test_gradient_accumulation_has_the_same_loss_scale(tmp_path: Path) -> None:
    encoder = tiny_bert(tmp_path / "encoder")
    # Unlike in length, so that a mean of the parts' means would be another one.
    unlike = [DOCUMENTS[0], DOCUMENTS[1], document("x", "EGFR " * 10, ("EGFR", "gene"))]
    plain: dict[str, Any] = {"num_train_epochs": 1, "max_grad_norm": 0.0, "optim": "sgd", "warmup_steps": 0}
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    still = Encoder(name=encoder.name, learning_rate=1e-2, overrides=no_dropout)
    whole, _ = train(still, tmp_path / "1", unlike, **plain, batch_tokens=1000)
    parts, _ = train(still, tmp_path / "2", unlike, **plain, batch_tokens=1, gradient_accumulation_steps=3)
    untrained, _ = train(still, tmp_path / "3", unlike, **plain | {"learning_rate": 0.0})
    assert same_weights(whole, parts, tolerance=1e-6)
    assert not same_weights(whole, untrained, tolerance=1e-4)


def test_training_stops_when_it_no_longer_gets_better_but_not_before_it_finds_something(tmp_path: Path) -> None:
    every: dict[str, Any] = {"eval_strategy": "steps", "eval_steps": 2}
    _, history = train(tiny_bert(tmp_path / "encoder"), tmp_path, patience=2, max_steps=1000, **every)
    assert history[:3] == [0.0, 0.0, 0.0]
    assert len(history) < 200
    assert max(history[:-2]) == max(history) > 0


def test_a_saved_tagger_predicts_the_same_and_loads_with_transformers_alone(run: Run, tmp_path: Path) -> None:
    run.save(tmp_path)
    again = Tagger.from_pretrained(tmp_path, device="cpu", precision="fp32")
    assert again.schema.labels == SCHEMA.labels
    assert again.settings == run.tagger.settings
    assert list(again.label(DOCUMENTS)) == list(run.tagger.label(DOCUMENTS))
    assert (tmp_path / "model.safetensors").is_file()
    model = AutoModelForTokenClassification.from_pretrained(tmp_path)
    assert list(model.config.id2label.values()) == run.tagger.scheme.tags
    assert AutoTokenizer.from_pretrained(tmp_path).is_fast


def test_prediction_does_not_depend_on_the_batch(run: Run, tmp_path: Path) -> None:
    run.save(tmp_path)
    small = Tagger.from_pretrained(tmp_path, device="cpu", precision="fp32", batch_tokens=1)
    together = spans_of(run.tagger, DOCUMENTS)
    assert any(together)
    assert together == spans_of(small, DOCUMENTS)
    assert [spans_of(run.tagger, [alone])[0] for alone in DOCUMENTS] == together
    by_text = run.tagger.predict(section.text for gold in DOCUMENTS for section in gold.sections)
    assert [[(s.start, s.end, s.label) for s in spans] for spans in by_text] == together


def test_rows_are_padded_no_longer_than_the_encoder_has_positions() -> None:
    for lengths, longest, shape in (([60], 60, (1, 60)), ([60, 1], 512, (2, 64)), ([1], 512, (1, 8))):
        rows = [np.ones(length, dtype=np.int32) for length in lengths]
        input_ids, attention_mask = pad(rows, padding=0, multiple=8, longest=longest)
        assert input_ids.shape == attention_mask.shape == shape
        assert attention_mask.sum() == input_ids.sum() == sum(lengths)


def test_a_class_that_never_occurs_is_no_trouble(tmp_path: Path) -> None:
    genes = [document("a", "EGFR rose.", ("EGFR", "gene")), document("b", "")]
    train(tiny_bert(tmp_path / "encoder"), tmp_path, genes, num_train_epochs=1)


def test_a_student_finds_the_spans_whose_score_is_above_the_threshold(tmp_path: Path) -> None:
    text, scores = "EGFR TP53", {"EGFR": 0.2, "TP53": 0.8}
    spans = tuple(Span(text.index(gene), text.index(gene) + 4, "gene", score) for gene, score in scores.items())
    documents = [Document(str(number), (Section("", text, spans),)) for number in range(4)]
    assert {document.sections[0].spans for document in findable(documents, threshold=0.5)} == {spans[1:]}
    assert {document.spans[0][1] for document in findable(documents, threshold=0.1)} == {spans[0]}
    trained, history = train(tiny_bert(tmp_path / "encoder"), tmp_path, documents, num_train_epochs=30)
    assert spans_of(trained.tagger, documents) == [[(5, 9, "gene")]] * 4
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
    with pytest.raises(ConfigError, match="counted in tokens"):
        train(tiny_bert(tmp_path / "encoder"), tmp_path, per_device_train_batch_size=4)
    with pytest.raises(ConfigError, match=r"patience=0"):
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
