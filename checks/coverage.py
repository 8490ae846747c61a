"""Population coverage: the share of the entities the model is meant to serve that have a usable prediction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from checks.contract import CannotMeasure, Check, Measurement, Metric, Needs, Roles, Window
from checks.statistics.expressions import common_type, comparable
from checks.statistics.segments import Segments, by_segment, codes, codes_of, segments_in

if TYPE_CHECKING:
    import ibis.expr.types as ir

REASONS = ("missing", "null", "fallback", "covered")
"""What became of an entity, by its best prediction; the place in this list is its rank."""


@dataclass(frozen=True, slots=True)
class Group:
    """Entities of one combination of segment values that fared alike."""

    codes: tuple[int, ...]
    reason: str
    entities: int


class Coverage(Check):
    """Distinct entities of the population with a usable prediction / distinct entities of the population.

    Usable is a prediction (or a score, where there is no prediction column) that is neither null nor NaN and not
    marked as fallback. An entity with several predictions counts by its best: covered > fallback > null > missing.
    uncovered.<name> is the share of the population that is not covered for that reason: missing, null or fallback.
    Together they are 1, unless the population is empty. Both are a census, so there is no interval. An entity listed
    under several segment values counts under the one that is most frequent in the reference.
    """

    kind: ClassVar[str] = "coverage"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("coverage", "share of the population with a usable prediction", "high"),
        Metric("uncovered", "share of the population without one, by reason", "low", per="name"),
    )

    def needs(self) -> Needs:
        return Needs(population=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        segments = segments_in(window, window.population)
        for segment, groups in by_segment(_counted(window, segments), segments):
            yield from _measured(segment, groups)


def _measured(segment: str, groups: Iterable[Group]) -> Iterator[Measurement]:
    counted = Counter(dict.fromkeys(REASONS, 0))
    for group in groups:
        counted[group.reason] += group.entities
    population = counted.total()
    detail: dict[str, object] = {**counted, "population": population}
    if not population:
        detail["reason"] = "The population of this window is empty."
    shares = {reason: entities / population if population else None for reason, entities in counted.items()}
    yield Measurement("coverage", shares.pop("covered"), rows=population, segment=segment, detail=detail)
    for reason, share in shares.items():
        yield Measurement("uncovered", share, rows=population, segment=segment, column=reason, detail=detail)


def _served(table: ir.Table, roles: Roles, kind: str) -> ir.Table:
    """The best rank of each entity that has a row: (entity, best)."""
    if roles.entity is None:
        raise CannotMeasure("Coverage needs to know whom a prediction is about; set predictions.entity.")
    name = roles.prediction or roles.score
    if name is None:
        raise CannotMeasure("Coverage needs to know what was said; set predictions.prediction or predictions.score.")
    said = 3 if roles.fallback is None else _fallback(table[roles.fallback]).ifelse(2, 3)
    rank = _unusable(table[name]).ifelse(1, said).cast("int32")
    rows = table.select(entity=comparable(table[roles.entity], kind), rank=rank)
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


def _counted(window: Window, segments: Segments) -> list[Group]:
    """One aggregate on the engine: entities per combination of segment values and rank."""
    people, entity = window.population, window.roles.entity
    kind = "string" if entity is None else common_type(window.table[entity], people["entity"])
    served = _served(window.table, window.roles, kind)
    listed = people.select(entity=comparable(people["entity"], kind), **codes(people, segments))
    listed = listed.filter(listed["entity"].notnull())
    names = [f"s{place}" for place in range(len(segments))]
    distinct = listed.group_by("entity").aggregate(**{name: listed[name].min() for name in names})
    joined = distinct.left_join(served, "entity")
    keys = [*(joined[name] for name in names), joined["best"].fill_null(0).name("best")]
    rows = joined.group_by(keys).aggregate(entities=joined.count()).to_pyarrow().to_pylist()
    return [Group(codes_of(row, segments), REASONS[row["best"]], row["entities"]) for row in rows]
