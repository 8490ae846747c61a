"""Artifacts: what a check leaves beside its numbers comes back as it was, and goes before the numbers do."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, delete

from monitor.history import queries
from monitor.history.records import ArtifactRecord
from monitor.history.store import Store
from monitor.history.tables import evaluations
from monitor.history.values import packed

DAY = timedelta(days=1)
START = datetime(2013, 7, 1, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)
Record = Callable[..., int]
Keep = Callable[..., None]


def document(name: str, content: bytes) -> ArtifactRecord:
    return ArtifactRecord("evidently", name, "text/html", len(content), packed(content))


@pytest.fixture
def keep(store: Store) -> Keep:
    """Keep a document with an evaluation of flights, made *day* days after START."""

    def write(evaluation: int, name: str, content: bytes, day: int = 1, *, incident: int | None = None) -> None:
        token = store.claim("flights", "me", WALL, DAY)
        assert token is not None
        with store.recording("flights", token, WALL) as recording:
            recording.artifacts(evaluation, [document(name, content)], START + day * DAY, incident)
        store.give_back("flights", token)

    return write


@pytest.fixture
def incident(store: Store) -> int:
    token = store.claim("flights", "me", WALL, DAY)
    assert token is not None
    with store.recording("flights", token, WALL) as recording:
        opened = recording.open_new_incident(version="v1", severity="page", opened_at=START)
    store.give_back("flights", token)
    return opened


@pytest.mark.parametrize("content", [b"", b"<p>bl\xc3\xa5</p>", os.urandom(5_000_000)], ids=["empty", "text", "5 MB"])
def test_a_document_comes_back_as_it_was(engine: Engine, record: Record, keep: Keep, content: bytes) -> None:
    evaluation = record(1)

    keep(evaluation, "report.html", content)

    (row,) = queries.artifacts(engine)
    assert (row.model, row.check, row.name, row.media_type) == ("flights", "evidently", "report.html", "text/html")
    assert (row.window_end, row.size, row.incident_id) == (START + DAY, len(content), None)
    assert queries.artifact(engine, row.id) == (row, content)
    assert queries.artifact(engine, row.id + 1) is None


def test_lists_are_narrowed_and_newest_last(engine: Engine, record: Record, keep: Keep, incident: int) -> None:
    first, second = record(1), record(2)
    keep(first, "report.html", b"1")
    keep(first, "incident.html", b"2", incident=incident)
    keep(second, "report.html", b"3")

    def names(**asked: object) -> list[tuple[str, datetime]]:
        return [(row.name, row.window_end) for row in queries.artifacts(engine, **asked)]  # type: ignore[arg-type]  # each its own

    one, two = START + DAY, START + 2 * DAY
    assert names() == [("report.html", one), ("incident.html", one), ("report.html", two)]
    assert names(limit=1) == [("report.html", two)]
    assert names(incident=incident) == [("incident.html", one)]
    assert names(model="others") == []


def test_one_document_of_a_name_is_kept_with_an_evaluation(engine: Engine, record: Record, keep: Keep) -> None:
    evaluation = record(1)
    keep(evaluation, "report.html", b"first")
    keep(evaluation, "report.html", b"second")

    (row,) = queries.artifacts(engine)
    found = queries.artifact(engine, row.id)
    assert found is not None
    assert found[1] == b"first"


def test_a_document_goes_with_its_evaluation(engine: Engine, record: Record, keep: Keep) -> None:
    keep(record(1), "report.html", b"1")

    with engine.begin() as connection:
        connection.execute(delete(evaluations))

    assert queries.artifacts(engine) == []


def test_old_documents_go_before_their_evaluations(store: Store, engine: Engine, record: Record, keep: Keep) -> None:
    for day in range(1, 11):
        keep(record(day), "report.html", b"1", day)

    assert store.prune(START + 10 * DAY, 400 * DAY, batch=2, keep_artifacts=3 * DAY) == 6

    assert [row.created_at for row in queries.artifacts(engine)] == [START + day * DAY for day in range(7, 11)]
    assert len(store.evaluated("flights", "1d each 1d", START)) == 10


def test_the_report_on_an_incident_stays_while_it_is_open(
    store: Store, engine: Engine, record: Record, keep: Keep, incident: int
) -> None:
    keep(record(1), "incident.html", b"1", incident=incident)
    assert store.prune(START + 100 * DAY, 400 * DAY, keep_artifacts=3 * DAY) == 0

    token = store.claim("flights", "me", WALL, DAY)
    assert token is not None
    with store.recording("flights", token, WALL) as recording:
        recording.update_incident(incident, severity="page", resolved_at=START + 99 * DAY, sequence=2)

    assert store.prune(START + 100 * DAY, 400 * DAY, keep_artifacts=3 * DAY) == 1
    assert queries.artifacts(engine) == []
