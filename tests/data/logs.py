"""Small logs, as Arrow tables, written as files or into PostgreSQL; and what makes two profiles equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from checks.profile import Profile, Slice
from monitor.data.feed import Feed
from monitor.settings import ModelSettings, Outcomes, Population, Predictions, Reference

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"
DAY = timedelta(days=1)
START = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday


def at(day: float) -> datetime:
    """*day* days after START."""
    return START + day * DAY


def naive(day: float) -> datetime:
    return at(day).replace(tzinfo=None)


def flights_model(**changes: Any) -> ModelSettings:
    model = ModelSettings(
        name="flight-delay",
        version="2013-04",
        task="binary",
        predictions=Predictions(
            source="predictions.parquet",
            id="prediction_id",
            time="timestamp",
            entity="entity_id",
            score="y_pred_proba",
            prediction="y_pred",
            segments=("origin",),
        ),
        outcomes=Outcomes(source="outcomes.parquet", id="prediction_id", value="y_true", time="outcome_time"),
        reference=Reference(source="reference.parquet"),
        population=Population(source="schedule.parquet", entity="entity_id", time="timestamp"),
    )
    return model.model_copy(update=changes)


def small_model(**changes: Any) -> ModelSettings:
    """A binary model with a number, a text and a flag as features."""
    model = ModelSettings(
        name="small",
        version="1",
        task="binary",
        predictions=Predictions(
            source="predictions.parquet", id="id", time="at", score="score", prediction="said", segments=("place",)
        ),
        outcomes=Outcomes(source="outcomes.parquet", value="truth", time="known", delay=timedelta(hours=12)),
        reference=Reference(source="reference.parquet"),
    )
    return model.model_copy(update=changes)


PREDICTIONS = pa.schema(
    {
        "id": pa.string(),
        "at": pa.timestamp("us"),
        "x": pa.float64(),
        "colour": pa.string(),
        "flag": pa.bool_(),
        "place": pa.string(),
        "score": pa.float64(),
        "said": pa.int64(),
    }
)
OUTCOMES = pa.schema({"id": pa.string(), "known": pa.timestamp("us"), "truth": pa.int64()})
REFERENCE = pa.schema([*PREDICTIONS, OUTCOMES.field("known"), OUTCOMES.field("truth")])


def prediction(id: str | None, day: float | None, **columns: Any) -> dict[str, Any]:  # noqa: A002
    row = {"x": 1.0, "colour": "red", "flag": True, "place": "N", "score": 0.25, "said": 0}
    return {"id": id, "at": None if day is None else naive(day), **row, **columns}


def outcome(id: str | None, day: float | None, truth: int | None) -> dict[str, Any]:  # noqa: A002
    return {"id": id, "known": None if day is None else naive(day), "truth": truth}


def reference_rows(rows: int = 60) -> list[dict[str, Any]]:
    """Rows of every colour, place and class; outcomes 1 to 6 hours after their predictions."""
    return [
        prediction(
            f"r{place}",
            -30 + place / 10,
            x=float(place),
            colour=("red", "blue", "grün")[place % 3],
            flag=place % 2 == 0,
            place=("N", "S")[place % 2],
            score=place / rows,
            said=int(place > rows / 2),
        )
        | {"known": naive(-30 + place / 10) + timedelta(hours=1 + place % 6), "truth": int(place % 5 == 0)}
        for place in range(rows)
    ]


Tables = Mapping[str, pa.Table]


def tables(
    predictions: list[dict[str, Any]], outcomes: list[dict[str, Any]], reference: list[dict[str, Any]] | None = None
) -> dict[str, pa.Table]:
    return {
        "predictions": pa.Table.from_pylist(predictions, PREDICTIONS),
        "outcomes": pa.Table.from_pylist(outcomes, OUTCOMES),
        "reference": pa.Table.from_pylist(reference or reference_rows(), REFERENCE),
    }


def write(folder: Path, given: Tables) -> None:
    for name, table in given.items():
        pq.write_table(table, folder / f"{name}.parquet")


POSTGRES_TYPES = {
    "string": "text",
    "large_string": "text",
    "double": "double precision",
    "int64": "bigint",
    "bool": "boolean",
    "float": "real",
}


def into_postgres(url: str, given: Tables) -> None:
    """Write tables into the database of *url*."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection, connection.cursor() as cursor:
        for name, table in given.items():
            fields = ", ".join(f'"{field.name}" {_postgres_type(field.type)}' for field in table.schema)
            cursor.execute(f'CREATE TABLE "{name}" ({fields})')
            with cursor.copy(f'COPY "{name}" FROM STDIN') as copy:
                for row in table.to_pylist():
                    copy.write_row(list(row.values()))


