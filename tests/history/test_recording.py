"""Recording: everything an evaluation brings, in one transaction, and read back the same from both databases."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from monitor.history.recording import Recording
from monitor.history.records import (
    AlertRecord,
    BaselineRecord,
    BucketState,
    DayRecord,
    EpisodeRecord,
    EvaluationRecord,
    IncidentRecord,
    MeasurementRecord,
    OutboxRecord,
    OutboxSummary,
    ProfileRecord,
    TransitionRecord,
    VerdictRecord,
    WindowRecord,
)
from monitor.history.store import Store
from monitor.history.tables import episodes, measurements, metadata, outbox, transitions, verdicts

DAY = timedelta(days=1)
START = datetime(2013, 7, 1, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)
BASELINE = BaselineRecord("flights", "v1", "f" * 64, b"layout", START, b"reference", timedelta(hours=5))


@pytest.fixture
def token(store: Store) -> int:
    taken = store.claim("flights", "me", WALL, DAY)
    assert taken is not None
    return taken


def everything(recording: Recording, baseline: int, revision: int = 0) -> None:
    evaluation = recording.evaluation(
        EvaluationRecord("v1", "1d each 1d", START, START + DAY, START + DAY, revision, inputs="abc")
    )
    recording.measurements(evaluation, [MeasurementRecord("accuracy", "accuracy", 0.7, 0.6, 0.8, 100)])
    recording.verdicts(evaluation, [VerdictRecord("accuracy", "breach", "falls_below", "page", "min")])
    recording.profiles(baseline, {START: ProfileRecord(START + DAY, 100, 90, b"profile", START + DAY)})
    recording.save_alerts([AlertRecord("k", "accuracy", "min", "firing", START + DAY, {"condition": "firing"})])
    incident = recording.open_new_incident(version="v1", severity="page", opened_at=START + DAY, sequence=1)
    recording.open_episode(incident, EpisodeRecord("k", "accuracy", "page", START + DAY, value=0.7, threshold=0.73))
    recording.enqueue(OutboxRecord(f"n{revision}", incident, "console", "first", {"text": "hi"}, WALL))


def test_an_exception_while_recording_leaves_nothing(store: Store, engine: Engine, token: int) -> None:
    baseline = store.save_baseline(BASELINE)

    with pytest.raises(ZeroDivisionError):  # noqa: PT012, SIM117  # what comes before it must be undone
        with store.recording("flights", token, WALL) as recording:
            everything(recording, baseline)
            _ = 1 / 0

    kept = {"models", "baselines"}  # the lease and the baseline have transactions of their own
    with engine.connect() as connection:
        rows = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
    assert {name for name, count in rows.items() if count} == kept


def test_everything_recorded_is_read_back(store: Store, token: int) -> None:
    baseline = store.save_baseline(BASELINE)
    with store.recording("flights", token, WALL) as recording:
        everything(recording, baseline)

    assert store.evaluated("flights", "1d each 1d", START) == [
        WindowRecord(START, START + DAY, 0, "abc", "done", START + DAY)
    ]
    assert store.newest_window_end("flights", "1d each 1d") == START + DAY
    assert store.bucket_profiles(baseline, START, START + DAY) == {
        START: ProfileRecord(START + DAY, 100, 90, b"profile", START + DAY, revision=0)
    }
    assert store.outbox_summary() == OutboxSummary(pending=1, blocked=0, oldest=WALL)
    counts = store.counts()
    assert (counts.models, counts.open_incidents, counts.firing_alerts) == (1, 1, 1)
    with store.recording("flights", token, WALL) as recording:
        assert recording.alerts() == {"k": {"condition": "firing"}}
        assert recording.incidents() == [IncidentRecord(1, "v1", "page", START + DAY, None, 1)]


def test_an_empty_history_has_nothing_to_tell(store: Store, token: int) -> None:
    assert store.evaluated("flights", "1d each 1d", START) == []
    assert store.newest_window_end("flights", "1d each 1d") is None
    assert store.baseline("flights", "v1", "f" * 64) is None
    assert store.bucket_states(1, START, START + DAY) == {}
    assert store.outbox_summary() == OutboxSummary(pending=0, blocked=0, oldest=None)
    with store.recording("flights", token, WALL) as recording:
        assert recording.alerts() == {}
        assert recording.incidents() == []
        assert recording.told(1) == ()
        recording.measurements(1, [])
        recording.verdicts(1, [])
        recording.transitions([], WALL)
        recording.profiles(1, {})
        recording.save_alerts([])


def test_how_long_the_outcomes_of_a_bucket_took_is_told_where_it_is_asked_for(store: Store, token: int) -> None:
    baseline, read_at = store.save_baseline(BASELINE), START + DAY
    with store.recording("flights", token, WALL) as recording:
        recording.profiles(baseline, {START: ProfileRecord(START + DAY, 100, 90, b"p", read_at, lags=(40, 50))})

    assert store.bucket_lags(baseline, START, START + DAY) == {START: BucketState(0, 100, 90, read_at, (40, 50))}
    assert store.bucket_states(baseline, START, START + DAY) == {START: BucketState(0, 100, 90, read_at)}


def test_how_late_outcomes_come_stays_known_when_a_new_version_begins(store: Store, token: int) -> None:
    first = store.save_baseline(BASELINE)
    with store.recording("flights", token, WALL) as recording:
        recording.lag_curve(first, [0.5, 0.9])

    store.save_baseline(replace(BASELINE, version="v2"))
    store.save_baseline(replace(BASELINE, model="another"))

    found = [store.baseline(model, version, "f" * 64) for model, version in (("flights", "v2"), ("another", "v1"))]
    assert [one and one.lag_curve for one in found] == [(0.5, 0.9), ()]


def test_a_bucket_read_again_replaces_its_profile(store: Store, token: int) -> None:
    baseline = store.save_baseline(BASELINE)
    for rows, read_at in ((100, START + DAY), (120, START + 2 * DAY)):
        with store.recording("flights", token, WALL) as recording:
            recording.profiles(
                baseline,
                {
                    START: ProfileRecord(START + DAY, rows, 90, b"profile", read_at),
                    START + rows * DAY: ProfileRecord(START + (rows + 1) * DAY, 1, 1, b"other", read_at),
                },
            )

    assert store.bucket_states(baseline, START, START + 110 * DAY) == {
        START: BucketState(revision=1, rows=120, outcomes=90, read_at=START + 2 * DAY),
        START + 100 * DAY: BucketState(revision=0, rows=1, outcomes=1, read_at=START + DAY),
    }


def test_of_a_day_measured_again_the_last_counts_and_what_was_known_before_stays(store: Store, token: int) -> None:
    baseline = store.save_baseline(BASELINE)
    other = DayRecord("f", "accuracy", "", "origin=JFK", START, 0.6, 40, 0.03)
    first, last = (DayRecord("f", "accuracy", "", "", START, value, 100, 0.02) for value in (0.7, 0.8))
    with store.recording("flights", token, WALL) as recording:
        recording.days(baseline, 5, [first, other, DayRecord("g", "mae", "", "", START, 3.0, 5, 0.0)])
        recording.days(baseline, 7, [last])

    def known(upto: int | None) -> set[DayRecord]:
        return set(store.days(baseline, ["f"], [START, START + DAY], upto))

    assert known(None) == known(7) == {last, other}
    assert known(5) == known(6) == {first, other}
    assert known(4) == set()
    assert store.days(baseline, ["f"], [START + DAY]) == []
    assert store.days(baseline, [], [START]) == []


def test_the_newest_revision_of_a_window_is_told(store: Store, record: Callable[..., int]) -> None:
    record(1)
    record(2, state="failed")
    record(2, revision=1)
    record(3, plan="another")
    record(3, model="another")

    told = store.evaluated("flights", "1d each 1d", START)
    assert [(window.end, window.revision, window.state, window.inputs) for window in told] == [
        (START + DAY, 0, "done", "r0"),
        (START + 2 * DAY, 1, "done", "r1"),
    ]
    assert store.evaluated("flights", "1d each 1d", START + 2 * DAY) == told[1:]


def test_the_first_baseline_of_a_version_stays(store: Store) -> None:
    first = store.save_baseline(BASELINE)
    second = store.save_baseline(BaselineRecord("flights", "v1", "f" * 64, b"another layout", START))

    assert second == first
    kept = store.baseline("flights", "v1", "f" * 64)
    assert kept is not None
    assert (kept.id, kept.layout, kept.profile, kept.outcome_delay, kept.recorded_at) == (
        first,
        b"layout",
        b"reference",
        timedelta(hours=5),
        START,
    )


def test_an_incident_goes_through_its_life(store: Store, engine: Engine, token: int) -> None:
    with store.recording("flights", token, WALL) as recording:
        incident = recording.open_new_incident(version="v1", severity="warn", opened_at=START)
        recording.open_episode(incident, EpisodeRecord("k", "drift", "warn", START, "temp"))
    with store.recording("flights", token, WALL) as recording:
        recording.update_incident(incident, severity="page", resolved_at=None, sequence=2)
        assert recording.incidents() == [IncidentRecord(incident, "v1", "page", START, None, 2)]
        recording.resolve_episode(incident, "k", START + DAY)
        recording.update_incident(incident, severity="page", resolved_at=START + DAY, sequence=3, end_reason="resolved")
        ended = IncidentRecord(incident, "v1", "page", START, START + DAY, 3, "", "resolved")
        assert recording.incidents() == [ended], "the newest may be reopened"
        # The same alert fires again: another episode, and the first one stays as it was.
        recording.open_episode(incident, EpisodeRecord("k", "drift", "warn", START + 2 * DAY, "temp"))
        recording.resolve_episode(incident, "k", START + 3 * DAY)

    with engine.connect() as connection:
        ends = connection.execute(select(episodes.c.resolved_at).order_by(episodes.c.id)).scalars()
        assert list(ends) == [START + DAY, START + 3 * DAY]


def test_an_episode_may_go_on_and_it_is_the_last_one_that_does(store: Store, engine: Engine, token: int) -> None:
    with store.recording("flights", token, WALL) as recording:
        incident = recording.open_new_incident(version="v1", severity="warn", opened_at=START)
        for day in (0, 2):
            recording.open_episode(incident, EpisodeRecord("k", "drift", "warn", START + day * DAY))
            recording.resolve_episode(incident, "k", START + (day + 1) * DAY)
        recording.reopen_episode(incident, "k")

    with engine.connect() as connection:
        found = connection.execute(select(episodes.c.resolved_at, episodes.c.reopened).order_by(episodes.c.id))
        assert [tuple(row) for row in found] == [(START + DAY, 0), (None, 1)]


def test_the_incidents_that_matter_are_those_open_and_the_newest_of_each_group(store: Store, token: int) -> None:
    with store.recording("flights", token, WALL) as recording:
        for group, ended in (("a", True), ("a", True), ("b", False), ("b", True), ("", False)):
            made = recording.open_new_incident(version="v1", severity="warn", opened_at=START, group=group)
            recording.update_incident(made, severity="warn", resolved_at=START if ended else None, sequence=1)
        assert [one.id for one in recording.incidents()] == [2, 3, 4, 5]


def test_why_a_condition_changed_is_kept(store: Store, engine: Engine, token: int) -> None:
    with store.recording("flights", token, WALL) as recording:
        about = ("k", "drift", "temp", "", "max", START + DAY)
        recording.transitions([TransitionRecord(*about, "inactive", "pending", "pending_started", 0.3)], WALL)

    with engine.connect() as connection:
        row = connection.execute(select(transitions)).one()
    assert (row.model, row.before, row.after, row.reason, row.value) == (
        "flights",
        "inactive",
        "pending",
        "pending_started",
        0.3,
    )
    assert (row.window_end, row.incident_id, row.evaluation_id) == (START + DAY, None, None)


def test_who_has_been_told_is_known(store: Store, token: int) -> None:
    with store.recording("flights", token, WALL) as recording:
        incident = recording.open_new_incident(version="v1", severity="page", opened_at=START)
        for key, receiver in (("1", "slack:#b"), ("2", "console"), ("3", "slack:#b")):
            recording.enqueue(OutboxRecord(key, incident, receiver, "opened", {}, WALL))
        assert recording.told(incident) == ("console", "slack:#b")


def test_a_notification_is_due_once(store: Store, engine: Engine, token: int) -> None:
    with store.recording("flights", token, WALL) as recording:
        incident = recording.open_new_incident(version="v1", severity="page", opened_at=START)
        for text in ("first", "again"):
            recording.enqueue(OutboxRecord("key", incident, "console", "first", {"text": text}, WALL))

    with engine.connect() as connection:
        row = connection.execute(select(outbox)).one()
    assert (row.message, row.state, row.next_at, row.attempts) == ({"text": "first"}, "pending", WALL, 0)


def test_what_a_database_would_refuse_is_made_fit(store: Store, engine: Engine, token: int) -> None:
    odd = MeasurementRecord(
        "quality",
        "nulls",
        math.nan,
        -math.inf,
        math.inf,
        7,
        column="a\x00b",
        segment="city=" + "x" * 500,
        detail={"nan": math.nan, "nested": [math.inf, {"ok": 1}], "at": START, "text": "\ud800\x00"},
    )
    with store.recording("flights", token, WALL) as recording:
        evaluation = recording.evaluation(EvaluationRecord("v1", "p", START, START + DAY, START + DAY))
        recording.measurements(evaluation, [odd])
        recording.verdicts(
            evaluation, [VerdictRecord("nulls", "error", "check_failed", "warn", "max", "a", sentence="\x00\ud800")]
        )

    with engine.connect() as connection:
        row = connection.execute(select(measurements)).one()
        sentence = connection.execute(select(verdicts.c.sentence)).scalar_one()
    assert (row.value, row.low, row.high, row.column) == (None, -math.inf, math.inf, "a\ufffdb")
    assert len(row.segment) == 400
    assert row.detail["nan"] is None
    assert row.detail["nested"] == [None, {"ok": 1}]
    assert row.detail["at"] == "2013-07-01 00:00:00+00:00"
    assert sentence == "\ufffd?"


def test_two_long_segments_stay_two(store: Store, engine: Engine, token: int) -> None:
    long = [MeasurementRecord("accuracy", "accuracy", 0.5, segment="city=" + "x" * 500 + end) for end in ("one", "two")]
    with store.recording("flights", token, WALL) as recording:
        evaluation = recording.evaluation(EvaluationRecord("v1", "p", START, START + DAY, START + DAY))
        recording.measurements(evaluation, long)

    with engine.connect() as connection:
        assert len(set(connection.execute(select(measurements.c.segment)).scalars())) == 2
