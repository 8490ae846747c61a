"""A message as data: what is said, before any channel decides how it looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

NotificationReason = Literal[
    "opened",
    "alert_joined",
    "severity_raised",
    "alert_resolved",
    "resolved",
    "reopened",  # a breach soon after it was resolved: the same incident goes on
    "flapping",  # it fires and is resolved again and again: one notice, then quiet until it is stable
    "closed",  # not resolved: the threshold or the model is gone
    "repeat",  # still open
    "escalated",  # a page that nobody has acknowledged
    "unmuted",  # a silence or maintenance is over, and it is still open
    "acknowledged",
    "corrected",  # an older window of it was judged again, and otherwise
    "digest",  # of the whole fleet, and of no incident
]
MessageState = Literal["page", "warn", "resolved"]

EMOJI: Mapping[MessageState, str] = {"page": "🔴", "warn": "🟡", "resolved": "🟢"}
WORD: Mapping[MessageState, str] = {"page": "PAGE", "warn": "WARN", "resolved": "RESOLVED"}


@dataclass(frozen=True, slots=True)
class Field:
    """A label and what stands under it."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One more alert of the incident, in a line."""

    state: MessageState
    text: str


@dataclass(frozen=True, slots=True)
class About:
    """An alert that a message is about, in the terms that silences match."""

    metric: str  # with its column: "drift.temp"
    segment: str
    severity: str


@dataclass(frozen=True, slots=True)
class Message:
    """What people are told about an incident after one window.

    The first message of an incident becomes its parent; a later one brings the parent up to date and adds its
    *thread_line* under it. Texts are raw: names, segments and values stand in them as they came.
    *others* are the alerts beside the one in the title, *more* how many further ones were left out. *about* are the
    alerts it is about: those that changed, or all that are open where none did. *mention* is somebody to be called
    besides the owner, *remark* what stands by the incident, such as who acknowledged it. *movers* are lines on what
    moved most in the window, "" where nothing did.
    """

    reason: NotificationReason
    state: MessageState
    model: str
    version: str
    title: str
    fields: tuple[Field, ...]
    changed: str
    others: tuple[AlertLine, ...]
    more: int
    owner: str | None
    runbook: str | None
    thread_line: str
    opened_at: datetime
    window_end: datetime
    about: tuple[About, ...] = ()
    mention: str | None = None
    remark: str = ""
    movers: str = ""

    def to_data(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return {
            "reason": self.reason,
            "state": self.state,
            "model": self.model,
            "version": self.version,
            "title": self.title,
            "fields": [[field.label, field.text] for field in self.fields],
            "changed": self.changed,
            "others": [[line.state, line.text] for line in self.others],
            "more": self.more,
            "owner": self.owner,
            "runbook": self.runbook,
            "thread_line": self.thread_line,
            "opened_at": self.opened_at.isoformat(),
            "window_end": self.window_end.isoformat(),
            "about": [[each.metric, each.segment, each.severity] for each in self.about],
            "mention": self.mention,
            "remark": self.remark,
            "movers": self.movers,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Message:
        """The message that :meth:`to_data` wrote."""
        values = dict(data)
        values["fields"] = tuple(Field(*field) for field in values["fields"])
        values["others"] = tuple(AlertLine(*line) for line in values["others"])
        values["about"] = tuple(About(*each) for each in values.get("about", ()))
        values["opened_at"] = datetime.fromisoformat(values["opened_at"])
        values["window_end"] = datetime.fromisoformat(values["window_end"])
        return cls(**values)
