"""What came to the fake Slack: messages, files, clicks, and every call that was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import Base64Bytes


@dataclass
class Posted:
    """A message in a channel."""

    channel: str
    ts: str
    body: dict[str, Any]
    edits: list[dict[str, Any]] = field(default_factory=list)

    @property
    def identity(self) -> str:
        """The notification it carries."""
        return str(self.body["metadata"]["event_payload"]["notification"])

    @property
    def now(self) -> dict[str, Any]:
        """What it reads now."""
        return self.edits[-1] if self.edits else self.body


@dataclass
class File:
    """A file on its way into a channel: announced, uploaded, then shared (*channel* and *ts* are empty until then)."""

    id: str
    name: str
    length: int
    content: Base64Bytes | None = None
    title: str = ""
    channel: str = ""
    ts: str = ""
    thread_ts: str = ""
    comment: str = ""
    alt_text: str = ""


@dataclass
class Click:
    """A button somebody pressed. *sent_at*: each time the envelope went out (in the fake's time)."""

    envelope_id: str
    payload: dict[str, Any]
    sent_at: list[float] = field(default_factory=list)
    acknowledged_at: float | None = None
    answer: dict[str, Any] | None = None

    @property
    def seconds(self) -> float | None:
        """From the newest sending to the acknowledgement; None while there is none."""
        return None if self.acknowledged_at is None else self.acknowledged_at - self.sent_at[-1]


@dataclass
class Record:
    """Everything the fake has seen, in order."""

    messages: list[Posted] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    clicks: list[Click] = field(default_factory=list)
    responses: list[dict[str, Any]] = field(default_factory=list)
    """What was posted to response URLs, to chat.postEphemeral and to views.open: seen by one person only."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    """How often each fault befell a call."""
    invalid: list[str] = field(default_factory=list)
    """What was wrong with messages."""
    mentions: tuple[str, ...] = ()
    """Tokens that messages are meant to hold."""
    violations: list[str] = field(default_factory=list)
    """Posts that came before Retry-After had passed, or faster than the channel takes them."""

    def parents(self) -> list[Posted]:
        """The messages that are not in a thread."""
        return [message for message in self.messages if "thread_ts" not in message.body]

    def replies(self, parent: Posted) -> list[Posted]:
        """The messages under *parent*, in order."""
        return [message for message in self.messages if message.body.get("thread_ts") == parent.ts]

    def called(self, method: str) -> int:
        """How often *method* was called."""
        return sum(name == method for name, _ in self.calls)
