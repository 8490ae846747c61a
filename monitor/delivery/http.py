"""Asking an HTTP address that is not Slack, and what its answers mean. No sentence holds the address: it is secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import httpx

from monitor.delivery.receiver import Outcome
from monitor.delivery.retry import retry_after

_THIS_MESSAGE = (400, 409, 413, 415, 422)
_PERHAPS_TAKEN = (408, 425)


class Address:
    """An address with one client for all requests to it; redirects are not followed, for nobody named that place."""

    def __init__(self, url: str, timeout: timedelta) -> None:
        self._url = url
        self._client = httpx.Client(timeout=timeout.total_seconds(), follow_redirects=False)

    def post(self, content: bytes, headers: Mapping[str, str]) -> Outcome:
        """Post JSON; of the answer only status and headers are read."""
        return self._ask("POST", content=content, headers={"content-type": "application/json", **headers})

    def get(self) -> Outcome:
        """Ask for the address itself."""
        return self._ask("GET")

    def _ask(self, method: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None) -> Outcome:
        try:
            with self._client.stream(method, self._url, content=content, headers=headers) as answer:
                return outcome_of_status(answer.status_code, answer.headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Outcome("not_sent", f"Nobody could be reached there: {error or type(error).__name__}.")
        except httpx.HTTPError as error:
            return Outcome("ambiguous", f"There was no whole answer ({type(error).__name__}).")


def outcome_of_status(status: int, headers: Mapping[str, str]) -> Outcome:
    """What the status means for what was posted."""
    told = f"The answer was HTTP {status}."
    if 200 <= status < 300:
        return Outcome("sent")
    asked = headers.get("retry-after")
    if status == 429 or (status == 503 and asked is not None):
        return Outcome("limited", told, retry_after=retry_after(asked, headers.get("date")))
    if status >= 500 or status in _PERHAPS_TAKEN:
        return Outcome("ambiguous", told)
    if status in _THIS_MESSAGE:
        return Outcome("rejected", f"{told} What is posted is described in docs/alerts.md; see why it is not taken.")
    if 300 <= status < 400:
        return Outcome("refused", f"{told} Redirects are not followed; write the final address in config.toml.")
    return Outcome("refused", f"{told} Correct the address in config.toml, or what it lets in.")
