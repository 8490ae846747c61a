"""Retention: what is old goes, what is still open stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, Table, func, select, update

from monitor.history.records import (
    BaselineRecord,
    EpisodeRecord,
    MeasurementRecord,
    OutboxRecord,
    ProfileRecord,
    TransitionRecord,
    VerdictRecord,
)
from monitor.history.store import Store
from monitor.history.tables import (
    alerts,
    baselines,
    episodes,
    evaluations,
    incidents,
    measurements,
    outbox,
    transitions,
    verdicts,
)

DAY = timedelta(days=1)
START = datetime(2013, 7, 1, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)


def count(engine: Engine, table: Table) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_old_evaluations_go_with_what_they_measured(store: Store, engine: Engine, record: Callable[..., int]) -> None:
    for day in range(1, 21):
        record(
            day,
            measurements=[MeasurementRecord("accuracy", "accuracy", 0.7)],
            verdicts=[VerdictRecord("accuracy", "ok", "holds", "page", "min")],
        )

    removed = store.prune(START + 20 * DAY, keep=5 * DAY, batch=3)

    assert removed == 14
    ends = [window.end for window in store.evaluated("flights", "1d each 1d", START)]
    assert ends == [START + day * DAY for day in range(15, 21)]
    assert count(engine, measurements) == count(engine, verdicts) == 6
    assert store.prune(START + 20 * DAY, keep=5 * DAY) == 0


def test_the_newest_window_of_each_plan_stays(store: Store, record: Callable[..., int]) -> None:
    record(1)
    record(2)
    record(1, plan="another")

    store.prune(START + 1000 * DAY, keep=5 * DAY)

    assert store.newest_window_end("flights", "1d each 1d") == START + 2 * DAY
    assert store.newest_window_end("flights", "another") == START + DAY


def test_old_profiles_go_and_their_baseline_stays(store: Store, engine: Engine) -> None:
    baseline = store.save_baseline(BaselineRecord("flights", "v1", "f", b"layout", START))
    token = store.claim("flights", "me", WALL, DAY)
    assert token is not None
    with store.recording("flights", token, WALL) as recording:
        days = [START + day * DAY for day in range(10)]
        recording.profiles(baseline, {at: ProfileRecord(at + DAY, 1, 1, b"p", at + DAY) for at in days})

    assert store.prune(START + 10 * DAY, keep=5 * DAY, batch=2) == 4
    assert list(store.bucket_states(baseline, START, START + 10 * DAY)) == days[4:]
    assert count(engine, baselines) == 1


@pytest.mark.parametrize(
    ("resolved", "state", "left"),
    [
        # Over, and everybody was told.
        (True, "sent", 0),
        (True, "superseded", 0),
        # Over, but somebody is still to be told.
        (True, "pending", 1),
        (True, "blocked", 1),
        # Still open, however long ago it began.
        (False, "sent", 1),
    ],
)
def test_an_old_incident_goes_once_it_is_over_and_told(
    store: Store, engine: Engine, *, resolved: bool, state: str, left: int
) -> None:
    token = store.claim("flights", "me", WALL, DAY)
    assert token is not None
    with store.recording("flights", token, WALL) as recording:
        incident = recording.open_new_incident(version="v1", severity="page", opened_at=START)
        recording.open_episode(incident, EpisodeRecord("k", "accuracy", "page", START))
        recording.enqueue(OutboxRecord("key", incident, "console", "first", {}, WALL))
        if resolved:
            recording.update_incident(incident, severity="page", resolved_at=START + DAY, sequence=2)
    with engine.begin() as connection:
        connection.execute(update(outbox).values(state=state))

    store.prune(START + 1000 * DAY, keep=400 * DAY)

    assert [count(engine, table) for table in (incidents, episodes, outbox)] == [left] * 3


def test_old_transitions_go_and_those_of_an_incident_with_it(store: Store, engine: Engine) -> None:
    token = store.claim("flights", "me", WALL, DAY)
    assert token is not None
    with store.recording("flights", token, WALL) as recording:
        incident = recording.open_new_incident(version="v1", severity="page", opened_at=START)
        for day, of in ((0, None), (0, incident), (900, None)):
            about = ("k", "accuracy", "", "", "min", START + day * DAY)
            recording.transitions(
                [TransitionRecord(*about, "inactive", "pending", "pending_started", incident_id=of)], WALL
            )

    store.prune(START + 1000 * DAY, keep=400 * DAY)
    assert count(engine, transitions) == 2, "the incident is open"
    with store.recording("flights", token, WALL) as recording:
        recording.update_incident(incident, severity="page", resolved_at=START + DAY, sequence=2)
    store.prune(START + 1000 * DAY, keep=400 * DAY)
    assert count(engine, transitions) == 1, "the newest is not old"


def test_retention_leaves_what_is_kept_for_longer(store: Store, engine: Engine, record: Callable[..., int]) -> None:
    record(1)
    record(2)

    assert store.prune(START + 2 * DAY, keep=400 * DAY) == 0
    assert count(engine, evaluations) == 2
    assert count(engine, alerts) == 0
