"""Opening the history: the same promises on both databases, and sentences where it cannot work."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from monitor.history.deliveries import note_receiver, receiver_rows
from monitor.history.engine import open_engine, ping, reading, remark_on_sqlite
from monitor.history.migrations import migrate
from monitor.history.problems import HistoryUnavailable
from monitor.history.store import Store
from monitor.history.tables import receivers

KINDS = "Write sqlite:///folder/history.db or postgresql://user@host/database."


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        # A database nobody wrote support for.
        (
            "mysql://me:secret@somewhere/db",
            f"history.url: the history lives in SQLite or PostgreSQL, not in mysql. {KINDS}",
        ),
        # No URL at all; what was written may hold a password, so it is not repeated.
        ("me:secret@somewhere", f"history.url is no database URL. {KINDS}"),
        # A port that is none.
        ("postgresql://me:secret@somewhere:port/db", f"history.url is no database URL. {KINDS}"),
        # In memory it would be forgotten.
        ("sqlite://", "history.url: a history in memory would be forgotten. Name a file: sqlite:///folder/history.db."),
        (
            "sqlite:///:memory:",
            "history.url: a history in memory would be forgotten. Name a file: sqlite:///folder/history.db.",
        ),
    ],
)
def test_a_url_that_cannot_work_is_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(HistoryUnavailable) as problem:
        open_engine(url)

    assert str(problem.value) == sentence


def test_the_folder_of_a_new_history_is_made(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/new/folder/history.db")
    ping(engine)
    engine.dispose()

    assert (tmp_path / "new/folder/history.db").exists()


def test_a_folder_that_is_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")

    with pytest.raises(HistoryUnavailable) as problem:
        open_engine(f"sqlite:///{tmp_path}/data/history.db")

    assert str(problem.value) == (
        f"history.url: the folder {tmp_path}/data cannot be written (File exists). "
        "Make it writable for this user, or name another: sqlite:///folder/history.db."
    )


def test_a_history_that_is_a_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(HistoryUnavailable) as problem:
        open_engine(f"sqlite:///{tmp_path}")

    assert str(problem.value) == (
        f"history.url: {tmp_path} is a folder. Name a file in it: sqlite:///{tmp_path}/history.db."
    )


def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    path.write_text("Dear diary, " * 1000)
    engine = open_engine(f"sqlite:///{path}")

    with pytest.raises(HistoryUnavailable) as problem:
        ping(engine)

    assert str(problem.value) == (
        f"The history at sqlite:///{path} is not an SQLite database. "
        "Move that file away, or point history.url elsewhere."
    )


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite takes the pages it has for the limit
        with pytest.raises(HistoryUnavailable) as problem:
            connection.execute(receivers.insert(), [{"name": f"{n}" * 50, "error": "x" * 5000} for n in range(100)])
    engine.dispose()

    assert str(problem.value) == (
        f"The history at sqlite:///{path} has no room left on its disk. Free some space, or lower history.keep."
    )


def test_a_history_opened_for_reading_cannot_be_written(engine: Engine, database_url: str) -> None:
    reader = open_engine(database_url, read_only=True)
    ping(reader)

    with pytest.raises(Exception, match=r"cannot be written|read-only transaction"), reader.begin() as connection:
        connection.execute(receivers.insert().values(name="console"))
    reader.dispose()


def test_a_missing_history_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(HistoryUnavailable) as problem:
        open_engine(f"sqlite:///{tmp_path}/history.db", read_only=True)

    assert str(problem.value) == (
        f"There is no history at sqlite:///{tmp_path}/history.db yet. `model-monitor run` makes one."
    )
    assert not list(tmp_path.iterdir())


def test_a_history_without_tables_is_a_sentence(database_url: str) -> None:
    engine = open_engine(database_url)

    with pytest.raises(HistoryUnavailable, match=r"has no tables yet\. `model-monitor run` makes them\.$"):
        Store(engine).outbox_summary()
    engine.dispose()


@pytest.mark.parametrize("prefix", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_goes_by_each_of_its_names(postgres_database: str, prefix: str) -> None:
    engine = open_engine(postgres_database.replace("postgresql+psycopg", prefix))
    with engine.connect() as connection:
        session = [
            connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("timezone", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        ]
    engine.dispose()

    assert session == ["UTC", "30s", "5s", "1min"]


def test_sqlite_is_opened_for_many_users(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/history.db")
    with engine.connect() as connection:
        session = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "busy_timeout", "synchronous", "foreign_keys")
        ]
    engine.dispose()

    assert session == ["wal", 5000, 1, 1]


@pytest.mark.parametrize(
    "url", ["postgresql://me:s3cret@127.0.0.1:1/db", "postgresql://127.0.0.1:1/db?user=me&password=s3cret"]
)
def test_a_password_is_never_shown(url: str) -> None:
    engine = open_engine(url)

    with pytest.raises(HistoryUnavailable) as problem:
        ping(engine)

    assert "s3cret" not in str(problem.value)
    assert str(problem.value).startswith("The history at postgresql+psycopg://")
    assert str(problem.value).endswith(
        "Start the database or correct history.url; windows missed meanwhile are evaluated later."
    )


def test_times_come_back_aware_in_utc_and_equal(engine: Engine) -> None:
    berlin = timezone(timedelta(hours=2))
    at = datetime(2026, 7, 1, 14, 30, 15, 123456, tzinfo=berlin)
    with engine.begin() as connection:
        connection.execute(receivers.insert().values(name="console", sent_at=at))
        back = connection.execute(receivers.select()).one().sent_at

    assert back == at
    assert back.isoformat() == "2026-07-01T12:30:15.123456+00:00"
    assert back.tzinfo is UTC


def test_a_naive_time_is_refused(engine: Engine) -> None:
    with (
        pytest.raises(Exception, match=r"A naive time reached the history: 2026-07-01T00:00:00\. Attach a time zone"),
        engine.begin() as connection,
    ):
        connection.execute(receivers.insert().values(name="console", sent_at=datetime(2026, 7, 1)))  # noqa: DTZ001  # that is the point


ADD_ONE = """
import sys
from sqlalchemy import select, update
from monitor.history.engine import open_engine
from monitor.history.tables import models
engine = open_engine(sys.argv[1])
for _ in range(300):
    with engine.begin() as connection:
        count = connection.execute(select(models.c.lease_token).where(models.c.name == "m")).scalar_one()
        connection.execute(update(models).where(models.c.name == "m").values(lease_token=count + 1))
