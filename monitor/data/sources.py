"""Where rows come from: files on an embedded DuckDB, tables and queries on PostgreSQL and Spark, through Ibis."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.schema as sch
import ibis.expr.types as ir

from monitor.data.errors import SourceUnreadable, in_midstream, shown, told
from monitor.data.files import REMOTE, file_query
from monitor.data.memory import memory_left
from monitor.settings import Source

if TYPE_CHECKING:
    import pyarrow
    from ibis.backends.sql import SQLBackend

POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")
SPARK = "sc"

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 300
BATCH = 50_000
HELD = "held_rows"
AHEAD, UNBOUND = "16MB", "1GB"
"""What DuckDB may hold of rows that nobody has taken yet."""


@dataclass(frozen=True)
class Opened:
    """A source as it is now: its engine, its rows as an unexecuted table, and how people call it."""

    engine: SQLBackend
    table: ir.Table
    where: str
    columnar: bool = True
    """Whether reading a few columns costs only those; a CSV file is parsed whole each time."""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.table.columns)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement with marks for its moments, and the columns it yields."""

    sql: str
    schema: sch.Schema


class Engines:
    """The engines of one model: one embedded DuckDB, one connection per database URL; opened when first asked for."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._embedded: SQLBackend | None = None
        self._servers: dict[str, SQLBackend] = {}
        self._brought = 0
        self.compiled: dict[Hashable, Compiled] = {}
        """Compiled statements by what they depend on."""

    def open(self, source: Source, where: str) -> Opened:
        """Look at *source* as it is now. Raises SourceProblem."""
        scheme = urlsplit(source.source).scheme.lower()
        if scheme in {*POSTGRES, SPARK}:
            return self._table(source, where)
        if "://" in source.source and not source.source.startswith(REMOTE):
            raise SourceUnreadable(
                f"{where}: '{scheme}://' is not a place this reads; give a path or glob "
                "(.parquet, .csv, .json), s3://, gs://, or a postgresql:// or sc:// (Spark Connect) URL."
            )
        return self._file(source, where)

    def embedded(self) -> SQLBackend:
        """The DuckDB inside this process."""
        if self._embedded is None:
            spill = Path(tempfile.gettempdir()) / f"model-monitor-{os.getpid()}-{id(self)}"
            self._embedded = ibis.duckdb.connect(
                threads=2,
                memory_limit=f"{memory_left() // 10**6}MB",
                preserve_insertion_order=False,
                temp_directory=str(spill),
            )
            self._embedded.con.execute("SET enable_progress_bar = false")
            # files are rewritten under us; the system keeps them in memory as well as DuckDB would
            self._embedded.con.execute("SET enable_external_file_cache = false")
            # DuckDB 1.5 waits for itself forever where a UNION ALL has more rows than this buffer holds (976 KiB)
            self._embedded.con.execute(f"SET streaming_buffer_size = '{UNBOUND}'")
        return self._embedded

    def bring(self, rows: ir.Table, source: Opened, target: SQLBackend) -> ir.Table:
        """*rows* of *source* on *target*: themselves where they already are, else copied batch by batch."""
        if source.engine is target:
            return rows
        self._brought += 1
        name = f"brought_{self._brought}"
        with told(source.where):
            batches = source.engine.to_pyarrow_batches(rows, chunk_size=BATCH)
            target.con.register("arriving", batches)
            target.con.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT * FROM arriving')  # noqa: S608  # our own name
            target.con.unregister("arriving")
        return target.table(name)

    def forget_brought(self) -> None:
        """Drop the copies that ``bring`` made."""
        if self._embedded is not None:
            for number in range(1, self._brought + 1):
                self._embedded.con.execute(f'DROP TABLE IF EXISTS "brought_{number}"')
        self._brought = 0

    def close(self) -> None:
        """Let go of every connection."""
        for engine in (self._embedded, *self._servers.values()):
            if engine is not None:
                engine.disconnect()
        self._embedded, self._servers = None, {}

    def _file(self, source: Source, where: str) -> Opened:
        query, columnar = file_query(source.source, self._base, where)
        engine = self.embedded()
        with told(where):
            if source.source.startswith(REMOTE):
                engine.load_extension("httpfs")
            described = engine.con.execute(f"DESCRIBE {query}").fetchall()
        types = engine.compiler.type_mapper
        schema = sch.Schema({name: _type_of(types, kind) for name, kind, *_ in described})
        return Opened(engine, as_table(query, schema, engine), where, columnar)

    def _table(self, source: Source, where: str) -> Opened:
        if (source.table is None) == (source.query is None):
            raise SourceUnreadable(f'{where}: a database needs one of table = "schema.name" or query = "SELECT ...".')
        if urlsplit(source.source).scheme.lower() == SPARK:
            return self._on_spark(source, where)
        query = _query(source) or f"SELECT * FROM {_identifier(source.table or '')}"  # noqa: S608  # quoted
        engine = self._postgres(source.source, where)
        with told(where):
            schema = _described(engine, query)
        return Opened(engine, as_table(query, schema, engine), where)

    def _on_spark(self, source: Source, where: str) -> Opened:
        try:
            from monitor.data import spark
        except ImportError as problem:
            raise SourceUnreadable(
                f"{where}: Spark needs a package that is not installed ({problem.name}); "
                "install model-monitor with its extra: pip install 'model-monitor[spark]'."
            ) from problem
        with told(where):
            engine = self._servers.get(source.source)
            if not isinstance(engine, spark.Spark) or not engine.alive:
                engine = self._servers[source.source] = spark.connect(source.source)
            if source.table:
                engine.refresh(source.table)
            query = _query(source) or f"SELECT * FROM {spark.identifier(source.table or '')}"  # noqa: S608  # quoted
            schema = engine.described(query)
        return Opened(engine, as_table(query, schema, engine), where)

    def _postgres(self, url: str, where: str) -> SQLBackend:
        known = self._servers.get(url)
        if known is not None and not known.con.closed and not known.con.broken:
            return known
        import psycopg

        options = f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_SECONDS}s -c timezone=UTC"
        with told(where):
            connection = psycopg.connect(
                url.replace("postgresql+psycopg://", "postgresql://", 1),
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                options=options,
                application_name="model-monitor",
            )
            self._servers[url] = ibis.postgres.from_connection(connection)
        return self._servers[url]


def where_of(model: str, role: str, source: Source) -> str:
    """How people call a source: model, role, and the place without its secrets."""
    place = shown(source.source)
    return f"{model}: {role} ({place}{f', table {source.table}' if source.table else ''})"


def fetch(engine: SQLBackend, sql: str, where: str) -> list[tuple[Any, ...]]:
    """The rows of an aggregate."""
    with told(where):
        if engine.name == "duckdb":
            rows: list[tuple[Any, ...]] = engine.con.execute(sql).fetchall()
            return rows
        if engine.name == "pyspark":
            found = [column.to_pylist() for column in engine.rows(sql).columns]
            return [tuple(map(_plain, row)) for row in zip(*found, strict=True)]
        with engine.con.cursor() as cursor:
            return [tuple(map(_plain, row)) for row in cursor.execute(sql).fetchall()]


@contextmanager
def fetching(engine: SQLBackend, sql: str, where: str) -> Iterator[Future[list[tuple[Any, ...]]]]:
    """The rows of an aggregate on DuckDB, read in a thread and on a connection of its own while other work is done."""
    with told(where), closing(engine.con.cursor()) as beside, ThreadPoolExecutor(1) as thread:
        # a connection has its own settings; Ibis gives the time zone to the first one alone
        beside.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        beside.execute(f"SET streaming_buffer_size = '{UNBOUND}'")
        coming = thread.submit(lambda: beside.execute(sql).fetchall())
        try:
            yield coming
        finally:
            beside.interrupt()  # where the other work failed


@contextmanager
def batches(engine: SQLBackend, sql: str, where: str) -> Iterator[Iterable[pyarrow.RecordBatch]]:
    """The rows of a statement on DuckDB, BATCH at a time; it reads ahead of them as far as AHEAD."""
    with told(where):
        engine.con.execute(f"SET streaming_buffer_size = '{AHEAD}'")
        try:
            with closing(_flowing(engine.con.execute(sql).to_arrow_reader(BATCH))) as rows:
                yield rows
        finally:
            engine.con.execute(f"SET streaming_buffer_size = '{UNBOUND}'")


def _flowing(rows: Iterator[pyarrow.RecordBatch]) -> Generator[pyarrow.RecordBatch]:
    """Each batch while the next one is read in a thread of its own: DuckDB fills a batch on one thread only."""
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(next, rows, None)
        while (batch := _arrived(coming)) is not None:
            coming = ahead.submit(next, rows, None)
            yield batch


def _arrived(coming: Future[pyarrow.RecordBatch | None]) -> pyarrow.RecordBatch | None:
    try:
        return coming.result()
    except OSError as problem:
        raise in_midstream(problem) from problem


def _plain(value: object) -> object:
    """PostgreSQL adds bigints up to a numeric, which is a Decimal here; moments are naive UTC."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def _query(source: Source) -> str | None:
    return source.query.strip().rstrip(";") if source.query else None


