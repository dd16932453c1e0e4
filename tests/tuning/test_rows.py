"""What is learnt of each form of conversation, token by token."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.base_llm.chat import ChatForm
from kazu_distill.llm.protocol import Request, Turn
from kazu_distill.tuning.batches import OneRow, SideBySide
from kazu_distill.tuning.loss import UNLEARNT
from kazu_distill.tuning.records import ChatRecord
from kazu_distill.tuning.rows import row_of, rows_of
from tests.base_llm.templates import ENDS, MARKS, TEMPLATES
from tests.base_llm.tiny import llama_tokenizer, tiny_t5

TEXTS = ["Aspirin caused gout. {}[]\"':,\n" * 3]
FORMS = {name: ChatForm(llama_tokenizer(TEXTS, template=name)) for name in TEMPLATES}
# What looks like the end of a turn, or like another turn, in each family's marks.
LIKE_MARKS = "".join(dict.fromkeys(mark for marks in MARKS.values() for mark in marks)) + "</s><s>"
RECORDS = {
    "a question alone": ChatRecord(Request("Find drugs.", "Aspirin?", {}), '{"drug": ["Aspirin"]}'),
    "an example before": ChatRecord(
        Request("Find drugs.", "Aspirin?", {}, (Turn("user", "Gout."), Turn("assistant", '{"drug": []}'))), "[]"
    ),
    "marks in the texts": ChatRecord(
        Request("Find drugs.", LIKE_MARKS, {}, (Turn("user", LIKE_MARKS), Turn("assistant", LIKE_MARKS))), LIKE_MARKS
    ),
    "spaces and lines": ChatRecord(Request(" Find ", "\n Aspirin \n", {}), ' {"drug":\n ["Aspirin"]} \n'),
    "an empty answer": ChatRecord(Request("Find.", "No.", {}), ""),
}


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
@pytest.mark.parametrize("keeps_logits", [True, False])
def test_exactly_the_answer_and_its_end_are_learnt_behind_exactly_what_is_asked(
    template: str, record: ChatRecord, keeps_logits: bool
) -> None:
    form = FORMS[template]
    row = row_of(record, form)
    batch = OneRow(keeps_logits=keeps_logits)([row])
    tokens, learnt = batch["input_ids"][0].tolist(), learnt_positions(batch)
    said = [tokens[position] for position in learnt]
    asked = tokens[: -len(said)]
    assert asked == form.prompt(record.request)
    assert learnt == list(range(len(asked), len(tokens))), "all behind the question, and nothing else"
    assert said[-1] == form.tokenizer.convert_tokens_to_ids(ENDS[template])
    special = set(form.tokenizer.all_special_ids) | set(form.tokenizer.added_tokens_decoder)
    assert not special & set(said[:-1]), "no text can end an answer"
    written = form.text(said[:-1])
    assert written.replace(" ", "") == record.answer.replace(" ", "")
    if "<" not in record.answer:
        assert written == record.answer


def learnt_positions(batch: dict[str, Any]) -> list[int]:
    """Where the tokens stand that are learnt."""
    labels = batch["labels"][0, 1:]
    if "logits_to_keep" in batch:
        assert (labels != UNLEARNT).all()
        positions = (batch["logits_to_keep"] + 1).tolist()
        assert labels.tolist() == batch["input_ids"][0, positions].tolist()
        return [int(position) for position in positions]
    positions = ((labels != UNLEARNT).nonzero()[:, 0] + 1).tolist()
    assert labels[labels != UNLEARNT].tolist() == batch["input_ids"][0, positions].tolist()
    return [int(position) for position in positions]


@given(st.lists(st.sampled_from(list(RECORDS.values())), min_size=1, max_size=5), st.sampled_from(sorted(TEMPLATES)))
def test_records_in_one_row_are_each_what_they_are_alone(records: list[ChatRecord], template: str) -> None:
    rows = [row_of(record, FORMS[template]) for record in records]
    for keeps_logits in (True, False):
        collate = OneRow(keeps_logits=keeps_logits)
        together, alone = collate(rows), [collate([row]) for row in rows]
        for name in ("input_ids", "position_ids"):
            assert together[name][0].tolist() == [token for each in alone for token in each[name][0].tolist()]
        starts = np.cumsum([0, *map(len, rows)]).tolist()
        assert learnt_positions(together) == [
            start + position for start, each in zip(starts, alone, strict=False) for position in learnt_positions(each)
        ]
        counted = (together["labels"][..., 1:] != UNLEARNT).sum(), (together["labels"] != UNLEARNT).sum()
        assert counted[0] == counted[1] == sum(len(row.answer) for row in rows), "as the Trainer counts, either way"


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_model_from_sequence_to_sequence_reads_what_is_asked_and_writes_the_answer(
    record: ChatRecord, t5_form: ChatForm
) -> None:
    form, other = t5_form, RECORDS["a question alone"]
    padding = form.tokenizer.pad_token_id
    rows = [row_of(record, form), row_of(other, form)]
    batch = SideBySide(padding=padding, start=7)(rows)
    for number, each in enumerate((record, other)):
        asked, said = form.prompt(each.request), form.answer(each.answer)
        assert batch["input_ids"][number, batch["attention_mask"][number]].tolist() == asked
        assert set(batch["input_ids"][number, len(asked) :].tolist()) <= {padding}
        labels = batch["labels"][number].tolist()
        assert labels[1 : len(said) + 1] == said
        assert said[-1] == form.end == form.tokenizer.eos_token_id
        assert {labels[0], *labels[len(said) + 1 :]} == {UNLEARNT}
        assert batch["decoder_input_ids"][number, : len(said)].tolist() == [7, *said[:-1]]
    assert (batch["decoder_input_ids"] >= 0).all()
    assert batch["labels"].shape[1] == batch["decoder_input_ids"].shape[1] + 1


@pytest.fixture(scope="module")
def t5_form(tmp_path_factory: pytest.TempPathFactory) -> ChatForm:
    from transformers import AutoTokenizer

    folder = tiny_t5(tmp_path_factory.mktemp("t5"), TEXTS, vocabulary=40)
    return ChatForm(AutoTokenizer.from_pretrained(folder), template="plain", whole=True)


def test_records_that_are_too_long_are_counted_and_left_out() -> None:
    form = FORMS["llama"]
    lengths = [len(row_of(record, form)) for record in RECORDS.values()]
    limit = sorted(lengths)[2]
    rows = rows_of(RECORDS.values(), form, longest=limit)
    assert [len(row) for row in rows.kept] == [length for length in lengths if length <= limit]
    assert rows.too_long == [length for length in lengths if length > limit]
    assert rows.tokens == sum(len(row) for row in rows.kept)
    other = rows_of(list(RECORDS.values())[1:], form, longest=limit)
    assert rows.digest() != other.digest() != rows_of([], form, longest=limit).digest()
    assert rows.digest() == rows_of(RECORDS.values(), form, longest=limit).digest()
