"""What tests of several folders share: one Label Studio server for all that need one, a
browser, and tiny LLMs that have learnt their documents."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver

from tests.label_studio.server import Server, install_or_skip, running_label_studio
from tests.tuning.learning import Learnt, learnt_by_heart


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with an empty database."""
    install_or_skip()
    with running_label_studio(tmp_path_factory.mktemp("label_studio")) as running:
        yield running


@pytest.fixture(scope="session")
def learnt_llama(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    """A tiny causal model that knows 30 documents by heart."""
    return learnt_by_heart(tmp_path_factory.mktemp("llama"), "llama")


@pytest.fixture(scope="session")
def learnt_t5(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    """The same from sequence to sequence."""
    return learnt_by_heart(tmp_path_factory.mktemp("t5"), "t5")


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    """A headless Chromium that keeps what pages write on its console."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("no Chromium here: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1600,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield running
    running.quit()