def as_table(query: str, schema: sch.Schema, engine: SQLBackend) -> ir.Table:
    """The rows of a query, unexecuted."""
    return ops.SQLQueryResult(query, schema, engine).to_expr()


def as_sql(expression: ir.Table, engine: str) -> str:
    """The SQL of an unbound expression in the dialect of an engine."""
    if engine != "pyspark":
        return str(ibis.to_sql(expression, dialect=engine))
    from monitor.data.spark_dialect import Dialect

    dialect = Dialect()
    return str(dialect.to_sqlglot(expression).sql(dialect=dialect.dialect, copy=False))


@contextmanager
def held(engine: SQLBackend, rows: ir.Table, where: str) -> Iterator[ir.Table]:
    """*rows*, worked out once: Spark would do so each time a statement names them."""
    if engine.name != "pyspark":
        yield rows
        return
    with told(where):
        engine.hold(HELD, engine.compile(rows))
        yield as_table(f"SELECT * FROM {HELD}", rows.schema(), engine)  # noqa: S608  # our own name
        engine.let_go(HELD)


@lru_cache(maxsize=1024)
def _type_of(types: Any, kind: str) -> dt.DataType:
    """An engine's name of a type as Ibis' own; parsing takes a millisecond, hundreds of times an evaluation."""
    return types.from_string(kind)


def _described(engine: SQLBackend, query: str) -> sch.Schema:
    """The columns of a query, without running it: Ibis would create a view, which a reader may not."""
    with engine.con.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({query}) AS described LIMIT 0")  # noqa: S608  # the user's own query
        found = {column.name: column.type_code for column in cursor.description or ()}
        kinds = (
            "SELECT format_type(oid, NULL) FROM unnest(%s::oid[]) WITH ORDINALITY AS kinds(oid, place) ORDER BY place"
        )
        names = [kind for (kind,) in cursor.execute(kinds, (list(found.values()),)).fetchall()]
    types = engine.compiler.type_mapper
    return sch.Schema({name: _type_of(types, kind) for name, kind in zip(found, names, strict=True)})


def _identifier(name: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))
