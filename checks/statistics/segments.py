"""The segments of rows as small numbers, worked out where the rows live, and read back as names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from checks.contract import Window
from checks.statistics.expressions import text

if TYPE_CHECKING:
    import ibis.expr.types as ir

Segments = Mapping[str, Sequence[str]]
"""Per segment of the model, the values that are segments of their own."""

TOGETHER = "+"
"""Between the columns of a segment that takes several together, and between their values."""


class Coded(Protocol):
    """What was counted for one combination of codes."""

    @property
    def codes(self) -> tuple[int, ...]: ...


Part = TypeVar("Part", bound=Coded)


def segments_in(window: Window, table: ir.Table) -> dict[str, tuple[str, ...]]:
    """The segments of the model that *table* has the columns of, with the values that are segments of their own."""
    known = window.live.layout.segments
    found = [name for name in window.roles.segments if set(parts_of(name, table)) <= set(table.columns)]
    return {name: tuple(known[name]) for name in found if name in known}


def parts_of(name: str, table: ir.Table) -> list[str]:
    """The columns of a segment: ``origin+carrier`` takes two together."""
    return [name] if name in table.columns else name.split(TOGETHER)


def codes(table: ir.Table, segments: Segments) -> dict[str, ir.IntegerValue]:
    """Per segment a column ``s0 ...``: the place of the row's value among those known, one more for any other.

    A row that lacks the value has null.
    """
    return {f"s{place}": _code(table, name, known) for place, (name, known) in enumerate(segments.items())}


def segmented(window: Window) -> Iterator[tuple[str, ir.StringValue]]:
    """Each segment of the window's table, and the value of its rows as profiles write it."""
    for name, known in segments_in(window, window.table).items():
        value = _value(window.table, name)
        yield name, value.isnull().ifelse("(null)", value.isin([*known, "(null)"]).ifelse(value, "(other)"))


def _value(table: ir.Table, name: str) -> ir.StringValue:
    value, *others = (text(table[part]) for part in parts_of(name, table))
    for other in others:
        value = value + TOGETHER + other
    return value


def _code(table: ir.Table, name: str, known: Sequence[str]) -> ir.IntegerValue:
    value = _value(table, name)
    others_code = value.isnull().ifelse(None, len(known)).cast("int32")
    if not known:
        return others_code
    place = value.cases(*((one, at) for at, one in enumerate(known)), else_=len(known)).cast("int32")
    return value.isnull().ifelse(None, place)


def codes_of(row: Mapping[str, object], segments: Segments) -> tuple[int, ...]:
    """The codes of a result row; -1 for null."""
    found = (row[f"s{place}"] for place in range(len(segments)))
    return tuple(-1 if code is None else int(str(code)) for code in found)


def by_segment(parts: Iterable[Part], segments: Segments) -> Iterator[tuple[str, list[Part]]]:
    """The whole, then each segment that has a part, by name."""
    given = list(parts)
    yield "", given
    for place, (name, known) in enumerate(segments.items()):
        found: dict[str, list[Part]] = {}
        for part in given:
            found.setdefault(value_of(part.codes[place], known), []).append(part)
        yield from ((f"{name}={value}", found[value]) for value in sorted(found))


def value_of(code: int, known: Sequence[str]) -> str:
    """The value that a code stands for, as segments are named."""
    return "(null)" if code < 0 else known[code] if code < len(known) else "(other)"
