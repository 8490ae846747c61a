"""A chart as data: one promised metric over its windows. How it looks stands in monitor.alerts.picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

from monitor.alerts.words import comparison
from monitor.release.contract import Side

MOST_POINTS = 240
"""More are a smear, and take seconds to be drawn."""
_WORST_FIRST = ("breach", "error", "unknown", "ok")

Window = TypeVar("Window")


@dataclass(frozen=True, slots=True)
class Point:
    """One window: its end, what was measured, the verdict on it, and what was promised then.

    *outcomes* is the share of its rows whose outcome was in; None where no outcome is waited for.
    """

    at: datetime
    value: float | None
    low: float | None
    high: float | None
    verdict: str
    threshold: float | None = None
    released: float | None = None
    version: str = ""
    outcomes: float | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when; *end* is None while it goes on."""

    begin: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: *points* are oldest first, *incidents* and *silences* too."""

    model: str
    metric: str  # as people write it: "drift.temp [origin=EWR]"
    side: Side
    unit: str
    points: tuple[Point, ...]
    incidents: tuple[Span, ...] = ()
    silences: tuple[Span, ...] = ()

    @property
    def threshold(self) -> float | None:
        """What is promised now."""
        return next((point.threshold for point in reversed(self.points) if point.threshold is not None), None)

    @property
    def released(self) -> float | None:
        """The release's own value now."""
        return next((point.released for point in reversed(self.points) if point.released is not None), None)

    def to_data(self) -> dict[str, Any]:
        """Plain data, to go through a pipe."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Chart:
        """The chart that :meth:`to_data` wrote, its times as ISO text."""
        values = dict(data)
        values["points"] = tuple(Point(**point | {"at": _time(point["at"])}) for point in data["points"])
        for name in ("incidents", "silences"):
            values[name] = tuple(
                Span(_time(span["begin"]), None if span["end"] is None else _time(span["end"])) for span in data[name]
            )
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Extent:
    """What a chart is about: so many *windows* that ended from *first* to *last*, and *breaches* among them."""

    windows: int
    breaches: int
    first: datetime
    last: datetime


def alt_text(chart: Chart) -> str:
    """What the picture shows, for who cannot see it."""
    first, last = chart.points[0], chart.points[-1]
    breaches = sum(each.verdict == "breach" for each in chart.points)
    extent = Extent(len(chart.points), breaches, first.at, last.at)
    compared = comparison(chart.side, last.value, chart.threshold, chart.unit)
    return alt_text_of(chart.model, chart.metric, extent, compared)


def alt_text_of(model: str, metric: str, extent: Extent, compared: str) -> str:
    """The same where the points are not at hand; *compared* is the newest value with its bound."""
    return (
        f"{metric} of {model} in {extent.windows} {'window' if extent.windows == 1 else 'windows'} that ended from "
        f"{extent.first:%Y-%m-%d} to {extent.last:%Y-%m-%d}: {extent.breaches} in breach, the newest {compared}."
    )


def thinned(
    windows: Sequence[Window], verdict_of: Callable[[Window], str | None], most: int = MOST_POINTS
) -> tuple[Window, ...]:
    """At most *most* of them: of neighbours the worst stands for all, so that no breach is lost."""
    each = -(-len(windows) // most)
    groups = [windows[first : first + each] for first in range(0, len(windows), each or 1)]
    return tuple(min(reversed(group), key=lambda one: _badness(verdict_of(one))) for group in groups)


def _badness(verdict: str | None) -> int:
    return _WORST_FIRST.index(verdict) if verdict in _WORST_FIRST else len(_WORST_FIRST)


def _time(text: str | datetime) -> datetime:
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)
