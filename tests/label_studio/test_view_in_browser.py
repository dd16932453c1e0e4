"""What a reviewer sees of the labelling view in a real browser, and marks with it by hand."""

from __future__ import annotations

from typing import Any

import pytest
from label_studio_sdk import LabelStudio
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from kazu_distill.documents import Document, Section, Span
from kazu_distill.label_studio.colours import colours_of
from kazu_distill.label_studio.project import Pushed
from kazu_distill.label_studio.view import HOT_KEYS
from kazu_distill.schema import Schema
from tests.label_studio.examples import SCHEMA, project_on
from tests.label_studio.server import Server
from tests.label_studio.test_browser import highlighted, log_in

pytestmark = pytest.mark.label_studio

TEXT = "BRCA1 mutant breast cancer and 🧬 olaparib. " * 60
DEFINED = Schema(
    name="defined",
    classes={label: {"definition": f"What {label} is & <b>is not</b>, $document"} for label in SCHEMA.labels},
)
CLASS_WITH_DOLLAR = "cost $document ${x}"
_PLACE = """
const walker = document.createTreeWalker(arguments[0], NodeFilter.SHOW_TEXT);
let before = 0, node;
while ((node = walker.nextNode())) {
  if (before + node.length > arguments[1]) {
    const range = document.createRange();
    range.setStart(node, arguments[1] - before);
    range.setEnd(node, arguments[1] - before + 1);
    const box = range.getBoundingClientRect();
    return [box.left, box.top, box.right, box.bottom];
  }
  before += node.length;
}
"""


@pytest.fixture
def page(server: Server, browser: webdriver.Chrome, monkeypatch: pytest.MonkeyPatch) -> Pushed:
    """A task with one predicted span, open in a browser."""
    monkeypatch.setenv("TEST_LABEL_STUDIO_TOKEN", server.token)
    document = Document("PMID:$text", (Section("title <b>$x</b>", TEXT, (Span(13, 26, CLASS_WITH_DOLLAR),)),))
    pushed = project_on(server.url, "the view", schema=DEFINED).push([document], model_version="llm")
    browser.implicitly_wait(30)
    browser.delete_all_cookies()
    log_in(browser, server)
    browser.get(f"{pushed.url}?task={task_of(server, pushed)['id']}")
    browser.find_element(By.CSS_SELECTOR, ".lsf-label")
    WebDriverWait(browser, 30).until(lambda _: highlighted(browser))
    return pushed


def test_classes_are_shown_explained_and_found_and_spans_are_marked_by_hand(
    server: Server, browser: webdriver.Chrome, page: Pushed
) -> None:
    buttons = browser.find_elements(By.CSS_SELECTOR, ".lsf-label")
    shown = [button.text.replace("\u200b", "").split("\n") for button in buttons]
    assert [words[0] for words in shown] == list(DEFINED.labels)
    assert [words[1] for words in shown if words[1:]] == list(HOT_KEYS)
    for words in ("PMID:$text", "title <b>$x</b>"):
        assert any(each.text == words for each in browser.find_elements(By.XPATH, f"//*[text()={quoted(words)}]"))

    ActionChains(browser).move_to_element(buttons[0]).perform()
    hint = "//*[contains(@class, 'tooltip') and contains(., 'What gene is & <b>is not</b>, $document')]"
    WebDriverWait(browser, 10).until(lambda _: browser.find_element(By.XPATH, hint).is_displayed())

    find = browser.find_element(By.CSS_SELECTOR, "input[placeholder='find a class']")
    find.send_keys("class 53")
    WebDriverWait(browser, 10).until(lambda _: [each.text for each in buttons if each.is_displayed()] == ["class 53"])
    find.send_keys(Keys.BACKSPACE * 8)
    WebDriverWait(browser, 10).until(lambda _: all(each.is_displayed() for each in buttons))
    buttons[0].click()  # takes the focus out of the box
    buttons[0].click()

    # The page draws as kazu_distill/label_studio/colours.py says: ink over 30 % of the class's colour.
    (colour,) = [each for each, label in zip(colours_of(DEFINED.classes), DEFINED.labels, strict=True) if "$" in label]
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    span = browser.find_element(By.CSS_SELECTOR, ".htx-highlight")
    assert span.value_of_css_property("background-color") == f"rgba({red}, {green}, {blue}, 0.3)"
    assert span.value_of_css_property("color") == "rgba(38, 37, 34, 1)"

    # Nested, crossing and coinciding spans: the key of a class, then the mouse, as often as one likes.
    by_hand = [("1", 0, 5), ("2", 0, 5), ("1", 0, 12), ("2", 6, 19), ("6", 20, 26)]
    text = browser.find_element(By.CSS_SELECTOR, ".lsf-richtext__container")
    for number, (key, start, end) in enumerate(by_hand, start=2):
        mark(browser, text, key, start, end)
        WebDriverWait(browser, 10).until(lambda _, number=number: len(regions(browser)) == number)  # type: ignore[misc]
    browser.find_element(By.XPATH, "//button[contains(., 'Submit')]").click()
    WebDriverWait(browser, 30).until(lambda _: task_of(server, page)["annotations"])
    (annotation,) = task_of(server, page)["annotations"]
    found = [(each["value"]["labels"], each["value"]["start"], each["value"]["end"]) for each in annotation["result"]]
    classes = dict(zip(HOT_KEYS, DEFINED.labels, strict=False))
    wanted = [([CLASS_WITH_DOLLAR], 13, 26), *(([classes[key]], start, end) for key, start, end in by_hand)]
    assert sorted(found) == sorted(wanted)
    for region in annotation["result"]:
        assert region["value"]["text"] == TEXT[region["value"]["start"] : region["value"]["end"]]


def task_of(server: Server, pushed: Pushed) -> dict[str, Any]:
    """The project's only task, with its annotations."""
    client: Any = LabelStudio(base_url=server.url, api_key=server.token)  # type: ignore[no-untyped-call]
    (task,) = client.tasks.list(project=int(pushed.url.split("/")[-2]))
    return {"id": task.id, "annotations": task.annotations}


def mark(browser: webdriver.Chrome, text: WebElement, key: str, start: int, end: int) -> None:
    """Choose a class by its key and draw the mouse over characters; offsets below the first emoji."""
    left, top, _, bottom = browser.execute_script(_PLACE, text, start)
    _, last_top, right, last_bottom = browser.execute_script(_PLACE, text, end - 1)
    ActionChains(browser).send_keys(key).perform()
    drawing = ActionChains(browser)
    pointer: Any = drawing.w3c_actions.pointer_action
    pointer.move_to_location(int(left) + 1, int((top + bottom) / 2))
    pointer.pointer_down()
    pointer.move_to_location(int(right), int((last_top + last_bottom) / 2))
    pointer.pointer_up()
    drawing.perform()
    ActionChains(browser).send_keys(Keys.ESCAPE).perform()  # lets go of the new span


def regions(browser: webdriver.Chrome) -> set[str]:
    """The spans that the text shows, by what they are called in the page."""
    labels = "return [...document.querySelectorAll('.htx-highlight')].map(each => each.className)"
    return {name for names in browser.execute_script(labels) for name in names.split() if "highlight-" in name}


def quoted(words: str) -> str:
    """Words as XPath writes them; none of ours has a double quote."""
    return f'"{words}"'
