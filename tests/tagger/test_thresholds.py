import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError
from kazu_distill.tagger.decoding import Reading
from kazu_distill.tagger.labels import label_scheme
from kazu_distill.tagger.settings import TaggerSettings
from kazu_distill.tagger.thresholds import CANDIDATES, ThresholdTuning, strict_counts_by_threshold
from kazu_distill.words import words_of
from tests.tagger.drawn import texts

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


@settings(deadline=None)
@given(st.data())
def test_counts_are_those_of_decoding_and_comparing_at_every_threshold(data: st.DataObject) -> None:
    values = st.floats(0, 1, width=16)
    words, said, gold = [], [], []
    for text in data.draw(st.lists(texts, max_size=3)):
        own = words_of(text)
        size = 4 * len(own)
        drawn = data.draw(st.lists(values, min_size=size, max_size=size))
        words.append(own)
        said.append(np.array(drawn, dtype=np.float32).reshape(len(own), 4))
        edges = st.tuples(st.integers(0, len(text)), st.integers(0, len(text)), st.sampled_from(SCHEME.labels))
        gold.append([Span(*place) for place in data.draw(st.lists(edges, max_size=3)) if place[0] < place[1]])
        # Of whole words there are more that are found.
        gold[-1] += [
            Span(int(own[word, 0]), int(own[word, 1]), "gene") for word in range(len(own)) if data.draw(st.booleans())
        ]
    thresholds = np.array(data.draw(st.lists(st.tuples(values, values), min_size=1, max_size=3)), dtype=np.float32)
    reading = Reading.of(said, words, SCHEME)
    table = strict_counts_by_threshold(reading, gold, thresholds)
    for row, candidate in zip(table, thresholds, strict=True):
        found = {(text, *span.place) for text, own in enumerate(reading.spans(candidate)) for span in own}
        wanted = {(text, *span.place) for text, own in enumerate(gold) for span in own}
        for number, label in enumerate(SCHEME.labels):
            sets = [{key for key in each if key[3] == label} for each in (found & wanted, found, wanted)]
            assert row[number].tolist() == [len(each) for each in sets]


def test_thresholds_that_are_no_probabilities_are_errors() -> None:
    with pytest.raises(ConfigError, match=r"precision=1\.5"):
        ThresholdTuning(precision=1.5)
    with pytest.raises(ConfigError, match=r"thresholds\.gene=0"):
        TaggerSettings(thresholds={"gene": 0.0})


def test_a_class_without_a_threshold_of_its_own_has_the_common_one() -> None:
    settings = TaggerSettings(threshold=0.4, thresholds={"drug": 0.7})
    assert settings.thresholds_of(["gene", "drug"]).tolist() == pytest.approx([0.4, 0.7])
