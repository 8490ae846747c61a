"""Opening a source: a file, a glob or a table as an Ibis table, and its times in UTC."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import ibis

from monitor.data.engines import DuckDB, Engine, PostgreSQL, in_zone
from monitor.data.errors import ColumnProblem, SourceMissing, SourceProblem, missing_file, reading, shown
from monitor.settings import Source

if TYPE_CHECKING:
    import ibis.expr.types as ir

READERS = {
    ".parquet": "read_parquet",
    ".pq": "read_parquet",
    ".csv": "read_csv",
    ".tsv": "read_csv",
    ".json": "read_json",
    ".jsonl": "read_json",
    ".ndjson": "read_json",
}
REMOTE = ("s3://", "gs://", "gcs://", "http://", "https://", "az://")


def is_database(source: str) -> bool:
    """Whether the source is a database URL."""
    return source.split("://", 1)[0].split("+", 1)[0] in {"postgres", "postgresql"} and "://" in source


def connect(source: Source, where: str) -> PostgreSQL:
    """The database of a URL. Raises SourceProblem with the way out."""
    try:
        return PostgreSQL(source.source)
    except Exception as problem:
        said = str(problem).strip().splitlines()
        words = shown(said[-1].strip()) if said else type(problem).__name__
        raise SourceProblem(f"{where} ({shown(source.source)}) cannot be reached: {words.rstrip('.')}.") from problem


def open_table(engine: Engine, source: Source, base: Path, where: str, name: str) -> ir.Table:
    """The rows of *source* as an Ibis table on *engine*, which is the one its rows live on. Raises SourceProblem."""
    with reading(where, source.source):
        if isinstance(engine, DuckDB):
            return _open_files(engine, source.source, base, where, name)
        if source.query is not None:
            return engine.backend.sql(source.query, dialect="postgres")
        return _open_database_table(engine, source, where)


def _open_database_table(engine: Engine, source: Source, where: str) -> ir.Table:
    schema, _, table = (source.table or "").rpartition(".")
    try:
        return engine.backend.table(table, database=schema or None)
    except ibis.common.exceptions.TableNotFound:
        known = engine.backend.list_tables(database=schema or None)
        raise SourceMissing(
            f"{where} ({shown(source.source)}): there is no table '{source.table}'; {_hint(table, known)}."
        ) from None


def _open_files(engine: DuckDB, source: str, base: Path, where: str, name: str) -> ir.Table:
    path = source if source.startswith(REMOTE) else str(base / source)
    suffix = Path(path).suffix.lower()
    reader = READERS.get(suffix)
    if reader is None:
        raise SourceProblem(f"{where} ({source}): files end in {', '.join(READERS)}; databases begin postgresql://.")
    if not source.startswith(REMOTE):
        _demand_files(where, path)
    options = {"union_by_name": True} if suffix in (".parquet", ".pq") else {}
    table: ir.Table = getattr(engine.backend, reader)(path, table_name=name, **options)
    return table


def _demand_files(where: str, path: str) -> None:
    found = [Path(each) for each in glob.glob(path, recursive=True)]  # noqa: PTH207  # an absolute pattern
    if not found:
        raise missing_file(where, path)
    folders = [each for each in found if each.is_dir()]
    if folders:
        raise SourceProblem(f"{where}: {folders[0]} is a folder; name its files, such as {folders[0]}/*.parquet.")
    for each in found:
        try:
            each.open("rb").close()
        except OSError as problem:
            raise SourceProblem(f"{where}: {each} cannot be opened: {problem.strerror}.") from problem


def demand_columns(table: ir.Table, names: Iterable[str | None], where: str) -> None:
    """Raise ColumnProblem for the first of *names* that the table does not have."""
    for name in names:
        if name is not None and name not in table.columns:
            raise ColumnProblem(f"{where} has no column '{name}'; {_hint(name, table.columns)}.")


def _hint(wrong: str, known: Sequence[str]) -> str:
    close = get_close_matches(wrong, known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"there are {', '.join(sorted(known)[:20]) or 'none'}"


def utc(column: ir.Column, timezone: str, where: str) -> ir.TimestampValue:
    """A time column as naive UTC: naive times are in *timezone*, aware ones are converted. Raises ColumnProblem."""
    kind = column.type()
    if kind.is_timestamp() and kind.timezone is not None:
        return column.cast("timestamp")  # sessions are in UTC, so this drops the zone and keeps the instant
    if not (kind.is_timestamp() or kind.is_date() or kind.is_string()):
        raise ColumnProblem(
            f"{where}: the time column '{column.get_name()}' is {kind}; a timestamp, a date or ISO 8601 text is right."
        )
    naive = column if kind.is_timestamp() else column.cast("timestamp")
    return naive if timezone == "UTC" else in_zone(timezone, naive).cast("timestamp")


def is_utc(column: ir.Column, timezone: str) -> bool | None:
    """Whether bounds compare with the raw column: False naive UTC, True aware; None where it must be converted."""
    kind = column.type()
    if not kind.is_timestamp():
        return None
    if kind.timezone is not None:
        return True
    return False if timezone == "UTC" else None
