from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.reporting.frequent_strings import FrequentStrings

STREAMS = st.lists(st.sampled_from("aaaaaabbbbcccdefghij"), max_size=300)


@given(STREAMS, st.integers(1, 12))
def test_counts_are_never_too_high_and_frequent_strings_are_never_lost(stream: list[str], capacity: int) -> None:
    counter, exact = FrequentStrings(capacity), Counter(stream)
    for string in stream:
        counter.add(string)
    counts = counter.counts()
    assert len(counts) == len(counter) <= capacity
    assert all(0 <= count <= exact[string] for string, count in counts.items())
    assert all(string in counts for string, count in exact.items() if count > len(stream) / capacity)
    if len(exact) <= capacity:
        assert counter.is_exact
    if counter.is_exact:
        assert counts == exact
    assert list(counts.values()) == sorted(counts.values(), reverse=True)


def test_what_is_kept_does_not_grow_with_the_stream() -> None:
    counter = FrequentStrings(100)
    for number in range(50_000):
        counter.add(f"rare {number}")
        counter.add("frequent")
    assert len(counter) == 100
    assert next(iter(counter.counts().items())) == ("frequent", 50_000)
    assert not counter.is_exact