"""


def test_four_processes_lose_no_update_on_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/history.db"
    engine = open_engine(url)
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO models (name, lease_token) VALUES ('m', 0)")
    root = Path(__file__).parents[2]
    writers = [
        subprocess.Popen([sys.executable, "-c", ADD_ONE, url], cwd=root, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    errors = [writer.communicate(timeout=120)[1] for writer in writers]
    with engine.connect() as connection:
        count = connection.exec_driver_sql("SELECT lease_token FROM models").scalar_one()
    engine.dispose()

    assert errors == ["", "", "", ""]
    assert count == 1200


def test_a_reader_does_not_wait_for_a_writer(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(receivers.insert().values(name="console"))

        assert Store(engine).counts().models == 0  # would wait 5 s and fail if reading took the write lock


def test_several_questions_in_one_transaction_are_answered_as_of_one_moment(engine: Engine) -> None:
    with reading(engine) as history:
        before = history.execute(select(receivers.c.name)).all()
        note_receiver(engine, "slack", None, "", healthy=True)
        with reading(history) as the_same:
            after = the_same.execute(select(receivers.c.name)).all()
    assert before == after == []
    assert [each.receiver for each in receiver_rows(engine)] == ["slack"]


def test_opening_the_history_imports_no_alembic() -> None:
    script = (
        "import sys, monitor.history.store, monitor.history.queries, monitor.history.migrations\n"
        "heavy = {'alembic', 'pandas', 'numpy', 'ibis'} & set(sys.modules)\n"
        "sys.exit(f'{heavy}' if heavy else 0)"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)

    assert done.stderr == ""


@pytest.mark.parametrize(("version", "told"), [((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False)])
def test_an_sqlite_that_can_damage_a_shared_file_is_remarked_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], *, told: bool
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    monkeypatch.setattr(sqlite3, "sqlite_version", ".".join(map(str, version)))
    engine = open_engine(f"sqlite:///{tmp_path}/history.db")
    sentence = (
        f"SQLite {sqlite3.sqlite_version} can damage a file that several processes write to (its WAL-reset bug, fixed "
        "in 3.51.3). Run one daemon on this history, or give it SQLite 3.51.3 or PostgreSQL."
    )
    assert remark_on_sqlite(engine) == (sentence if told else "")
    assert remark_on_sqlite(open_engine("postgresql://nobody@127.0.0.1:1/none")) == ""
    engine.dispose()
