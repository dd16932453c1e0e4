"""A reviewer sees in a real browser what was pushed."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from kazu_distill.documents import Document, Section
from tests.label_studio.examples import marked, project_on
from tests.label_studio.server import Server

pytestmark = pytest.mark.label_studio

TEXT = "🧬 BRCA1-mutant breast cancer\r\nin  e\u0301tudes: <b>olaparib</b> &amp; PARP1."
GOLD = marked(
    TEXT,
    ("BRCA1", "gene", 1.0),
    ("BRCA1-mutant breast cancer", "disease", 1.0),
    ("olaparib", "class 53", 1.0),
    ("PARP1", "gene", 1.0),
)
PREDICTED = marked(TEXT, ("BRCA1", "gene", 0.75), ("BRCA1", "disease", 0.5), ("e\u0301tudes", "class 3", 0.25))


def test_a_reviewer_sees_gold_and_predictions_in_their_places(
    server: Server, browser: webdriver.Chrome, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEST_LABEL_STUDIO_TOKEN", server.token)
    document = Document("PMID:1", (Section("abstract", TEXT),))
    project = project_on(server.url, "seen in a browser")
    project.push([document.with_spans([GOLD])], model_version="gold")
    pushed = project.push([document.with_spans([PREDICTED])], model_version="step 120")

    browser.implicitly_wait(30)
    log_in(browser, server)
    browser.get(pushed.url)
    browser.find_element(By.XPATH, "//*[contains(text(), 'PMID:1')]").click()
    for version, spans in (("gold", GOLD), ("step 120", PREDICTED)):
        tab(browser, version).click()
        wanted = sorted((span.label, TEXT[span.start : span.end]) for span in spans)
        WebDriverWait(browser, 30).until(lambda _, wanted=wanted: highlighted(browser) == wanted)  # type: ignore[misc]
        browser.save_screenshot(str(tmp_path / f"{version}.png"))
    assert browser.find_element(By.XPATH, "//*[text()='abstract']").is_displayed()


def log_in(browser: webdriver.Chrome, server: Server) -> None:
    browser.get(f"{server.url}/user/login/")
    browser.find_element(By.NAME, "email").send_keys(server.username)
    browser.find_element(By.NAME, "password").send_keys(server.password)
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    WebDriverWait(browser, 30).until(lambda _: "login" not in browser.current_url)


def tab(browser: webdriver.Chrome, model_version: str) -> WebElement:
    """The tab of a model version, above the task."""
    return browser.find_element(
        By.XPATH, f"//*[contains(@class, 'lsf-annotation-button')][.//*[text()='{model_version}']]"
    )


def highlighted(browser: webdriver.Chrome) -> list[tuple[str, str]]:
    """Class and text of every region that the text shows; a region that others cut is put together again."""
    parts: dict[str, str] = {}
    script = "return [...document.querySelectorAll('.htx-highlight')].map(e => [e.dataset.label, e.textContent])"
    for label, text in browser.execute_script(script):
        parts[label] = parts.get(label, "") + text
    return sorted((label.partition(":")[2], text) for label, text in parts.items())
