"""Questions to the history: each filter, the revision that stands, and the plans the databases choose."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from monitor.history import in_force, queries
from monitor.history.records import EpisodeRecord, MeasurementRecord, VerdictRecord
from monitor.history.rows import EpisodeRow, HistoryRow, ModelRow
from monitor.history.store import Store

DAY = timedelta(days=1)
START = datetime(2013, 7, 1, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)

MEASURED = (
    MeasurementRecord("accuracy", "accuracy", 0.70, 0.65, 0.75, 100),
    MeasurementRecord("accuracy", "accuracy", 0.60, 0.50, 0.70, 40, segment="origin=EWR"),
    MeasurementRecord("drift", "drift", 0.10, 0.05, 0.15, 100, column="temp"),
    MeasurementRecord("drift", "drift", 0.30, 0.25, 0.35, 100, column="carrier"),
)


def judged(metric: str, verdict: str, column: str = "", side: str = "min", check: str = "") -> VerdictRecord:
    return VerdictRecord(metric, verdict, "because", "page", side, column, check=check, threshold=0.73)


@pytest.fixture
def filled(record: Callable[..., int]) -> None:
    record(1, measurements=MEASURED, verdicts=[judged("accuracy", "ok"), judged("accuracy", "ok", side="max")])
    record(2, measurements=MEASURED, verdicts=[judged("accuracy", "breach"), judged("drift", "ok", "temp", "max")])
    # On the third day the check of coverage failed, so that there is a verdict and no measurement.
    record(3, measurements=MEASURED, verdicts=[judged("accuracy", "ok"), judged("coverage", "error", check="coverage")])
    record(2, "demand", measurements=MEASURED[:1], verdicts=[judged("accuracy", "unknown")])


def test_a_verdict_tells_how_many_comparisons_there_were_beside_it(engine: Engine, record: Callable[..., int]) -> None:
    record(1, measurements=MEASURED, verdicts=[replace(judged("accuracy", "ok"), comparisons=12)])

    (row, *others) = queries.history(engine, metric="accuracy")
    assert (row.comparisons, [other.comparisons for other in others]) == (12, [None])
    assert [row.comparisons for row in queries.latest_verdicts(engine)] == [12]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        # Oldest first, a row per bound of a measurement and one for a bound nothing was measured for.
        (
            {"model": "flights", "metric": "accuracy", "segment": ""},
            ["1 accuracy ok", "1 accuracy ok", "2 accuracy breach", "3 accuracy ok"],
        ),
        ({"model": "flights", "segment": "origin=EWR"}, ["1 accuracy None", "2 accuracy None", "3 accuracy None"]),
        ({"model": "demand"}, ["2 accuracy unknown"]),
        ({"metric": "drift", "column": "temp"}, ["1 drift.temp None", "2 drift.temp ok", "3 drift.temp None"]),
        (
            {"metric": "drift", "column": "*", "since": START + 3 * DAY},
            ["3 drift.temp None", "3 drift.carrier None"],
        ),
        ({"check": "coverage"}, ["3 coverage error"]),
        ({"verdict": "breach"}, ["2 accuracy breach"]),
        ({"verdict": "error"}, ["3 coverage error"]),
        ({"verdict": "unknown", "model": "flights"}, []),
        ({"metric": "accuracy", "segment": "", "since": START + 3 * DAY}, ["3 accuracy ok"]),
        ({"metric": "accuracy", "segment": "", "until": START + 2 * DAY}, ["1 accuracy ok", "1 accuracy ok"]),
        # The newest ones of those that match.
        ({"model": "flights", "metric": "accuracy", "segment": "", "limit": 2}, ["2 accuracy breach", "3 accuracy ok"]),
        ({"metric": "nothing like it"}, []),
    ],
)
def test_the_history_is_filtered(engine: Engine, asked: dict[str, object], found: list[str]) -> None:
    rows = queries.history(engine, **asked)  # type: ignore[arg-type]  # a table of keyword arguments

    assert [f"{(row.window_end - START).days} {row.name} {row.verdict}" for row in rows] == found


@pytest.mark.usefixtures("filled")
def test_a_row_tells_measurement_and_verdict(engine: Engine) -> None:
    (row,) = queries.history(engine, verdict="breach")

    assert (row.model, row.version, row.check, row.window_start, row.window_end) == (
        "flights",
        "v1",
        "accuracy",
        START + DAY,
        START + 2 * DAY,
    )
    assert (row.value, row.low, row.high, row.rows) == (0.70, 0.65, 0.75, 100)
    assert (row.reason, row.severity, row.side, row.threshold) == ("because", "page", "min", 0.73)


def test_of_a_window_the_newest_revision_stands(engine: Engine, record: Callable[..., int]) -> None:
    # The first try failed, the second told, the third was a revision, and reading for a fourth failed.
    record(1, state="failed", verdicts=[judged("accuracy", "error")])
    record(1, revision=1, measurements=MEASURED[:1], verdicts=[judged("accuracy", "ok")])
    record(1, revision=2, measurements=MEASURED[:1], verdicts=[judged("accuracy", "breach")])
    record(1, revision=3, state="failed", verdicts=[judged("accuracy", "error")])

    assert [(row.revision, row.verdict) for row in queries.history(engine)] == [(2, "breach")]
    assert [(row.revision, row.verdict) for row in queries.latest_verdicts(engine)] == [(2, "breach")]


def test_a_window_that_only_failed_says_so(engine: Engine, record: Callable[..., int]) -> None:
    record(1, measurements=MEASURED[:1], verdicts=[judged("accuracy", "ok")])
    record(2, state="failed", verdicts=[judged("accuracy", "error")])
    record(3, state="skipped")

    assert [(row.window_end, row.verdict) for row in queries.latest_verdicts(engine)] == [(START + 2 * DAY, "error")]


def test_the_verdict_in_force_is_that_of_the_newest_window_over_all_plans(
    engine: Engine, record: Callable[..., int]
) -> None:
    record(1, plan="a", verdicts=[judged("accuracy", "breach"), judged("accuracy", "ok", side="max")])
    record(2, plan="b", verdicts=[judged("accuracy", "ok"), judged("drift", "breach", "temp")])
    record(3, plan="b", verdicts=[judged("drift", "ok", "temp")])
    record(4, "demand", verdicts=[judged("accuracy", "unknown")])

    found = [(row.model, row.name, row.side, row.verdict) for row in queries.latest_verdicts(engine)]
    # accuracy moved from plan a to plan b and was left out of b's newest window, so a's word on it is the last.
    assert found == [
        ("demand", "accuracy", "min", "unknown"),
        ("flights", "accuracy", "max", "ok"),
        ("flights", "accuracy", "min", "breach"),
        ("flights", "drift.temp", "min", "ok"),
    ]
    assert [row.name for row in queries.latest_verdicts(engine, "demand")] == ["accuracy"]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_the_verdicts_in_force_page_by_page_are_those_all_at_once(
    engine: Engine, record: Callable[..., int], monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr("monitor.history.in_force.AT_ONCE", 2)
    breach, ok = (VerdictRecord("accuracy", verdict, "", "page", "min") for verdict in ("breach", "ok"))
    for place, model in enumerate(("b", "B", "a b", "ä", "c")):
        record(
            1, model, verdicts=[ok, replace(breach, segment="origin=JFK"), replace(ok, metric="coverage")][place % 3 :]
        )

    def pages(model: str | None = None, verdict: str | None = None) -> list[HistoryRow]:
        found, after, more = list[HistoryRow](), None, True
        while more:
            page = in_force.page(engine, limit, after, model, verdict)
            assert len(page.rows) == limit or page.after is None
            found, after, more = [*found, *page.rows], page.after, page.after is not None
        return found

    whole = queries.latest_verdicts(engine)
    assert len(whole) > 8
    assert sorted(pages(), key=whole.index) == whole
    assert pages("b") == queries.latest_verdicts(engine, "b")
    assert sorted(pages(verdict="breach"), key=whole.index) == [row for row in whole if row.verdict == "breach"]


def test_each_model_is_told_with_its_worst_verdict(store: Store, engine: Engine, record: Callable[..., int]) -> None:
    record(1, verdicts=[judged("accuracy", "ok"), judged("coverage", "error"), judged("drift", "unknown")])
    record(2, "demand", verdicts=[judged("accuracy", "ok")])
    record(3, "silent")
    token = store.claim("flights", "me", WALL, DAY)
    assert token is not None
    with store.recording("flights", token, WALL) as recording:
        incident = recording.open_new_incident(version="v1", severity="page", opened_at=START)
    store.claim("never evaluated", "me", WALL, DAY)

    assert queries.models(engine) == [
        ModelRow("demand", "v1", "ok", START + 2 * DAY, START + 2 * DAY),
        ModelRow("flights", "v1", "error", START + DAY, START + DAY, incident, START, "page"),
        ModelRow("silent", "v1", "unknown", START + 3 * DAY, START + 3 * DAY),
    ]


def test_incidents_are_told_a_line_per_metric(store: Store, engine: Engine) -> None:
    for model, day in (("flights", 1), ("demand", 5)):
        token = store.claim(model, "me", WALL, DAY)
        assert token is not None
        with store.recording(model, token, WALL) as recording:
            incident = recording.open_new_incident(version="v1", severity="page", opened_at=START + day * DAY)
            for column in ("temp", ""):
                metric = "drift" if column else "accuracy"
                episode = EpisodeRecord(metric + column, metric, "page", START + day * DAY, column, "", 0.5, 0.7)
                recording.open_episode(incident, episode)
            recording.resolve_episode(incident, "drifttemp", START + (day + 1) * DAY)

    rows = queries.incidents(engine)
    assert [(row.model, row.metric) for row in rows] == [
        ("flights", "drift.temp"),
        ("flights", "accuracy"),
        ("demand", "drift.temp"),
        ("demand", "accuracy"),
    ]
    assert rows[0] == EpisodeRow("flights", "drift.temp", "", "page", START + DAY, START + 2 * DAY, 0.5, 0.7)
    assert queries.incidents(engine, "demand") == rows[2:]
    assert queries.incidents(engine, open_only=True) == [rows[1], rows[3]]
    assert queries.incidents(engine, since=START + 4 * DAY) == [rows[1], rows[2], rows[3]]


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "m", "metric": "accuracy", "segment": ""},
        {"metric": "drift", "column": "temp"},
        {"model": "m", "since": START, "until": START + DAY},
        {"check": "drift"},
        {"verdict": "breach"},
        {},
    ],
    ids=str,
)
def test_no_question_reads_a_whole_table(engine: Engine, asked: dict[str, object]) -> None:
    statements: list[tuple[str, Any]] = []

    def listen(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", listen)
    queries.history(engine, **asked)  # type: ignore[arg-type]  # a table of keyword arguments
    queries.latest_verdicts(engine, "m")
    event.remove(engine, "before_cursor_execute", listen)

    plans = []
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            # A table this small is read whole for good reason; without that choice a missing index shows.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        for statement, parameters in statements:
            if statement.startswith("SELECT"):
                plans += [row[-1] for row in connection.exec_driver_sql(f"{explain} {statement}", parameters)]
    big = "measurements|verdicts|evaluations|e|m|v|o"
    whole = re.compile(rf"Seq Scan on ({big})\b|SCAN ({big})$|SCAN ({big}) (?!USING)")
    assert plans
    assert [line for line in plans if whole.search(line)] == []
