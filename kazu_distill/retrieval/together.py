"""What several threads ask at about the same time, done at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Together(Generic[_Item, _Result]):
    """A function of one item, called from many threads, by way of one of many items.

    While one batch is being worked on, the items that come wait and are the next one, so that batches are as large as
    there is need, and an item that comes alone does not wait.

    Args:
        work: gives a result for each of several items; it is not called twice at the same time.
        most: items at once.
    """

    def __init__(self, work: Callable[[list[_Item]], Sequence[_Result]], *, most: int) -> None:
        self._work = work
        self._most = most
        self._waiting: list[tuple[_Item, Future[_Result]]] = []
        self._list = threading.Lock()
        self._turn = threading.Lock()

    def __call__(self, item: _Item) -> _Result:
        """The result for an item; raises what the work on its batch raised."""
        result: Future[_Result] = Future()
        with self._list:
            self._waiting.append((item, result))
        with self._turn:
            while not result.done():
                self._work_off()
        return result.result()

    def _work_off(self) -> None:
        with self._list:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            results = self._work([item for item, _ in batch])
        except BaseException as error:  # noqa: BLE001 — raised in every thread that waits for it
            for _, result in batch:
                result.set_exception(error)
        else:
            for (_, result), value in zip(batch, results, strict=True):
                result.set_result(value)
