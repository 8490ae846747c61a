"""Population coverage: the share of the entities the model is meant to serve that have a usable prediction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, ClassVar

from checks.contract import CannotMeasure, Check, Measurement, Metric, Needs, Roles, Window

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt
    import ibis.expr.types as ir

REASONS = ("missing", "null", "fallback", "covered")
"""What became of an entity, by its best prediction; the place in this list is its rank."""


@dataclass(frozen=True, slots=True)
class Group:
    """Entities of one combination of segment values that fared alike."""

    values: tuple[object, ...]
    reason: str
    entities: int


class Coverage(Check):
    """Distinct entities of the population with a usable prediction / distinct entities of the population.

    Usable is a prediction (or a score, where there is no prediction column) that is neither null nor NaN and not
    marked as fallback. An entity with several predictions counts by its best: covered > fallback > null > missing.
    It is a census, so it has no interval. An entity listed under several segment values counts under the least.
    """

    kind: ClassVar[str] = "coverage"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("coverage", "share of the population with a usable prediction", "high"),
    )

    def needs(self) -> Needs:
        return Needs(population=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        people = window.population
        segments = tuple(column for column in window.roles.segments if column in people.columns)
        groups = _counted(window, segments)
        yield _measured("", groups)
        known = window.live.layout.segments
        for place, column in enumerate(segments):
            for value, part in sorted(_by_value(groups, place, known.get(column)).items()):
                yield _measured(f"{column}={value}", part)


def _measured(segment: str, groups: Iterable[Group]) -> Measurement:
    counted = Counter(dict.fromkeys(REASONS, 0))
    for group in groups:
        counted[group.reason] += group.entities
    population = counted.total()
    detail: dict[str, object] = {**counted, "population": population}
    if not population:
        detail["reason"] = "The population of this window is empty."
    value = counted["covered"] / population if population else None
    return Measurement("coverage", value, rows=population, segment=segment, detail=detail)


def _by_value(groups: Iterable[Group], place: int, known: Iterable[str] | None) -> Mapping[str, list[Group]]:
    parts: dict[str, list[Group]] = {}
    for group in groups:
        value = _canonical(group.values[place])
        if known is not None and value != "(null)" and value not in known:
            value = "(other)"
        parts.setdefault(value, []).append(group)
    return parts


def _canonical(value: object) -> str:
    """A value as profiles write it: null as (null), integral numbers without decimals, booleans as 1 and 0."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return "(null)"
    if isinstance(value, bool):
        return str(int(value))
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _served(table: ir.Table, roles: Roles, kind: str) -> ir.Table:
    """The best rank of each entity that has a row: (entity, best)."""
    if roles.entity is None:
        raise CannotMeasure("Coverage needs to know whom a prediction is about; set predictions.entity.")
    name = roles.prediction or roles.score
    if name is None:
        raise CannotMeasure("Coverage needs to know what was said; set predictions.prediction or predictions.score.")
    said = 3 if roles.fallback is None else _fallback(table[roles.fallback]).ifelse(2, 3)
    rank = _unusable(table[name]).ifelse(1, said).cast("int32")
    rows = table.select(entity=table[roles.entity].cast(kind), rank=rank)
    return rows.group_by("entity").aggregate(best=rows["rank"].max())


def _unusable(said: ir.Column) -> ir.BooleanValue:
    """Null or, where the column can hold it, NaN; null comes first, for NaN tests of null are null."""
    return said.isnull() | said.isnan() if said.type().is_floating() else said.isnull()


def _fallback(mark: ir.Column) -> ir.BooleanValue:
    """Whether a row is marked; a null marks nothing."""
    if mark.type().is_boolean():
        return mark & mark.notnull()
    if mark.type().is_numeric():
        return (mark != 0) & mark.notnull()
    name = mark.get_name()
    raise CannotMeasure(f"The fallback column '{name}' is {mark.type()}; coverage needs true and false, or 1 and 0.")


def _counted(window: Window, segments: tuple[str, ...]) -> tuple[Group, ...]:
    """One aggregate on the engine: entities per combination of segment values and rank."""
    people, entity = window.population, window.roles.entity
    kind = "string" if entity is None else _common_type(window.table[entity].type(), people["entity"].type())
    served = _served(window.table, window.roles, kind)
    names = [f"segment_{place}" for place in range(len(segments))]
    values = {name: _orderable(people[column]) for name, column in zip(names, segments, strict=True)}
    listed = people.select(entity=people["entity"].cast(kind), **values)
    listed = listed.filter(listed["entity"].notnull())
    distinct = listed.group_by("entity").aggregate(**{name: listed[name].min() for name in names})
    joined = distinct.left_join(served, "entity")
    keys = [*(joined[name] for name in names), joined["best"].fill_null(0).name("best")]
    rows = joined.group_by(keys).aggregate(entities=joined.count()).to_pyarrow().to_pylist()
    return tuple(Group(tuple(row[name] for name in names), REASONS[row["best"]], row["entities"]) for row in rows)


def _common_type(one: dt.DataType, other: dt.DataType) -> str:
    """What both sides are compared as: 12 and 12.0 are one entity, whichever way they are stored."""
    if one.is_integer() and other.is_integer():
        return "int64"
    return "float64" if one.is_numeric() and other.is_numeric() else "string"


def _orderable(column: ir.Column) -> ir.Column:
    """PostgreSQL knows no least boolean (nor uuid)."""
    if column.type().is_boolean():
        return column.cast("int32")
    return column if column.type().is_numeric() else column.cast("string")
