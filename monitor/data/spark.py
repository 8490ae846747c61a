"""Spark through Spark Connect: the session, its dialect, and rows out of it. Needs the extra ``spark``.

Ibis' own way out of Spark leads through pandas, where an integer beside a null is a float and a null a NaN.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any, NamedTuple

import grpc
import ibis.expr.datatypes as dt
import ibis.expr.schema as sch
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.pyspark import Backend
from ibis.backends.pyspark.datatypes import PySparkType
from ibis.formats.pandas import PandasData
from pyspark.errors import AnalysisException
from pyspark.sql.connect.client import DefaultChannelBuilder
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.plan import SQL
from pyspark.sql.connect.session import SparkSession
from pyspark.sql.types import TimestampType

from monitor.data.spark_dialect import Dialect

CONNECT_SECONDS = 10
ANSWER_SECONDS = 60
"""For everything that runs no query: settings, the columns of a table."""
STATEMENT_SECONDS = 300

SESSION = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.optimizer.canChangeCachedPlanOutputPartitioning": "true",
}
"""Text that is no time is an error, as elsewhere; few rows are held in few parts. Ibis sets the time zone to UTC."""


class Spark(Backend):  # type: ignore[misc]  # Ibis has no types
    """Ibis' Spark over Spark Connect, whose rows come as Arrow, exactly as they are."""

    compiler = Dialect()

    def rows(self, sql: str) -> pa.Table:
        """The answer to a query."""
        client = self._session.client
        with self._in_time():
            table, _, _ = client.to_table(SQL(sql).to_proto(client), {})
        return table

    def to_pyarrow(self, expr: ir.Expr, /, *, params: Any = None, limit: Any = None, **given: Any) -> Any:
        """Ibis' own goes through pandas, which knows no null beside NaN and no null integer."""
        self._run_pre_execute_hooks(expr)
        table = expr.as_table()
        found = self.rows(self.compile(table, params=params, limit=limit, **given))
        return expr.__pyarrow_result__(found.cast(table.schema().to_pyarrow()))

    def execute(self, expr: ir.Expr, /, *, params: Any = None, limit: Any = None, **given: Any) -> Any:
        """As ``to_pyarrow``, for pandas."""
        table = expr.as_table()
        frame = self.to_pyarrow(table, params=params, limit=limit, **given).to_pandas()
        return expr.__pandas_result__(PandasData.convert_table(frame, table.schema()))

    def to_pyarrow_batches(
        self, expr: ir.Expr, /, *, params: Any = None, limit: Any = None, chunk_size: int | None = None, **given: Any
    ) -> pa.ipc.RecordBatchReader:
        """Batches as the server sends them, a few megabytes each, unless *chunk_size* wants them smaller."""
        table, client = expr.as_table(), self._session.client
        plan = SQL(self.compile(table, params=params, limit=limit, **given)).to_proto(client)
        schema = table.schema().to_pyarrow()

        def batches() -> Iterator[pa.RecordBatch]:
            with self._in_time():
                for part in client.to_table_as_iterator(plan, {}):
                    if isinstance(part, pa.Table):
                        yield from part.cast(schema).to_batches(chunk_size)

        return pa.ipc.RecordBatchReader.from_batches(schema, batches())

    def described(self, query: str) -> sch.Schema:
        """The columns of a query, without running it; in brackets nothing but a query is understood."""
        client = self._session.client
        plan = SQL(f"SELECT * FROM ({query}\n) AS described").to_proto(client)  # noqa: S608  # the user's own query
        fields = client.schema(plan).fields
        return sch.Schema({field.name: _kind(field.dataType) for field in fields})

    def refresh(self, table: str) -> None:
        """Forget which files a table had, so that those written since are seen; a view or path has none."""
        with suppress(AnalysisException):
            self._session.client.execute_command(
                SQL(f"REFRESH TABLE {identifier(table)}").command(self._session.client)
            )

    def hold(self, name: str, query: str) -> None:
        """Keep the rows of a query on the cluster under a name of this session, until let go."""
        try:
            self._command(f"CACHE TABLE {name} AS {query}")
        except AnalysisException as problem:
            if problem.getCondition() != "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS":
                raise
            self.let_go(name)  # left by a statement that failed
            self._command(f"CACHE TABLE {name} AS {query}")

    def let_go(self, name: str) -> None:
        """Forget what was held."""
        self._command(f"UNCACHE TABLE IF EXISTS {name}")
        self._command(f"DROP VIEW IF EXISTS {name}")

    @property
    def alive(self) -> bool:
        """Whether the server still knows this session: it forgets idle ones, and all when it is restarted."""
        try:
            self._session.client.get_configs("spark.sql.session.timeZone")
        except Exception:  # noqa: BLE001  # whatever it is, a new session is the answer
            return False
        return True

    def _command(self, sql: str) -> None:
        with self._in_time():
            self._session.client.execute_command(SQL(sql).command(self._session.client))

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Stop what runs longer than STATEMENT_SECONDS."""
        alarm = Timer(STATEMENT_SECONDS, self._interrupt)
        alarm.daemon = True
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()

    def _interrupt(self) -> None:
        with suppress(Exception):
            self._session.interruptAll()


Spark.register_options()  # Ibis does so for backends it loads itself

_KEPT: list[SparkSession] = []
"""Every session of this process. One that is collected as garbage while another takes its answer waits for a lock that
its own thread holds, for ever (PySpark 4.0)."""


def connect(url: str) -> Spark:
    """A session of one's own on the server at *url*. Raises what the client raises, within CONNECT_SECONDS."""
    builder = DefaultChannelBuilder(url)
    builder.set(builder.PARAM_USER_AGENT, "model-monitor")
    probe = builder.toChannel()
    try:
        grpc.channel_ready_future(probe).result(timeout=CONNECT_SECONDS)
    finally:
        probe.close()
    builder.add_interceptor(_Deadline())
    session = SparkSession.builder.channelBuilder(builder).create()
    session.client.set_retry_policies([DefaultPolicy(max_retries=3, initial_backoff=200, backoff_multiplier=3.0)])
    _KEPT.append(session)
    backend: Spark = Spark().connect(session, **SESSION)
    return backend


def identifier(name: str) -> str:
    """A name with dots, quoted."""
    return ".".join("`" + part.replace("`", "``") + "`" for part in name.split("."))


def _kind(kind: Any) -> dt.DataType:
    """What Ibis calls a type; Spark's TIMESTAMP is a moment, its TIMESTAMP_NTZ what a clock shows."""
    if isinstance(kind, TimestampType):
        return dt.Timestamp(timezone="UTC")
    try:
        return PySparkType.to_ibis(kind)
    except (NotImplementedError, TypeError):
        return dt.unknown


class _Call(NamedTuple):
    """A call with another deadline."""

    method: str
    timeout: float | None
    metadata: Any
    credentials: Any
    wait_for_ready: bool | None
    compression: Any


class _Deadline(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]  # no types
    """Gives each call a deadline, which the client does not: a server that hangs would be waited for without end."""

    def intercept_unary_unary(self, call: Any, details: Any, request: Any) -> Any:
        return call(_until(details), request)

    def intercept_unary_stream(self, call: Any, details: Any, request: Any) -> Any:
        return call(_until(details), request)


def _until(details: Any) -> _Call:
    runs = details.method.endswith(("/ExecutePlan", "/ReattachExecute"))
    seconds = STATEMENT_SECONDS if runs else ANSWER_SECONDS
    return _Call(
        details.method,
        seconds,
        details.metadata,
        details.credentials,
        details.wait_for_ready,
        details.compression,
    )
