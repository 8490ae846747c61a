"""The engines that rows live on: embedded DuckDB for files, PostgreSQL by URL. What is asked runs there.

The bounds of a question (start, end, as_of) are session variables, so a statement is compiled once and asked again
and again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import ibis

from monitor.data.errors import shown

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends import BaseBackend

CONNECT_TIMEOUT = 5
STATEMENT_TIMEOUT = "10min"


class Engine(Protocol):
    """A connection that answers statements."""

    name: str
    backend: BaseBackend

    def bound(self, name: str, *, aware: bool) -> ir.TimestampValue:
        """A session variable holding a time: naive UTC, or aware."""

    def ask(self, sql: str, bounds: Mapping[str, datetime]) -> list[tuple[Any, ...]]:
        """Set the session variables, run the statement, return its rows."""

    def compile(self, table: ir.Table) -> str:
        """The statement of an expression, to be asked as often as needed."""

    def close(self) -> None:
        """Close the connection."""


class DuckDB:
    """Embedded DuckDB, for files."""

    name = "duckdb"

    def __init__(self, memory: str = "1GB") -> None:
        self.backend = ibis.duckdb.connect(threads=2, memory_limit=memory, preserve_insertion_order=False)
        self.backend.raw_sql("SET TimeZone='UTC'")
        self.backend.raw_sql("SET enable_progress_bar=false")

    def bound(self, name: str, *, aware: bool) -> ir.TimestampValue:
        variable = _aware_variable if aware else _naive_variable
        return variable(f"mm_{name}_aware" if aware else f"mm_{name}").name(name)

    def ask(self, sql: str, bounds: Mapping[str, datetime]) -> list[tuple[Any, ...]]:
        for name, at in bounds.items():
            utc = at.astimezone(UTC)
            self.backend.raw_sql(f"SET VARIABLE mm_{name} = TIMESTAMP '{utc.replace(tzinfo=None)}'")
            self.backend.raw_sql(f"SET VARIABLE mm_{name}_aware = TIMESTAMPTZ '{utc.isoformat()}'")
        return list(self.backend.raw_sql(sql).fetchall())

    def compile(self, table: ir.Table) -> str:
        return str(ibis.to_sql(table, dialect="duckdb"))

    def close(self) -> None:
        self.backend.disconnect()


class PostgreSQL:
    """A PostgreSQL database, read in read-only transactions."""

    name = "postgresql"

    def __init__(self, url: str) -> None:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        self.where = shown(url)
        plain = url.replace("postgresql+psycopg://", "postgresql://").replace("postgres://", "postgresql://")
        options = f"-c timezone=UTC -c default_transaction_read_only=on -c statement_timeout={STATEMENT_TIMEOUT}"
        given = conninfo_to_dict(plain)
        own = str(given.pop("options", "") or "")
        settings = {"connect_timeout": CONNECT_TIMEOUT, **given, "options": f"{options} {own}".strip()}
        connection = psycopg.connect(autocommit=True, application_name="model-monitor", **settings)  # type: ignore[arg-type]  # conninfo values are text or numbers
        self._connection = connection
        self.backend = ibis.postgres.from_connection(connection)

    def bound(self, name: str, *, aware: bool) -> ir.TimestampValue:
        text = _current_setting(f"model_monitor.{name}")
        return text.cast("timestamp('UTC')" if aware else "timestamp").name(name)

    def ask(self, sql: str, bounds: Mapping[str, datetime]) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            for name, at in bounds.items():
                utc = at.astimezone(UTC).isoformat()
                cursor.execute("SELECT set_config(%s, %s, false)", (f"model_monitor.{name}", utc))
            cursor.execute(sql.encode())
            return list(cursor.fetchall())

    def compile(self, table: ir.Table) -> str:
        return str(ibis.to_sql(table, dialect="postgres"))

    def close(self) -> None:
        with contextlib.suppress(Exception):  # it may be gone already
            self._connection.close()


@ibis.udf.scalar.builtin(name="getvariable", signature=(("string",), "timestamp"))
def _naive_variable(name: str) -> datetime: ...


@ibis.udf.scalar.builtin(name="getvariable", signature=(("string",), "timestamp('UTC')"))
def _aware_variable(name: str) -> datetime: ...


@ibis.udf.scalar.builtin(name="current_setting", signature=(("string",), "string"))
def _current_setting(name: str) -> str: ...


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp"), "timestamp('UTC')"))
def in_zone(zone: str, at: datetime) -> datetime:
    """The aware time that a naive *at* is in *zone*; DuckDB and PostgreSQL both have it."""
