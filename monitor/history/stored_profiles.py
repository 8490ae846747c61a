"""What the columns of a window were distributed like, and those of the reference: out of the stored profiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, exists, select

from checks.profile import ALL, Categories, Distribution, Layout, Numbers, Profile, Slice
from monitor.history.engine import Readable, reading
from monitor.history.tables import baselines, evaluations, profiles

MOST_BUCKETS = 400
"""Profiles that are merged for one answer: a month of hours is more than anybody looks at, and takes seconds."""


class TooManyBuckets(ValueError):
    """The range holds more profiles than are merged for one answer; the sentence says what to ask for instead."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows fell into each cell, and into none; *mean*, *low* and *high* of numbers."""

    counts: tuple[int, ...]
    rows: int
    null: int
    nan: int
    infinite: int
    absent: int
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ColumnDistribution:
    """A column in the window and in the reference, on the same cells.

    The cells of numbers are ``(-inf, e0), [e0, e1), ... [en, inf)`` between *edges*; those of categories one for each
    of *values* and a last one for every other value.
    """

    column: str
    kind: Literal["numbers", "categories"]
    edges: tuple[float, ...]
    values: tuple[str, ...]
    window: Counts
    reference: Counts | None


@dataclass(frozen=True, slots=True)
class WindowProfile:
    """The rows of one segment in ``[start, end)``, of which *outcomes* have their outcome in, as last read."""

    model: str
    version: str
    segment: str
    start: datetime
    end: datetime
    buckets: int
    read_at: datetime
    rows: int
    outcomes: int
    columns: tuple[ColumnDistribution, ...]


def profile_of(
    engine: Readable,
    model: str,
    start: datetime,
    end: datetime,
    version: str | None = None,
    *,
    segment: str = ALL,
    columns: Sequence[str] | None = None,
) -> WindowProfile | None:
    """The profile of the buckets that start in ``[start, end)``; None where none is stored, or not of that segment.

    *version* left out is the newest one that has rows there. Raises TooManyBuckets.
    """
    with reading(engine) as connection:
        baseline = connection.execute(_baseline(model, version, start, end)).first()
        if baseline is None:
            return None
        stored = _stored(connection, baseline.id, start, end)
    layout = Layout.from_bytes(baseline.layout)
    merged = Profile.merge(Profile.from_bytes(row.data, layout) for row in stored)
    part = merged.slices.get(segment)
    if part is None:
        return None
    reference = None if baseline.profile is None else Profile.from_bytes(baseline.profile, layout).slices.get(segment)
    return WindowProfile(
        model,
        baseline.version,
        segment,
        stored[0].bucket_start,
        stored[-1].bucket_end,
        len(stored),
        max(row.read_at for row in stored),
        part.rows,
        part.labelled,
        tuple(_columns(layout, part, reference, columns)),
    )


def profile_of_evaluation(
    engine: Readable, evaluation_id: int, *, segment: str = ALL, columns: Sequence[str] | None = None
) -> WindowProfile | None:
    """The same of the window of one evaluation; None where there is no such evaluation either."""
    asked = select(*(evaluations.c[name] for name in ("model", "version", "window_start", "window_end")))
    with reading(engine) as connection:
        found = connection.execute(asked.where(evaluations.c.id == evaluation_id)).first()
    if found is None:
        return None
    window = (found.window_start, found.window_end)
    return profile_of(engine, found.model, *window, found.version, segment=segment, columns=columns)


def _baseline(model: str, version: str | None, start: datetime, end: datetime) -> Any:
    inside = (profiles.c.bucket_start >= start, profiles.c.bucket_start < end)
    has_rows = exists().where(profiles.c.baseline_id == baselines.c.id, *inside)
    names = ("id", "version", "layout", "profile")
    asked = select(*(baselines.c[name] for name in names)).where(baselines.c.model == model, has_rows)
    if version is not None:
        asked = asked.where(baselines.c.version == version)
    return asked.order_by(baselines.c.id.desc()).limit(1)


def _stored(connection: Connection, baseline_id: int, start: datetime, end: datetime) -> Sequence[Row[Any]]:
    table = profiles.c
    columns = [table[name] for name in ("bucket_start", "bucket_end", "read_at", "data")]
    inside = (table.bucket_start >= start, table.bucket_start < end)
    asked = select(*columns).where(table.baseline_id == baseline_id, *inside)
    found = connection.execute(asked.order_by(table.bucket_start).limit(MOST_BUCKETS + 1)).all()
    if len(found) > MOST_BUCKETS:
        raise TooManyBuckets(
            f"This range holds more than {MOST_BUCKETS} stored profiles; ask for a shorter one, "
            f"such as up to {found[MOST_BUCKETS].bucket_start:%Y-%m-%dT%H:%M}."
        )
    return found


def _columns(
    layout: Layout, part: Slice, reference: Slice | None, asked: Sequence[str] | None
) -> Iterable[ColumnDistribution]:
    for name, distribution in part.columns.items():
        if asked is not None and name not in asked:
            continue
        cells = layout.columns[name]
        other = None if reference is None else reference.columns.get(name)
        yield ColumnDistribution(
            name,
            "numbers" if isinstance(cells, Numbers) else "categories",
            cells.edges if isinstance(cells, Numbers) else (),
            cells.values if isinstance(cells, Categories) else (),
            _counts(distribution, cells),
            None if other is None else _counts(other, cells),
        )


def _counts(one: Distribution, cells: Numbers | Categories) -> Counts:
    numbers = sum(one.counts)
    mean = cells.centre + one.total / numbers if isinstance(cells, Numbers) and numbers else None
    sizes = (one.counts, one.rows, one.null, one.nan, one.infinite, one.absent)
    return Counts(*sizes, mean, one.low, one.high)
