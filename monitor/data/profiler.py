"""Runs the pushed-down aggregation and puts its answer together as one profile per bucket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.profile import Layout, Numbers, Profile
from monitor.data.counting import count
from monitor.data.errors import told
from monitor.data.exploded import exploded_statement
from monitor.data.shape import CELLS, ROWS, Shape
from monitor.data.sources import batches, fetch, fetching
from monitor.data.statements import long_statement, streamed_statements
from monitor.data.tally import Health, Tally

if TYPE_CHECKING:
    from ibis.backends.sql import SQLBackend

SELECTED = "profiled"
"""The selected rows under a fixed name, so that the statements over them keep their text."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows to profile as SQL: ``joined`` with outcomes and, where streamed, ``predictions`` alone."""

    engine: SQLBackend
    joined: str
    predictions: str = ""
    streamed: bool = False
    """Whether the source is read once per statement, each time only the columns needed, and no row is held."""


def profile(
    selection: Selection | None,
    shape: Shape,
    layout: Layout,
    health: Mapping[int, Health],
    buckets: Sequence[int],
    where: str,
) -> dict[int, Profile]:
    """The profile of each of *buckets* (by number); one without rows gets a profile of zeros."""
    tally = Tally(layout, shape, buckets)
    if selection is None:
        return tally.profiles(health)
    head = _prepare(selection, where)
    everything = exploded_statement(shape) if shape.engine == "pyspark" else long_statement(shape)
    wrapped = f"{head} SELECT * FROM ({everything}) AS counted"  # noqa: S608  # compiled by Ibis
    if selection.streamed:
        with fetching(selection.engine, wrapped, where) as coming:
            _count_numbers(tally, selection, shape, head, where)
            tally.add_long(coming.result())
    else:
        _count_numbers(tally, selection, shape, head, where)
        tally.add_long(fetch(selection.engine, wrapped, where))
    if selection.engine.name == "pyspark":
        selection.engine.let_go(SELECTED)
    elif not selection.streamed and selection.engine.name == "duckdb":
        selection.engine.con.execute(f"DROP TABLE IF EXISTS {SELECTED}")
    return tally.profiles(health)


def _count_numbers(tally: Tally, selection: Selection, shape: Shape, head: str, where: str) -> None:
    for streamed in streamed_statements(shape):
        cells = [column.cells for column in streamed.columns if isinstance(column.cells, Numbers)]
        with batches(selection.engine, f"{head} {streamed.sql}", where) as rows:
            tally.add_streamed(streamed, count(rows, cells, streamed.segments))


def _prepare(selection: Selection, where: str) -> str:
    """The WITH that gives the statements their rows.

    PostgreSQL materialises them and Spark holds them on the cluster, so a row is read once. On DuckDB they become a
    temporary table, except where they are many and lie in Parquet files: those are streamed per statement, each time
    only the columns it needs.
    """
    engine = selection.engine
    if engine.name == "duckdb" and selection.streamed:
        cells, rows = selection.predictions, selection.joined
        return f"WITH {CELLS} AS NOT MATERIALIZED ({cells}), {ROWS} AS NOT MATERIALIZED ({rows})"
    held = f"SELECT * FROM {SELECTED}"  # noqa: S608  # our own name
    everything = selection.joined
    if engine.name == "pyspark":
        with told(where):
            engine.hold(SELECTED, everything)
        return f"WITH {CELLS} AS ({held}), {ROWS} AS ({held})"
    views = ", ".join(f"{name} AS NOT MATERIALIZED ({held})" for name in (CELLS, ROWS))
    if engine.name == "duckdb":
        fetch(engine, f"CREATE OR REPLACE TEMP TABLE {SELECTED} AS {everything}", where)
        return f"WITH {views}"
    return f"WITH {SELECTED} AS MATERIALIZED ({everything}), {views}"
