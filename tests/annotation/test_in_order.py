"""Lines that come in any order."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.in_order import InOrder

FOLDER = Path(tempfile.gettempdir())


@given(st.lists(st.binary(max_size=30), max_size=30).flatmap(lambda lines: st.permutations(list(enumerate(lines)))))
def test_lines_are_written_in_the_order_of_their_numbers(numbered: list[tuple[int, bytes]]) -> None:
    file = io.BytesIO()
    with InOrder(file, folder=FOLDER) as in_order:
        for number, line in numbered:
            in_order.put(number, line)
    assert file.getvalue() == b"".join(line for _, line in sorted(numbered))


def test_what_waits_for_a_number_that_never_comes_is_written_at_the_end() -> None:
    file = io.BytesIO()
    with InOrder(file, folder=FOLDER) as in_order:
        for number in (4, 0, 2):
            in_order.put(number, str(number).encode())
        assert file.getvalue() == b"0"
        in_order.flush()
    assert file.getvalue() == b"024"
