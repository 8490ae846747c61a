"""An alert: what it is about, and where it stands after the newest window; a value that JSON can hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal

from monitor.release.contract import Severity, Side
from monitor.release.verdict import Verdict

Condition = Literal["inactive", "pending", "firing", "recovering", "resolved", "closed"]
AlertSide = Literal[Side, "blind"]
"""The side of the bound that it is about, or that the bound cannot be judged."""

SOURCE = "source"
"""The metric of the blind alert that a source cannot be read: one of the model instead of one of each promise."""

MOST_FIRED = 12
"""Times that an alert remembers it fired at: who fired a dozen times in a year needs no finer count."""

_TIMES = ("since", "opened_at", "ended_at", "window_end", "waiting_end", "decided_start", "decided_end", "last_ok_end")


@dataclass(frozen=True, slots=True)
class Alert:
    """One bound of one metric of one segment, and where it stands after the newest window.

    *since* is the end of the window that began the condition, *opened_at* of the one in which it last fired. *held* is
    the timer of pending and recovering. *first*, *worst* and *last* are values since it fired; *last*, *low*, *high*,
    *threshold*, *released* and *rows* come from the newest window that was decided (ok or breach), which is
    ``[decided_start, decided_end)``; where it was decided *by_days*, from the days that are. *last_ok* is the value of
    the window that last held, up to *last_ok_end*. *why* is the sentence of a blind alert: what kept its bound from
    being judged. *before* is the alert as it was before the newest window, so that a revision of that window can
    replace its effect. *waiting_end* is the end of the newest window that waited for outcomes: it counts as seen only
    once they are in, so that the alert goes by the newest window that can be judged.

    *fired_at* are the ends of the last windows in which it fired by its days.

    *incident* is the one of its newest episode, which ended at *ended_at*, or goes on where that is None; a revision
    does not take these two back, for people have been told. *decided* counts the windows that were decided, *fired_in*
    and *flipped_in* say in which of them it last fired and last began or ceased to be open.
    """

    key: str
    model: str
    metric: str
    column: str
    segment: str
    side: AlertSide
    severity: Severity
    condition: Condition = "inactive"
    since: datetime | None = None
    held: timedelta = timedelta(0)
    opened_at: datetime | None = None
    fired_at: tuple[datetime, ...] = ()
    window_end: datetime | None = None
    waiting_end: datetime | None = None
    first: float | None = None
    worst: float | None = None
    last: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    released: float | None = None
    rows: int = 0
    by_days: bool = False
    decided_start: datetime | None = None
    decided_end: datetime | None = None
    last_ok: float | None = None
    last_ok_end: datetime | None = None
    why: str = ""
    incident: int | None = None
    ended_at: datetime | None = None
    decided: int = 0
    fired_in: tuple[int, ...] = ()
    flipped_in: int = 0
    flapping: bool = False
    unit: str = ""
    before: Alert | None = None

    @property
    def is_open(self) -> bool:
        """Whether it fires, or has not recovered yet."""
        return self.condition in ("firing", "recovering")

    @property
    def in_incident(self) -> bool:
        """Whether it keeps its incident open: it is open, or flaps and may be again at any window."""
        return self.is_open or self.flapping

    def to_data(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Alert:
        """The alert that :meth:`to_data` wrote; what an older version did not write is as at the beginning."""
        values = dict(data)
        for name in _TIMES:
            text = values.get(name)
            values[name] = None if text is None else datetime.fromisoformat(text)
        values["held"] = timedelta(seconds=values["held"])
        values["fired_in"] = tuple(values.get("fired_in", ()))
        values["fired_at"] = tuple(datetime.fromisoformat(text) for text in values.get("fired_at", ()))
        values["before"] = None if values["before"] is None else cls.from_data(values["before"])
        return cls(**values)


def alert_key(model: str, metric: str, column: str, segment: str, side: AlertSide) -> str:
    """The identity of an alert: a hash of what it is about, never of a value, a threshold or a model version."""
    return hashlib.sha256(json.dumps([model, metric, column, segment, side]).encode()).hexdigest()


def new_alert(model: str, verdict: Verdict) -> Alert:
    """The alert of a bound that no window has touched yet."""
    bound = verdict.bound
    key = alert_key(model, bound.metric, verdict.column, verdict.segment, bound.side)
    return Alert(key, model, bound.metric, verdict.column, verdict.segment, bound.side, bound.severity)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.to_data() if isinstance(value, Alert) else value
