"""The key that every client of these tests is given."""

from __future__ import annotations

import pytest

from tests.llm.asking import KEY, KEY_ENV


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_ENV, KEY)
