"""What other plans measured in the same window, as it stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from checks.contract import Measurement
from monitor.history.recording import Recording
from monitor.history.records import MeasurementRecord, VerdictRecord
from monitor.history.store import Store

START = datetime(2013, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)
Record = Callable[..., int]


def drift(value: float, column: str = "temp", metric: str = "drift") -> MeasurementRecord:
    return MeasurementRecord("drift", metric, value, rows=10, column=column)


def bound(side: str, threshold: float) -> VerdictRecord:
    return VerdictRecord("drift", "ok", "holds", "warn", side, "temp", threshold=threshold)


def beside(store: Store, plan: str = "outcomes") -> list[tuple[Measurement, float | None]]:
    with store.engine.connect() as connection:
        return Recording(connection, "flights").beside(plan, START, START + DAY, "drift")


def test_drift_of_another_plan_comes_with_its_upper_bound(store: Store, record: Record) -> None:
    bounds = [bound("max", 0.2), bound("min", 0.0)]
    record(
        1, plan="rows", measurements=[drift(0.41), drift(0.1, "wind"), drift(0.9, metric="hellinger")], verdicts=bounds
    )
    assert [(one.column, one.value, one.rows, limit) for one, limit in beside(store)] == [
        ("temp", 0.41, 10, 0.2),
        ("wind", 0.1, 10, None),
    ]


def test_other_windows_other_models_and_the_plan_itself_are_left_out(store: Store, record: Record) -> None:
    record(2, plan="rows", measurements=[drift(0.1)])
    record(1, "churn", plan="rows", measurements=[drift(0.2)])
    record(1, plan="outcomes", measurements=[drift(0.3)])
    assert beside(store) == []


def test_of_revisions_the_one_that_stands_is_told(store: Store, record: Record) -> None:
    record(1, plan="rows", measurements=[drift(0.41)])
    record(1, plan="rows", measurements=[drift(0.05)], revision=1)
    assert [one.value for one, _ in beside(store)] == [0.05]
