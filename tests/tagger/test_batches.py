from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kazu_distill.tagger.batches import Collator, TokenBatches
from kazu_distill.tagger.labels import LabelScheme, label_scheme
from kazu_distill.tagger.loss import UNTRAINED

lengths_of_rows = st.lists(st.integers(1, 600), min_size=1, max_size=60).map(
    lambda each: np.array(each, dtype=np.int32)
)


@given(lengths_of_rows, st.integers(1, 4000), st.integers(1, 3), st.integers(0, 3))
def test_every_row_comes_in_every_epoch_and_every_process_has_as_many_batches(
    lengths: NDArray[np.int32], batch_tokens: int, processes: int, epoch: int
) -> None:
    seen: list[int] = []
    for rank in range(processes):
        batches = TokenBatches(lengths, batch_tokens=batch_tokens, seed=1, rank=rank, processes=processes)
        batches.set_epoch(epoch)
        own = list(batches)
        assert len(own) == len(batches)
        assert all(own)
        seen += [row for batch in own for row in batch]
    assert set(seen) == set(range(len(lengths)))
    assert len(seen) == len(lengths) or (processes > 1 and len(batches) * processes > len(lengths))


def rows(count: int = 2000) -> NDArray[np.int32]:
    return np.random.default_rng(1).integers(10, 512, count).astype(np.int32)


def test_batches_have_about_as_many_tokens_and_little_padding() -> None:
    lengths = rows()
    batches = list(TokenBatches(lengths, batch_tokens=4096, seed=1))
    tokens = np.array([lengths[batch].sum() for batch in batches])
    padded = np.array([lengths[batch].max() * len(batch) for batch in batches])
    assert tokens.max() < 4096 + 512
    assert tokens.min() > 4096 - 2 * 512
    assert tokens.sum() == lengths.sum()
    assert padded.sum() < 1.15 * lengths.sum()


def test_few_rows_are_padded_little_too() -> None:
    lengths = rows(300)
    padded = sum(lengths[batch].max() * len(batch) for batch in TokenBatches(lengths, batch_tokens=2048, seed=1))
    assert padded < 1.2 * lengths.sum()


def test_an_epoch_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    def order(seed: int, epoch: int) -> list[list[int]]:
        batches = TokenBatches(rows(), batch_tokens=4096, seed=seed)
        batches.set_epoch(epoch)
        return list(batches)

    assert order(1, 0) == order(1, 0)
    for other in (order(2, 0), order(1, 1)):
        assert order(1, 0) != other
        together = {frozenset(batch) for batch in order(1, 0)}
        assert not together & {frozenset(batch) for batch in other}, "rows are mixed anew"


def row(tokens: int, positions: list[int], *labels: tuple[int, int, float]) -> dict[str, NDArray[Any]]:
    return {
        "input_ids": np.arange(1, tokens + 1, dtype=np.int32),
        "positions": np.array(positions, dtype=np.int32),
        "tag_words": np.array([word for word, _, _ in labels], dtype=np.int32),
        "tag_ids": np.array([tag for _, tag, _ in labels], dtype=np.int32),
        "tag_scores": np.array([score for _, _, score in labels], dtype=np.float32),
    }


def collator(scheme: LabelScheme, *, multiple: int = 4) -> Collator:
    return Collator(padding=0, scheme=scheme, tokens_behind=1, multiple=multiple, longest=512)


def test_labels_stand_at_the_first_tokens_of_words() -> None:
    batch = collator(label_scheme("bio", ["gene"]))([row(5, [1, 3], (1, 0, 1.0), (1, 1, 0.25)), row(3, [1])])
    assert batch["input_ids"].tolist() == [[1, 2, 3, 4, 5, 0, 0, 0], [1, 2, 3, 0, 0, 0, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1] * 5 + [0] * 3, [1] * 3 + [0] * 5]
    trained = batch["labels"] != UNTRAINED
    assert trained.any(dim=2).nonzero().tolist() == [[0, 1], [0, 3], [1, 1]]
    assert trained.sum() == 3 * 2
    assert batch["labels"][0, 3].tolist() == [1.0, 0.25]
    assert batch["labels"][0, 1].tolist() == batch["labels"][1, 1].tolist() == [0.0, 0.0]


def test_in_scheme_io_all_tokens_of_a_word_have_its_labels() -> None:
    batch = collator(label_scheme("io", ["gene"]))([row(7, [1, 4], (0, 0, 1.0)), row(3, [1])])
    trained = batch["labels"] != UNTRAINED
    assert trained.all(dim=2).nonzero().tolist() == [[0, place] for place in range(1, 6)] + [[1, 1]]
    assert batch["labels"][0, 1:6].tolist() == [[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 2


def test_the_unit_of_words_outside_has_what_the_surest_other_leaves() -> None:
    labels = collator(label_scheme("io", ["gene", "drug"]))([row(2, [0], (0, 0, 0.25), (0, 1, 0.75))])["labels"]
    assert torch.equal(labels[0, 0], torch.tensor([0.25, 0.75, 0.25]))
