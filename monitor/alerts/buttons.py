"""The buttons under an incident: what each asks for, in a value that nobody else can write. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Action = Literal["acknowledge", "silence_1h", "silence_1d", "history"]
LABELS: Mapping[Action, str] = {
    "acknowledge": "Acknowledge",
    "silence_1h": "Silence 1 h",
    "silence_1d": "Silence 1 d",
    "history": "Show history",
}
VALID_FOR = timedelta(days=30)
"""From when the message was last written; each edit makes its buttons new."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """What the value of a button says: do *action* with the incident."""

    action: Action
    incident_id: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing is done, in a sentence for whoever pressed it."""

    reason: Literal["forged", "expired"]
    sentence: str


def button_values(key: bytes, incident_id: int, now: datetime) -> dict[Action, str]:
    """The value of each button of an incident, signed with *key*."""
    until = int((now + VALID_FOR).timestamp())
    said = {action: f"{action}.{incident_id}.{until}" for action in LABELS}
    return {action: f"{text}.{_signature(key, text)}" for action, text in said.items()}


def read_value(key: bytes, value: str, now: datetime) -> Pressed | Refused:
    """What *value* asks for, if we wrote it and it is not too old."""
    said, _, signature = value.rpartition(".")
    if not hmac.compare_digest(_signature(key, said).encode(), signature.encode("utf-8", "replace")):
        return Refused("forged", "This button was not written by this model-monitor, so nothing was done.")
    action, incident_id, until = said.split(".")
    known: Action | None = next((each for each in LABELS if each == action), None)
    if known is None or datetime.fromtimestamp(int(until), UTC) <= now:
        return Refused("expired", "This button is too old, so nothing was done; the model-monitor commands still work.")
    return Pressed(known, int(incident_id))


def signing_key(token: str) -> bytes:
    """The key of the values, out of the bot token: nothing more to be configured, and a new token ends old buttons."""
    return hmac.digest(token.encode(), b"model-monitor: values of buttons", hashlib.sha256)


def _signature(key: bytes, said: str) -> str:
    return hmac.new(key, said.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
