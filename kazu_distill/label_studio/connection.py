"""A connection to a Label Studio server: the SDK's client, with time limits and without its retries."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from label_studio_sdk import LabelStudio

from kazu_distill.label_studio.errors import LabelStudioError, normalised_errors

_LONGEST_CONNECT = 3.0  # seconds: a dead server must not hold a training run


@contextmanager
def connected(*, url: str, api_key_env: str, timeout: float) -> Iterator[LabelStudio]:
    """A client that is closed at the end; whatever the network or the server do wrong inside is a ``LabelStudioError``.

    Args:
        url: the server's address.
        api_key_env: the environment variable that holds the token.
        timeout: how long an answer may take, in seconds.

    Raises:
        LabelStudioError: the variable is not set, nothing or something else answers there, or a later request failed.
    """
    api_key = os.environ.get(api_key_env, "").strip()
    if not api_key:
        raise LabelStudioError(
            f"{api_key_env} is not set: set it to the token of {url} (scripts/label_studio.sh says where it is), "
            "or go without Label Studio (label_studio=off)"
        )
    limits = httpx.Timeout(timeout, connect=min(_LONGEST_CONNECT, timeout))
    # A redirected POST would come out as a GET, so redirects are not followed.
    with normalised_errors(url, api_key_env), httpx.Client(timeout=limits, follow_redirects=False) as http:
        _check_is_label_studio(http, url)
        # The SDK repeats a POST after a server error, which would import the same things twice.
        yield LabelStudio(base_url=url, api_key=api_key, httpx_client=http, max_retries=0)  # type: ignore[no-untyped-call]


def _check_is_label_studio(http: httpx.Client, url: str) -> None:
    """Ask for the version: the SDK does not check answers, and fails in odd ways on those of another program."""
    answer = http.get(f"{url}/api/version")
    if answer.status_code >= 500:
        raise LabelStudioError(
            f"{url}: the server answered {answer.status_code}; see its log, or go without it (label_studio=off)"
        )
    if not (answer.is_success and "label-studio-os-package" in answer.text):
        raise LabelStudioError(
            f"{url}: what answers there ({answer.status_code}) is not a Label Studio; set label_studio.url, "
            "or go without it (label_studio=off)"
        )
