"""Socket Mode: Slack's buttons over a connection that we open, so that nobody has to let Slack in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from monitor.alerts.escape import mrkdwn
from monitor.clock import monotonic
from monitor.delivery.slack_client import slack_client

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.socket_mode.builtin import SocketModeClient
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

log = structlog.get_logger(__name__)

SILENT = 60.0
"""Seconds without a sign of life after which the connection is made anew: one that stalls does not say so."""


class Socket:
    """The connection. *take* is given the payload of each interaction, after Slack was told that it arrived."""

    def __init__(
        self,
        app_token: str,
        token: str,
        *,
        api_url: str,
        timeout: timedelta,
        take: Callable[[Mapping[str, Any]], None],
        silent: float = SILENT,
    ) -> None:
        self._app_token = app_token
        self._make_web: Callable[[], WebClient] = lambda: slack_client(token, api_url, timeout)
        self._take = take
        self._client: SocketModeClient | None = None
        self._silent = silent
        self._sign: float | None = None
        self._alive_at = 0.0

    def watch(self) -> None:
        """Connect, and connect anew where the connection is gone or silent; call it every few seconds."""
        from slack_sdk.errors import SlackApiError

        try:
            if self._client is None:
                self._client = self._made()
                self._client.connect()
            elif not self._client.is_connected() or self._silent_for(self._client) > self._silent:
                log.warning("socket_silent", message="Slack's connection for buttons is silent; it is made anew.")
                self._alive_at = monotonic()
                self._client.connect_to_new_endpoint(force=True)
        except SlackApiError as error:
            name = error.response.get("error")
            log.warning("socket_refused", message=f"Slack refused the connection for buttons: {name}. {_WAY_OUT}")
        except Exception as error:  # noqa: BLE001  # slack-sdk lets every error of urllib and sockets through
            log.warning("socket_failed", message=f"The connection for Slack's buttons failed: {error}")

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()

    def _made(self) -> SocketModeClient:
        """Once: it starts threads of its own, connected or not."""
        from slack_sdk.socket_mode.builtin import SocketModeClient

        quiet = logging.getLogger("monitor.delivery.slack_socket")
        quiet.setLevel(logging.CRITICAL)  # it would report each failure a second time
        web = self._make_web()
        client = SocketModeClient(self._app_token, quiet, web, concurrency=2)
        client.socket_mode_request_listeners.append(self._listen)
        self._alive_at = monotonic()
        return client

    def _silent_for(self, client: SocketModeClient) -> float:
        """Seconds since the connection last answered a ping, which is asked every five."""
        session = client.current_session
        sign = None if session is None else session.last_ping_pong_time
        if sign != self._sign:
            self._sign, self._alive_at = sign, monotonic()
        return monotonic() - self._alive_at

    def _listen(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        from slack_sdk.socket_mode.response import SocketModeResponse

        client.send_socket_mode_response(SocketModeResponse(request.envelope_id))  # Slack waits three seconds
        if request.type != "interactive":
            return
        try:
            self._take(request.payload)
        except Exception as error:
            log.exception("button_failed", message=f"A button of Slack was not done: {error}")


_WAY_OUT = "Give a valid app-level token with the scope connections:write in slack.app_token."


def answer(response_url: str, sentence: str) -> None:
    """Tell whoever pressed a button what came of it, and nobody else. It is kept anyway: failing costs nothing more."""
    from slack_sdk.webhook import WebhookClient

    if not response_url:
        return
    try:
        sent = WebhookClient(response_url, timeout=5).send(
            text=mrkdwn_lines(sentence), response_type="ephemeral", replace_original=False
        )
    except Exception as error:  # noqa: BLE001  # slack-sdk lets every error of urllib and http.client through
        log.warning("answer_failed", message=f"Slack did not take the answer to a button: {error}")
        return
    if sent.status_code != 200:
        log.warning("answer_failed", message=f"Slack did not take the answer to a button: HTTP {sent.status_code}.")


def mrkdwn_lines(text: str) -> str:
    """Outside text of several lines, each made harmless."""
    return "\n".join(mrkdwn(line, 300) for line in text.splitlines()[:12])
