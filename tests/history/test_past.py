"""What a plan measured before: windows whole weeks earlier, as they stand, breaches marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event

from checks.contract import Past
from monitor.history.records import MeasurementRecord, VerdictRecord
from monitor.history.store import Store

START = datetime(2013, 7, 1, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
PLAN = "1d each 1d"
Record = Callable[..., int]


def volume(value: float | None, segment: str = "", column: str = "") -> MeasurementRecord:
    return MeasurementRecord("freshness", "volume", value, rows=1, segment=segment, column=column)


def judged(verdict: str, side: str = "min", segment: str = "") -> VerdictRecord:
    return VerdictRecord("volume", verdict, "because", "page", side, segment=segment, check="freshness", threshold=1.0)


def past(
    store: Store, day: int, weeks: float = 8, plan: str = PLAN, length: timedelta = DAY, metric: str = "volume"
) -> Mapping[tuple[str, str, str], tuple[Past, ...]]:
    end = START + day * DAY
    return store.past("flights", plan, {metric, "volume_change"}, end - length, end, weeks * WEEK)


def test_windows_of_the_same_weekday_before_this_one_are_known(store: Store, record: Record) -> None:
    for day in (0, 6, 7, 8, 14, 21):
        record(day, measurements=[volume(float(day))])
    assert past(store, 21) == {
        ("volume", "", ""): tuple(Past(START + day * DAY, float(day)) for day in (0, 7, 14)),
    }
    assert [one.value for one in past(store, 21, weeks=2.5)["volume", "", ""]] == [7, 14]
    # What comes later is not known: neither day 14 itself nor day 21.
    assert [one.value for one in past(store, 14)["volume", "", ""]] == [0, 7]
    assert past(store, 1) == past(store, 21, weeks=0.9) == {}


def test_segments_and_columns_are_kept_apart_and_no_value_is_none(store: Store, record: Record) -> None:
    record(7, measurements=[volume(1.0), volume(2.0, "city=Oslo"), volume(3.0, column="x"), volume(None, "city=B")])
    assert {key: values[0].value for key, values in past(store, 14).items()} == {
        ("volume", "", ""): 1,
        ("volume", "", "city=Oslo"): 2,
        ("volume", "x", ""): 3,
    }


def test_a_breach_on_either_side_marks_that_measurement_alone(store: Store, record: Record) -> None:
    both = [volume(1.0), volume(2.0, "city=Oslo")]
    record(0, measurements=both, verdicts=[judged("ok"), judged("breach", "max")])
    record(7, measurements=both, verdicts=[judged("unknown"), judged("breach", segment="city=Oslo")])
    found = past(store, 14)
    assert [one.breach for one in found["volume", "", ""]] == [True, False]
    assert [one.breach for one in found["volume", "", "city=Oslo"]] == [False, True]


def test_of_revisions_the_one_that_stands_counts(store: Store, record: Record) -> None:
    record(7, measurements=[volume(1.0)], verdicts=[judged("breach")])
    record(7, measurements=[volume(5.0)], verdicts=[judged("ok")], revision=1)
    record(7, revision=2, state="failed")
    assert past(store, 14) == {("volume", "", ""): (Past(START + 7 * DAY, 5.0),)}


def test_other_plans_models_metrics_and_lengths_do_not_count(store: Store, record: Record) -> None:
    record(7, measurements=[volume(1.0)])
    record(7, "demand", measurements=[volume(2.0)])
    assert past(store, 14, plan="7d each 1d") == {}
    assert past(store, 14, metric="accuracy") == {}
    assert past(store, 14, length=2 * DAY) == {}


def test_a_long_past_is_found_by_an_index(engine: Engine, store: Store, record: Record) -> None:
    record(7, measurements=[volume(1.0)])
    asked: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(connection: object, cursor: object, statement: str, parameters: Any, *rest: object) -> None:
        asked.append((statement, parameters))

    past(store, 14)
    (statement, parameters) = next(one for one in asked if "measurements" in one[0])
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")
        plan = "\n".join(str(row) for row in connection.exec_driver_sql(explain + statement, parameters))
    assert "evaluations_by_plan" in plan or "evaluations_model_plan_window_start" in plan
    assert "SCAN measurements" not in plan
    assert "Seq Scan on measurements" not in plan
