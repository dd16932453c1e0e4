"""Mentions in pieces become one stretch by the policy, and only where the pieces do not adjoin."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.corpora.mentions import check_mention, check_policy, one_stretch
from kazu_distill.documents import InvalidDocument
from kazu_distill.errors import ConfigError

piece_lists = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 6)).map(lambda piece: (piece[0], piece[0] + piece[1])), min_size=1
)


@given(piece_lists, st.sampled_from(["envelope", "first", "drop"]))
def test_the_stretch_is_what_painting_every_character_gives(pieces: list[tuple[int, int]], policy: str) -> None:
    painted = sorted({position for start, end in pieces for position in range(start, end)})
    first = [position for offset, position in enumerate(painted) if position == painted[0] + offset]
    adjusted: Counter[str] = Counter()
    stretch = one_stretch(pieces, policy=policy, adjusted=adjusted)
    if len(first) == len(painted) or policy == "envelope":
        assert stretch == (painted[0], painted[-1] + 1)
    elif policy == "first":
        assert stretch == (first[0], first[-1] + 1)
    else:
        assert stretch is None
    assert adjusted.total() == (len(first) < len(painted))


def test_a_written_mention_may_differ_from_the_text_in_space_only() -> None:
    check_mention([(0, 11)], "cell", "T helper 17", "T helper\n17")
    check_mention([(0, 4), (9, 15)], "disease", "lung cancer", "lung and cancer")
    with pytest.raises(InvalidDocument, match=r'\(0–4, "gene"\) should be "egfr", but the text there is "EGFR"'):
        check_mention([(0, 4)], "gene", "egfr", "EGFR")
    check_mention([(0, 4)], "gene", "egfr", "EGFR", ignore_case=True)


def test_another_policy_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"corpus\.reader\.discontinuous is 'all': choose envelope, first, drop"):
        check_policy("all")
