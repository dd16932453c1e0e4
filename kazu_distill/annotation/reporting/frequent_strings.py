"""The most frequent strings of a stream in memory that does not grow with it."""

from __future__ import annotations

from heapq import heappop, heappush, heapreplace


class FrequentStrings:
    """Counts strings; beyond a number of different ones it keeps those that are frequent.

    Space-Saving: a new string takes the place of the one with the smallest count, and that count with it as the most
    by which its own may be too high. Every string that makes up more than 1/``capacity`` of the stream is kept.
    After A. Metwally, D. Agrawal and A. El Abbadi, "Efficient computation of frequent and top-k elements in data
    streams", ICDT 2005, doi:10.1007/978-3-540-30570-5_27. A heap finds the smallest count, in place of their lists.

    Args:
        capacity: how many different strings are kept.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._counts: dict[str, int] = {}
        self._excess: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []  # each kept string once, with a count that it had

    def __len__(self) -> int:
        """The number of strings that are kept."""
        return len(self._counts)

    @property
    def is_exact(self) -> bool:
        """Whether no string ever had to make room for another."""
        return not self._excess

    def add(self, string: str) -> None:
        """Count a string once."""
        if string in self._counts:
            self._counts[string] += 1
            return
        excess = self._make_room() if len(self._counts) >= self._capacity else 0
        self._counts[string] = excess + 1
        if excess:
            self._excess[string] = excess
        heappush(self._heap, (excess + 1, string))

    def counts(self) -> dict[str, int]:
        """How often each kept string came at least; exactly so if ``is_exact``. The most frequent first."""
        at_least = {string: count - self._excess.get(string, 0) for string, count in self._counts.items()}
        return dict(sorted(at_least.items(), key=lambda item: (-item[1], item[0])))

    def _make_room(self) -> int:
        """Forget the string with the smallest count and return that."""
        while True:
            count, string = self._heap[0]
            if count == self._counts[string]:
                heappop(self._heap)
                del self._counts[string]
                self._excess.pop(string, None)
                return count
            heapreplace(self._heap, (self._counts[string], string))
