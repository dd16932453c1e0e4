"""What several threads ask at about the same time, done at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class _Asked(Generic[_Item, _Result]):
    """An item whose result a thread waits for; woken without a result, the thread has to work on the next batch."""

    def __init__(self, item: _Item) -> None:
        self.item = item
        self.result: Future[_Result] = Future()
        self.woken = threading.Event()


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
        self._lock = threading.Lock()
        self._waiting: list[_Asked[_Item, _Result]] = []
        self._is_working = False  # somebody; if nobody is, nobody waits

    def __call__(self, item: _Item) -> _Result:
        """The result for an item; raises what the work on its batch raised."""
        asked: _Asked[_Item, _Result] = _Asked(item)
        with self._lock:
            self._waiting.append(asked)
            others_work = self._is_working
            self._is_working = True
        if others_work:
            asked.woken.wait()
        if not asked.result.done():
            self._work_off()
        return asked.result.result()

    def _work_off(self) -> None:
        """Work on those who have waited longest, the caller's among them, and leave the next batch to who is first."""
        with self._lock:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            results = list(zip(batch, self._work([asked.item for asked in batch]), strict=True))
        except BaseException as error:  # noqa: BLE001 — raised in every thread that waits for it
            for asked in batch:
                asked.result.set_exception(error)
        else:
            for asked, result in results:
                asked.result.set_result(result)
        for asked in batch:
            asked.woken.set()
        with self._lock:
            self._is_working = bool(self._waiting)
            if self._waiting:
                self._waiting[0].woken.set()
