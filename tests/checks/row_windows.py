"""Windows of rows in Python: their profiles per day, and the rows themselves as a table on an engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from checks.contract import Roles, Task, Window
from checks.profile import Layout
from checks.testing.rows import Row, profile_of

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow

START = datetime(2024, 3, 4, tzinfo=UTC)
ROLES = Roles("id", "at", None, "prediction", "score", None, "outcome", ("city",))


def window_of(
    days: Sequence[Sequence[Row]],
    layout: Layout,
    reference: Sequence[Row] | None = None,
    table: ir.Table | None = None,
    task: Task = "binary",
) -> Window:
    """A window of a bucket per day; the profiles hold the columns of segments, too."""

    def missing() -> ir.Table:
        from checks.contract import _not_loaded

        return _not_loaded()

    return Window(
        *(START, START + timedelta(days=len(days)), task),
        tuple(profile_of(day, layout, "city") for day in days),
        None if reference is None else profile_of(reference, layout, "city"),
        ROLES,
        load_table=missing if table is None else lambda: table,
    )


def with_segment_columns(window: Window, days: Sequence[Sequence[Row]]) -> Window:
    """The same, where profiles keep the columns of segments."""
    buckets = []
    for bucket, day in zip(window.buckets, days, strict=True):
        slices = dict(bucket.slices)
        for city in bucket.layout.segments["city"]:
            own = profile_of([row for row in day if row.get("city") == city], bucket.layout)
            slices[f"city={city}"] = replace(slices[f"city={city}"], columns=own.whole.columns)
        buckets.append(replace(bucket, slices=slices))
    return replace(window, buckets=tuple(buckets))


def timed(days: Sequence[Sequence[Row]]) -> list[dict[str, object]]:
    """All rows, each at noon of its day."""
    moments = [START.replace(tzinfo=None) + timedelta(days=day, hours=12) for day in range(len(days))]
    return [{**row, "at": at} for at, day in zip(moments, days, strict=True) for row in day]


def arrow(days: Sequence[Sequence[Row]], types: Mapping[str, object]) -> pyarrow.Table:
    """The rows of *days* with the columns of *types* and their time."""
    import pyarrow as pa

    schema = pa.schema({"at": pa.timestamp("us"), **types})
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in timed(days)], schema)


@contextmanager
def on_engine(name: str, request: pytest.FixtureRequest, rows: pyarrow.Table) -> Iterator[ir.Table]:
    """The rows on DuckDB or on PostgreSQL."""
    import ibis

    from tests.data.logs import into_postgres

    if name == "duckdb":
        yield ibis.memtable(rows)
        return
    url = str(request.getfixturevalue("postgres_database"))
    into_postgres(url, {"given": rows})
    connection = ibis.connect(url.replace("postgresql+psycopg://", "postgres://"))
    yield connection.table("given")
    connection.disconnect()