def _postgres_type(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    return POSTGRES_TYPES[str(kind)]


def on_postgres(model: ModelSettings, url: str, *roles: str) -> ModelSettings:
    """*model* with the sources of *roles* (all, where none is named) read from tables of their file's name."""
    changes = {}
    for role in roles or ("predictions", "outcomes", "reference", "population", "catalogue"):
        settings = getattr(model, role)
        if settings is not None:
            table = settings.source.removesuffix(".parquet")
            changes[role] = settings.model_copy(update={"source": url, "table": table})
    return model.model_copy(update=changes)


def on_spark(model: ModelSettings, url: str, folder: Path, *roles: str) -> ModelSettings:
    """*model* with the sources of *roles* (all, where none is named) read from the same files, by Spark."""
    changes = {}
    for role in roles or ("predictions", "outcomes", "reference", "population", "catalogue"):
        settings = getattr(model, role)
        if settings is not None:
            query = f"SELECT * FROM parquet.`{folder / settings.source}`"
            changes[role] = settings.model_copy(update={"source": url, "query": query})
    return model.model_copy(update=changes)


Make = Callable[[ModelSettings, Tables], Feed]


def assert_equal_profiles(one: Profile, other: Profile) -> None:
    """Counts exactly, sums to 1e-9."""
    assert one.layout == other.layout
    assert set(one.slices) == set(other.slices)
    for name in ("duplicate_predictions", "duplicate_outcomes", "orphan_outcomes", "early_outcomes"):
        assert getattr(one, name) == getattr(other, name), name
    assert (one.future_outcomes, one.late_outcomes, one.lags) == (
        other.future_outcomes,
        other.late_outcomes,
        other.lags,
    )
    for segment, part in one.slices.items():
        _assert_equal_slices(part, other.slices[segment])


def _assert_equal_slices(one: Slice, other: Slice) -> None:
    assert (one.rows, one.labelled, dict(one.confusion)) == (other.rows, other.labelled, dict(other.confusion))
    assert set(one.columns) == set(other.columns)
    for name, mine in one.columns.items():
        yours = other.columns[name]
        assert (mine.counts, mine.null, mine.nan, mine.infinite, mine.absent) == (
            (yours.counts, yours.null, yours.nan, yours.infinite, yours.absent)
        ), name
        assert (mine.low, mine.high) == (yours.low, yours.high), name
        assert mine.total == pytest.approx(yours.total, rel=1e-9, abs=1e-9), name
        assert mine.squares == pytest.approx(yours.squares, rel=1e-9, abs=1e-9), name
    assert (one.scores is None) == (other.scores is None)
    if one.scores is not None and other.scores is not None:
        counts = ("negatives", "positives", "rejected", "accepted")
        assert [getattr(one.scores, name) for name in counts] == [getattr(other.scores, name) for name in counts]
        assert one.scores.log_loss == pytest.approx(other.scores.log_loss, rel=1e-9)
        assert one.scores.squared_error == pytest.approx(other.scores.squared_error, rel=1e-9)
    assert (one.errors is None) == (other.errors is None)
    if one.errors is not None and other.errors is not None:
        assert astuple(one.errors) == pytest.approx(astuple(other.errors), rel=1e-9)
