"""Which engine a model's rows are asked on: where they live, or embedded DuckDB where they live in several places."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.data.engines import DuckDB, Engine, PostgreSQL
from monitor.data.errors import reading
from monitor.data.rows import Log, check_columns, ids
from monitor.data.sources import connect, is_database, open_table, utc
from monitor.settings import ModelSettings, Source

if TYPE_CHECKING:
    import ibis.expr.types as ir


class Connections:
    """The open engines and tables of one model."""

    def __init__(self, model: ModelSettings, base: Path) -> None:
        self._model = model
        self._base = base
        self._duckdb: DuckDB | None = None
        self._databases: dict[str, PostgreSQL] = {}
        self._tables: dict[str, ir.Table] = {}

    def close(self) -> None:
        """Close everything."""
        for engine in (*self._databases.values(), *([self._duckdb] if self._duckdb else [])):
            engine.close()
        self._databases, self._tables, self._duckdb = {}, {}, None

    def log(self, start: datetime, end: datetime, since: datetime, as_of: datetime) -> Log:
        """Predictions and outcomes on one engine; rows of these bounds are brought over where they live apart."""
        said, came = self._model.predictions, self._model.outcomes
        home = self._home()
        predictions = self._on(home, "predictions", said, said.time, (start, end), self._wanted_predictions)
        outcomes = None
        if came is not None:
            names = [*ids(came.id or said.id), came.value, *([came.time] if came.time else [])]
            outcomes = self._on(home, "outcomes", came, came.time, (since, as_of), lambda _: names)
        check_columns(self._model, predictions, outcomes)
        return Log(home, self._model, predictions, outcomes)

    def reference(self) -> tuple[Engine, ir.Table]:
        """The rows the release was decided on, where they live."""
        source = self._model.reference
        if source is None:
            raise ValueError(f"{self._model.name} has no [models.reference].")
        return self.engine_of(source, "reference"), self.table("reference", source)

    def population(self, start: datetime, end: datetime) -> ir.Table:
        """The population on the engine of the predictions."""
        source = self._model.population
        if source is None:
            raise ValueError(f"{self._model.name} has no [models.population].")
        return self._on(self._home(), "population", source, source.time, (start, end), lambda table: table.columns)

    def engine_of(self, source: Source, role: str) -> Engine:
        """The engine that a source lives on."""
        if not is_database(source.source):
            self._duckdb = self._duckdb or DuckDB()
            return self._duckdb
        if source.source not in self._databases:
            self._databases[source.source] = connect(source, f"{self._model.name}: {role}")
        return self._databases[source.source]

    def table(self, role: str, source: Source) -> ir.Table:
        """The source's rows on its own engine."""
        if role not in self._tables:
            engine = self.engine_of(source, role)
            where = f"{self._model.name}: {role}"
            self._tables[role] = open_table(engine, source, self._base, where, f"mm_{role}")
        return self._tables[role]

    def _home(self) -> Engine:
        said, came = self._model.predictions, self._model.outcomes
        if came is None or came.source == said.source or not is_database(said.source):
            return self.engine_of(said, "predictions")
        self._duckdb = self._duckdb or DuckDB()
        return self._duckdb

    def _on(
        self,
        home: Engine,
        role: str,
        source: Source,
        time: str | None,
        bounds: tuple[datetime, datetime],
        wanted: object,
    ) -> ir.Table:
        table = self.table(role, source)
        if self.engine_of(source, role) is home:
            return table
        names = wanted(table) if callable(wanted) else ()
        return self._bring(role, source, table, time, bounds, names)

    def _bring(
        self,
        role: str,
        source: Source,
        table: ir.Table,
        time: str | None,
        bounds: tuple[datetime, datetime],
        names: Iterable[str],
    ) -> ir.Table:
        """The rows of these bounds as a table of DuckDB's own: rows of two engines can only be joined on one."""
        self._duckdb = self._duckdb or DuckDB()
        where = f"{self._model.name}: {role}"
        if time is not None:
            at = utc(table[time], source.timezone, where)
            start, end = (bound.astimezone(UTC).replace(tzinfo=None) for bound in bounds)
            table = table.filter(at >= start, at <= end)
        with reading(where, source.source):
            arrow = table.select(*dict.fromkeys(names)).to_pyarrow_batches()
            brought: ir.Table = self._duckdb.backend.create_table(
                f"mm_brought_{role}", arrow, temp=True, overwrite=True
            )
        return brought

    def _wanted_predictions(self, table: ir.Table) -> list[str]:
        said = self._model.predictions
        if said.features is None:
            return list(table.columns)
        scores = said.score if isinstance(said.score, tuple) else (said.score,)
        named = (*ids(said.id), said.time, said.entity, *scores, said.prediction, said.fallback)
        wanted = (*named, *said.segments, *said.features)
        return [name for name in wanted if name is not None and name in table.columns]
