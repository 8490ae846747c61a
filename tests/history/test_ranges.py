"""Measurements page by page: nothing twice, nothing left out, whatever is recorded meanwhile; what was known once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from monitor.history import queries, search
from monitor.history.ranges import Filters, Place, page
from monitor.history.records import EvaluationRecord, MeasurementRecord, VerdictRecord
from monitor.history.rows import HistoryRow
from monitor.history.store import Store

DAY = timedelta(days=1)
START = datetime(2013, 7, 1, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)
Record = Callable[..., int]


def measured(*values: float) -> list[MeasurementRecord]:
    return [
        MeasurementRecord("accuracy", "accuracy", value, segment=f"s={place}") for place, value in enumerate(values)
    ]


def all_pages(
    engine: Engine, asked: Filters, limit: int, meanwhile: Callable[[], object] = lambda: None
) -> list[HistoryRow]:
    found: list[HistoryRow] = []
    after: Place | None = None
    while True:
        got = page(engine, asked, limit, after)
        assert len(got.rows) <= limit
        found += got.rows
        after = got.after
        if after is None:
            return found
        meanwhile()


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 100])
def test_pages_of_any_size_are_one_answer_in_pieces(engine: Engine, record: Record, limit: int) -> None:
    for day in range(1, 6):
        record(
            day, measurements=measured(0.5, 0.6, 0.7), verdicts=[VerdictRecord("coverage", "error", "x", "page", "min")]
        )
    record(3, "demand", measurements=measured(0.1))

    found = all_pages(engine, Filters(), limit)
    assert len(found) == len(set(found)) == 5 * 4 + 1
    assert [row.window_end for row in found] == sorted((row.window_end for row in found), reverse=True)
    assert sorted(found, key=lambda row: row.window_end) == queries.history(engine)
    assert page(engine, Filters(), len(found)).after is None


def test_what_is_recorded_between_two_pages_is_on_neither(engine: Engine, record: Record) -> None:
    for day in (1, 2, 3):
        record(day, measurements=measured(0.5, 0.6, 0.7))
    before = all_pages(engine, Filters(), 100)
    revisions = iter(range(1, 100))

    def more() -> None:
        revision = next(revisions)
        record(4, measurements=measured(0.1), revision=revision)  # a window that is new
        for day in (1, 2, 3):
            record(day, measurements=measured(0.1, 0.2), revision=revision)  # late outcomes

    assert all_pages(engine, Filters(), 2, more) == before
    assert [row.revision for row in all_pages(engine, Filters(), 100)] == [4, 4, 4, 4, 4, 4, 4]


@pytest.fixture
def revised(store: Store) -> None:
    """The window of day 1, evaluated on day 1, once more on day 3 and, in vain, on day 5; that of day 2 on day 2."""
    runs = [(1, 0, 1, "done", 0.70), (2, 0, 2, "done", 0.71), (1, 1, 3, "done", 0.68), (1, 2, 5, "failed", None)]
    token = store.claim("flights", "me", WALL, DAY)
    assert token is not None
    for day, revision, at, state, value in runs:
        end = START + day * DAY
        with store.recording("flights", token, WALL) as recording:
            made = EvaluationRecord("v1", "p", end - DAY, end, START + at * DAY, revision, state)  # type: ignore[arg-type]  # a table of states
            evaluation = recording.evaluation(made)
            if value is not None:
                recording.measurements(evaluation, [MeasurementRecord("accuracy", "accuracy", value)])
            else:
                recording.verdicts(evaluation, [VerdictRecord("accuracy", "error", "source_failed", "page", "min")])


@pytest.mark.usefixtures("revised")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        # As it stands: the failed revision replaces nothing.
        (Filters(), [(2, 0, 0.71), (1, 1, 0.68)]),
        # Before anything was evaluated.
        (Filters(as_of=START), []),
        # The moment of an evaluation counts.
        (Filters(as_of=START + DAY), [(1, 0, 0.70)]),
        # A moment before the second one.
        (Filters(as_of=START + 2 * DAY - timedelta(microseconds=1)), [(1, 0, 0.70)]),
        # Before the late outcomes.
        (Filters(as_of=START + 2 * DAY), [(2, 0, 0.71), (1, 0, 0.70)]),
        # And after them.
        (Filters(as_of=START + 3 * DAY), [(2, 0, 0.71), (1, 1, 0.68)]),
        # Each revision, the newest first.
        (Filters(revisions=True), [(2, 0, 0.71), (1, 2, None), (1, 1, 0.68), (1, 0, 0.70)]),
        # Each revision that was known.
        (Filters(revisions=True, as_of=START + 3 * DAY), [(2, 0, 0.71), (1, 1, 0.68), (1, 0, 0.70)]),
    ],
)
def test_what_was_known_at_a_time_is_told(
    engine: Engine, asked: Filters, found: list[tuple[int, int, float | None]]
) -> None:
    rows = page(engine, asked, 100).rows
    assert [((row.window_end - START).days, row.revision, row.value) for row in rows] == found


def test_a_page_ends_after_a_while_where_next_to_nothing_matches(
    engine: Engine, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SPELL", 5)
    record(1, measurements=[MeasurementRecord("rare", "rare", 1.0)])
    for day in range(2, 22):
        record(day, measurements=measured(0.5))

    first = page(engine, Filters(metric="rare"), 10)
    assert (first.rows, first.after is None) == ((), False)
    assert [row.metric for row in all_pages(engine, Filters(metric="rare"), 10)] == ["rare"]
    assert [row.metric for row in queries.history(engine, metric="rare")] == ["rare"]


def test_a_row_names_the_evaluation_it_is_of(engine: Engine, record: Record) -> None:
    verdict = VerdictRecord("accuracy", "ok", "holds", "page", "min", segment="s=0")
    evaluation = record(1, measurements=measured(0.5), verdicts=[verdict])

    assert [row.evaluation_id for row in page(engine, Filters(), 10).rows] == [evaluation]
    assert [row.evaluation_id for row in queries.latest_verdicts(engine)] == [evaluation]


@pytest.mark.parametrize(
    "asked",
    [
        Filters(),
        Filters(model="m", metric="accuracy", segment="", as_of=START),
        Filters(model="m", since=START, until=START + DAY, revisions=True),
        Filters(verdict="breach"),
    ],
    ids=str,
)
def test_no_page_reads_a_whole_table(engine: Engine, asked: Filters) -> None:
    statements: list[tuple[str, Any]] = []

    def listen(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", listen)
    page(engine, asked, 10)
    page(engine, asked, 10, Place(7, START, 3, 1))
    event.remove(engine, "before_cursor_execute", listen)

    plans = []
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # what is small is read whole for good reason
        explain = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        for statement, parameters in statements:
            plans += [row[-1] for row in connection.exec_driver_sql(f"{explain} {statement}", parameters)]
    whole = re.compile(r"Seq Scan on|SCAN \w+$|SCAN \w+ (?!USING)|USE TEMP B-TREE FOR ORDER BY")
    sorts = "verdict" if asked.verdict else ""  # the few evaluations with a rare verdict are looked up and sorted
    assert plans
    assert [line for line in plans if whole.search(line) and not sorts] == []
