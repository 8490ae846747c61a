"""Migrations: the tables as the program knows them, whoever starts at the same time."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, insert, inspect, text

from monitor.history import queries
from monitor.history.engine import open_engine
from monitor.history.migrations import MIGRATIONS, migrate
from monitor.history.problems import HistoryUnavailable, shown_url
from monitor.history.tables import evaluations, measurements, metadata

HEAD = "0010"


def test_the_migrated_schema_is_the_one_the_program_knows(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []


def test_the_views_are_there(engine: Engine) -> None:
    assert set(inspect(engine).get_view_names()) == {"latest_verdicts", "measurement_history", "incident_history"}


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    assert migrate(engine) == migrate(engine) == HEAD


def test_what_an_older_program_recorded_is_still_there(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        _migrate_to(connection, "0002")
        connection.execute(insert(evaluations), OLD_EVALUATION)
        connection.execute(insert(measurements), OLD_MEASUREMENT)

    assert migrate(engine) == HEAD

    (row,) = queries.history(engine)
    assert (row.model, row.value) == ("flights", 0.7)
    assert queries.artifacts(engine) == []
    engine.dispose()


END = datetime(2013, 7, 8, tzinfo=UTC)
OLD_EVALUATION = {
    "id": 7,
    "model": "flights",
    "version": "v1",
    "plan": "7d each 1d",
    "window_start": END - timedelta(days=7),
    "window_end": END,
    "state": "done",
    "evaluated_at": END,
}
OLD_MEASUREMENT = {"evaluation_id": 7, "check": "accuracy", "metric": "accuracy", "value": 0.7}


def _migrate_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def test_a_newer_history_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(HistoryUnavailable) as problem:
        migrate(engine)

    assert str(problem.value) == (
        f"The history at {shown_url(engine.url)} was written by a newer model-monitor: its schema is 9999, "
        f"this program knows up to {HEAD}. Start the newer program, or restore a backup from before the upgrade."
    )


MIGRATE = """
import sys
from monitor.history.engine import open_engine
from monitor.history.migrations import migrate
print(migrate(open_engine(sys.argv[1])))
"""


def test_four_starters_at_once_migrate_once(database_url: str) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", MIGRATE, database_url]
    starters = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]

    assert [starter.communicate(timeout=120) for starter in starters] == [(f"{HEAD}\n", "")] * 4


def test_a_migration_that_fails_leaves_nothing(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE verdicts (mine INTEGER)"))  # in the way of the migration's own

    with pytest.raises(Exception, match="already exists"):
        migrate(engine)

    tables = inspect(engine).get_table_names()
    engine.dispose()
    assert tables == ["verdicts"]
