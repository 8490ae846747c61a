"""How a chart looks: one definition in Vega-Lite, by Altair, for the PNG in Slack and the SVG on the pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from monitor.alerts.chart import Chart, Point, Span
from monitor.alerts.words import comparison, digits_apart, shortened
from monitor.release.words import measured

if TYPE_CHECKING:
    import altair

# Told apart with every kind of colour blindness and by shape and dash besides; 3:1 or more on white and on near black.
VALUE, PROMISE, RELEASE, SILENCE = "#2f7fd1", "#d55e00", "#808080", "#808080"
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""As wide everywhere as it was when the chart was laid out."""
Baseline = Literal["top", "middle", "bottom"]
_SPANS = (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0))


@dataclass(frozen=True, slots=True)
class Look:
    """Where a chart is shown: its size in points, the size of its letters, its colours, and whether it has a title."""

    width: int
    height: int
    letters: int
    background: str
    text: str
    muted: str
    grid: str
    titled: bool = False


LOOKS: Mapping[str, Look] = {
    # Opaque, so that it reads the same in a dark client; letters as large as a phone wants them.
    "slack": Look(400, 250, 14, "#ffffff", "#4a4a4a", "#767676", "#ececec", titled=True),
    "light": Look(400, 210, 13, "#ffffff", "#17202b", "#53606e", "#e4e8ed"),
    "dark": Look(400, 210, 13, "#171e27", "#e7ebf0", "#a5b1be", "#2d3845"),
    "light-narrow": Look(205, 190, 13, "#ffffff", "#17202b", "#53606e", "#e4e8ed"),
    "dark-narrow": Look(205, 190, 13, "#171e27", "#e7ebf0", "#a5b1be", "#2d3845"),
}


def spec(chart: Chart, look: Look = LOOKS["slack"]) -> dict[str, Any]:
    """The chart in Vega-Lite."""
    import altair as alt

    scale, unit = _scale(chart)
    rows = [_row(point, scale) for point in chart.points]
    lines = [
        value * scale for point in chart.points for value in (point.threshold, point.released) if value is not None
    ]
    y_axis = alt.Y(
        "value:Q",
        scale=alt.Scale(domain=_domain(rows, lines), nice=True, zero=False),
        title=unit or None,
        axis=alt.Axis(tickCount=5),
    )
    line = _line(rows).encode(x=_x_axis(chart, look), y=y_axis)  # the others share its axes
    layers = [*_shades(chart), _band(rows), line, _points(rows), *_bounds(chart, scale, look)]
    drawn = alt.LayerChart(layer=[*layers, *_releases(chart, look), *_outcomes(chart, look)])
    drawn = drawn.properties(
        width=look.width,
        height=look.height,
        padding=14 if look.titled else {"left": 2, "right": 14, "top": 4, "bottom": 2},
    )
    if look.titled:
        drawn = drawn.properties(title=_title(chart))
    found: dict[str, Any] = _styled(drawn, look).to_dict()
    return found


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


def _shades(chart: Chart) -> Iterator[altair.Chart]:
    """The times of incidents behind everything, those of silences as a bar along the top."""
    import altair as alt

    for spans, colour, opacity, foot in ((chart.incidents, PROMISE, 0.13, None), (chart.silences, SILENCE, 0.8, 5)):
        values = list(filter(None, (_shade(chart, span) for span in spans)))
        if not values:
            continue
        mark: altair.Chart = alt.Chart({"values": values}).mark_rect(color=colour, opacity=opacity, clip=True)
        shade = mark.encode(x=alt.X("first:T"), x2="last:T")
        yield shade if foot is None else shade.encode(y=alt.value(0), y2=alt.value(foot))


def _shade(chart: Chart, span: Span) -> dict[str, str] | None:
    """Half a window to each side: an incident that began just now would else have no width."""
    half = _step(chart) / 2
    begin, end = chart.points[0].at - half, chart.points[-1].at + half
    first, last = max(span.begin - half, begin), end if span.end is None else min(span.end - half, end)
    return None if first > end or last < begin else {"first": first.isoformat(), "last": last.isoformat()}


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
        size=alt.condition(breach, alt.value(110), alt.value(34 if len(rows) < 60 else 12)),
    )


def _bounds(chart: Chart, scale: float, look: Look) -> Iterator[altair.Chart]:
    """The promise as a solid line and the release's own value as a dashed one, each named at its end.

    The name of the higher line stands higher, so that the two never meet.
    """
    sign = "≥" if chart.side == "min" else "≤"
    value, released = chart.threshold, chart.released
    promised = f"promised {sign} {measured(value, chart.unit, digits_apart(chart.points[-1].value, value))}"
    alone = value is None or released is None
    higher = value is not None and released is not None and value >= released
    if value is not None:
        name = (value * scale, promised, _baseline(alone=alone, higher=higher))
        yield from _named_line(_levels(chart, "threshold", scale), name, PROMISE, [1, 0], look)
    if released is not None:
        name = (
            released * scale,
            f"released {measured(released, chart.unit)}",
            _baseline(alone=alone, higher=not higher),
        )
        yield from _named_line(_levels(chart, "released", scale), name, RELEASE, [6, 4], look)


