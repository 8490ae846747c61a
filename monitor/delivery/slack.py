"""Slack as a receiver: one parent message per incident, edited in place, its story in the thread."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.alerts import blocks as layout
from monitor.alerts.limits import problems
from monitor.delivery.receiver import Letter, Outcome, Thread
from monitor.delivery.slack_errors import is_about_content, outcome_of_answer, outcome_of_failure

if TYPE_CHECKING:
    from slack_sdk import WebClient

EVENT_TYPE = "model_monitor_notification"
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{6,}")
_QUIET: Mapping[str, Any] = {"parse": "none", "link_names": False}
_NO_PREVIEWS: Mapping[str, Any] = {"unfurl_links": False, "unfurl_media": False, "mrkdwn": True}
_PAGE_SIZE = 200


class AuthTest(NamedTuple):
    """Whether Slack knows the token, as a sentence."""

    ok: bool
    sentence: str


class _Said(NamedTuple):
    """A message in Slack's terms: blocks with the text that stands for them, and the whole of it as text."""

    text: str
    blocks: list[layout.Block]
    whole: str


class SlackReceiver:
    """Posts with a bot token to one channel, given by name (``#alerts``) or by id.

    It reads the channel's history to find messages whose answer was lost, by their metadata; Slack promises nothing
    for ``client_msg_id``, which is sent all the same.
    """

    pace = timedelta(seconds=1)

    def __init__(self, token: str, channel: str, *, api_url: str, timeout: timedelta) -> None:
        self.name = f"slack:{channel}"
        self._channel = channel
        self._channel_id = channel if _CHANNEL_ID.fullmatch(channel) else ""
        self._make_client: Callable[[], WebClient] = lambda: _client(token, api_url, timeout)
        self._client: WebClient | None = None

    def post_parent(self, letter: Letter) -> Outcome:
        """Post the parent to the channel."""
        body = {"channel": self._channel, **_identified(letter.identity), **_NO_PREVIEWS}
        return self._say("chat.postMessage", body, _as_parent(letter))

    def update_parent(self, thread: Thread, letter: Letter) -> Outcome:
        """Edit the parent in place; nobody is notified of that."""
        body = {"channel": thread.channel_id, "ts": thread.provider_id}
        return self._say("chat.update", body, _as_parent(letter))

    def post_reply(self, thread: Thread, letter: Letter) -> Outcome:
        """Reply in the thread; a raised severity is shown in the channel too."""
        where = {"channel": thread.channel_id, "thread_ts": thread.provider_id}
        body = {**where, **_identified(letter.identity), **_NO_PREVIEWS}
        if letter.message.reason == "severity_raised":
            body["reply_broadcast"] = True
        return self._say("chat.postMessage", body, _as_reply(letter))

    def post_notice(self, text: str, identity: str) -> Outcome:
        """Post escaped text that is about no incident."""
        body = {"channel": self._channel, **_identified(identity), **_NO_PREVIEWS, **_QUIET, "text": text}
        return self._call("chat.postMessage", body)

    def find(self, identity: str, thread: Thread | None, since: datetime) -> Outcome:
        """Look through all pages of the thread, or of the channel after *since*, for the message's metadata."""
        from slack_sdk.errors import SlackApiError

        try:
            channel_id = thread.channel_id if thread else self._resolve_channel()
            if not channel_id:
                return Outcome("refused", f"Slack lists no channel {self._channel} to this bot.")
            for found in self._messages(channel_id, thread, since):
                if _identity_of(found) == identity:
                    return Outcome("sent", channel_id=channel_id, provider_id=str(found["ts"]))
        except SlackApiError as error:
            return outcome_of_answer(error)
        except Exception as error:  # noqa: BLE001  # slack-sdk lets every error of urllib and http.client through
            return outcome_of_failure(error)
        return Outcome("absent")

    def _say(self, method: str, body: Mapping[str, Any], said: _Said) -> Outcome:
        """Send blocks with their fallback text; the whole as text where Slack does not, or would not, take blocks."""
        from slack_sdk.errors import SlackApiError

        plain = {**body, **_QUIET, "text": said.whole}
        if method == "chat.update":
            plain["blocks"] = []  # or the blocks of before would stay
        if problems(said.text, said.blocks):
            return self._call(method, plain)
        try:
            return self._sent(self._api(method, {**body, **_QUIET, "text": said.text, "blocks": said.blocks}))
        except SlackApiError as error:
            return self._call(method, plain) if is_about_content(error) else outcome_of_answer(error)
        except Exception as error:  # noqa: BLE001  # slack-sdk lets every error of urllib and http.client through
            return outcome_of_failure(error)

    def _call(self, method: str, body: Mapping[str, Any]) -> Outcome:
        from slack_sdk.errors import SlackApiError

        try:
            return self._sent(self._api(method, body))
        except SlackApiError as error:
            return outcome_of_answer(error)
        except Exception as error:  # noqa: BLE001  # slack-sdk lets every error of urllib and http.client through
            return outcome_of_failure(error)

    def _sent(self, answer: Mapping[str, Any]) -> Outcome:
        stamp, channel_id = answer.get("ts"), answer.get("channel")
        if not isinstance(stamp, str) or not isinstance(channel_id, str) or not stamp or not channel_id:
            return Outcome("ambiguous", "Slack answered ok, but did not say where the message is.")
        self._channel_id = channel_id
        return Outcome("sent", channel_id=channel_id, provider_id=stamp)

    def _messages(self, channel_id: str, thread: Thread | None, since: datetime) -> Iterator[Mapping[str, Any]]:
        where: dict[str, Any] = {"channel": channel_id, "include_all_metadata": True, "limit": _PAGE_SIZE}
        if thread is None:
            yield from self._pages("conversations.history", {**where, "oldest": f"{since.timestamp():.6f}"}, "messages")
        else:
            yield from self._pages("conversations.replies", {**where, "ts": thread.provider_id}, "messages")

    def _resolve_channel(self) -> str:
        """The id of the channel; history is read by id only."""
        if self._channel_id:
            return self._channel_id
        wanted = self._channel.removeprefix("#")
        kinds = {"types": "public_channel,private_channel", "limit": _PAGE_SIZE}
        for channel in self._pages("conversations.list", kinds, "channels"):
            if channel.get("name") == wanted:
                self._channel_id = str(channel["id"])
                break
        return self._channel_id

    def _pages(self, method: str, query: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
        cursor = ""
        while True:
            answer = self._api(method, {**query, "cursor": cursor} if cursor else query, read=True)
            yield from answer[key]
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def _api(self, method: str, body: Mapping[str, Any], *, read: bool = False) -> Mapping[str, Any]:
        if self._client is None:
            self._client = self._make_client()
        if read:
            answer = self._client.api_call(method, http_verb="GET", params=dict(body))
        else:
            answer = self._client.api_call(method, json=dict(body))
        if not isinstance(answer.data, dict):
            raise TypeError(f"{method} answered with something that is not a JSON object.")
        return answer.data


def auth_test(token: str, *, api_url: str, timeout: timedelta = timedelta(seconds=10)) -> AuthTest:
    """Ask Slack who the token belongs to."""
    from slack_sdk.errors import SlackApiError

    try:
        answer = _client(token, api_url, timeout).auth_test()
    except SlackApiError as error:
        return AuthTest(ok=False, sentence=outcome_of_answer(error).error)
    except Exception as error:  # noqa: BLE001  # slack-sdk lets every error of urllib and http.client through
        return AuthTest(ok=False, sentence=outcome_of_failure(error).error)
    return AuthTest(
        ok=True, sentence=f"Slack knows the bot '{answer.get('user')}' of workspace '{answer.get('team')}'."
    )


def _client(token: str, api_url: str, timeout: timedelta) -> WebClient:
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


def _as_parent(letter: Letter) -> _Said:
    message, note = letter.message, letter.note
    return _Said(
        layout.fallback_text(message), layout.parent_blocks(message, note=note), layout.plain_text(message, note=note)
    )


def _as_reply(letter: Letter) -> _Said:
    message, note = letter.message, letter.note
    whole = layout.plain_text(message, reply=True, note=note)
    return _Said(layout.fallback_text(message, reply=True), layout.reply_blocks(message, note=note), whole)


def _identified(identity: str) -> dict[str, Any]:
    return {
        "client_msg_id": identity,
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"notification": identity}},
    }


def _identity_of(found: Mapping[str, Any]) -> str | None:
    metadata = found.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    identity = (metadata.get("event_payload") or {}).get("notification")
    return identity if isinstance(identity, str) else None
