"""What tests of several folders share: one Label Studio server for all that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.label_studio.server import Server, install_or_skip, running_label_studio


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with an empty database."""
    install_or_skip()
    with running_label_studio(tmp_path_factory.mktemp("label_studio")) as running:
        yield running
