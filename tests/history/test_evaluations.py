"""Evaluations: pages of them, everything about one, and what is being evaluated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from monitor.history.evaluations import Place, page, story, under_way
from monitor.history.records import (
    ArtifactRecord,
    EvaluationRecord,
    MeasurementRecord,
    TransitionRecord,
    VerdictRecord,
)
from monitor.history.releases import Release, see
from monitor.history.rows import EvaluationRow, FailureRow
from monitor.history.store import Store
from monitor.history.values import packed

DAY = timedelta(days=1)
START = datetime(2013, 7, 1, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)
Record = Callable[..., int]


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_pages_of_any_size_are_one_answer_in_pieces(engine: Engine, record: Record, limit: int) -> None:
    for day in (1, 2, 3):
        record(day)
        record(day, plan="other", state="failed")
    found: list[EvaluationRow] = []
    after: Place | None = None
    while True:
        got = page(engine, limit, after)
        found += got.rows
        after = got.after
        record(3, revision=len(found))  # recorded meanwhile, so on no page
        if after is None:
            break
    assert [((row.window_end - START).days, row.state, row.revision) for row in found] == [
        (3, "failed", 0), (3, "done", 0), (2, "failed", 0), (2, "done", 0), (1, "failed", 0), (1, "done", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        # Of one model.
        ({"model": "flights"}, [3, 2, 1]),
        # Of none.
        ({"model": "nobody"}, []),
        # Only what failed.
        ({"state": "failed"}, [2]),
        # From a window's end on, up to another that is excluded.
        ({"since": START + 2 * DAY, "until": START + 3 * DAY, "model": "flights"}, [2]),
    ],
)
def test_evaluations_are_filtered(engine: Engine, record: Record, asked: dict[str, object], found: list[int]) -> None:
    record(1)
    record(2, state="failed")
    record(3)
    record(3, "demand")

    rows = page(engine, 10, **asked).rows  # type: ignore[arg-type]  # a table of keyword arguments
    assert [(row.window_end - START).days for row in rows] == found


def test_everything_about_one_evaluation_is_told(engine: Engine, store: Store) -> None:
    token = store.claim("flights", "me", WALL, DAY)
    assert token is not None
    see(engine, Release("flights", "v1", "abc", {"release": {"accuracy": {"min": 0.7}}}, START))
    detail = {
        "why": "new",
        "as_of": "2013-07-02T00:00:00+00:00",
        "failures": {"drift": {"sentence": "The check drift raised ValueError: oh.", "detail": "Traceback ..."}},
        "dropped": ["report.html is too large."],
    }
    with store.recording("flights", token, WALL) as recording:
        made = EvaluationRecord(
            "v1",
            "p",
            START,
            START + DAY,
            START + DAY,
            contract_hash="abc",
            seconds=1.5,
            rows=10,
            outcomes=9,
            detail=detail,
        )
        evaluation = recording.evaluation(made)
        recording.measurements(evaluation, [MeasurementRecord("accuracy", "accuracy", 0.6)])
        recording.verdicts(evaluation, [VerdictRecord("drift", "error", "check_failed", "warn", "max")])
        recording.artifacts(
            evaluation, [ArtifactRecord("evidently", "report.html", "text/html", 2, packed(b"hi"))], START
        )
        incident = recording.open_new_incident(version="v1", severity="page", opened_at=START + DAY)
        change = TransitionRecord(
            "k", "accuracy", "", "", "min", START + DAY, "inactive", "firing", "fired", 0.6, incident, evaluation
        )
        recording.transitions([change], WALL)
        revision = recording.evaluation(EvaluationRecord("v1", "p", START, START + DAY, START + 2 * DAY, 1))

    told = story(engine, evaluation)
    assert told is not None
    assert told.evaluation == EvaluationRow(
        evaluation, "flights", "v1", "p", START, START + DAY, 0, "done", "", START + DAY, 1.5, 10, 9
    )
    assert (told.why, told.as_of, told.contract_hash) == ("new", "2013-07-02T00:00:00+00:00", "abc")
    assert told.contract == {"release": {"accuracy": {"min": 0.7}}}
    assert told.failures == (FailureRow("drift", "The check drift raised ValueError: oh.", "Traceback ..."),)
    assert told.dropped == ("report.html is too large.",)
    assert [(row.metric, row.value, row.verdict) for row in told.results] == [
        ("accuracy", 0.6, None),
        ("drift", None, "error"),
    ]
    assert [row.id for row in told.revisions] == [revision]
    assert [(row.check, row.name) for row in told.artifacts] == [("evidently", "report.html")]
    assert told.incidents == (incident,)


def test_an_evaluation_that_is_not_there_is_none(engine: Engine) -> None:
    assert story(engine, 7) is None


def test_a_model_is_under_way_while_its_lease_is_held(engine: Engine, store: Store) -> None:
    token = store.claim("flights", "me", WALL, DAY)
    assert token is not None
    assert under_way(engine, WALL) == ["flights"]
    assert under_way(engine, WALL + DAY) == [], "a daemon that died evaluates nothing"
    store.give_back("flights", token)
    assert under_way(engine, WALL) == []
