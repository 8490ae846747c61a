"""A long history, made quickly: rows go in by bulk, as an evaluation every hour for months would have left them."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from sqlalchemy import Engine

from checks.profile import Categories, Distribution, Layout, Numbers, Profile, Slice
from monitor.history.tables import evaluations, measurements, metadata, verdicts

MODELS = 100
SEGMENTS, COLUMNS = 9, 40
MEASURED = 1 + SEGMENTS + COLUMNS
"""Measurements of an evaluation: accuracy of the whole and of nine segments, drift of forty columns."""
JUDGED = 12
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BREACHES = 2000
"""Every so many-th evaluation breaches; one in twice as many failed."""

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """How many models, each evaluated over how many windows."""

    models: int
    windows: int


def make(engine: Engine, rows: int, models: int = MODELS) -> int:
    """Fill an empty, migrated history with about *rows* measurements; returns how many there are."""
    size = Size(models, max(rows // MEASURED // models, 30))
    _insert(engine, "models", ("name", "lease_token"), ((f"model-{model}", 0) for model in range(models)))
    _insert(engine, "baselines", _BASELINE, _baselines(models))
    _insert(engine, "profiles", _PROFILE, _profiles(models))
    _insert(engine, "evaluations", _EVALUATION, _evaluations(size))
    _insert(engine, "measurements", _MEASUREMENT, _measurements(size))
    _insert(engine, "verdicts", _VERDICT, _verdicts(size))
    _insert(engine, "incidents", _INCIDENT, _incidents(size))
    _insert(engine, "episodes", _EPISODE, _episodes(size))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            for table in (evaluations, measurements, verdicts, *metadata.tables.values()):
                if "id" in table.c and table.name != "interactions":
                    sequence = f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}"
                    connection.exec_driver_sql(sequence)
        connection.exec_driver_sql("ANALYZE")
    return size.windows * size.models * MEASURED


_BASELINE = ("id", "model", "version", "fingerprint", "layout", "profile", "recorded_at")
_PROFILE = ("baseline_id", "bucket_start", "bucket_end", "revision", "rows", "outcomes", "data", "read_at")
_EVALUATION = (
    *("id", "model", "version", "plan", "window_start", "window_end", "revision", "state", "reason", "inputs"),
    *("contract_hash", "evaluated_at", "seconds", "rows", "outcomes", "detail"),
)
_MEASUREMENT = ("evaluation_id", "check", "metric", "column", "segment", "value", "low", "high", "rows", "detail")
_VERDICT = (
    *("evaluation_id", "check", "metric", "column", "segment", "verdict", "reason", "sentence", "severity", "side"),
    *("threshold", "value", "low", "high", "rows", "comparisons"),
)
_INCIDENT = ("id", "model", "version", "severity", "opened_at", "resolved_at", "sequence", "group", "end_reason")
_EPISODE = (
    *("id", "incident_id", "alert_key", "metric", "column", "segment", "severity", "opened_at", "resolved_at"),
    *("value", "threshold", "reopened"),
)


def _subjects() -> list[tuple[str, str, str, str]]:
    whole = [("accuracy", "accuracy", "", "")]
    segments = [("accuracy", "accuracy", "", f"origin=S{place}") for place in range(SEGMENTS)]
    return whole + segments + [("drift", "drift", f"column_{place}", "") for place in range(COLUMNS)]


def _windows(size: Size) -> Iterator[tuple[int, int, datetime]]:
    """The id, the model and the end of each evaluation, in the order in which they were made."""
    for window in range(size.windows):
        for model in range(size.models):
            yield window * size.models + model + 1, model, NOW - (size.windows - 1 - window) * HOUR


def _evaluations(size: Size) -> Iterator[Row]:
    for number, model, end in _windows(size):
        state = "failed" if number % (2 * BREACHES) == 7 else "done"
        about = (number, f"model-{model}", "v1", "24h each 1h", end - 24 * HOUR, end, 0, state, "", "x", "h")
        yield (*about, end, 0.5, 1000, 900, "{}")


def _measurements(size: Size) -> Iterator[Row]:
    subjects, chance = _subjects(), random.Random(1)
    for number, _, _ in _windows(size):
        value = 0.8 + chance.random() / 10
        for check, metric, column, segment in subjects:
            yield (number, check, metric, column, segment, value, value - 0.05, value + 0.05, 1000, "{}")


def _verdicts(size: Size) -> Iterator[Row]:
    subjects = _subjects()[:JUDGED]
    for number, _, _ in _windows(size):
        for check, metric, column, segment in subjects:
            breach = number % BREACHES == 7 and not segment
            state = ("breach", "falls_below", "It fell.", "page") if breach else ("ok", "holds", "It holds.", "page")
            yield (number, check, metric, column, segment, *state, "min", 0.7, 0.85, 0.8, 0.9, 1000, JUDGED)


def _incidents(size: Size) -> Iterator[Row]:
    breaches = [each for each in _windows(size) if each[0] % BREACHES == 7]
    for place, (_, model, end) in enumerate(breaches, 1):
        yield (place, f"model-{model}", "v1", "page", end, end + 5 * HOUR, 2, "", "resolved")


def _episodes(size: Size) -> Iterator[Row]:
    for place, *_, opened, resolved, _, _, _ in _incidents(size):
        yield (place, place, "k", "accuracy", "", "", "page", opened, resolved, 0.6, 0.7, 0)


def _baselines(models: int) -> Iterator[Row]:
    layout, profile = _profile()
    for model in range(models):
        yield (model + 1, f"model-{model}", "v1", "f", layout.to_bytes(), profile.to_bytes(), NOW)


def _profiles(models: int) -> Iterator[Row]:
    """Two days of hours for each model."""
    data = _profile()[1].to_bytes()
    for model in range(models):
        for hour in range(48):
            start = NOW - (48 - hour) * HOUR
            yield (model + 1, start, start + HOUR, 0, 1000, 900, data, NOW)


def _profile() -> tuple[Layout, Profile]:
    columns: dict[str, Numbers | Categories] = {
        f"column_{place}": Numbers(tuple(float(edge) for edge in range(30))) for place in range(COLUMNS)
    }
    layout = Layout(columns)
    distributions = {name: Distribution(tuple(range(31)), total=100.0, squares=1000.0) for name in columns}
    return layout, Profile(layout, {"": Slice(465, 400, distributions)})


def _insert(engine: Engine, table: str, names: Sequence[str], rows: Iterator[Row]) -> None:
    columns = ", ".join(f'"{name}"' for name in names)
    if engine.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        with sqlite3.connect(str(engine.url.database)) as connection:
            connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", map(_naive, rows))
        return
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        psycopg.connect(url) as postgres,
        postgres.cursor() as cursor,
        cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _naive(row: Row) -> Row:
    return tuple(f"{value:%Y-%m-%d %H:%M:%S}.000000" if isinstance(value, datetime) else value for value in row)
