"""An HTTP address as a receiver: each message as JSON, signed as Standard Webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from monitor.alerts.message import Message
from monitor.delivery.http import Address
from monitor.delivery.receiver import Letter, Outcome, Thread

_PREFIX = "whsec_"


class WebhookReceiver:
    """Posts every message whole, the first of an incident like each later one; a retry has the same id.

    There is nothing to be edited and nothing to be looked up: who is posted to tells repeats apart by ``webhook-id``.
    """

    pace = timedelta(0)

    def __init__(
        self,
        name: str,
        url: str,
        secret: str | None,
        *,
        web_url: str | None,
        timeout: timedelta,
        wall_now: Callable[[], datetime],
    ) -> None:
        self.name = f"webhook:{name}"
        self._address = Address(url, timeout)
        self._key = None if secret is None else base64.b64decode(secret.removeprefix(_PREFIX))
        self._web_url = web_url
        self._wall_now = wall_now

    def post_parent(self, letter: Letter) -> Outcome:
        """Post the message."""
        content = json.dumps(event(letter, self._web_url), ensure_ascii=False).encode()
        outcome = self._address.post(content, headers(self._key, letter.identity, self._wall_now(), content))
        if outcome.kind != "sent":
            return outcome
        return Outcome("sent", channel_id="webhook", provider_id=letter.identity)

    def update_parent(self, thread: Thread, letter: Letter) -> Outcome:  # noqa: ARG002  # nothing to edit
        """What was posted stays; the next message says all there is to say."""
        return Outcome("sent", channel_id=thread.channel_id, provider_id=thread.provider_id)

    def post_reply(self, thread: Thread, letter: Letter) -> Outcome:  # noqa: ARG002  # every message is whole
        """Post the message."""
        return self.post_parent(letter)

    def find(self, identity: str, thread: Thread | None, since: datetime) -> Outcome:  # noqa: ARG002  # no memory
        """An address cannot be asked; posting the same id again does no harm."""
        return Outcome("absent")


def event(letter: Letter, web_url: str | None) -> dict[str, Any]:
    """The message as JSON; docs/alerts.md describes it. Keys are only ever added."""
    message = letter.message
    return {
        "id": letter.identity,
        "type": message.reason if letter.incident_id is None else f"incident.{message.reason}",
        "incident": letter.incident_id,
        "model": message.model,
        "version": message.version,
        "severity": _severity(message),
        "state": message.state,
        "title": message.title,
        "text": message.changed,
        "fields": [{"label": field.label, "text": field.text} for field in message.fields],
        "alerts": [
            {"metric": each.metric, "segment": each.segment, "severity": each.severity} for each in message.about
        ],
        "others": [{"state": line.state, "text": line.text} for line in message.others],
        "owner": message.owner,
        "opened_at": message.opened_at.isoformat(),
        "window_end": message.window_end.isoformat(),
        "note": letter.note,
        "links": _links(letter, web_url),
    }


def _links(letter: Letter, web_url: str | None) -> dict[str, str]:
    known = {"runbook": letter.message.runbook, "monitor": web_url}
    if web_url is not None and letter.incident_id is not None:
        known["incident"] = f"{web_url.rstrip('/')}/incidents/{letter.incident_id}"
    return {name: url for name, url in known.items() if url is not None}


def headers(key: bytes | None, identity: str, at: datetime, content: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks; no signature without a key."""
    stamp = str(int(at.timestamp()))
    known = {"webhook-id": identity, "webhook-timestamp": stamp}
    if key is None:
        return known
    signed = hmac.new(key, f"{identity}.{stamp}.".encode() + content, hashlib.sha256).digest()
    return {**known, "webhook-signature": f"v1,{base64.b64encode(signed).decode()}"}


def _severity(message: Message) -> str:
    """Of what is open; once it is over, the highest of what it was about."""
    if message.state != "resolved":
        return message.state
    return "page" if any(each.severity == "page" for each in message.about) else "warn"
