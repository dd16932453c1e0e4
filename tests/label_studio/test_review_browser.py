"""A person corrects in a real browser what was pushed, and the correction is pulled.

With ``KAZU_DISTILL_SCREENSHOT=FILE`` the last test also draws the picture of the README.
"""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from kazu_distill.corpora.jsonl import read_jsonl
from kazu_distill.corpora.records import Record
from kazu_distill.documents import Document, Section
from kazu_distill.label_studio.project import LabelStudioProject
from tests.label_studio.examples import SCHEMA, marked, project_on
from tests.label_studio.reviewing import pulled_from
from tests.label_studio.server import REPOSITORY, Server
from tests.label_studio.test_browser import highlighted, log_in, tab

pytestmark = pytest.mark.label_studio

TEXT = "  🧬🧬 BRCA1-mutant cancer\r\nin  e\u0301tudes:\t<b>olaparib</b> &amp; PARP1\n\n𝛼-synuclein end. "
LLM = marked(TEXT, ("BRCA1", "gene", 0.75), ("cancer", "disease", 0.5), ("PARP1", "gene", 0.25))
STUDENT = marked(TEXT, ("BRCA1-mutant", "gene", 0.5))
DRAWN = ("BRCA1-mutant", "cancer\r\nin", "e\u0301tudes", "<b>olaparib</b>", "𝛼-synuclein", "🧬🧬", "end")

_RANGE = """
// The corners of what a person would mark, from the first place of one text to the next end of another.
const [from, to] = arguments, texts = [];
const walker = document.createTreeWalker(document.querySelector('[class*=htx-richtext]'), NodeFilter.SHOW_TEXT);
while (walker.nextNode()) texts.push(walker.currentNode);
const place = (word, atEnd) => {
  for (let first = 0; first < texts.length; first++) {
    let joined = '', ends = [];
    for (let last = first; last < texts.length && joined.length < 200; last++) {
      joined += texts[last].data; ends.push([texts[last], joined.length]);
    }
    const begin = joined.indexOf(word);
    if (begin < 0 || begin >= texts[first].data.length) continue;
    const wanted = atEnd ? begin + word.length - 1 : begin;
    const [node, end] = ends.find(([, end]) => wanted < end);
    const inside = wanted - (end - node.data.length), range = document.createRange();
    range.setStart(node, inside); range.setEnd(node, inside + 1);
    const box = range.getBoundingClientRect();
    return [atEnd ? box.right - 1 : box.left + 1, (box.top + box.bottom) / 2];
  }
};
return [...place(from, false), ...place(to, true)];
"""


def draw(browser: webdriver.Chrome, words: str, hotkey: str) -> None:
    """Choose a class by its hot key and mark words with the mouse."""
    lines = words.split("\r\n")
    before = len(browser.find_elements(By.CSS_SELECTOR, ".htx-highlight"))
    left, top, right, bottom = map(int, browser.execute_script(_RANGE, lines[0], lines[-1]))
    ActionChains(browser).send_keys(hotkey).perform()
    actions = ActionChains(browser)
    mouse: Any = actions.w3c_actions.pointer_action
    mouse.move_to_location(left, top)
    mouse.pointer_down()
    mouse.move_to_location(right, bottom)
    mouse.pointer_up()
    actions.perform()
    WebDriverWait(browser, 30).until(lambda _: len(browser.find_elements(By.CSS_SELECTOR, ".htx-highlight")) > before)
    ActionChains(browser).send_keys("\ue00c").perform()  # escape: the new region is no longer selected


def open_task(browser: webdriver.Chrome, server: Server, url: str, document: str) -> None:
    browser.implicitly_wait(30)
    browser.get(url)
    if "login" in browser.current_url:
        log_in(browser, server)
        browser.get(url)
    browser.find_element(By.XPATH, f"//*[contains(text(), '{document}')]").click()


def choose(browser: webdriver.Chrome, name: str) -> None:
    """Choose a tab above the task, which the page may just be drawing anew."""

    def clicked(_: webdriver.Chrome) -> bool:
        tab(browser, name).click()
        return True

    WebDriverWait(browser, 30, ignored_exceptions=[StaleElementReferenceException]).until(clicked)


