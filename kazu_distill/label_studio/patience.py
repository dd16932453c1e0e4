"""What to do when a request was sent and no answer came: look what it did before it is sent again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from label_studio_sdk.core.api_error import ApiError

_GATEWAY_TIMEOUT = 504
_FIRST_PAUSE = 0.25  # seconds; doubled each time
_LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request whose answer was lost is waited for, in seconds, before it is sent again."""

    seconds: float

    def settle(self, send: Callable[[], Any], *, arrived: Callable[[], bool]) -> Any:
        """The answer of ``send``, or None where it was lost, and the server is to be asked what there is.

        A server that is slow to answer may well be at work, so ``arrived`` is asked for a while whether the request
        was carried out. Only then is it sent again, once; what came twice after all is for the caller to remove.
        """
        try:
            return send()
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise  # never sent
        except (httpx.TimeoutException, httpx.ReadError, httpx.RemoteProtocolError):
            pass
        except ApiError as error:
            if error.status_code != _GATEWAY_TIMEOUT:
                raise
        if not self._seen(arrived):
            send()
        return None

    def _seen(self, arrived: Callable[[], bool]) -> bool:
        end, pause = time.monotonic() + self.seconds, _FIRST_PAUSE
        while not arrived():
            if time.monotonic() + pause > end:
                return False
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True
