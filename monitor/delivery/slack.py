"""Slack as a receiver: one parent message per incident, edited in place, its story in the thread."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.alerts import blocks as layout
from monitor.alerts.blocks import Frame
from monitor.alerts.buttons import button_values, signing_key
from monitor.alerts.escape import plain
from monitor.alerts.limits import problems
from monitor.clock import wall_now
from monitor.delivery.receiver import Letter, Outcome, Thread
from monitor.delivery.slack_client import slack_client
from monitor.delivery.slack_errors import is_about_content, outcome_of_answer, outcome_of_failure
from monitor.delivery.uploads import Picture

if TYPE_CHECKING:
    from slack_sdk import WebClient

EVENT_TYPE = "model_monitor_notification"
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{6,}")
_QUIET: Mapping[str, Any] = {"parse": "none", "link_names": False}
_NO_PREVIEWS: Mapping[str, Any] = {"unfurl_links": False, "unfurl_media": False, "mrkdwn": True}
_PAGE_SIZE = 200
NOBODY: Mapping[str, str] = {}


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

    def __init__(
        self,
        token: str,
        channel: str,
        *,
        api_url: str,
        timeout: timedelta,
        mentions: Mapping[str, str] = NOBODY,
        web_url: str = "",
        buttons: bool = False,
    ) -> None:
        """*mentions* are Slack's ids by owner, *web_url* is where people reach the pages of incidents."""
        self.name = f"slack:{channel}"
        self._channel = channel
        self._mentions = mentions
        self._web_url = web_url.rstrip("/")
        self._key = signing_key(token) if buttons else None
        self._channel_id = channel if _CHANNEL_ID.fullmatch(channel) else ""
        self._make_client: Callable[[], WebClient] = lambda: slack_client(token, api_url, timeout)
        self._client: WebClient | None = None

    def post_parent(self, letter: Letter) -> Outcome:
        """Post the parent to the channel, which calls the owner."""
        body = {"channel": self._channel, **_identified(letter.identity), **_NO_PREVIEWS}
        frame = self._frame(letter, calls=letter.message.state != "resolved")
        return self._say("chat.postMessage", body, _as_parent(letter, frame))

    def update_parent(self, thread: Thread, letter: Letter) -> Outcome:
        """Edit the parent in place; nobody is notified of that."""
        body = {"channel": thread.channel_id, "ts": thread.provider_id}
        return self._say("chat.update", body, _as_parent(letter, self._frame(letter, calls=False)))

    def post_reply(self, thread: Thread, letter: Letter) -> Outcome:
        """Reply in the thread; what is more urgent than before is shown in the channel too."""
        where = {"channel": thread.channel_id, "thread_ts": thread.provider_id}
        body = {**where, **_identified(letter.identity), **_NO_PREVIEWS}
        if letter.message.reason in ("severity_raised", "escalated", "reopened"):
            body["reply_broadcast"] = True
        frame = Frame(letter.note, calls=letter.message.reason in ("escalated", "reopened"), mentions=self._mentions)
        return self._say("chat.postMessage", body, _as_reply(letter, frame))

    def show(self, thread: Thread, picture: Picture) -> Outcome:
        """Upload a picture into the thread; nobody is called by it."""
        from slack_sdk.errors import SlackApiError

        try:
            self._connected().files_upload_v2(
                channel=thread.channel_id,
                thread_ts=thread.provider_id,
                filename=picture.name,
                content=picture.content,
                title=plain(picture.title, 250),
                alt_txt=plain(picture.alt_text, 1000),
            )
        except SlackApiError as error:
            return outcome_of_answer(error)
        except Exception as error:  # noqa: BLE001  # slack-sdk lets every error of urllib and http.client through
            return outcome_of_failure(error)
        return Outcome("sent", channel_id=thread.channel_id, provider_id=thread.provider_id)

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

    def _frame(self, letter: Letter, *, calls: bool) -> Frame:
        incident = letter.incident_id
        return Frame(
            note=letter.note,
            calls=calls,
            mentions=self._mentions,
            page=f"{self._web_url}/incidents/{incident}" if self._web_url and incident is not None else "",
            buttons=button_values(self._key, incident, wall_now()) if self._key and incident is not None else {},
        )

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

    def _connected(self) -> WebClient:
        if self._client is None:
            self._client = self._make_client()
        return self._client

    def _api(self, method: str, body: Mapping[str, Any], *, read: bool = False) -> Mapping[str, Any]:
        client = self._connected()
        answer = (
            client.api_call(method, http_verb="GET", params=dict(body))
            if read
            else client.api_call(method, json=dict(body))
        )
        if not isinstance(answer.data, dict):
            raise TypeError(f"{method} answered with something that is not a JSON object.")
        return answer.data


def _as_parent(letter: Letter, frame: Frame) -> _Said:
    message = letter.message
    whole = layout.plain_text(message, frame)
    return _Said(layout.fallback_text(message), layout.parent_blocks(message, frame), whole)


def _as_reply(letter: Letter, frame: Frame) -> _Said:
    message = letter.message
    whole = layout.plain_text(message, frame, reply=True)
    return _Said(layout.fallback_text(message, reply=True), layout.reply_blocks(message, frame), whole)


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
