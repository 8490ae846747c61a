"""What is wrong with the values of a column: each a share of its rows, counted from a profile where that can tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf, nextafter
from typing import TYPE_CHECKING

from checks.profile import Categories, Distribution, Numbers
from checks.statistics.shares import Share

if TYPE_CHECKING:
    import ibis.expr.types as ir

Limits = tuple[float, float]
Count = Callable[[Distribution], Share | None]
"""A share of the rows of a column; None where its counts cannot tell."""

HUGE = 1e100
"""Profiles count numbers beyond this as infinite, and infinite ones are outside any limits."""

BY_CHANCE = 0.001
"""A column counts as constant only where chance makes it look so less often than this."""


NO_ROWS = "The window holds no row with '{}'."
NO_VALUES = "No row of the window has a value in '{}'."
TOO_MANY = "The reference has more values of '{}' than the 1,000 told apart, so rare ones look new; set allowed."


@dataclass(frozen=True, slots=True)
class Rule:
    """A share of the rows of a column.

    *undefined* is the sentence for no value. *wrong* marks values, for where the rows themselves have to be asked;
    *missing* says that rows without a value are hits, too, and not left out. *expected* is what was expected instead.
    """

    metric: str
    column: str
    count: Count
    undefined: str
    wrong: Callable[[ir.Column], ir.BooleanValue] | None = None
    missing: bool = False
    expected: tuple[object, ...] = ()


def null_rule(name: str) -> Rule:
    """Missing / rows."""
    return Rule("null_share", name, lambda of: Share(missing(of), of.rows), NO_ROWS.format(name))


def range_rule(name: str, cells: Numbers, limits: Limits) -> Rule:
    """Numbers outside *limits* / numbers."""
    undefined = NO_VALUES.format(name)
    count = partial(outside, cells, limits=limits)
    return Rule("out_of_range", name, count, undefined, beyond(limits), expected=limits)


def unseen_rule(name: str, before: Distribution) -> Rule:
    """Values that the reference never had / values."""
    undefined = (TOO_MANY if before.counts[-1] else NO_VALUES).format(name)
    return Rule("unseen_categories", name, partial(unseen, before), undefined)


def allowed_rule(name: str, cells: Categories, allowed: frozenset[str]) -> Rule:
    """Values not among *allowed* / values."""
    count, wrong = partial(not_allowed, cells, allowed), not_among(allowed)
    return Rule("unseen_categories", name, count, NO_VALUES.format(name), wrong, expected=tuple(sorted(allowed)))


def prediction_rule(name: str, values: Rule | None) -> Rule:
    """Predictions that are missing or not as *values* wants them / predictions."""

    def count(of: Distribution) -> Share | None:
        wrong = Share(0, 0) if values is None else values.count(of)
        return None if wrong is None else Share(missing(of) + wrong.hits, of.rows)

    undefined = TOO_MANY if values and values.undefined == TOO_MANY.format(name) else NO_ROWS
    wrong, expected = (None, ()) if values is None else (values.wrong, values.expected)
    return Rule("invalid_predictions", name, count, undefined.format(name), wrong, missing=True, expected=expected)


def missing(of: Distribution) -> int:
    """Rows without a value: null, NaN, or their column absent."""
    return of.null + of.nan + of.absent


def present(of: Distribution) -> int:
    """Rows with a value, infinite ones among them."""
    return sum(of.counts) + of.infinite


def learned_limits(before: Distribution | None) -> Limits | None:
    """The least and the greatest number of the reference."""
    return None if before is None or before.low is None or before.high is None else (before.low, before.high)


def outside(cells: Numbers, of: Distribution, *, limits: Limits) -> Share | None:
    """Numbers below or above *limits* / numbers; None where a cell holds numbers on both sides of a limit.

    A cell is at most as wide as its edges and as the least and greatest number of all.
    """
    held = [(rows, *_ends(cells, of, place)) for place, rows in enumerate(of.counts) if rows]
    if any(_straddles(first, last, limits) for _, first, last in held):
        return None
    out = sum(rows for rows, first, last in held if last < limits[0] or first > limits[1])
    return Share(out + of.infinite, present(of))


def _ends(cells: Numbers, of: Distribution, place: int) -> Limits:
    """The least and greatest number that a cell may hold; its upper edge is the next cell's."""
    first = cells.edges[place - 1] if place else -inf
    last = nextafter(cells.edges[place], -inf) if place < len(cells.edges) else inf
    return (max(first, -inf if of.low is None else of.low), min(last, inf if of.high is None else of.high))


def _straddles(first: float, last: float, limits: Limits) -> bool:
    inside = limits[0] <= first and last <= limits[1]
    return not inside and not (last < limits[0] or first > limits[1])


def beyond(limits: Limits) -> Callable[[ir.Column], ir.BooleanValue]:
    """Marks numbers outside *limits*, a few units in the last place given: engines round constants once more."""
    low, high = max(limits[0], -HUGE), min(limits[1], HUGE)
    for _ in range(4):
        low, high = nextafter(low, -inf), nextafter(high, inf)

    def wrong(column: ir.Column) -> ir.BooleanValue:
        value = column.cast("float64")
        return ~value.isnan() & ((value < low) | (value > high))

    return wrong


def unseen(before: Distribution, of: Distribution) -> Share | None:
    """Values that the reference never had / values; None where it had more values than are told apart."""
    return None if before.counts[-1] else Share(of.counts[-1], present(of))


def not_allowed(cells: Categories, allowed: frozenset[str], of: Distribution) -> Share | None:
    """Values not among *allowed* / values; None where values that are not told apart may be allowed."""
    if of.counts[-1] and not allowed <= set(cells.values):
        return None
    wrong = sum(rows for value, rows in zip(cells.values, of.counts, strict=False) if value not in allowed)
    return Share(wrong + of.counts[-1], present(of))


def not_among(allowed: frozenset[str]) -> Callable[[ir.Column], ir.BooleanValue]:
    """Marks values not among *allowed*."""
    return lambda column: ~column.cast("string").isin(sorted(allowed))


def varied(before: Distribution) -> bool:
    """Whether the reference had more than one value."""
    return sum(1 for rows in before.counts if rows) > 1 or (before.low is not None and before.low != before.high)


def single(cells: Numbers | Categories, of: Distribution) -> int | None:
    """The cell that holds the one value there is; None where there are several, or none, or that cannot be told."""
    held = [place for place, rows in enumerate(of.counts) if rows]
    if len(held) != 1 or of.infinite:
        return None
    one = of.low == of.high if isinstance(cells, Numbers) else held[0] < len(cells.values)
    return held[0] if one else None


def by_chance(before: Distribution, place: int, rows: int) -> float:
    """At most how likely *rows* independent rows of the reference are all of the value in cell *place*."""
    return float((before.counts[place] / sum(before.counts)) ** rows)


def constant_untold(name: str, cells: Numbers | Categories, of: Distribution, chance: float | None) -> str | None:
    """Why it cannot be told whether a column is constant; None where it can."""
    rows = present(of)
    if not rows:
        return NO_VALUES.format(name)
    if isinstance(cells, Categories) and of.counts[-1] == rows:
        return f"No value of '{name}' is one that the reference had, so how many there are is not told apart."
    if chance is not None and chance > BY_CHANCE:
        return f"Too few rows to tell: {rows} of the reference are all the same in '{name}' by chance now and then."
    return None
