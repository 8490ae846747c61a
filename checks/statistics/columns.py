"""The columns of a window as their distributions, per segment, and what only the rows themselves can tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.contract import CannotMeasure, Window
from checks.profile import ALL, Categories, Distribution, Numbers
from checks.statistics.pushed import Added, summed
from checks.statistics.quality import Rule
from checks.statistics.segments import segmented
from checks.statistics.shares import Share

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a segment: in the window, in each of its clusters, and in the reference.

    *before* is the segment's own reference, where its columns are kept; *learned* is the whole reference, for what is
    normal anywhere is not wrong in one segment.
    """

    name: str
    segment: str
    cells: Numbers | Categories
    now: Distribution
    parts: tuple[Distribution, ...]
    before: Distribution | None
    learned: Distribution | None


def columns_of(window: Window) -> Iterator[Column]:
    """Every column but the outcome, of the whole and of each segment whose columns are kept."""
    layout = window.live.layout
    for segment, whole in window.live.slices.items():
        for name, now in whole.columns.items():
            if name != window.roles.outcome and name in layout.columns:
                references = (_reference(window, segment, name), _reference(window, ALL, name))
                yield Column(name, segment, layout.columns[name], now, _parts(window, segment, name), *references)


def _parts(window: Window, segment: str, name: str) -> tuple[Distribution, ...]:
    """The column in each cluster that has it."""
    slices = [part.slices[segment] for part in window.parts if segment in part.slices]
    return tuple(own.columns[name] for own in slices if name in own.columns)


def _reference(window: Window, segment: str, name: str) -> Distribution | None:
    held = window.baseline.slices.get(segment) if window.baseline else None
    return held.columns.get(name) if held else None


Asked = tuple[Rule, Column]


def ask(window: Window, asked: Sequence[Asked]) -> list[list[Share] | None]:
    """The share of each rule per cluster, by one aggregate per segment column; None where rows cannot tell."""
    found: dict[int, list[Share]] = {}
    groups: dict[str, list[int]] = {}
    for place, (rule, column) in enumerate(asked):
        if rule.wrong is not None:
            groups.setdefault(column.segment.partition("=")[0], []).append(place)
    for by, places in groups.items():
        terms = _terms(window, {place: asked[place][0] for place in places})
        values = dict(segmented(window)) if terms and by else {}
        if terms and (not by or by in values):
            sums = summed(window, terms, by, values.get(by))
            for place in places:
                if f"wrong{place}" in terms:
                    own = [one for one in sums if one.segment == asked[place][1].segment]
                    found[place] = [_share(one, place, asked[place][0]) for one in own]
    return [found.get(place) for place in range(len(asked))]


def _terms(window: Window, wanted: Mapping[int, Rule]) -> dict[str, ir.NumericValue]:
    """For each rule, how many values there are and how many are wrong; nothing without rows or their column."""
    terms: dict[str, ir.NumericValue] = {}
    try:
        table = window.table
    except CannotMeasure:  # profiles alone still tell all the rest
        return terms
    for place, rule in wanted.items():
        if rule.wrong is not None and rule.column in table.columns:
            column = table[rule.column]
            there = column.notnull() & ~column.isnan() if column.type().is_floating() else column.notnull()
            terms[f"there{place}"] = there.ifelse(1, 0)
            terms[f"wrong{place}"] = rule.wrong(column).ifelse(1, 0)
    return terms


def _share(one: Added, place: int, rule: Rule) -> Share:
    there, wrong = int(one.sums[f"there{place}"]), int(one.sums[f"wrong{place}"])
    return Share(wrong + one.rows - there, one.rows) if rule.missing else Share(wrong, there)
