"""A PostgreSQL that goes away and comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

import psycopg
import pytest

from monitor.history import queries
from monitor.history.engine import open_engine
from monitor.history.migrations import migrate
from monitor.history.records import EvaluationRecord
from monitor.history.store import HistoryUnavailable, Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
WAY_OUT = "Start the database or correct history.url; windows missed meanwhile are evaluated later."


class Server(Protocol):
    port: int
    url: str

    def start(self) -> None: ...

    def stop(self) -> None: ...


def test_a_database_that_stops_is_a_sentence_and_works_once_it_is_back(postgres_server: Server) -> None:
    store = Store(open_engine(postgres_server.url))
    migrate(store.engine)
    token = store.claim("m", "me", NOW, DAY)
    assert token is not None
    evaluation = EvaluationRecord("v1", "p", NOW, NOW + DAY, NOW + DAY)

    with pytest.raises(HistoryUnavailable) as during:  # noqa: PT012, SIM117  # it stops in the middle of a transaction
        with store.recording("m", token, NOW) as recording:
            recording.evaluation(evaluation)
            postgres_server.stop()
            recording.incidents()
    with pytest.raises(HistoryUnavailable) as away:
        store.claim("m", "me", NOW, DAY)
    with pytest.raises(HistoryUnavailable):
        store.ping()
    with pytest.raises(HistoryUnavailable):
        queries.models(store.engine)
    postgres_server.start()

    where = f"The history at postgresql+psycopg://postgres@127.0.0.1:{postgres_server.port}/postgres does not answer: "
    assert str(during.value).startswith(where)
    assert str(away.value).startswith(where)
    assert "Connection refused" in str(away.value)
    assert str(away.value).endswith(WAY_OUT)
    store.ping()
    assert store.newest_window_end("m", "p") is None  # of the transaction that was cut nothing is left
    with store.recording("m", token, NOW) as recording:
        recording.evaluation(evaluation)
    assert store.newest_window_end("m", "p") == NOW + DAY
    store.close()


def test_a_connection_that_was_cut_is_replaced_unseen(postgres_database: str) -> None:
    store = Store(open_engine(postgres_database))
    store.ping()
    with psycopg.connect(postgres_database.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    store.ping()
    store.close()


def test_a_row_that_stays_locked_ends_in_a_sentence(postgres_database: str) -> None:
    joint = "&" if "?" in postgres_database else "?"
    store = Store(open_engine(f"{postgres_database}{joint}options=-clock_timeout%3D200"))
    migrate(store.engine)
    token = store.claim("m", "me", NOW, DAY)
    assert token is not None

    with store.recording("m", token, NOW), pytest.raises(HistoryUnavailable, match="lock timeout"):
        store.renew("m", token, NOW, DAY)
    assert store.renew("m", token, NOW, DAY)
    store.close()
