"""The loss of records in one row is that of the records one by one, and so are its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from kazu_distill.base_llm.settings import BaseLLM, Described
from kazu_distill.llm.protocol import Request, Turn
from kazu_distill.tuning.batches import OneRow, SideBySide
from kazu_distill.tuning.loss import answer_loss
from kazu_distill.tuning.records import ChatRecord
from kazu_distill.tuning.rows import Row, row_of
from tests.base_llm.tiny import tiny_llama, tiny_t5

TEXTS = ["Aspirin caused gout in men.", "No gout.", "Lithium, and lithium again."]
RECORDS = [
    ChatRecord(Request("Find.", text, {}, earlier), answer)
    for text, answer, earlier in zip(
        TEXTS,
        ("[gout]", "[]", "[Lithium, lithium]"),
        ((), (Turn("user", "a"), Turn("assistant", "b")), ()),
        strict=True,
    )
]


@pytest.fixture(scope="module", params=["llama-sdpa", "llama-eager", "t5"])
def described(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Described:
    folder = tmp_path_factory.mktemp("model")
    kind, _, attention = request.param.partition("-")
    made = tiny_t5(folder, TEXTS * 9, vocabulary=40) if kind == "t5" else tiny_llama(folder, TEXTS)
    return BaseLLM(name=str(made), device="cpu", precision="fp32", attention=attention or None).describe()


def batch_of(described: Described, rows: Sequence[Row], *, keeps_logits: bool = True) -> dict[str, Any]:
    if described.is_seq2seq:
        return SideBySide(padding=described.form.tokenizer.pad_token_id, start=described.config.decoder_start_token_id)(
            rows
        )
    return OneRow(keeps_logits=keeps_logits)(rows)


def loss_of(model: Any, batch: dict[str, Any], *, items: int | None = None) -> torch.Tensor:
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    return answer_loss(model(**inputs), batch["labels"], items)


def one_by_one(model: Any, described: Described, rows: Sequence[Row]) -> torch.Tensor:
    """The mean over learnt tokens, each predicted from all before it in its record alone."""
    total = torch.zeros(())
    for row in rows:
        prompt, answer = (torch.from_numpy(part).long() for part in (row.prompt, row.answer))
        if described.is_seq2seq:
            start = torch.tensor([described.config.decoder_start_token_id])
            logits = model(input_ids=prompt[None], decoder_input_ids=torch.cat([start, answer[:-1]])[None]).logits[0]
        else:
            logits = model(input_ids=torch.cat([prompt, answer])[None]).logits[0, len(prompt) - 1 : -1]
        total = total - logits.log_softmax(-1)[torch.arange(len(answer)), answer].sum()
    return total / sum(len(row.answer) for row in rows)


def gradients(model: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    return {name: weights.grad.clone() for name, weights in model.named_parameters()}


@pytest.mark.parametrize("keeps_logits", [True, False])
def test_together_is_as_one_by_one(described: Described, keeps_logits: bool) -> None:
    model = described.load()
    rows = [row_of(record, described.form) for record in RECORDS]
    together = loss_of(model, batch_of(described, rows, keeps_logits=keeps_logits))
    alone = one_by_one(model, described, rows)
    assert together.item() == pytest.approx(alone.item(), rel=1e-5)
    found, wanted = gradients(model, together), gradients(model, alone)
    assert all(torch.allclose(found[name], wanted[name], atol=1e-5, rtol=1e-4) for name in wanted)
    assert any(each.abs().max() > 1e-3 for each in wanted.values())


def test_parts_of_a_step_add_up_to_it(described: Described) -> None:
    model = described.load()
    rows = [row_of(record, described.form) for record in RECORDS]
    items = sum(len(row.answer) for row in rows)
    parts = [loss_of(model, batch_of(described, own), items=items) for own in (rows[:1], rows[1:])]
    assert sum(part.item() for part in parts) == pytest.approx(
        loss_of(model, batch_of(described, rows)).item(), rel=1e-5
    )


def test_no_record_sees_another(described: Described) -> None:
    model = described.load()
    first, second = (row_of(record, described.form) for record in RECORDS[:2])
    other = replace(first, prompt=first.prompt[::-1].copy())
    learnt = len(second.answer)

    def of_second(before: Row) -> torch.Tensor:
        logits: torch.Tensor = model(
            **{name: value for name, value in batch_of(described, [before, second]).items() if name != "labels"}
        ).logits
        return logits[1, :learnt] if described.is_seq2seq else logits[0, -learnt:]

    assert torch.allclose(of_second(first), of_second(other), atol=1e-5)


def test_a_cache_would_let_records_see_each_other(tmp_path: Path) -> None:
    described = BaseLLM(name=str(tiny_llama(tmp_path, TEXTS)), device="cpu", precision="fp32").describe()
    model = described.load()
    rows = [row_of(record, described.form) for record in RECORDS]
    batch = batch_of(described, rows)
    right = loss_of(model, batch).item()
    assert loss_of(model, batch | {"use_cache": True}).item() != pytest.approx(right, rel=1e-4), (
        "so batches ask for none"
    )
