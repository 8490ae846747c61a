"""What pages are made of, as values: which models need somebody, which time is meant, what moved and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from monitor.history.heat import Heat
from monitor.history.overview import Passed
from monitor.history.records import Acknowledgement
from monitor.history.rows import IncidentRow
from monitor.history.strips import Measured
from monitor.web.pages import fleet
from monitor.web.pages.damage import MOST_CELLS, absences_of, damages_of, strips_of
from monitor.web.pages.period import period_of
from monitor.web.pages.sparkline import HEIGHT, MARGIN, WIDTH, spark
from monitor.web.pages.templating import ago, model_path, query, shown_interval
from monitor.web.standing import Stand, stand_of
from tests.web.serving import _model
from tests.web.test_standing import row

NOW = datetime(2013, 7, 14, 6, tzinfo=UTC)
DAY = timedelta(days=1)


def measured(at: int, value: float | None, **more: object) -> Measured:
    return replace(Measured(NOW + at * DAY, "drift", "", "", value, 100, {}), **more)  # type: ignore[arg-type]


def incident(severity: str = "page", seen: str = "") -> IncidentRow:
    given = Acknowledgement(severity, seen, "", NOW, NOW + DAY) if seen else None
    return IncidentRow(7, "flights", "v1", severity, NOW - DAY, None, "", NOW - DAY, 0, ("accuracy",), "told", given)


def lines(*stands: tuple[str, Stand], incidents: dict[str, list[IncidentRow]] | None = None) -> list[fleet.Line]:
    found = fleet.Fleet(dict(stands), incidents or {}, {})
    return fleet.lines_of([_model(name) for name, _ in stands], found, {}, NOW)


OK, BREACH, UNKNOWN = (Stand(state, row("accuracy", state), (), NOW) for state in ("ok", "breach", "unknown"))


@pytest.mark.parametrize(
    ("given", "headline", "note"),
    [
        # nothing is watched; one and several that hold; a breach without an incident yet; nothing judged yet
        (lines(), "0 models keep their promises", "No incident is open."),
        (lines(("a", OK)), "1 model keeps its promises", "No incident is open."),
        (lines(("a", OK), ("b", OK)), "2 models keep their promises", "No incident is open."),
        (lines(("a", OK), ("b", BREACH), ("c", UNKNOWN)), "1 of 3 models in breach", "No incident is open."),
        (lines(("a", OK), ("b", UNKNOWN)), "1 of 2 models cannot be judged", "No incident is open."),
        # an incident counts for more than any verdict; whether somebody has seen it is said
        (
            lines(("a", OK), ("b", BREACH), incidents={"a": [incident()]}),
            "1 of 2 models has an open incident",
            "1 incident is open, seen by nobody.",
        ),
        (
            lines(("a", OK), ("b", OK), incidents={"a": [incident(), incident(seen="anna")], "b": [incident("warn")]}),
            "2 of 2 models have an open incident",
            "3 incidents are open, 2 of them seen by nobody.",
        ),
        (
            lines(("a", OK), incidents={"a": [incident(seen="anna")]}),
            "1 of 1 model has an open incident",
            "1 incident is open, acknowledged.",
        ),
    ],
)
def test_the_first_line_says_what_is_worst(given: list[fleet.Line], headline: str, note: str) -> None:
    page = fleet.page_of(given, fleet.Asked())
    assert (page.headline, page.note) == (headline, note)


def test_who_needs_somebody_comes_first() -> None:
    given = lines(
        ("holds", OK), ("unknown", UNKNOWN), ("breach", BREACH), ("warned", OK), ("paged", OK),
        incidents={"paged": [incident()], "warned": [incident("warn")]},
    )  # fmt: skip
    assert [line.model for line in given] == ["paged", "warned", "breach", "unknown", "holds"]
    assert [line.tone for line in given] == ["page", "warn", "breach", "unknown", "ok"]


def test_a_search_fits_every_word_in_name_version_or_owner_and_filters_count_what_it_found() -> None:
    given = lines(("flights-eu", OK), ("flights-us", BREACH), ("demand", OK))
    page = fleet.page_of(given, fleet.Asked("FLIGHTS @team", "ok"))
    assert [line.model for line in page.lines] == ["flights-eu"]
    assert (page.counts["all"], page.counts["ok"], page.counts["breach"]) == (2, 1, 1)


def test_a_thousand_models_come_in_pages() -> None:
    given = lines(*((f"m{place:04d}", OK) for place in range(1000)))
    page = fleet.page_of(given, fleet.Asked(page=20))
    assert (page.pages, len(page.lines), page.lines[0].model) == (20, 50, "m0950")
    assert fleet.page_of(given, fleet.Asked(page=21)).lines == ()


@pytest.mark.parametrize(
    ("silent", "stale"),
    [
        # evaluated each day: three may be missed, a fourth is too many; never evaluated is not stale
        (3 * DAY, False),
        (3 * DAY + timedelta(seconds=1), True),
        (None, False),
    ],
)
def test_a_model_is_stale_once_three_evaluations_were_missed(silent: timedelta | None, stale: bool) -> None:
    [line] = lines(("a", Stand("ok", None, (), None if silent is None else NOW - silent)))
    assert [mark.kind for mark in line.marks] == (["stale"] if stale else [])


def test_what_is_suspicious_is_a_mark_and_no_other_verdict() -> None:
    stand = stand_of([row("accuracy", "ok", reason="watch"), row("coverage", "ok")], NOW)
    [line] = lines(("a", stand))
    told = "Suspicious, and nobody is paged for it: accuracy."
    assert (line.verdict, line.reason, [(mark.kind, mark.title) for mark in line.marks]) == (
        "ok",
        "",
        [("watch", told)],
    )


@pytest.mark.parametrize(
    ("since", "until", "begin", "end"),
    [
        # the usual; so long ago; days, the last one whole; a moment; so long before a day
        ("", "", NOW - 30 * DAY, NOW),
        ("7d", "", NOW - 7 * DAY, NOW),
        ("2013-07-01", "2013-07-03", datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 7, 4, tzinfo=UTC)),
        ("2013-07-01", "2013-07-03T06:00", datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 7, 3, 6, tzinfo=UTC)),
        ("1d", "2013-07-03", datetime(2013, 7, 3, tzinfo=UTC), datetime(2013, 7, 4, tzinfo=UTC)),
    ],
)
def test_the_time_of_a_page(since: str, until: str, begin: datetime, end: datetime) -> None:
    period = period_of(since, until, NOW)
    assert (period.since, period.until, period.problem) == (begin, end, "")


@pytest.mark.parametrize(
    ("since", "until", "problem"),
    [
        ("yesterday", "", "'yesterday' is neither a time (2013-07-01, 2013-07-01T06:00) nor a duration (7d, 12h)."),
        ("2013-07-05", "2013-07-01", "2013-07-05 00:00 is not before 2013-07-02 00:00."),
    ],
)
def test_a_time_that_makes_no_sense_is_said_and_the_usual_one_is_shown(since: str, until: str, problem: str) -> None:
    period = period_of(since, until, NOW)
    assert period.problem == f"{problem} Shown are the last 30d."
    assert (period.since, period.until) == (NOW - 30 * DAY, NOW)


def heat(cells: int, **most: Sequence[float | None]) -> Heat:
    ends = [(NOW + place * DAY,) for place in range(cells)]
    return Heat(ends, most, {column: values[-1] for column, values in most.items()})


def test_columns_are_ranked_by_how_far_they_drifted_now() -> None:
    found = strips_of(heat(3, calm=[0.0] * 3, was=[0.9, 0.45, 0.0], **{"is": [0.0, 0.1, 0.2]}, gone=[None] * 3))
    assert [strip.column for strip in found] == ["is", "was", "calm", "gone"]
    assert [cell.strength for cell in found[0].cells] == [0.0, 0.4, 0.8]
    assert (found[1].now, found[1].most) == (0.0, 0.9)
    assert strips_of(Heat((), {}, {})) == ()


def test_the_cells_of_a_strip_lie_side_by_side_from_end_to_end() -> None:
    [strip] = strips_of(heat(MOST_CELLS, temp=[0.3] * MOST_CELLS))
    edges = [(cell.left, cell.left + cell.width) for cell in strip.cells]
    assert all(end == pytest.approx(begin, abs=0.02) for (_, end), (begin, _) in pairwise(edges))
    assert [edges[0][0], edges[-1][1]] == pytest.approx([0, 100], abs=0.02)


def test_segments_are_ranked_by_the_rows_they_cost() -> None:
    whole = row("accuracy", "breach", value=0.65, threshold=0.7)
    parts = [("small and bad", 0.2, 10), ("large and bad", 0.6, 1000), ("fine", 0.8, 500), ("empty", None, 0)]
    segments = [measured(0, value, segment=name, rows=rows) for name, value, rows in parts]
    found = damages_of([measured(0, 0.65), *segments], whole)
    assert [(one.segment, round(one.cost)) for one in found] == [
        ("large and bad", 100), ("small and bad", 5), ("fine", -50),
    ]  # fmt: skip
    upper = row("error_cost", "breach", value=9.0, threshold=5.0, side="max")
    assert [one.cost for one in damages_of([measured(0, 8.0, segment="x", rows=2)], upper)] == [6.0]
    assert damages_of(segments, row("accuracy", "ok", threshold=None)) == ()


def test_absences_come_with_their_reasons() -> None:
    newest = measured(0, 0.9, detail={"population": 50, "missing": 1, "null": 4, "fallback": 0, "covered": 45})
    assert [(one.reason, one.entities, one.share) for one in absences_of(newest)] == [
        ("null", 4, 0.08), ("missing", 1, 0.02), ("fallback", 0, 0.0),
    ]  # fmt: skip
    assert absences_of(None) == absences_of(measured(0, None, detail={"population": 0})) == ()


def test_a_sparkline_breaks_where_nothing_was_known_and_stays_within_its_frame() -> None:
    values = [0.8, 0.9, None, 0.6, 0.7]
    passed = [Passed(NOW - (5 - day) * DAY, value, "breach" if value == 0.6 else "ok")
              for day, value in enumerate(values)]  # fmt: skip
    drawn = spark(passed, 0.7, NOW)
    assert drawn is not None
    assert len(drawn.lines) == 2
    assert drawn.words == "Last 30 days: 5 windows, 1 in breach"
    [(x, y)] = drawn.breaches
    assert y == HEIGHT - MARGIN
    assert MARGIN < x < WIDTH
    assert spark([Passed(NOW, None, "unknown")], 0.7, NOW) is None
    alone = spark([Passed(NOW - 90 * DAY, 0.5, "ok")], None, NOW)
    assert alone is not None
    assert (alone.lines, alone.bound, alone.last) == ((), None, (MARGIN, HEIGHT - MARGIN))


def test_small_words() -> None:
    assert ago(NOW - timedelta(seconds=30), NOW) == "just now"
    assert ago(NOW - timedelta(days=3, hours=5), NOW) == "3 days ago"
    assert ago(NOW + timedelta(hours=2), NOW) == "in 2 hours"
    assert model_path("a/b?c#d%") == "/models/a%2Fb%3Fc%23d%25"
    assert query(q="", verdict="breach", page=2, segment=None) == "?verdict=breach&page=2"
    assert query(q="") == ""
    assert shown_interval(float("-inf"), None) == ""
    assert shown_interval(0.4, float("inf")) == "[0.4, ∞]"
