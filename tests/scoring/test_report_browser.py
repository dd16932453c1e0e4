"""What a reader of the page can do, in a real browser and with no server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from kazu_distill.documents import Span
from kazu_distill.scoring.comparison import compare
from kazu_distill.scoring.curves import Curve
from kazu_distill.scoring.pairs import Pair
from kazu_distill.scoring.report.comparison_page import write_comparison, write_sweep
from kazu_distill.scoring.report.learning import Evaluated
from kazu_distill.scoring.report.systems_page import write_systems
from tests.scoring.report_pages import LABELS, page_of, pair
from tests.scoring.test_report import HOSTILE, hostile_pairs
from tests.scoring.test_sweep import job, ranked
from tests.scoring.test_systems import hostile_systems

PAIRS = [
    *(pair(f"missed-{number}", [("Aspirin", "chemical")], []) for number in range(3)),
    *(pair(f"short-{n}", [("acute renal failure", "disease")], [("renal failure", "disease")]) for n in range(4)),
    *(pair(f"class-{number}", [("warfarin", "chemical")], [("warfarin", "disease")]) for number in range(5)),
    pair("crossing", [("acute renal", "disease")], [("renal failure", "disease")], score=0.75),
]


def test_classes_kinds_and_words_filter_the_mistakes(browser: webdriver.Chrome, tmp_path: Path) -> None:
    show(browser, tmp_path, PAIRS)
    assert counted(browser) == "13 of 13 mistakes, 13 shown"
    choose(browser, "class", "chemical (8)")
    assert counted(browser) == "8 of 13 mistakes, 8 shown"
    choose(browser, "kind", "wrong class (5)")
    assert counted(browser) == "5 of 13 mistakes, 5 shown"
    choose(browser, "class", "disease (10)")
    assert counted(browser) == "5 of 13 mistakes, 5 shown"
    choose(browser, "kind", "missed (3)")
    assert counted(browser) == "0 of 13 mistakes, 0 shown"
    browser.find_element(By.ID, "clear").click()
    assert counted(browser) == "13 of 13 mistakes, 13 shown"
    search = browser.find_element(By.ID, "search")
    search.send_keys("RENAL")
    assert counted(browser) == "5 of 13 mistakes, 5 shown"
    search.clear()
    search.send_keys("Short-2")
    assert counted(browser) == "1 of 13 mistakes, 1 shown"
    assert texts(browser, "#list .where") == ["short-2 · abstract"]


def test_a_cell_of_the_confusion_matrix_shows_its_mistakes(browser: webdriver.Chrome, tmp_path: Path) -> None:
    show(browser, tmp_path, PAIRS)
    # With the keyboard, as one without a mouse does.
    browser.find_element(By.CSS_SELECTOR, "[data-gold='0'][data-predicted='1']").send_keys(Keys.ENTER)
    assert counted(browser) == "5 of 13 mistakes, 5 shown"
    chip = browser.find_element(By.ID, "pair")
    assert chip.text == "gold chemical, predicted disease ×"
    chip.send_keys(Keys.ENTER)
    assert counted(browser) == "13 of 13 mistakes, 13 shown"
    assert not chip.is_displayed()
    browser.find_element(By.CSS_SELECTOR, "[data-gold='0'][data-predicted='-1']").click()
    assert counted(browser) == "3 of 13 mistakes, 3 shown"


def test_gold_and_predicted_spans_are_both_seen(browser: webdriver.Chrome, tmp_path: Path) -> None:
    show(browser, tmp_path, PAIRS)
    browser.find_element(By.ID, "search").send_keys("crossing")
    script = "return [...document.querySelectorAll('#list mark')].map(e => [e.className, e.textContent])"
    assert browser.execute_script(script) == [
        ["gold", "acute "],
        ["gold predicted", "renal"],
        ["predicted", " failure"],
    ]
    assert texts(browser, "#list .side") == [
        "gold: acute renal · disease",
        "predicted: renal failure · disease · score 0.75",
    ]
    marked = (
        "return [...document.querySelectorAll('#list mark')].map(e => getComputedStyle(e)).map(s => "
        "[s.borderBottomWidth !== '0px', s.borderTopWidth !== '0px', s.backgroundColor !== 'rgba(0, 0, 0, 0)'])"
    )
    assert browser.execute_script(marked) == [[True, False, False], [True, True, True], [False, True, True]]


def test_hostile_text_does_nothing(browser: webdriver.Chrome, tmp_path: Path) -> None:
    show(browser, tmp_path, hostile_pairs(HOSTILE, HOSTILE), (HOSTILE,))
    assert counted(browser) == "1 of 1 mistakes, 1 shown"
    assert browser.execute_script("return document.querySelectorAll('img').length") == 0
    assert browser.execute_script("return window.hit === undefined")
    with pytest.raises(NoAlertPresentException):
        _ = browser.switch_to.alert.text
    assert texts(browser, "#list mark") == [HOSTILE]
    assert texts(browser, "#list .where") == [f"{HOSTILE} · {HOSTILE}"]


def test_thousands_of_mistakes_are_shown_in_parts(browser: webdriver.Chrome, tmp_path: Path) -> None:
    pairs = [pair(f"d{number}", [("Aspirin", LABELS[number % 2])], []) for number in range(5000)]
    show(browser, tmp_path, pairs)
    assert counted(browser) == "5,000 of 5,000 mistakes, 100 shown"
    more = browser.find_element(By.ID, "more")
    more.send_keys(Keys.ENTER)
    assert counted(browser) == "5,000 of 5,000 mistakes, 200 shown"
    choose(browser, "class", "chemical (2,500)")
    assert counted(browser) == "2,500 of 5,000 mistakes, 100 shown"
    assert browser.execute_script("return document.querySelectorAll('#list li').length") == 100
    browser.find_element(By.ID, "search").send_keys("d49")
    assert counted(browser) == "55 of 5,000 mistakes, 55 shown"
    assert not more.is_displayed()
    print("filter, ms:", browser.execute_script(FILTER_TIME))


@pytest.mark.parametrize("width", [360, 480, 1280])
def test_nothing_is_wider_than_the_window(browser: webdriver.Chrome, tmp_path: Path, width: int) -> None:
    labels = [f"a class with a rather long name, number {number}" for number in range(40)]
    pairs = [pair("PMID:" + "9" * 60, [("Aspirin", label) for label in labels], [("heparin", labels[0])])]
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        show(browser, tmp_path, pairs, labels)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_every_control_has_a_name(browser: webdriver.Chrome, tmp_path: Path) -> None:
    show(browser, tmp_path, PAIRS)
    controls = browser.find_elements(By.CSS_SELECTOR, "select, input, button, summary, a, [tabindex='0']")
    names = [each.accessible_name for each in controls if each.is_displayed()]
    assert len(names) > 10
    assert all(names)


def test_the_pages_of_two_predictions_of_a_sweep_and_of_systems_run_nothing_and_fit(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    (tmp_path / "sweep").mkdir()
    job(tmp_path / "sweep", "0", 9, ["model=a"])
    job(tmp_path / "sweep", "1", 5, [f"model={HOSTILE}"])
    write_sweep(tmp_path / "sweep.html", ranked(tmp_path / "sweep"))
    first = hostile_pairs(HOSTILE, HOSTILE)
    second = [(gold, gold) for gold, _ in first]
    comparison = compare(first, second, (HOSTILE,), seed=1, resamples=20)
    write_comparison(tmp_path / "two.html", comparison, (first, second), names=(HOSTILE, "b"))
    write_systems(tmp_path / "systems.html", hostile_systems(tmp_path))
    for page, heading in (
        ("sweep.html", "2 models of a sweep"),
        ("systems.html", "2 ways of labelling"),
        ("two.html", f"b set against {HOSTILE}"),
    ):
        for width in (360, 1280):
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            browser.get_log("browser")  # type: ignore[no-untyped-call]
            browser.get((tmp_path / page).as_uri())
            assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        assert texts(browser, "h1") == [heading]
        assert browser.execute_script("return document.querySelectorAll('img, script').length") == 0
        assert browser.execute_script("return window.hit === undefined")
    assert texts(browser, ".difference .says") == ["now found"]
    assert texts(browser, ".difference mark") == [HOSTILE]


@pytest.mark.parametrize("classes", [2, 18])
def test_every_class_has_its_curve_and_its_course(browser: webdriver.Chrome, tmp_path: Path, classes: int) -> None:
    labels = [f"class {number}" for number in range(classes)]
    cuts = np.linspace(0.99, 0.01, 50).astype(np.float64)
    curves = {label: Curve(cuts, cuts, 1 - cuts, 25) for label in labels}
    course = [Evaluated(step, 0.5, 0.5, dict.fromkeys(labels, step / 100)) for step in (10, 50, 90)]
    pairs = [pair("d", [("Aspirin", label) for label in labels], [])]
    browser.get_log("browser")  # type: ignore[no-untyped-call]
    browser.get(page_of(tmp_path, pairs, labels, curves=curves, learning=course).as_uri())
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
    for section in ("curves", "learning"):
        figures = f"section[aria-labelledby={section}] figure"
        assert texts(browser, f"{figures} figcaption") == labels
        drawn = browser.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.getBoundingClientRect())"
            ".map(box => box.width > 60 && box.height > 30)",
            f"{figures} polyline.mean",
        )
        assert drawn == [True] * classes
    assert texts(browser, "section[aria-labelledby=curves] figure p")[0].startswith("threshold 0.49: precision 49.0")


def test_faults_and_votes_stay_text(browser: webdriver.Chrome, tmp_path: Path) -> None:
    (gold, _), other = hostile_pairs(HOSTILE, HOSTILE)[0], Span(0, 6, "other")
    (own,) = gold.sections[0].spans
    spans = (own, replace(own, label="other"))
    vote = [[{"start": other.start, "end": other.end, "label": "other"}]]
    metadata = {
        "not_in_text": {
            "per_class": {HOSTILE: 2}, "mentions": [{"text": HOSTILE, "label": HOSTILE, "voter": HOSTILE}],
        },
        "votes": {HOSTILE: vote, "b": vote},
    }  # fmt: skip
    predicted = replace(gold.with_spans([spans]), metadata=metadata)
    show(browser, tmp_path, [(gold, predicted)], (HOSTILE, "other"))
    assert browser.execute_script("return document.querySelectorAll('img').length") == 0
    assert browser.execute_script("return window.hit === undefined")
    assert texts(browser, ".faults .example bdi:first-child")[0] == HOSTILE
    assert texts(browser, "section[aria-labelledby=voters] tbody th")[:2] == [HOSTILE, "b"]


FILTER_TIME = """
const search = document.getElementById("search"), begin = performance.now();
search.value = ""; search.dispatchEvent(new Event("input")); document.body.offsetHeight;
return performance.now() - begin;
"""


def show(browser: webdriver.Chrome, folder: Path, pairs: list[Pair], labels: Any = LABELS) -> None:
    """Open the report of some pairs; nothing may come up on the console."""
    browser.get_log("browser")  # type: ignore[no-untyped-call]
    browser.get(page_of(folder, pairs, labels).as_uri())
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]


def counted(browser: webdriver.Chrome) -> str:
    """What the page says of how many match; as many rows as it says are there."""
    said = str(browser.execute_script("return document.getElementById('count').textContent"))
    rows = browser.execute_script("return document.querySelectorAll('#list li').length")
    assert f", {rows:,} shown" in said
    return said


def choose(browser: webdriver.Chrome, control: str, option: str) -> None:
    """Choose an option by what it says."""
    Select(browser.find_element(By.ID, control)).select_by_visible_text(option)


def texts(browser: webdriver.Chrome, selector: str) -> list[str]:
    """The text of elements."""
    script = "return [...document.querySelectorAll(arguments[0])].map(each => each.textContent)"
    return list(browser.execute_script(script, selector))
