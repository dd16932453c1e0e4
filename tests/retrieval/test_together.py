"""What comes while a batch is worked on is the next batch, and everyone gets their own result."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kazu_distill.retrieval.together import Together


def test_items_that_wait_are_worked_on_at_once_and_no_more_than_allowed() -> None:
    batches: list[list[int]] = []
    first_is_there, go_on = threading.Event(), threading.Event()

    def work(items: list[int]) -> list[int]:
        batches.append(items)
        if len(batches) == 1:
            first_is_there.set()
            go_on.wait(10)
        return [item * item for item in items]

    square = Together(work, most=4)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(square, 0)
        assert first_is_there.wait(10)
        others = [threads.submit(square, number) for number in range(1, 8)]
        while len(square._waiting) < 7:
            pass
        go_on.set()
        assert [first.result(), *(other.result() for other in others)] == [number**2 for number in range(8)]
    assert [len(batch) for batch in batches] == [1, 4, 3]


def test_an_error_reaches_everyone_who_waits_for_it_and_nobody_else() -> None:
    def work(items: list[int]) -> list[float]:
        return [1 / item for item in items]

    inverse = Together(work, most=8)
    with pytest.raises(ZeroDivisionError):
        inverse(0)
    assert inverse(4) == 0.25
