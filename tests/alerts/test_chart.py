"""The picture of an incident: what is drawn, and that it says the same in words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.alerts.chart import PROMISE, RELEASE, VALUE, Chart, Point, alt_text, spec

DAY = timedelta(days=1)
FIRST = datetime(2013, 5, 6, tzinfo=UTC)


def point(day: int, value: float | None, verdict: str = "ok", spread: float | None = 0.01) -> Point:
    low, high = (None, None) if value is None or spread is None else (value - spread, value + spread)
    return Point(FIRST + day * DAY, value, low, high, verdict)


CHART = Chart(
    model="flight-delay 2013-04",
    metric="accuracy",
    side="min",
    unit="",
    threshold=0.728,
    released=0.781,
    opened_at=FIRST + 3 * DAY,
    resolved_at=None,
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
    [over] = values(spec(replace(CHART, resolved_at=FIRST + 4 * DAY)), "rect")
    assert over["last"] == (FIRST + 4 * DAY - half).isoformat()
    [old] = values(spec(replace(CHART, opened_at=FIRST - 90 * DAY)), "rect")
    assert old["first"] == (FIRST - half).isoformat()


def test_seconds_are_drawn_in_hours() -> None:
    points = (point(0, 3.0 * 3600, spread=None), point(1, 5.0 * 3600, "breach", spread=None))
    slow = replace(CHART, side="max", unit="seconds", threshold=4.0 * 3600, released=3600.0 * 3, points=points)
    drawn = spec(slow)
    assert [row["value"] for row in values(drawn, "line")] == pytest.approx([3, 5])
    assert drawn["layer"][2]["encoding"]["y"]["title"] == "hours"
    assert [row["label"] for row in values(drawn, "text")] == ["promised ≤ 4h", "released 3h"]


def test_an_interval_of_a_few_rows_does_not_flatten_the_rest() -> None:
    wild = replace(CHART, points=(*CHART.points, Point(FIRST + 5 * DAY, 0.7, -50.0, 50.0, "ok")))
    low, high = spec(wild)["layer"][2]["encoding"]["y"]["scale"]["domain"]
    assert 0.5 < low < 0.66
    assert 0.781 < high < 0.9


@pytest.mark.parametrize(
    "chart",
    [
        # one window alone; nothing but unknowns; no promise and no release value; all values alike
        replace(CHART, points=CHART.points[-1:]),
        replace(CHART, points=(point(0, None, "unknown"),), threshold=None, released=None),
        replace(CHART, threshold=None, released=None),
        replace(CHART, points=(point(0, 0.728, spread=None),) * 3, released=None),
    ],
)
def test_little_to_draw_is_still_a_chart(chart: Chart) -> None:
    low, high = spec(chart)["layer"][2]["encoding"]["y"]["scale"]["domain"]
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
    for chart in (CHART, replace(CHART, resolved_at=FIRST + 4 * DAY)):
        assert Chart.from_data(json.loads(json.dumps(chart.to_data(), default=datetime.isoformat))) == chart
