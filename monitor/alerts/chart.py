"""The picture of an incident: one metric over its newest windows, with what was promised. For Slack and for pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from monitor.alerts.words import comparison, digits_apart, shortened
from monitor.release.contract import Side
from monitor.release.words import measured

if TYPE_CHECKING:
    import altair

# Told apart with every kind of colour blindness and by shape and dash besides; 3:1 or more on white and on near black.
VALUE, PROMISE, RELEASE, TEXT = "#2f7fd1", "#d55e00", "#808080", "#767676"
BACKGROUND = "#ffffff"
WIDTH, HEIGHT = 400, 250
Baseline = Literal["top", "middle", "bottom"]
_SPANS = (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0))


@dataclass(frozen=True, slots=True)
class Point:
    """One window: its end, what was measured, and the verdict on it."""

    at: datetime
    value: float | None
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: *points* are oldest first; *resolved_at* is None while the incident is open."""

    model: str
    metric: str  # as people write it: "drift.temp [origin=EWR]"
    side: Side
    unit: str
    threshold: float | None
    released: float | None
    opened_at: datetime
    resolved_at: datetime | None
    points: tuple[Point, ...]

    def to_data(self) -> dict[str, Any]:
        """Plain data, to go through a pipe."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Chart:
        """The chart that :meth:`to_data` wrote, its times as ISO text."""
        values = dict(data)
        values["points"] = tuple(Point(**point | {"at": _time(point["at"])}) for point in data["points"])
        values["opened_at"] = _time(data["opened_at"])
        values["resolved_at"] = None if data["resolved_at"] is None else _time(data["resolved_at"])
        return cls(**values)


def alt_text(chart: Chart) -> str:
    """What the picture shows, for who cannot see it."""
    first, last = chart.points[0], chart.points[-1]
    compared = comparison(chart.side, last.value, chart.threshold, chart.unit)
    count, breaches = len(chart.points), sum(each.verdict == "breach" for each in chart.points)
    return (
        f"{chart.metric} of {chart.model} in {count} {'window' if count == 1 else 'windows'} that ended from "
        f"{first.at:%Y-%m-%d} to {last.at:%Y-%m-%d}: {breaches} in breach, the newest {compared}."
    )


def spec(chart: Chart) -> dict[str, Any]:
    """The chart in Vega-Lite, by Altair."""
    import altair as alt

    scale, unit = _scale(chart)
    rows = [_row(point, scale) for point in chart.points]
    domain = _domain(rows, [value * scale for value in (chart.threshold, chart.released) if value is not None])
    y_axis = alt.Y(
        "value:Q", scale=alt.Scale(domain=domain, nice=True, zero=False), title=unit or None, axis=alt.Axis(tickCount=5)
    )
    line = _line(rows).encode(x=_x_axis(chart), y=y_axis)  # the others share its axes
    drawn = alt.LayerChart(layer=[_shade(chart), _band(rows), line, _points(rows), *_bounds(chart, scale)])
    drawn = drawn.properties(width=WIDTH, height=HEIGHT, title=_title(chart), padding=14)
    found: dict[str, Any] = _styled(drawn).to_dict()
    return found


def _time(text: str | datetime) -> datetime:
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


def _scale(chart: Chart) -> tuple[float, str]:
    """Seconds are drawn in the largest unit that the promise, or else the largest value, has one of."""
    if chart.unit != "seconds":
        return 1.0, chart.unit
    values = [abs(point.value) for point in chart.points if point.value is not None]
    size = abs(chart.threshold) if chart.threshold else max(values, default=0.0)
    return next(((1 / seconds, name) for name, seconds in _SPANS if size >= seconds), (1.0, "seconds"))


def _row(point: Point, scale: float) -> dict[str, Any]:
    ends = (point.low, point.high) if point.low is not None and point.high is not None else (None, None)
    numbers = [None if value is None else value * scale for value in (point.value, *ends)]
    return {
        "at": point.at.isoformat(),
        **dict(zip(("value", "low", "high"), numbers, strict=True)),
        "verdict": point.verdict,
    }


def _domain(rows: Sequence[Mapping[str, Any]], lines: Sequence[float]) -> list[float]:
    """Room for all values and lines; an interval of a few rows may be cut off, rather than flatten everything else."""
    values = [row["value"] for row in rows if row["value"] is not None] + list(lines)
    lowest, highest = min(values, default=0.0), max(values, default=1.0)
    room = (highest - lowest) or abs(highest) / 10 or 1.0
    lows = [max(row["low"], lowest - room / 2) for row in rows if row["low"] is not None]
    highs = [min(row["high"], highest + room / 2) for row in rows if row["high"] is not None]
    return [min([lowest - room * 0.08, *lows]), max([highest + room * 0.08, *highs])]


def _shade(chart: Chart) -> altair.Chart:
    """The time of the incident, half a window to each side: one that began just now would else have no width."""
    import altair as alt

    half = _step(chart) / 2
    last = chart.resolved_at - half if chart.resolved_at else chart.points[-1].at + half
    first = max(chart.opened_at, chart.points[0].at) - half
    values = [{"first": first.isoformat(), "last": last.isoformat()}]
    mark: altair.Chart = alt.Chart({"values": values}).mark_rect(color=PROMISE, opacity=0.13, clip=True)
    return mark.encode(x=alt.X("first:T"), x2="last:T")


def _step(chart: Chart) -> timedelta:
    ends = [point.at for point in chart.points]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(ends)]
    return timedelta(seconds=median(gaps)) if gaps else timedelta(days=1)


def _band(rows: Sequence[Mapping[str, Any]]) -> altair.Chart:
    import altair as alt

    mark: altair.Chart = alt.Chart({"values": rows}).mark_area(color=VALUE, opacity=0.22, clip=True)
    return mark.encode(x="at:T", y=alt.Y("low:Q"), y2="high:Q")


def _line(rows: Sequence[Mapping[str, Any]]) -> altair.Chart:
    import altair as alt

    mark: altair.Chart = alt.Chart({"values": rows}).mark_line(color=VALUE, strokeWidth=2.5, clip=True)
    return mark


def _points(rows: Sequence[Mapping[str, Any]]) -> altair.Chart:
    """A breach is a diamond of another colour, everything else a dot."""
    import altair as alt

    breach = alt.datum.verdict == "breach"
    mark: altair.Chart = alt.Chart({"values": rows}).mark_point(filled=True, opacity=1, clip=True)
    return mark.encode(
        x="at:T",
        y="value:Q",
        color=alt.condition(breach, alt.value(PROMISE), alt.value(VALUE)),
        shape=alt.condition(breach, alt.value("diamond"), alt.value("circle")),
        size=alt.condition(breach, alt.value(110), alt.value(34)),
    )


def _bounds(chart: Chart, scale: float) -> Iterator[altair.Chart]:
    """The promise as a solid line and the release's own value as a dashed one, each named at its end.

    The name of the higher line stands higher, so that the two never meet.
    """
    sign = "≥" if chart.side == "min" else "≤"
    value, released = chart.threshold, chart.released
    promised = f"promised {sign} {measured(value, chart.unit, digits_apart(chart.points[-1].value, value))}"
    alone = value is None or released is None
    higher = value is not None and released is not None and value >= released
    if value is not None:
        yield from _named_line(value * scale, promised, PROMISE, [1, 0], _baseline(alone=alone, higher=higher))
    if released is not None:
        own = f"released {measured(released, chart.unit)}"
        yield from _named_line(released * scale, own, RELEASE, [6, 4], _baseline(alone=alone, higher=not higher))


def _baseline(*, alone: bool, higher: bool) -> Baseline:
    return "middle" if alone else "bottom" if higher else "top"


def _named_line(value: float, label: str, colour: str, dash: list[int], baseline: Baseline) -> Iterator[altair.Chart]:
    import altair as alt

    ends = alt.Chart({"values": [{"value": value, "label": label}]}).encode(y="value:Q")
    yield ends.mark_rule(color=colour, strokeWidth=2, strokeDash=dash, clip=True)
    named = ends.mark_text(align="left", baseline=baseline, dx=6, fontSize=13, color=colour)
    yield named.encode(x=alt.value(WIDTH), text="label:N")


def _x_axis(chart: Chart) -> altair.X:
    """Half a window more to each side, so that no point is cut; hours where days alone would repeat."""
    import altair as alt

    first, last, half = chart.points[0].at, chart.points[-1].at, _step(chart) / 2
    days = last - first >= timedelta(days=4)
    axis = alt.Axis(
        format="%d %b" if days else "%d %b %H:%M", tickCount=5 if days else 2, labelOverlap=True, grid=False
    )
    years = f"{first.year}" if first.year == last.year else f"{first.year} to {last.year}"
    scale = alt.Scale(type="utc", domain=[(first - half).isoformat(), (last + half).isoformat()], nice=False)
    return alt.X("at:T", scale=scale, axis=axis, title=f"end of the window, UTC, {years}")


def _title(chart: Chart) -> altair.Title:
    import altair as alt

    last = chart.points[-1]
    words = "open" if chart.resolved_at is None else "resolved"
    subtitle = (
        f"{shortened(chart.model, 40)} · {comparison(chart.side, last.value, chart.threshold, chart.unit)} · {words}"
    )
    return alt.Title(shortened(chart.metric, 44), subtitle=[subtitle])


def _styled(drawn: altair.LayerChart) -> altair.LayerChart:
    """Opaque, so that it reads the same in a dark client; letters as large as a phone wants them."""
    axis: dict[str, Any] = {
        "labelFontSize": 14,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "gridColor": "#ececec",
    }
    colours = {"labelColor": "#4a4a4a", "titleColor": TEXT, "domainColor": "#b0b0b0", "tickColor": "#b0b0b0"}
    title: dict[str, Any] = {
        "fontSize": 20,
        "subtitleFontSize": 15,
        "subtitleColor": "#4a4a4a",
        "anchor": "start",
        "offset": 12,
    }
    styled: altair.LayerChart = (
        drawn.configure(background=BACKGROUND, font="Liberation Sans, Helvetica, Arial, sans-serif")
        .configure_axis(**(axis | colours))
        .configure_title(**title)
        .configure_view(stroke=None)
    )
    return styled
