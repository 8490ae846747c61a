"""The picture of an incident: what is drawn, and that it says the same in words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.alerts.chart import MOST_POINTS, Chart, Point, Span, alt_text, thinned
from monitor.alerts.picture import LOOKS, PROMISE, RELEASE, VALUE, spec

DAY = timedelta(days=1)
FIRST = datetime(2013, 5, 6, tzinfo=UTC)


def point(day: int, value: float | None, verdict: str = "ok", spread: float | None = 0.01) -> Point:
    low, high = (None, None) if value is None or spread is None else (value - spread, value + spread)
    return Point(FIRST + day * DAY, value, low, high, verdict, 0.728, 0.781, "2013-04")


def unpromised(one: Point) -> Point:
    return replace(one, threshold=None, released=None)


CHART = Chart(
    model="flight-delay 2013-04",
    metric="accuracy",
    side="min",
    unit="",
    incidents=(Span(FIRST + 3 * DAY, None),),
    points=(
        point(0, 0.77),
        point(1, None, "unknown"),
        point(2, 0.73),
        point(3, 0.7, "breach"),
        point(4, 0.66, "breach"),
    ),
)


def values(drawn: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    """The rows of the layers with that mark."""
    named = [drawn["datasets"][layer["data"]["name"]] if "name" in layer["data"] else layer["data"]["values"]
             for layer in drawn["layer"] if layer["mark"]["type"] == mark]  # fmt: skip
    return [row for rows in named for row in rows]


def line_of(drawn: dict[str, Any]) -> dict[str, Any]:
    """The layer with the axes."""
    [found] = [layer for layer in drawn["layer"] if layer["mark"]["type"] == "line"]
    return dict(found)


def test_the_chart_shows_values_interval_promise_release_and_incident() -> None:
    drawn = spec(CHART)
    assert [layer["mark"]["type"] for layer in drawn["layer"]] == [
        "rect", "area", "line", "point", "rule", "text", "rule", "text",
    ]  # fmt: skip
    assert [row["label"] for row in values(drawn, "text")] == ["promised ≥ 0.728", "released 0.781"]
    assert [(row["value"], row["low"]) for row in values(drawn, "line")][:2] == [(0.77, 0.76), (None, None)]
    assert drawn["title"]["text"] == "accuracy"
    assert drawn["title"]["subtitle"] == ["flight-delay 2013-04 · 0.66 < 0.728 · open"]


def test_the_incident_is_shaded_from_half_a_window_before_to_half_a_window_after() -> None:
    half = DAY / 2
    [still] = values(spec(CHART), "rect")
    assert still == {"first": (FIRST + 3 * DAY - half).isoformat(), "last": (FIRST + 4 * DAY + half).isoformat()}
    [over] = values(spec(replace(CHART, incidents=(Span(FIRST + 3 * DAY, FIRST + 4 * DAY),))), "rect")
    assert over["last"] == (FIRST + 4 * DAY - half).isoformat()
    [old] = values(spec(replace(CHART, incidents=(Span(FIRST - 90 * DAY, None),))), "rect")
    assert old["first"] == (FIRST - half).isoformat()
    assert values(spec(replace(CHART, incidents=(Span(FIRST - 90 * DAY, FIRST - 80 * DAY),))), "rect") == []


def test_seconds_are_drawn_in_hours() -> None:
    points = (point(0, 3.0 * 3600, spread=None), point(1, 5.0 * 3600, "breach", spread=None))
    promised = tuple(replace(one, threshold=4.0 * 3600, released=3600.0 * 3) for one in points)
    slow = replace(CHART, side="max", unit="seconds", points=promised)
    drawn = spec(slow)
    assert [row["value"] for row in values(drawn, "line")] == pytest.approx([3, 5])
    assert line_of(drawn)["encoding"]["y"]["title"] == "hours"
    assert [row["label"] for row in values(drawn, "text")] == ["promised ≤ 4h", "released 3h"]


def test_an_interval_of_a_few_rows_does_not_flatten_the_rest() -> None:
    wild = replace(CHART, points=(*CHART.points, Point(FIRST + 5 * DAY, 0.7, -50.0, 50.0, "ok")))
    low, high = line_of(spec(wild))["encoding"]["y"]["scale"]["domain"]
    assert 0.5 < low < 0.66
    assert 0.781 < high < 0.9


@pytest.mark.parametrize(
    "chart",
    [
        # one window alone; nothing but unknowns; no promise and no release value; all values alike
        replace(CHART, points=CHART.points[-1:]),
        replace(CHART, points=(unpromised(point(0, None, "unknown")),)),
        replace(CHART, points=tuple(map(unpromised, CHART.points))),
        replace(CHART, points=(replace(point(0, 0.728, spread=None), released=None),) * 3),
    ],
)
def test_little_to_draw_is_still_a_chart(chart: Chart) -> None:
    low, high = line_of(spec(chart))["encoding"]["y"]["scale"]["domain"]
    assert low < high


@pytest.mark.parametrize("background", [0xFFFFFF, 0x1A1D21])
def test_colours_stand_out_on_white_and_on_near_black(background: int) -> None:
    for colour in (VALUE, PROMISE, RELEASE):
        light, dark = sorted((_luminance(int(colour[1:], 16)), _luminance(background)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3  # WCAG 2.2, 1.4.11: graphical objects


def _luminance(colour: int) -> float:
    parts = [(colour >> shift & 0xFF) / 255 for shift in (16, 8, 0)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_chart_says_in_words_what_it_shows() -> None:
    assert alt_text(CHART) == (
        "accuracy of flight-delay 2013-04 in 5 windows that ended from 2013-05-06 to 2013-05-10: 2 in breach, "
        "the newest 0.66 < 0.728."
    )


def test_a_chart_goes_through_a_pipe_unchanged() -> None:
    silenced = (Span(FIRST, FIRST + DAY), Span(FIRST + 4 * DAY, None))
    for chart in (CHART, replace(CHART, incidents=(), silences=silenced)):
        assert Chart.from_data(json.loads(json.dumps(chart.to_data(), default=datetime.isoformat))) == chart


def test_a_promise_that_changed_stands_where_it_stood() -> None:
    lower = [replace(one, threshold=0.7) for one in CHART.points[3:]]
    drawn = spec(replace(CHART, points=(*CHART.points[:3], *lower)))
    steps = [(row["value"], row["first"], row["last"]) for row in values(drawn, "rule")[:2]]
    begin, change, end = (FIRST + days * DAY for days in (-0.5, 2.5, 4.5))
    assert steps == [(0.728, begin.isoformat(), change.isoformat()), (0.7, change.isoformat(), end.isoformat())]


def test_a_new_version_is_marked_where_it_begins() -> None:
    later = [replace(one, version="2013-07") for one in CHART.points[3:]]
    drawn = spec(replace(CHART, points=(*CHART.points[:3], *later)))
    assert [row for row in values(drawn, "text") if row["label"] == "2013-07"] == [
        {"at": (FIRST + 2.5 * DAY).isoformat(), "label": "2013-07"}
    ]


def test_silences_lie_along_the_top_and_outcomes_that_were_not_in_along_the_bottom() -> None:
    waiting = tuple(replace(one, outcomes=share) for one, share in zip(CHART.points, (1, 1, 1, 0.9, 0.5), strict=True))
    drawn = spec(replace(CHART, points=waiting, silences=(Span(FIRST + DAY, FIRST + 2 * DAY),)))
    _, silence, *shares = values(drawn, "rect")
    assert silence == {"first": (FIRST + 0.5 * DAY).isoformat(), "last": (FIRST + 1.5 * DAY).isoformat()}
    assert len(shares) == 5
    assert shares[0]["top"] < shares[4]["top"] < LOOKS["slack"].height


def test_outcomes_that_were_all_in_are_not_drawn() -> None:
    drawn = spec(replace(CHART, points=tuple(replace(one, outcomes=1.0) for one in CHART.points)))
    assert len(values(drawn, "rect")) == 1


def test_of_many_windows_the_worst_stand_for_their_neighbours() -> None:
    year = [point(0, 0.8, "breach" if hour == 4321 else "ok") for hour in range(8760)]
    kept = thinned(year, lambda point: point.verdict)
    assert len(kept) <= MOST_POINTS
    assert [one.verdict for one in kept].count("breach") == 1
    assert thinned(year[:MOST_POINTS], lambda point: point.verdict) == tuple(year[:MOST_POINTS])


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_of_a_chart_has_letters_that_stand_out(look: str) -> None:
    colours = LOOKS[look]
    for colour in (colours.text, colours.muted):
        light, dark = sorted((_luminance(int(one[1:], 16)) for one in (colour, colours.background)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.2, 1.4.3: text
