"""Bringing the history's tables up to what this program knows, at start, whoever else starts at the same time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

from monitor.history.problems import HistoryUnavailable, shown_url

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent
ONE_AT_A_TIME = 0x6D6F64656C  # any number, the same in every replica
WAIT_SECONDS = 60


def migrate(engine: Engine) -> str:
    """Bring the tables and views up to date and return the schema's revision; all in one transaction.

    Of several starters one migrates while the others wait. Raises HistoryUnavailable where the database is newer than
    this program, or another starter takes more than a minute.
    """
    from alembic.script import ScriptDirectory

    config = _config()
    script = ScriptDirectory.from_config(config)
    head = script.get_current_head()
    if head is None:
        raise RuntimeError("This installation lacks its migrations; install model-monitor again.")
    with engine.connect() as connection:
        _wait_patiently(connection)
        with connection.begin():
            _take_turn(connection)
            current = _current(connection)
            if current not in {None, *(revision.revision for revision in script.walk_revisions())}:
                raise HistoryUnavailable(_newer(engine, str(current), head))
            if current != head:
                _upgrade(config, connection)
        _wait_no_longer(connection)
    return head


def is_current(engine: Engine) -> bool:
    """Whether the tables are those that this program knows, so that it can read them. Raises HistoryUnavailable."""
    from alembic.script import ScriptDirectory

    with engine.connect() as connection:
        return _current(connection) == ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _upgrade(config: Config, connection: Connection) -> None:
    from alembic import command

    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current(connection: Connection) -> str | None:
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def _wait_patiently(connection: Connection) -> None:
    """SQLite's own wait for the lock is set before a transaction begins."""
    if connection.dialect.name == "sqlite":
        connection.connection.driver_connection.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")  # type: ignore[union-attr]  # sqlite3's connection, opened a line before


def _wait_no_longer(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.connection.driver_connection.execute("PRAGMA busy_timeout = 5000")  # type: ignore[union-attr]  # as above


def _take_turn(connection: Connection) -> None:
    """PostgreSQL: wait for other starters; SQLite has waited at BEGIN IMMEDIATE."""
    if connection.dialect.name == "sqlite":
        return
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})


def _newer(engine: Engine, current: str, head: str) -> str:
    return (
        f"The history at {shown_url(engine.url)} was written by a newer model-monitor: its schema is {current}, "
        f"this program knows up to {head}. Start the newer program, or restore a backup from before the upgrade."
    )
