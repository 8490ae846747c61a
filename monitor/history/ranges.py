"""Measurements over a range of time, a page at a time: as they stand, as they were known once, or in each revision."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from monitor.history.engine import reading
from monitor.history.results import Filters
from monitor.history.rows import HistoryRow
from monitor.history.search import Place, walk

__all__ = ["Filters", "Page", "Place", "page"]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest window first; *after* is where the next page begins, None where there is nothing more."""

    rows: tuple[HistoryRow, ...]
    after: Place | None


def page(engine: Engine, asked: Filters, limit: int, after: Place | None = None) -> Page:
    """The newest *limit* rows that match, from *after* on.

    All pages together are what one page without end would have been when the first was read, whatever is recorded
    meanwhile. A page may hold fewer rows while there are more: where next to nothing matches, it ends after a while.
    """
    found: list[HistoryRow] = []
    place = after
    with reading(engine) as connection:
        for here, row in walk(connection, asked, limit + 1, after):
            if row is None:
                return Page(tuple(found), here)
            if len(found) == limit:
                return Page(tuple(found), place)
            found.append(row)
            place = here
    return Page(tuple(found), None)
