"""Trainings from files, from PostgreSQL and from an MLflow tracking server, as they were known at a time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from checks.contract import CannotMeasure, Training
from monitor.data.errors import SourceProblem
from monitor.data.feed import Feed
from monitor.settings import Trainings
from tests.data.logs import at, small_model
from tests.data.mlflow_server import Tracking, basic, run, tracking

HOUR = timedelta(hours=1)
ROWS = (  # started, finished, state, model
    ("2024-01-01T06:00:00Z", "2024-01-01T08:00:00Z", "Success", "1"),
    ("2024-01-03T00:00:00Z", None, "running", "3"),
    ("2024-01-02T00:00:00Z", "2024-01-02T01:00:00Z", "broken", "2"),
    ("2024-02-01T00:00:00Z", "2024-02-01T01:00:00Z", "success", "4"),
)
KNOWN = (
    Training(at(0.25), at(0.25) + 2 * HOUR, succeeded=True, version="1"),
    Training(at(1), at(1) + HOUR, succeeded=False, version="2"),
    Training(at(2), version="3"),
)


def trainings(settings: Trainings | None, day: float, folder: Path) -> tuple[Training, ...]:
    feed = Feed(small_model(trainings=settings), folder)
    try:
        window = feed.window(at(day) - timedelta(days=1), at(day), at(day), (), None)
        return tuple(window.trainings)
    finally:
        feed.close()


@pytest.fixture(params=["csv", "jsonl", "postgresql"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Trainings:
    """ROWS in a file or a table."""
    asked = {"status": "state", "version": "model"}
    if request.param == "postgresql":
        import psycopg

        url = str(request.getfixturevalue("postgres_database"))
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE runs (started timestamptz, finished timestamptz, state text, model integer)")
            cursor.executemany("INSERT INTO runs VALUES (%s, %s, %s, %s)", ROWS)
        return Trainings(source=url, table="runs", **asked)
    if request.param == "csv":
        lines = [",".join(value or "" for value in row) for row in (("started", "finished", "state", "model"), *ROWS)]
        (tmp_path / "runs.csv").write_text("\n".join(lines))
    else:
        import json

        keys = ("started", "finished", "state", "model")
        (tmp_path / "runs.jsonl").write_text("\n".join(json.dumps(dict(zip(keys, row, strict=True))) for row in ROWS))
    return Trainings(source=f"runs.{request.param}", **asked)


def test_rows_are_trainings_oldest_first_and_none_is_from_the_future(rows: Trainings, tmp_path: Path) -> None:
    assert trainings(rows, 7, tmp_path) == KNOWN


def test_what_ended_later_was_still_running(rows: Trainings, tmp_path: Path) -> None:
    assert trainings(rows, 0.3, tmp_path) == (Training(at(0.25), version="1"),)
    assert trainings(rows, 0.25, tmp_path) == ()


def test_without_a_status_what_ended_succeeded(rows: Trainings, tmp_path: Path) -> None:
    found = trainings(rows.model_copy(update={"status": None, "version": None}), 7, tmp_path)
    assert [(one.succeeded, one.version) for one in found] == [(True, ""), (True, ""), (None, "")]


def test_a_column_that_is_not_there_is_named(rows: Trainings, tmp_path: Path) -> None:
    with pytest.raises(SourceProblem, match=r"the column 'ended' \(trainings.finished\) is not there"):
        trainings(rows.model_copy(update={"finished": "ended"}), 7, tmp_path)


def test_nothing_is_known_without_the_table(tmp_path: Path) -> None:
    with pytest.raises(CannotMeasure, match=r"add \[models.trainings\]"):
        trainings(None, 7, tmp_path)


def milliseconds(day: float) -> int:
    return int(at(day).timestamp() * 1000)


RUNS = (
    run(milliseconds(0.25), milliseconds(0.25) + 7_200_000, model="1"),
    run(milliseconds(1), milliseconds(1) + 3_600_000, "FAILED", model="2"),
    run(milliseconds(2), None, "RUNNING", model="3"),
    run(milliseconds(31), milliseconds(32), model="4"),
)


def asked(server: Tracking, **changes: str) -> Trainings:
    return Trainings(**{"source": server.url, "experiment": server.experiment, "version": "model"} | changes)


def test_the_runs_of_an_mlflow_experiment_are_trainings(tmp_path: Path) -> None:
    with tracking(*RUNS) as server:
        assert trainings(asked(server), 7, tmp_path) == KNOWN
        assert trainings(asked(server), 0.3, tmp_path) == (Training(at(0.25), version="1"),)


def test_a_killed_run_without_an_end_failed(tmp_path: Path) -> None:
    with tracking(run(milliseconds(1), None, "KILLED")) as server:
        assert trainings(asked(server), 7, tmp_path) == (Training(at(1), succeeded=False),)


def test_mlflow_is_asked_page_by_page_for_the_newest_300(tmp_path: Path) -> None:
    many = [run(milliseconds(0) + place * 1000, milliseconds(0) + place * 1000 + 500) for place in range(450)]
    with tracking(*many) as server:
        found = trainings(asked(server), 7, tmp_path)
    assert len(found) == 300
    assert found[-1].started == at(0) + timedelta(seconds=449)
    assert [one.get("page_token") for one in server.asked] == [None, "100", "200"]


@pytest.mark.parametrize(
    ("userinfo", "allowed"),
    [("anna:s%20crt", basic("anna", "s crt")), ("t0ken", "Bearer t0ken"), (":t0ken", "Bearer t0ken")],
)
def test_mlflow_is_told_who_asks(tmp_path: Path, userinfo: str, allowed: str) -> None:
    with tracking(*RUNS, allowed=allowed) as server:
        assert trainings(asked(server, source=server.as_user(userinfo)), 7, tmp_path) == KNOWN


@pytest.mark.parametrize(
    ("server_is", "sentence"),
    [
        ({"allowed": "Bearer other"}, r"refuses to tell \(HTTP 401\); give user:password@ or token@ in the URL\.$"),
        ({"experiment": "other"}, r"has no experiment 'flights'; correct trainings\.experiment\.$"),
        ({"status": 503}, r"cannot answer now \(HTTP 503\)\.$"),
        ({"status": 404, "answer": b"<html>"}, r"answers HTTP 404 where MLflow would list runs; correct the URL\.$"),
        ({"answer": b"<html>", "experiment": "flights"}, r"answers, but not as MLflow does"),
        ({"answer": b"[]", "experiment": "flights"}, r"answers, but not as MLflow does"),
        ({"answer": b'{"experiment": 1}', "experiment": "flights"}, r"answers, but not as MLflow does"),
    ],
)
def test_what_is_wrong_with_mlflow_is_a_sentence_without_secrets(
    tmp_path: Path, server_is: dict[str, object], sentence: str
) -> None:
    with tracking(*RUNS, **server_is) as server:
        settings = asked(server, source=server.as_user("anna:canary"), experiment="flights")
        with pytest.raises(SourceProblem, match=sentence) as found:
            trainings(settings, 7, tmp_path)
    assert "canary" not in str(found.value)


def test_a_server_that_is_away_is_a_sentence(tmp_path: Path) -> None:
    with tracking() as server:
        settings = asked(server)
    with pytest.raises(SourceProblem, match=r"the MLflow server does not answer \(.*refused\)\.$"):
        trainings(settings, 7, tmp_path)
