"""A connection to a Label Studio server: the SDK's client, with time limits and without its retries."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from label_studio_sdk import LabelStudio
from label_studio_sdk.core.api_error import ApiError

from kazu_distill.label_studio.errors import LabelStudioError, Unacceptable, normalised_errors

_LONGEST_CONNECT = 3.0  # seconds: a dead server must not hold a training run


@contextmanager
def connected(*, url: str, api_key_env: str, timeout: float, ca: Path | None = None) -> Iterator[LabelStudio]:
    """A client that is closed at the end; whatever the network or the server do wrong inside is a ``LabelStudioError``.

    The token is a personal access token, which the SDK exchanges for short-lived ones, or a legacy token, which not
    every server takes; which one it is, the SDK sees by itself.

    Args:
        url: the server's address, with a path where it has one (``https://host/label-studio``).
        api_key_env: the environment variable that holds the token.
        timeout: how long an answer may take, in seconds.
        ca: a file of certificates (PEM) to trust instead of the system's, for a server with one of its own making.

    Raises:
        LabelStudioError: the variable is not set, the certificates cannot be read, nothing or something else answers
            there, or a later request failed.
    """
    url = url.rstrip("/")
    api_key = os.environ.get(api_key_env, "").strip()
    if not api_key:
        raise LabelStudioError(
            f"{api_key_env} is not set: set it to the token of {url} (scripts/label_studio.sh says where it is), "
            "or go without Label Studio (label_studio=off)"
        )
    limits = httpx.Timeout(timeout, connect=min(_LONGEST_CONNECT, timeout))
    trusted = _trusted(ca)
    # A redirected POST would come out as a GET, so redirects are not followed.
    with (
        normalised_errors(url, api_key_env),
        httpx.Client(timeout=limits, follow_redirects=False, verify=trusted) as http,
    ):
        _check_is_label_studio(http, url)
        # The SDK repeats a POST after a server error, which would import the same things twice. Without the slash at
        # the end it asks for short-lived tokens beside the address's path, not below it.
        yield LabelStudio(base_url=f"{url}/", api_key=api_key, httpx_client=http, max_retries=0)  # type: ignore[no-untyped-call]


def call(
    client: LabelStudio,
    method: str,
    path: str,
    *,
    body: Any = None,
    params: Mapping[str, str | int] | None = None,
    timeout: float | None = None,
) -> Any:
    """What a path of the API answers, as plain values; for what the SDK has no method for, or only a slow one.

    It goes through the SDK's own (private) HTTP client, which holds the token.

    Raises:
        ApiError: the server refused or failed; ``normalised_errors`` explains it.
        Unacceptable: ``body`` cannot be written as JSON.
    """
    options: dict[str, Any] = {} if timeout is None else {"request_options": {"timeout_in_seconds": timeout}}
    if body is not None:
        try:
            options["content"] = orjson.dumps(body)
        except TypeError as error:  # a lone surrogate, mostly
            raise Unacceptable(f"a text cannot be sent to Label Studio: {error}; mend the document") from error
        options["headers"] = {"Content-Type": "application/json"}
    answer = client._client_wrapper.httpx_client.request(path, method=method, params=dict(params or {}), **options)
    if not answer.is_success:
        raise ApiError(status_code=answer.status_code, body=answer.text)
    return orjson.loads(answer.content) if answer.content else None


def _trusted(ca: Path | None) -> ssl.SSLContext | bool:
    if ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise LabelStudioError(
            f"label_studio.ca: {ca} holds no certificates in PEM format ({error}); name the file of the authority that "
            "signed the server's certificate"
        ) from error


def _check_is_label_studio(http: httpx.Client, url: str) -> None:
    """Ask for the version: the SDK does not check answers, and fails in odd ways on those of another program."""
    answer = http.get(f"{url}/api/version")
    if answer.status_code >= 500:
        raise LabelStudioError(
            f"{url}: the server answered {answer.status_code}; see its log, or go without it (label_studio=off)"
        )
    if answer.is_redirect:
        elsewhere = str(answer.next_request.url) if answer.next_request else answer.headers.get("Location", "")
        base = elsewhere.partition("/api/version")[0] if "/api/version" in elsewhere else elsewhere
        raise LabelStudioError(
            f"{url}: what answers there is not a Label Studio but a redirect to {base}; set label_studio.url to the "
            f"address that answers itself{_scheme_hint(url, elsewhere)}, or go without it (label_studio=off)"
        )
    if not (answer.is_success and "label-studio-os-package" in answer.text):
        raise LabelStudioError(
            f"{url}: what answers there ({answer.status_code}) is not a Label Studio; set label_studio.url, "
            "or go without it (label_studio=off)"
        )


def _scheme_hint(url: str, elsewhere: str) -> str:
    changed = urlsplit(url).scheme == "http" and urlsplit(elsewhere).scheme == "https"
    return " (here https:// instead of http://)" if changed else ""
