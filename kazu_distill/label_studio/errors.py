"""What goes wrong between us and a Label Studio server, as one kind of error that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from label_studio_sdk.core.api_error import ApiError
from label_studio_sdk.core.parse_error import ParsingError

from kazu_distill.errors import KazuDistillError
from kazu_distill.excerpts import beginning

_LONGEST_DETAIL = 300


class LabelStudioError(KazuDistillError):
    """Label Studio cannot be reached, refuses us, or kept less than it was sent."""


class Unacceptable(LabelStudioError):
    """Label Studio does not take or keep what it was to show; something else it may well take."""


@contextmanager
def normalised_errors(url: str, api_key_env: str) -> Iterator[None]:
    """Turn whatever the SDK and the network raise into a ``LabelStudioError`` of one line.

    ``ValueError`` is among them for what cannot be sent or read at all: a token that is not ASCII, a text with a lone
    surrogate, an answer that is not JSON.
    """
    try:
        yield
    except httpx.TimeoutException as error:
        raise LabelStudioError(
            f"{url}: no answer in time ({type(error).__name__}); see whether the server is well, raise "
            "label_studio.timeout, or go without it (label_studio=off)"
        ) from error
    except httpx.ConnectError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise LabelStudioError(
                f"{url}: its certificate is not trusted ({_one_line(error)}); set label_studio.ca to a file with the "
                "certificate of the authority that signed it"
            ) from error
        raise LabelStudioError(
            f"{url}: nothing answers there ({_one_line(error)}); start Label Studio (bash scripts/label_studio.sh), "
            "set label_studio.url, or go without it (label_studio=off)"
        ) from error
    except ApiError as error:
        raise LabelStudioError(f"{url}: {_explanation(error, api_key_env)}") from error
    except (httpx.HTTPError, httpx.InvalidURL, ParsingError, ValueError) as error:
        raise LabelStudioError(
            f"{url}: the request failed ({type(error).__name__}: {_one_line(error)}); see whether label_studio.url is "
            f"the address of a Label Studio and {api_key_env} its token"
        ) from error


def _explanation(error: ApiError, api_key_env: str) -> str:
    detail = _one_line(error.body)
    if error.status_code in (401, 403):
        return (
            f"the token in {api_key_env} was not accepted ({error.status_code}: {detail}); set {api_key_env} to the "
            "token that scripts/label_studio.sh names, or to a personal access token from Label Studio's Account & "
            "Settings, which servers take that take no legacy token"
        )
    if error.status_code == 404:
        return (
            f"the server knows nothing of what was asked for (404: {detail}); if the project was deleted meanwhile, "
            "push again: it is made anew"
        )
    return f"the server answered {error.status_code}: {detail}; see its log, or go without it (label_studio=off)"


def _one_line(value: object) -> str:
    return beginning(" ".join(str(value).split()), _LONGEST_DETAIL)
