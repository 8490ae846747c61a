"""The client of Slack's Web API, and whether Slack knows its token."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.delivery.slack_errors import outcome_of_answer, outcome_of_failure

if TYPE_CHECKING:
    from slack_sdk import WebClient


class AuthTest(NamedTuple):
    """Whether Slack knows the token, as a sentence."""

    ok: bool
    sentence: str


def auth_test(token: str, *, api_url: str, timeout: timedelta = timedelta(seconds=10)) -> AuthTest:
    """Ask Slack who the token belongs to."""
    from slack_sdk.errors import SlackApiError

    try:
        answer = slack_client(token, api_url, timeout).auth_test()
    except SlackApiError as error:
        return AuthTest(ok=False, sentence=outcome_of_answer(error).error)
    except Exception as error:  # noqa: BLE001  # slack-sdk lets every error of urllib and http.client through
        return AuthTest(ok=False, sentence=outcome_of_failure(error).error)
    return AuthTest(
        ok=True, sentence=f"Slack knows the bot '{answer.get('user')}' of workspace '{answer.get('team')}'."
    )


def slack_client(token: str, api_url: str, timeout: timedelta) -> WebClient:
    """A client that tries once and says nothing by itself."""
    from slack_sdk import WebClient

    quiet = logging.getLogger("monitor.delivery.slack_sdk")
    quiet.setLevel(logging.CRITICAL)  # it would report each failure a second time, and whole messages at DEBUG
    base_url = api_url if api_url.endswith("/") else f"{api_url}/"
    # The default handler silently posts a second time when the answer to the first is lost.
    return WebClient(
        token=token,
        base_url=base_url,
        timeout=timeout.total_seconds(),  # type: ignore[arg-type]  # urllib takes fractions of a second
        retry_handlers=[],
        logger=quiet,
    )
