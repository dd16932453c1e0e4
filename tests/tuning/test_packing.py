from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.tuning.packing import MicroBatches, packed, padded

LENGTHS = st.lists(st.integers(1, 50), min_size=1, max_size=40)
SIZES = st.lists(st.tuples(st.integers(1, 50), st.integers(1, 20)), min_size=1, max_size=40)
TOKENS, SEEDS = st.integers(1, 120), st.integers(0, 3)


@given(LENGTHS, TOKENS, SEEDS)
def test_packed_rows_hold_each_record_once_and_no_more_than_they_may(
    lengths: list[int], tokens: int, seed: int
) -> None:
    bins = packed(lengths, batch_tokens=tokens, seed=seed)
    assert sorted(number for each in bins for number in each) == list(range(len(lengths)))
    sums = [sum(lengths[number] for number in each) for each in bins]
    assert all(total <= tokens or len(each) == 1 for total, each in zip(sums, bins, strict=True))
    # Two that would fit into one are never apart; so there are fewer than twice as many as there must be.
    assert sum(total <= tokens / 2 for total in sums) <= 1
    assert bins == packed(lengths, batch_tokens=tokens, seed=seed)


@given(SIZES, TOKENS, SEEDS)
def test_padded_batches_hold_each_record_once_and_no_more_than_they_may(
    sizes: list[tuple[int, int]], tokens: int, seed: int
) -> None:
    bins = padded(sizes, batch_tokens=tokens, seed=seed)
    assert sorted(number for each in bins for number in each) == list(range(len(sizes)))
    for each in bins:
        widest = [max(sizes[number][side] for number in each) for side in (0, 1)]
        assert len(each) == 1 or len(each) * sum(widest) <= tokens


@given(st.integers(1, 12), st.integers(1, 5), SEEDS)
def test_processes_share_the_micro_batches_of_an_epoch_evenly(count: int, processes: int, seed: int) -> None:
    bins = [[number] for number in range(count)]
    shares = [MicroBatches(bins, seed=seed, rank=rank, processes=processes) for rank in range(processes)]
    alone = MicroBatches(bins, seed=seed)
    orders = []
    for epoch in (0, 1, 0):
        for each in (*shares, alone):
            each.set_epoch(epoch)
        dealt = [list(share) for share in shares]
        assert {len(each) for each in dealt} == {len(shares[0])}
        steps = [batch for together in zip(*dealt, strict=True) for batch in together]
        orders.append(list(alone))
        assert steps[:count] == orders[-1], "in the order in which one process would take them"
        assert max(Counter(map(tuple, steps)).values()) <= -(-processes // count) + 1
    assert orders[0] == orders[2]
    assert count < 5 or orders[0] != orders[1]
