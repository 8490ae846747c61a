"""The lists of a ranking: the place of each item in the list of its request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.contract import CannotMeasure, Roles, Window
from checks.statistics.days import cluster_of
from checks.statistics.expressions import number, row_number, shuffled, text
from checks.statistics.segments import Segments, codes

if TYPE_CHECKING:
    import ibis.expr.types as ir


def lists(window: Window, segments: Segments) -> ir.Table:
    """One row per row with a request: request, item, its ``place`` in the list, and the codes of its segments.

    A place is the position; of positions that repeat or begin at 0, the rank where that is later. Where there is no
    position it is the rank by descending score, of equal ones in an order that is the same on every engine. A row
    without a position or score has no place. ``at`` is the part of the window, where it has several.
    """
    table, roles = window.table, window.roles
    request, item, key = _columns(table, roles)
    given = {"at": cluster_of(window, table[roles.time])} if len(window.buckets) > 1 and roles.time else {}
    gain = {"gain": _gain(table[roles.outcome])} if roles.outcome in table.columns else {}
    rows = table.select(request=request, item=item, key=key, **given, **gain, **codes(table, segments))
    rows = rows.filter(rows["request"].notnull())
    order = [rows["key"].asc(nulls_first=False), shuffled(text(rows["item"])), *(rows[name] for name in gain)]
    rank = row_number().over(group_by=rows["request"], order_by=order) + 1
    ranked = rows.mutate(rank=rank)
    late = ranked["rank"] if roles.position is None else _later(ranked["key"], ranked["rank"])
    return ranked.mutate(place=ranked["key"].isnull().ifelse(None, late).cast("float64"))


def _later(position: ir.FloatingColumn, rank: ir.IntegerColumn) -> ir.FloatingValue:
    return (position < rank).ifelse(rank.cast("float64"), position)


def _columns(table: ir.Table, roles: Roles) -> tuple[ir.Column, ir.Column, ir.FloatingValue]:
    """Request, item, and what the list is in ascending order of."""
    if roles.request is None or roles.item is None:
        raise CannotMeasure("A ranking needs lists of items; set predictions.request and predictions.item.")
    said = roles.score or roles.prediction
    if roles.position is None and said is None:
        raise CannotMeasure("A ranking needs an order; set predictions.position or predictions.score.")
    name = roles.position or said or ""
    if not (table[name].type().is_numeric() or table[name].type().is_null()):
        raise CannotMeasure(f"The column '{name}' holds {table[name].type()}; a ranking is ordered by numbers.")
    key = number(table[name])
    return table[roles.request], table[roles.item], key if roles.position else -key


def _gain(outcome: ir.Column) -> ir.FloatingValue:
    """How relevant a row is; null where its outcome is not in. Grades below 0 are 0."""
    kind = outcome.type()
    if not (kind.is_numeric() or kind.is_boolean() or kind.is_null()):
        what = f"The outcome column '{outcome.get_name()}' holds {kind}"
        raise CannotMeasure(f"{what}; the relevance of an item is a number, or true and false.")
    grade = number(outcome)
    return (grade < 0).ifelse(0.0, grade)


def parts_in(listed: ir.Table) -> list[str]:
    """The columns that tell the part of the window and the segments."""
    return [name for name in listed.columns if name == "at" or (name[0] == "s" and name[1:].isdigit())]
