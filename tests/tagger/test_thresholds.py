import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError
from kazu_distill.tagger.labels import label_scheme
from kazu_distill.tagger.settings import TaggerSettings
from kazu_distill.tagger.thresholds import CANDIDATES, ThresholdTuning, strict_counts_by_threshold

SCHEME = label_scheme("bio", ["gene", "drug"])


def counts(*by_class: list[tuple[int, int, int]]) -> NDArray[np.float64]:
    """Counts of classes that are the same at every candidate but those named: (candidate, right, predicted) of 100."""
    table = np.zeros((len(CANDIDATES), len(by_class), 3))
    table[:, :, 2] = 100
    for label, named in enumerate(by_class):
        for candidate, right, predicted in named:
            table[candidate, label, :2] = right, predicted
    return table


def test_each_class_gets_the_threshold_of_its_best_f1() -> None:
    chosen = ThresholdTuning().choose(counts([(3, 80, 90), (9, 50, 60)], [(3, 50, 60), (15, 80, 90)]))
    assert chosen.tolist() == [CANDIDATES[3], CANDIDATES[15]]


def test_of_equally_good_thresholds_the_most_usual_is_taken() -> None:
    assert ThresholdTuning().choose(counts([(4, 80, 90), (8, 80, 90), (14, 80, 90)])).tolist() == [CANDIDATES[8]]


def test_a_wanted_precision_takes_the_threshold_that_finds_most_with_it() -> None:
    table = counts([(3, 80, 160), (9, 70, 77), (15, 40, 41)])
    assert ThresholdTuning(precision=0.9).choose(table).tolist() == [CANDIDATES[9]]
    assert ThresholdTuning(precision=0.95).choose(table).tolist() == [CANDIDATES[15]]
    assert ThresholdTuning(precision=0.99).choose(table)[0] > CANDIDATES[11], "the most precise there are"


def test_a_peak_that_its_neighbours_do_not_share_is_chance() -> None:
    right = [60] * len(CANDIDATES)
    right[6], right[11:16] = 72, [69, 71, 71, 71, 69]
    table = counts([(candidate, count, 100) for candidate, count in enumerate(right)])
    assert ThresholdTuning().choose(table).tolist() == [CANDIDATES[13]]


def test_a_rare_class_goes_with_the_others_and_a_frequent_one_by_itself() -> None:
    table = counts([(9, 80, 100), (15, 40, 50)], [])
    table[:, 1] = (0, 0, 1)
    table[15, 1] = (1, 1, 1)
    assert ThresholdTuning().choose(table).tolist() == [CANDIDATES[9], CANDIDATES[9]]
    table[:, 1] *= 100
    assert ThresholdTuning().choose(table).tolist() == [CANDIDATES[9], CANDIDATES[15]]


@given(st.data())
def test_counts_are_those_of_strict_matching_at_every_threshold(data: st.DataObject) -> None:
    probabilities = np.array(
        data.draw(st.lists(st.lists(st.floats(0, 1, width=16), min_size=4, max_size=4), min_size=1, max_size=8)),
        dtype=np.float32,
    )
    words = np.array([(3 * word, 3 * word + 2) for word in range(len(probabilities))], dtype=np.int32)
    gold = (Span(0, 2, "gene"), Span(0, 2, "drug"))
    table = strict_counts_by_threshold([probabilities], [words], [gold], SCHEME)
    # A word alone is right if it is over the threshold and the next one is outside or begins a span of its own.
    for candidate, threshold in enumerate(CANDIDATES.astype(np.float32)):
        for label in range(2):
            begin, inside = probabilities[:, 2 * label], probabilities[:, 2 * label + 1]
            member = np.maximum(begin, inside) > threshold
            starts = member & (~np.append(False, member[:-1]) | (begin > inside))
            alone = member[0] and (len(words) == 1 or not member[1] or starts[1])
            assert table[candidate, label].tolist() == [int(alone), int(starts.sum()), 1]


def test_thresholds_that_are_no_probabilities_are_errors() -> None:
    with pytest.raises(ConfigError, match=r"precision=1\.5"):
        ThresholdTuning(precision=1.5)
    with pytest.raises(ConfigError, match=r"thresholds\.gene=0"):
        TaggerSettings(thresholds={"gene": 0.0})


def test_a_class_without_a_threshold_of_its_own_has_the_common_one() -> None:
    settings = TaggerSettings(threshold=0.4, thresholds={"drug": 0.7})
    assert settings.thresholds_of(["gene", "drug"]).tolist() == pytest.approx([0.4, 0.7])