def _baseline(*, alone: bool, higher: bool) -> Baseline:
    return "middle" if alone else "bottom" if higher else "top"


def _levels(chart: Chart, name: Literal["threshold", "released"], scale: float) -> list[dict[str, Any]]:
    """From when to when the line stood where; a window that says nothing of it changes nothing."""
    half, known = _step(chart) / 2, [point for point in chart.points if getattr(point, name) is not None]
    runs = [list(run) for _, run in groupby(known, lambda point: getattr(point, name))]
    begins = [chart.points[0].at - half, *(run[0].at - half for run in runs[1:])]
    ends = [*begins[1:], chart.points[-1].at + half]
    return [
        {"value": getattr(run[0], name) * scale, "first": first.isoformat(), "last": last.isoformat()}
        for run, first, last in zip(runs, begins, ends, strict=True)
    ]


def _named_line(
    levels: Sequence[Mapping[str, Any]], name: tuple[float, str, Baseline], colour: str, dash: list[int], look: Look
) -> Iterator[altair.Chart]:
    import altair as alt

    value, label, baseline = name
    line = alt.Chart({"values": levels}).mark_rule(color=colour, strokeWidth=2, strokeDash=dash, clip=True)
    yield line.encode(x="first:T", x2="last:T", y="value:Q")
    named = alt.Chart({"values": [{"value": value, "label": label}]})
    named = named.mark_text(align="left", baseline=baseline, dx=6, fontSize=look.letters - 1, color=colour)
    yield named.encode(x=alt.value(look.width), y="value:Q", text="label:N")


def _releases(chart: Chart, look: Look) -> Iterator[altair.Chart]:
    """Where another version was released."""
    import altair as alt

    changes = [later for earlier, later in pairwise(chart.points) if earlier.version != later.version]
    if not changes:
        return
    half = _step(chart) / 2
    rows = [{"at": (point.at - half).isoformat(), "label": shortened(point.version, 16)} for point in changes]
    base = alt.Chart({"values": rows}).encode(x="at:T")
    yield base.mark_rule(color=look.muted, strokeDash=[2, 3])
    words = base.mark_text(align="left", baseline="top", dx=4, fontSize=look.letters - 2, color=look.muted)
    yield words.encode(y=alt.value(6), text="label:N")


def _outcomes(chart: Chart, look: Look) -> Iterator[altair.Chart]:
    """The share of outcomes that were in, along the bottom, where it was ever less than all of them."""
    import altair as alt

    shares = [(point.at, point.outcomes) for point in chart.points if point.outcomes is not None]
    if all(share >= 0.995 for _, share in shares):
        return
    half, foot = _step(chart) / 2, look.height
    rows = [
        {"first": (at - half).isoformat(), "last": (at + half).isoformat(), "top": foot - 4 - 14 * share}
        for at, share in shares
    ]
    mark = alt.Chart({"values": rows}).mark_rect(color=look.muted, opacity=0.3, clip=True)
    top = alt.Y("top:Q", scale=None)  # in points
    yield mark.encode(x="first:T", x2="last:T", y=top, y2=alt.value(foot))


def _x_axis(chart: Chart, look: Look) -> altair.X:
    """Half a window more to each side, so that no point is cut; hours where days alone would repeat."""
    import altair as alt

    first, last, half = chart.points[0].at, chart.points[-1].at, _step(chart) / 2
    days = last - first >= timedelta(days=4)
    axis = alt.Axis(
        format="%d %b" if days else "%d %b %H:%M",
        tickCount=(5 if days else 2) if look.width > 300 else 3 if days else 1,
        labelOverlap=True,
        labelSeparation=12,
        grid=False,
    )
    scale = alt.Scale(type="utc", domain=[(first - half).isoformat(), (last + half).isoformat()], nice=False)
    return alt.X("at:T", scale=scale, axis=axis, title=f"end of the window, UTC, {_years(first, last)}")


def _years(first: datetime, last: datetime) -> str:
    return f"{first.year}" if first.year == last.year else f"{first.year} to {last.year}"


def _title(chart: Chart) -> altair.Title:
    import altair as alt

    last = chart.points[-1]
    state = "" if not chart.incidents else " · open" if chart.incidents[-1].end is None else " · resolved"
    compared = comparison(chart.side, last.value, chart.threshold, chart.unit)
    return alt.Title(shortened(chart.metric, 44), subtitle=[f"{shortened(chart.model, 40)} · {compared}{state}"])


def _styled(drawn: altair.LayerChart, look: Look) -> altair.LayerChart:
    axis: dict[str, Any] = {
        "labelFontSize": look.letters,
        "titleFontSize": look.letters - 1,
        "titleFontWeight": "normal",
        "gridColor": look.grid,
        "labelColor": look.text,
        "titleColor": look.muted,
        "domainColor": look.grid,
        "tickColor": look.grid,
    }
    title: dict[str, Any] = {
        "fontSize": 20,
        "subtitleFontSize": 15,
        "subtitleColor": look.text,
        "anchor": "start",
        "offset": 12,
    }
    styled: altair.LayerChart = (
        drawn.configure(background=look.background, font=FONT)
        .configure_axis(**axis)
        .configure_title(**title)
        .configure_view(stroke=None)
    )
    return styled
