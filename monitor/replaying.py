"""What would have paged us: past windows judged by a contract, and what people would have been told of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from monitor.alerts.message import Message
from monitor.app import App, throw_away_runner
from monitor.history import queries
from monitor.history.incidents import said
from monitor.history.rows import EpisodeRow, HistoryRow
from monitor.history.store import Store
from monitor.release.contract import Side, side_of
from monitor.release.words import display_name
from monitor.schedule.replay import replay

WAKING = ("opened", "reopened", "severity_raised")
"""The reasons of messages that call somebody: those that are new in the channel."""

MONTH = timedelta(days=30)

Key = tuple[str, str, str, Side]
"""Model, metric, segment and side of a bound."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One bound of a model through the windows, oldest first; the threshold is that of the newest."""

    model: str
    metric: str
    segment: str
    side: Side
    severity: str
    threshold: float | None
    windows: tuple[HistoryRow, ...]

    @property
    def key(self) -> Key:
        return self.model, self.metric, self.segment, self.side

    @property
    def verdicts(self) -> tuple[str | None, ...]:
        return tuple(row.verdict for row in self.windows)

    @property
    def breaches(self) -> int:
        return sum(row.verdict == "breach" for row in self.windows)

    def in_breach(self) -> list[tuple[datetime, datetime]]:
        """The ends of the first and the last window of each run of breaches; what cannot be judged ends none."""
        decided = [row for row in self.windows if row.verdict in ("ok", "breach")]
        runs = [(breach, list(rows)) for breach, rows in groupby(decided, key=lambda row: row.verdict == "breach")]
        return [(rows[0].window_end, rows[-1].window_end) for breach, rows in runs if breach]


@dataclass(frozen=True, slots=True)
class Told:
    """A message that people would have got, after the window that ended *at*."""

    at: datetime
    message: Message

    @property
    def pages(self) -> bool:
        return self.message.reason in WAKING and self.message.state == "page"

    @property
    def warns(self) -> bool:
        return self.message.reason in WAKING and self.message.state == "warn"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a contract would have done from *since* to *until*; *changes* is how it differs from config.toml's."""

    since: datetime
    until: datetime
    changes: tuple[str, ...]
    strips: tuple[Strip, ...]
    told: tuple[Told, ...]
    incidents: tuple[EpisodeRow, ...]

    @property
    def pages(self) -> int:
        return sum(one.pages for one in self.told)

    @property
    def warnings(self) -> int:
        return sum(one.warns for one in self.told)

    @property
    def pages_a_month(self) -> float:
        """Pages in 30 days."""
        return self.pages / ((self.until - self.since) / MONTH)


def replayed(
    app: App, changes: Sequence[str], since: datetime, until: datetime, tell: Callable[[datetime], None]
) -> Replayed:
    """Replay the contracts of *app*, which *changes* have led to. Raises ReplayStuck."""
    with throw_away_runner(app, since) as (runner, store):
        replay(runner, since, until, tell)
        told = [Told(message.window_end, message) for message in map(Message.from_data, said(store.engine))]
        incidents = tuple(queries.incidents(store.engine))
        return Replayed(since, until, tuple(changes), tuple(_strips(store)), tuple(told), incidents)


def as_data(done: Replayed) -> dict[str, Any]:
    """Plain data, for programs."""
    return {
        "changes": list(done.changes),
        "pages": done.pages,
        "pages_per_30_days": done.pages_a_month,
        "warnings": done.warnings,
        "bounds": [_strip(strip) for strip in done.strips],
        "told": [_told(one) for one in done.told],
    }


def _strips(store: Store) -> Iterator[Strip]:
    rows = [row for row in queries.history(store.engine, limit=10**9) if row.verdict is not None]
    found: dict[Key, list[HistoryRow]] = {}
    for row in rows:
        side = side_of(row.side)
        key = (row.model, display_name(row.metric, row.column), row.segment, side)
        found.setdefault(key, []).append(row)
    for key, windows in sorted(found.items(), key=lambda one: (one[0][0], one[1][0].severity != "page", one[0])):
        yield Strip(*key, windows[-1].severity or "", windows[-1].threshold, tuple(windows))


def _strip(strip: Strip) -> dict[str, Any]:
    names = ("model", "metric", "segment", "side", "severity", "threshold", "breaches")
    runs = [{"first": first, "last": last} for first, last in strip.in_breach()]
    return {**{name: getattr(strip, name) for name in names}, "windows": len(strip.windows), "in_breach": runs}


def _told(one: Told) -> dict[str, Any]:
    said_of = one.message
    return {
        "at": one.at,
        "model": said_of.model,
        "reason": said_of.reason,
        "state": said_of.state,
        "pages": one.pages,
        "title": said_of.title,
        "text": said_of.changed,
    }
