"""A migrated history, once on SQLite and once on PostgreSQL, and short ways to fill it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from monitor.history.records import EvaluationRecord, EvaluationState, MeasurementRecord, VerdictRecord
from monitor.history.store import Store

DAY = timedelta(days=1)
START = datetime(2013, 7, 1, tzinfo=UTC)
LEASE = timedelta(minutes=1)
WALL = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(engine: Engine) -> Store:
    return Store(engine)


Record = Callable[..., int]


@pytest.fixture
def record(store: Store) -> Record:
    """Record one evaluation of *model* whose window ends *day* days after START, and return its id."""

    def write(
        day: float,
        model: str = "flights",
        *,
        measurements: Sequence[MeasurementRecord] = (),
        verdicts: Sequence[VerdictRecord] = (),
        plan: str = "1d each 1d",
        revision: int = 0,
        state: EvaluationState = "done",
    ) -> int:
        token = store.claim(model, "me", WALL, LEASE)
        assert token is not None
        end = START + day * DAY
        with store.recording(model, token, WALL) as recording:
            evaluation = recording.evaluation(
                EvaluationRecord("v1", plan, end - DAY, end, end, revision, state, inputs=f"r{revision}", rows=10)
            )
            recording.measurements(evaluation, measurements)
            recording.verdicts(evaluation, verdicts)
        store.give_back(model, token)
        return evaluation

    return write
