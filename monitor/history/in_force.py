"""The verdicts in force: of each promise the one on its newest window, whole or page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select

from monitor.history.engine import Readable, reading
from monitor.history.newest import newest_of_each_plan
from monitor.history.results import EVALUATION, SUBJECT, VERDICT
from monitor.history.rows import HistoryRow
from monitor.history.tables import evaluations, models, verdicts
from monitor.history.values import among

AT_ONCE = 50
"""Models whose verdicts are read together for a page."""

_COLUMNS = [*(evaluations.c[name] for name in EVALUATION), *(verdicts.c[name] for name in (*SUBJECT, *VERDICT))]
_ABOUT = [evaluations.c.model, *(verdicts.c[name] for name in ("metric", "column", "segment", "side"))]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: behind this promise."""

    model: str
    metric: str
    column: str
    segment: str
    side: str


@dataclass(frozen=True, slots=True)
class Page:
    """Verdicts by model, in the database's order of names; *after* is where the next page begins, None at the end."""

    rows: tuple[HistoryRow, ...]
    after: Place | None


def latest_verdicts(engine: Readable, model: str | None = None) -> list[HistoryRow]:
    """The verdict in force on each bound: the one on the newest window."""
    with reading(engine) as connection:
        return sorted(_read(connection, None if model is None else [model]), key=_place_values)


def page(
    engine: Engine, limit: int, after: Place | None = None, model: str | None = None, verdict: str | None = None
) -> Page:
    """The next *limit* of them, or those of one model or one verdict."""
    with reading(engine) as connection:
        matching: list[HistoryRow] = []
        for row in _walk(connection, after, model):
            if verdict in {None, row.verdict}:
                matching.append(row)
            if len(matching) > limit:
                break
    rows = tuple(matching[:limit])
    return Page(rows, Place(*_place_values(rows[-1])) if len(matching) > limit else None)


def in_force(connection: Connection, names: Sequence[str] | None, columns: list[Any]) -> list[tuple[Any, ...]]:
    """These columns of each verdict in force; of a metric that moved from one plan to another the newer one's."""
    asked = (
        select(*columns, *(column.label(f"about_{place}") for place, column in enumerate(_ABOUT)))
        .join_from(verdicts, evaluations, verdicts.c.evaluation_id == evaluations.c.id)
        .where(among(connection.dialect.name, evaluations.c.id, "newest"))
        .order_by(evaluations.c.window_end, evaluations.c.id)
    )
    newest = {"newest": newest_of_each_plan(connection, names)}
    rows = [tuple(row) for row in connection.execute(asked, newest).all()]
    return list({row[len(columns) :]: row[: len(columns)] for row in rows}.values())


def _walk(connection: Connection, after: Place | None, model: str | None) -> Iterator[HistoryRow]:
    """Row by row from *after* on, a few models at a time."""
    begin = None if after is None else (after.model, after.metric, after.column, after.segment, after.side)
    since = "" if after is None else after.model
    asked = select(models.c.name).where(models.c.name >= since).order_by(models.c.name)
    names = list(connection.scalars(asked)) if model is None else [model]
    for first in range(0, len(names), AT_ONCE):
        some = names[first : first + AT_ONCE]
        rows = sorted(_read(connection, some), key=lambda row: (some.index(row.model), _place_values(row)[1:]))
        yield from (row for row in rows if begin is None or row.model != begin[0] or _place_values(row) > begin)


def _read(connection: Connection, names: Sequence[str] | None) -> list[HistoryRow]:
    return [HistoryRow(*row) for row in in_force(connection, names, [*_COLUMNS, evaluations.c.id])]


def _place_values(row: HistoryRow) -> tuple[str, str, str, str, str]:
    return row.model, row.metric, row.column, row.segment, row.side or ""
