"""The page needs nothing from elsewhere, shows the figures, and lets no text of a document become markup."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.documents import Document, Section, Span
from kazu_distill.scoring.curves import Curve
from kazu_distill.scoring.mistakes import CONTEXT, analyse
from kazu_distill.scoring.pairs import Pair
from kazu_distill.scoring.report.browser_data import GOLD, PREDICTED, browser_data, embedded_json, surroundings
from kazu_distill.scoring.report.learning import Evaluated, learning_curve
from kazu_distill.scoring.report.report import MOST_MISTAKES
from tests.scoring.report_pages import LABELS, TEXT, Parsed, page_of, pair

HOSTILE = '</script></style><!--<img src=x onerror="window.hit=1">\'&amp;\u2028\u2029'
USUAL = [
    pair("d1", [("Aspirin", "chemical")], [("Aspirin", "chemical")], score=0.875),
    pair("d2", [("acute renal failure", "disease")], [("renal failure", "disease")], score=0.625),
    pair("d3", [("warfarin", "chemical")], [("warfarin", "disease"), ("heparin", "chemical")], score=0.75),
    pair("d4", [("Aspirin", "chemical")], []),
]


def test_a_page_names_nothing_outside_itself(tmp_path: Path) -> None:
    page = page_of(tmp_path, USUAL, learning=[Evaluated(10, 0.5, 0.6)]).read_text(encoding="utf-8")
    assert not any(sign in page for sign in ("http:", "https:", "src=", "url(", "@import", "//www", "fetch("))
    parsed = Parsed(page)
    links = [value for name, value in parsed.attributes if name == "href"]
    assert links
    assert all(value and value.startswith("#") for value in links)
    assert not any(name in ("src", "style", "srcset") or name.startswith("on") for name, _ in parsed.attributes)
    assert "default-src 'none'" in page


def test_the_mean_is_said_to_be_over_the_classes_that_it_counts(tmp_path: Path) -> None:
    assert "the mean F1 over 2 classes" in page_of(tmp_path, USUAL, (*LABELS, "never seen")).read_text(encoding="utf-8")
    assert "the mean F1 over one class" in page_of(tmp_path, USUAL[3:], LABELS).read_text(encoding="utf-8")


def test_a_page_says_what_is_reached(tmp_path: Path) -> None:
    text = " ".join(Parsed(page_of(tmp_path, USUAL).read_text(encoding="utf-8")).text.split())
    assert "On 4 documents, strict micro F1 is 25.0 %" in text
    assert "the mean F1 over 2 classes" in text
    assert "scored against" not in text
    assert "few" in text
    assert "fewer than 30 spans in gold" in text
    assert "what was not predicted is not known" in text
    assert "Course of the training" not in text


def test_a_page_says_where_predictions_fail(tmp_path: Path) -> None:
    text = " ".join(Parsed(page_of(tmp_path, USUAL).read_text(encoding="utf-8")).text.split())
    # Of the mentions of one word: two of Aspirin, one found; warfarin, of which the class is wrong; heparin.
    assert "Where it fails" in text
    assert (
        "mention length 1 word33.333.333.333 2 words0.00.00.001 3 words0.00.00.010" in text
    )  # cells have no space between
    alone = Parsed(page_of(tmp_path, USUAL[:1]).read_text(encoding="utf-8")).text
    assert "Where it fails" not in alone


def test_unknown_figures_are_dashes(tmp_path: Path) -> None:
    nothing = [(Document("a", (Section("", "x"),)), Document("a", (Section("", "x"),)))]
    parsed = Parsed(page_of(tmp_path, nothing).read_text(encoding="utf-8"))
    assert "On 1 document, strict micro F1 is – %" in parsed.text
    assert "None" not in parsed.text
    assert "nan" not in parsed.text.split()
    assert "There is no mistake." in parsed.text
    assert parsed.data["mistakes"] == []


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    usual = Parsed(page_of(tmp_path, hostile_pairs("x", "y"), ("y",)).read_text(encoding="utf-8"))
    page = page_of(tmp_path, hostile_pairs(HOSTILE, HOSTILE), (HOSTILE,), title=HOSTILE).read_text(encoding="utf-8")
    assert "<img" not in page
    assert page.count("</script>") == 2
    parsed = Parsed(page)
    assert parsed.elements == usual.elements
    assert HOSTILE in parsed.text
    assert parsed.data["labels"] == [HOSTILE]
    assert parsed.data["documents"] == [HOSTILE]
    assert parsed.data["mistakes"][0][-2] == [[HOSTILE, GOLD]]


@given(st.recursive(st.text() | st.sampled_from(["</script>", "<!--", "]]>", HOSTILE]), st.lists))
def test_embedded_json_is_the_same_values_in_harmless_signs(values: object) -> None:
    embedded = embedded_json(values)
    assert json.loads(embedded) == values
    assert embedded.isascii()
    assert not set(embedded) & set("<>&")


def test_pieces_show_which_entity_they_belong_to() -> None:
    crossing = pair("d", [("acute renal", "disease")], [("renal failure", "disease"), ("heparin", "chemical")])
    data = browser_data(analyse([crossing], LABELS).mistakes, LABELS)
    shifted, spurious = data["mistakes"]
    assert shifted[-2] == [("acute ", GOLD), ("renal", GOLD + PREDICTED), (" failure", PREDICTED)]
    assert shifted[-3] + "".join(text for text, _ in shifted[-2]) in TEXT
    # Code points, not UTF-16 units: the picture before the mention is one sign.
    assert spurious[-2] == [("heparin", PREDICTED)]
    assert spurious[-1] == " did not."


def test_a_page_holds_a_bounded_number_of_mistakes(tmp_path: Path) -> None:
    spans = tuple(Span(start, start + 1, "disease") for start in range(MOST_MISTAKES + 1))
    gold = Document("long", (Section("", "x" * len(spans), spans),))
    parsed = Parsed(page_of(tmp_path, [(gold, gold.without_spans())]).read_text(encoding="utf-8"))
    assert len(parsed.data["mistakes"]) == MOST_MISTAKES
    assert "The page holds the first 20,000 of 20,001 mistakes" in parsed.text


def test_forty_classes_and_long_names_are_drawn(tmp_path: Path) -> None:
    labels = [f'class "{number}", with a, comma' for number in range(40)]
    pairs = [pair(str(number), [("Aspirin", label)], [("Aspirin", labels[-1])]) for number, label in enumerate(labels)]
    parsed = Parsed(page_of(tmp_path, pairs, labels).read_text(encoding="utf-8"))
    assert parsed.elements["button"] == 39 + 3  # a cell for each class that is taken for the last, and the controls
    assert parsed.elements["figure"] == 40
    assert parsed.text.count("Nothing is predicted.") == 39


def test_the_threshold_is_marked(tmp_path: Path) -> None:
    curves = {
        "chemical": Curve(np.array([0.9, 0.7, 0.1]), np.array([1.0, 0.5, 0.25]), np.array([0.2, 0.4, 1.0]), 1),
        "disease": Curve(np.array([0.1]), np.array([0.5]), np.array([0.5]), None),
    }
    text = Parsed(page_of(tmp_path, USUAL, curves=curves).read_text("utf-8")).text
    assert "threshold 0.70: precision 50.0, recall 40.0" in text
    assert "threshold 0.10: precision 25.0, recall 100.0" in text, "where one points"
    assert "At the threshold in use nothing is predicted." in text
    assert "Spans are only dropped here" not in text


def test_a_learning_curve_is_read_in_order_and_what_is_no_evaluation_is_left_out(tmp_path: Path) -> None:
    files = {
        "step-000020.json": '{"step": 20, "epoch": 1.0, "mean_f1": 0.5, "micro_f1": 0.6, "x_f1": 0.5}',
        "step-000009.json": '{"step": 9, "epoch": 0.5, "mean_f1": null, "micro_f1": 0.25}',
        "step-000030.json": '{"step": 30, "mean_f1"',
        "step-000031.json": '{"step": "31", "mean_f1": 0.5}',
        "step-000032.json": '{"step": 32, "mean_f1": 7, "micro_f1": null}',
        "step-000033.json": "[]",
        "other.json": '{"step": 1, "mean_f1": 0.5}',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert learning_curve(tmp_path, ["x", "y"]) == [
        Evaluated(9, None, 0.25, {"x": None, "y": None}),
        Evaluated(20, 0.5, 0.6, {"x": 0.5, "y": None}),
    ]
    assert learning_curve(tmp_path / "nowhere", ["x"]) == []


def test_the_course_of_the_training_is_drawn(tmp_path: Path) -> None:
    learning = [Evaluated(0, 0.0, 0.0), Evaluated(10, 0.5, None), Evaluated(1000, 0.5, 0.75)]
    for course in (learning, learning[:1], [Evaluated(5, 1.0, 1.0)], [Evaluated(5, None, 1.0)]):
        parsed = Parsed(page_of(tmp_path, USUAL, learning=course).read_text(encoding="utf-8"))
        assert "Course of the training" in parsed.text
    assert "The best mean is" not in parsed.text
    text = Parsed(page_of(tmp_path, USUAL, learning=learning).read_text(encoding="utf-8")).text
    assert "The best mean is 50.0 % at step 10." in text


def test_the_course_of_each_class_is_drawn_beside_the_mean(tmp_path: Path) -> None:
    course = [
        Evaluated(10, 0.25, 0.3, {"chemical": 0.5, "disease": 0.0, HOSTILE: None}),
        Evaluated(20, 0.45, 0.5, {"chemical": 0.7, "disease": 0.2, HOSTILE: None}),
        Evaluated(30, 0.45, 0.5, {"chemical": 0.6, "disease": 0.3, HOSTILE: None}),
    ]
    page = page_of(tmp_path, USUAL, learning=course).read_text(encoding="utf-8")
    text = " ".join(Parsed(page).text.split())
    assert "best 70.0 at step 20, last 60.0" in text
    assert "best 30.0 at step 30, last 30.0" in text
    assert "Not among the documents of the training's evaluations." in text
    assert "<img" not in page
    alone = [Evaluated(each.step, each.mean_f1, each.micro_f1, {"chemical": 0.5}) for each in course]
    assert "By class" not in Parsed(page_of(tmp_path, USUAL, learning=alone).read_text("utf-8")).text


def test_an_ellipsis_stands_where_text_is_cut_off_and_only_there() -> None:
    for before, after in ((CONTEXT, CONTEXT), (CONTEXT + 1, CONTEXT + 1), (0, CONTEXT + 1), (CONTEXT + 1, 1)):
        gold = Document("d", (Section("", "a" * before + "gout" + "b" * after, (Span(before, before + 4, "x"),)),))
        (mistake,) = analyse([(gold, gold.without_spans())], ["x"]).mistakes
        cut = "…" * (before > CONTEXT), "…" * (after > CONTEXT)
        shown = cut[0] + "a" * min(before, CONTEXT), "b" * min(after, CONTEXT) + cut[1]
        assert surroundings(mistake) == shown


def hostile_pairs(hostile: str, label: str) -> list[Pair]:
    """A gold document that is hostile all through, and of which nothing is found."""
    text = f"before {hostile} after"
    span = Span(7, 7 + len(hostile), label)
    gold = Document(hostile, (Section(hostile, text, (span,)),))
    return [(gold, gold.without_spans())]