def submit(browser: webdriver.Chrome) -> None:
    browser.find_element(By.XPATH, "//button[normalize-space()='Submit']").click()
    browser.find_element(By.XPATH, "//button[normalize-space()='Update']")


def test_what_a_person_corrects_and_submits_is_pulled(
    server: Server, browser: webdriver.Chrome, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEST_LABEL_STUDIO_TOKEN", server.token)
    document = Document("PMID:1", (Section("abstract", TEXT),))
    project = project_on(server.url, "corrected in a browser")
    project.push([document.with_spans([STUDENT])], model_version="student")
    pushed = project.push([document.with_spans([LLM])], model_version="llm")
    project.start_from("llm")
    open_task(browser, server, pushed.url, "PMID:1")
    for version, spans in (("student", STUDENT), ("llm", LLM)):
        choose(browser, version)
        wanted = sorted((span.label, TEXT[span.start : span.end]) for span in spans)
        WebDriverWait(browser, 30).until(lambda _, wanted=wanted: highlighted(browser) == wanted)  # type: ignore[misc]
    # Predictions are only looked at; what a person may change is a copy in a tab of the person's own.
    choose(browser, server.username)
    # PARP1 is no gene here: the region goes, and others are marked, each with a class of its own.
    region = browser.find_element(By.XPATH, "//*[contains(@class, 'htx-highlight')][text()='PARP1']")
    ActionChains(browser).move_to_element(region).click().send_keys("\ue003").perform()
    WebDriverWait(browser, 30).until(lambda _: "PARP1" not in [text for _, text in highlighted(browser)])
    for number, words in enumerate(DRAWN):
        draw(browser, words, str(number + 1))
    browser.save_screenshot(str(tmp_path / "corrected.png"))
    submit(browser)
    (gold,), counts, _ = pulled_from(server, "corrected in a browser", tmp_path / "pulled.sqlite")
    (section,) = gold.sections
    kept = [("BRCA1", "gene"), ("cancer", "disease")]
    drawn = [(words, SCHEMA.labels[number]) for number, words in enumerate(DRAWN)]
    assert sorted((section.mention(span), span.label) for span in section.spans) == sorted(kept + drawn)
    assert section.text == TEXT
    (opinion,) = gold.metadata["review"][0]["opinions"]
    assert opinion["annotator"] == server.username
    assert opinion["started_from"] == "llm"
    assert opinion["seconds"] > 0
    assert not counts.left_out


def test_the_picture_of_the_readme(
    server: Server, browser: webdriver.Chrome, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEST_LABEL_STUDIO_TOKEN", server.token)
    schema = instantiate(OmegaConf.load(REPOSITORY / "conf/schema/kazu.yaml"))
    project = LabelStudioProject(
        url=server.url, api_key_env="TEST_LABEL_STUDIO_TOKEN", title="kazu_distill demo", schema=schema,
        max_tasks=None, seed=0, timeout=60.0,
    )  # fmt: skip
    records = islice(read_jsonl(REPOSITORY / "scripts/demo/gold.jsonl"), 3)
    gold = [record.document for record in records if isinstance(record, Record)]
    for version in ("student", "llm"):
        pushed = project.push(gold, model_version=version)
    project.start_from("llm")
    browser.set_window_size(1440, 800)
    open_task(browser, server, pushed.url, gold[0].id)
    choose(browser, server.username)
    wanted = len(gold[0].sections[0].spans)
    WebDriverWait(browser, 30).until(lambda _: len(browser.find_elements(By.CSS_SELECTOR, ".htx-highlight")) == wanted)
    text = browser.find_element(By.CSS_SELECTOR, "[class*=htx-richtext]")
    ActionChains(browser).move_to_element(text).perform()
    WebDriverWait(browser, 30).until(lambda _: not tooltips(browser))
    picture = Path(os.environ.get("KAZU_DISTILL_SCREENSHOT", tmp_path / "label_studio.png"))
    browser.save_screenshot(str(picture))
    assert picture.stat().st_size < 300_000


def tooltips(browser: webdriver.Chrome) -> list[str]:
    """What hovers above the page."""
    return browser.execute_script(  # type: ignore[no-any-return]
        "return [...document.querySelectorAll('[role=tooltip]')].map(each => each.textContent)"
    )
