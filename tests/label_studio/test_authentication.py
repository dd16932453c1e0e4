"""Both kinds of tokens, certificates of one's own, addresses with a path; and the token is written nowhere."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from label_studio_sdk import LabelStudio

from kazu_distill.documents import Document, Section, Span
from kazu_distill.label_studio.connection import call, connected
from kazu_distill.label_studio.errors import LabelStudioError
from tests.label_studio.examples import project_on
from tests.label_studio.proxy import proxied
from tests.label_studio.server import Server

DOCUMENTS = [Document("PMID:1", (Section("title", "BRCA1", (Span(0, 5, "gene"),)),))]
VARIABLE = "TEST_LABEL_STUDIO_TOKEN"


@pytest.fixture
def personal(server: Server) -> Iterator[str]:
    """A personal access token, of which a user can have one at a time."""
    client: Any = LabelStudio(base_url=server.url, api_key=server.token)  # type: ignore[no-untyped-call]
    token = str(client.tokens.create().token)
    yield token
    client.tokens.blacklist(refresh=token)


@contextmanager
def without_legacy_tokens(server: Server, personal: str) -> Iterator[None]:
    """The server takes personal access tokens alone."""
    client: Any = LabelStudio(base_url=server.url, api_key=personal)  # type: ignore[no-untyped-call]
    path, settings = "api/jwt/settings", {"api_tokens_enabled": True, "legacy_api_tokens_enabled": False}
    call(client, "POST", path, body=settings)
    try:
        yield
    finally:
        call(client, "POST", path, body={**settings, "legacy_api_tokens_enabled": True})


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that its own key has signed, and another that has nothing to do with it."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("own", "other"):
        command = [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem",
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.mark.label_studio
@pytest.mark.parametrize("legacy", [True, False], ids=["legacy tokens too", "personal access tokens alone"])
def test_a_token_that_the_server_takes_is_known_for_what_it_is(
    server: Server, personal: str, legacy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if legacy:
        for token in (server.token, personal):
            monkeypatch.setenv(VARIABLE, f" {token}\n")
            assert project_on(server.url, "tokens").push(DOCUMENTS, model_version="gold").predictions == 1
        return
    with without_legacy_tokens(server, personal):
        monkeypatch.setenv(VARIABLE, personal)
        assert project_on(server.url, "tokens").push(DOCUMENTS, model_version="gold").predictions == 1
        monkeypatch.setenv(VARIABLE, server.token)
        with pytest.raises(LabelStudioError, match="a personal access token from Label Studio's Account") as caught:
            project_on(server.url, "tokens").push(DOCUMENTS, model_version="gold")
    assert f"{VARIABLE} was not accepted" in str(caught.value)


@pytest.mark.label_studio
def test_no_token_is_logged_or_in_an_error_or_a_file(
    server: Server,
    personal: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "label_studio_sdk"):
        caplog.set_level(logging.DEBUG, logger=name)
    tokens, errors = [server.token, personal, "e" * 40, personal[:-4] + "AAAA"], []
    for token in tokens:
        monkeypatch.setenv(VARIABLE, token)
        try:
            project_on(server.url, "quiet").push(DOCUMENTS, model_version="gold")
        except LabelStudioError as error:
            errors.append(f"{error!r} {error.__cause__!r}")
    assert len(errors) == 2
    written = [*errors, *(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)]
    assert any("httpcore" in text for text in written)
    for token in tokens:
        assert not any(token in text for text in written)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.label_studio
@pytest.mark.parametrize("path", ["", "/label-studio", "/a/b"])
def test_an_address_with_a_path_and_a_certificate_of_ones_own(
    server: Server, personal: str, certificates: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, key = certificates / "own.pem", certificates / "own.key"
    with proxied(server.url, path=path, certificate=own, key=key) as proxy:
        for token in (server.token, personal):
            monkeypatch.setenv(VARIABLE, token)
            pushed = project_on(f"{proxy.url}/", "behind a proxy", ca=str(own)).push(DOCUMENTS, model_version="gold")
            assert pushed.url.startswith(f"{proxy.url}/projects/")
            assert pushed.predictions == 1


@pytest.mark.label_studio
@pytest.mark.parametrize("ca", [None, "other.pem"])
def test_a_certificate_that_is_not_trusted_says_what_to_set(
    server: Server, certificates: Path, ca: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, server.token)
    with proxied(server.url, certificate=certificates / "own.pem", key=certificates / "own.key") as proxy:
        with pytest.raises(LabelStudioError, match=r"certificate is not trusted.*label_studio\.ca") as caught:
            project_on(proxy.url, "untrusted", ca=str(certificates / ca) if ca else None).push([], model_version="gold")
        assert proxy.asked == []
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_without_certificates_is_named(
    tmp_path: Path, content: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "0" * 40)
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    with (
        pytest.raises(LabelStudioError, match=r"label_studio\.ca: .*ca\.pem holds no certificates"),
        connected(url="https://127.0.0.1:1", api_key_env=VARIABLE, timeout=1, ca=file),
    ):
        pass
