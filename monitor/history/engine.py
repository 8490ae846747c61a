"""Opening the history: SQLite for one machine, PostgreSQL for production, both with the same promises.

A transaction that writes takes its lock at once, a transaction that reads sees one moment, every wait has an end, and
a database that is away is a ``HistoryUnavailable`` with a sentence.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from monitor.clock import monotonic
from monitor.history.problems import HistoryUnavailable, shown_url, translate
from monitor.history.values import to_json
from monitor.settings import Settings

BUSY_SECONDS = 5.0
WAL_RESET_FIXED = (3, 51, 3)  # https://www.sqlite.org/releaselog/3_51_3.html
POSTGRES_NAMES = ("postgres", "postgresql", "postgresql+psycopg")
SQLITE_NAMES = ("sqlite", "sqlite+pysqlite")
POSTGRES_SESSION = {
    "timezone": "UTC",
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",
    # Every question here is a short walk along an index: starting workers and compiling would take longer than it does.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}

Readable = Engine | Connection
"""A history, of which each question is answered at a moment of its own, or a transaction, in which all are at one."""


def open_engine(url: str, *, read_only: bool = False) -> Engine:
    """Open the history at *url*; PostgreSQL is reached at the first use, a folder for SQLite is made at once.

    Raises HistoryUnavailable for a URL, folder or file that cannot work.
    """
    parsed = _parse(url)
    if parsed.drivername in SQLITE_NAMES:
        return _open_sqlite(parsed, read_only=read_only)
    if parsed.drivername in POSTGRES_NAMES:
        return _open_postgres(parsed.set(drivername="postgresql+psycopg"), read_only=read_only)
    raise HistoryUnavailable(
        f"history.url: the history lives in SQLite or PostgreSQL, not in {parsed.drivername}. "
        "Write sqlite:///folder/history.db or postgresql://user@host/database."
    )


def database_url(settings: Settings, base: Path) -> str:
    """The history's URL; a relative SQLite path is relative to config.toml."""
    url = settings.history.url.get_secret_value()
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return f"{prefix}{base / url.removeprefix(prefix)}"
    return url


@contextmanager
def reading(history: Readable) -> Iterator[Connection]:
    """A transaction that only reads: it never waits for a writer, nor makes one wait. Inside one, that one."""
    if isinstance(history, Connection):
        yield history
        return
    one_moment = {} if history.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with history.connect().execution_options(reading=True, **one_moment) as connection, connection.begin():
        yield connection


def ping(engine: Engine) -> None:
    """Ask the database for an answer. Raises HistoryUnavailable where there is none."""
    with reading(engine) as connection:
        connection.execute(text("SELECT 1"))


def remark_on_sqlite(engine: Engine) -> str:
    """What is known against the SQLite in use, as a sentence; empty where nothing is."""
    if engine.dialect.name != "sqlite" or sqlite3.sqlite_version_info >= WAL_RESET_FIXED:
        return ""
    fixed = ".".join(map(str, WAL_RESET_FIXED))
    return (
        f"SQLite {sqlite3.sqlite_version} can damage a file that several processes write to (its WAL-reset bug, fixed "
        f"in {fixed}). Run one daemon on this history, or give it SQLite {fixed} or PostgreSQL."
    )


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise HistoryUnavailable(
            "history.url is no database URL. Write sqlite:///folder/history.db or postgresql://user@host/database."
        ) from None  # the driver's own words would repeat the URL with its password


def _open_sqlite(url: URL, *, read_only: bool) -> Engine:
    path, shown = _sqlite_path(url), url
    if read_only and not path.exists():
        raise HistoryUnavailable(f"There is no history at {shown_url(url)} yet. `model-monitor run` makes one.")
    if not read_only:
        _make_folder(path.parent)
    if read_only:  # the driver itself refuses to write, whatever a statement says
        url = url.set(database=f"file:{quote(str(path.absolute()))}", query={"mode": "ro", "uri": "true"})
    engine = create_engine(url, json_serializer=to_json, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:  # noqa: ARG001  # SQLAlchemy's signature
        _prepare_sqlite(connection, read_only=read_only)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Without IMMEDIATE a transaction that reads first and writes later loses updates or fails with "locked".
        reads = read_only or connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return _with_sentences(engine, shown)


def _sqlite_path(url: URL) -> Path:
    if url.database in {None, "", ":memory:"} or str(url.database).startswith("file:"):
        raise HistoryUnavailable(
            "history.url: a history in memory would be forgotten. Name a file: sqlite:///folder/history.db."
        )
    path = Path(str(url.database))
    if path.is_dir():
        raise HistoryUnavailable(f"history.url: {path} is a folder. Name a file in it: sqlite:///{path}/history.db.")
    return path


def _make_folder(folder: Path) -> None:
    probe = folder / ".model-monitor-writes-here"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as problem:
        raise HistoryUnavailable(
            f"history.url: the folder {folder} cannot be written ({problem.strerror}). "
            "Make it writable for this user, or name another: sqlite:///folder/history.db."
        ) from problem


def _prepare_sqlite(connection: DBAPIConnection, *, read_only: bool) -> None:
    connection.isolation_level = None  # the begin event begins a transaction, not the driver
    cursor = connection.cursor()
    if read_only:
        cursor.execute("PRAGMA query_only = ON")
    else:
        _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _switch_to_wal(cursor: DBAPICursor) -> None:
    """Two starters may switch at once, and for this one statement SQLite does not wait for a lock by itself."""
    until = monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem) or monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _open_postgres(url: URL, *, read_only: bool) -> Engine:
    session = POSTGRES_SESSION | ({"default_transaction_read_only": "on"} if read_only else {})
    own = str(url.query.get("options", ""))  # comes last, so that what the URL says wins
    options = " ".join([*(f"-c {name}={value}" for name, value in session.items()), own]).strip()
    engine = create_engine(
        url,
        json_serializer=to_json,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 3,
            "tcp_user_timeout": 10_000,
            "application_name": "model-monitor",
            "options": options,
        },
    )
    return _with_sentences(engine, url)


def _with_sentences(engine: Engine, url: URL) -> Engine:
    @event.listens_for(engine, "handle_error", retval=True)
    def say(context: ExceptionContext) -> BaseException | None:
        return translate(url, context)

    return engine
