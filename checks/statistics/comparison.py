"""Two groups of rows compared by one metric: which metrics, the parts they share, and how sure a difference is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf, isfinite, sqrt
from typing import TYPE_CHECKING

from checks.contract import EVERY_TASK, CannotMeasure, Metric, Roles, Task, Window
from checks.profile import Slice
from checks.statistics import classification
from checks.statistics.binary_formulas import BINARY, binary
from checks.statistics.formula import BY_CLUSTERS, BY_ROWS, UNKNOWABLE, Formula
from checks.statistics.intervals import Interval, jackknifed
from checks.statistics.multiclass_formulas import NO_ROWS, judged, multiclass
from checks.statistics.number_formulas import numbers
from checks.statistics.samples import Samples, beside, known, ratio

if TYPE_CHECKING:
    from checks.statistics.samples import Floats

DEFAULTS: dict[Task, tuple[str, ...]] = {
    "binary": ("accuracy", "recall", "false_positive_rate", "selection_rate"),
    "multiclass": ("accuracy",),
    "regression": ("mae", "bias"),
    "ranking": (),
}
"""What is compared where nothing is said."""

EVERYTHING: Interval = (-inf, inf)

NO_ROLES = Roles()

Between = Callable[[float, float], float | None]


def selection_rate(of: Samples, positive: str) -> Floats:
    """(tp + fp) / rows: the share predicted positive, of the rows with an outcome."""
    held = classification.counts(of, positive)
    return ratio(held.tp + held.fp, of.judged)


def false_positive_rate(of: Samples, positive: str) -> Floats:
    """fp / (fp + tn)."""
    return 1 - classification.specificity(classification.counts(of, positive))


def _further(positive: str) -> tuple[Formula[Samples], ...]:
    """Metrics that make sense between groups only."""

    def negatives(of: Samples) -> Floats:
        held = classification.counts(of, positive)
        return held.fp + held.tn

    return (
        Formula(
            Metric("selection_rate", "share predicted positive", "low", tasks=BINARY),
            lambda of: selection_rate(of, positive),
            *(judged, NO_ROWS, 0, 1, judged),
            share=True,
        ),
        Formula(
            Metric("false_positive_rate", "share of actual negatives predicted positive", "low", tasks=BINARY),
            lambda of: false_positive_rate(of, positive),
            *(judged, f"No row came true as another class than '{positive}'.", 0, 1, negatives),
            share=True,
        ),
    )


def comparable(task: Task, positive: str = "1", roles: Roles = NO_ROLES) -> dict[str, Formula[Samples]]:
    """Every metric that groups can be compared by, by name; those of accuracy with its usual parameters."""
    sets = {
        "binary": (*binary(positive, beta=2.0, calibration_bins=10, at=0.5, top=0.1), *_further(positive)),
        "multiclass": multiclass(()),
        "regression": numbers(0.5, roles),
    }
    return {one.metric.name: one for one in sets.get(task, ())}


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    """The names of every task."""
    return frozenset(name for task in EVERY_TASK for name in comparable(task))


def demand_known(names: tuple[str, ...]) -> tuple[str, ...]:
    """*names*, if each is a metric of some task. Raises ValueError."""
    for name in names:
        if name not in _names():
            raise ValueError(f"'{name}' is no metric to compare by; there are: {', '.join(sorted(_names()))}")
    return names


def chosen(window: Window, positive: str, names: tuple[str, ...]) -> tuple[Formula[Samples], ...]:
    """The formulas of *names*, or of the task's usual ones. Raises CannotMeasure for one of another task."""
    there = comparable(window.task, positive, window.roles)
    for name in names:
        if name not in there:
            known_here = ", ".join(there) or "none"
            raise CannotMeasure(f"'{name}' is not measured of {window.task} models; there are: {known_here}.")
    return tuple(there[name] for name in names or DEFAULTS[window.task])


@dataclass(frozen=True, slots=True, eq=False)  # arrays cannot be hashed; a group is itself
class Group:
    """A segment of a window and, as samples, the same without each cluster in turn."""

    name: str
    of: Samples


def groups(window: Window, segments: Sequence[str]) -> tuple[Group, ...]:
    """Segments side by side: sample i leaves the same cluster out of each."""
    slices = [[part.slices.get(name, Slice()) for part in window.parts] for name in segments]
    found = beside(slices, lambda part: part.labelled)
    return tuple(map(Group, segments, found))


def value_of(formula: Formula[Samples], group: Group) -> float | None:
    """The metric of the whole group."""
    return next(known(formula.values(group.of)))


def difference(
    of: Formula[Samples], one: Group, other: Group, buckets: int, confidence: float
) -> tuple[float, float, str]:
    """The interval of ``one - other``: the delete-one-cluster jackknife, at least that of independent rows.

    Both sides leave the same day out, so what a day does to both cancels. For independent rows the intervals of both
    sides are put together: ``d - √((θ₁-l₁)² + (u₂-θ₂)²)``, ``d + √((u₁-θ₁)² + (θ₂-l₂)²)``. Source: G. Y. Zou,
    A. Donner, Construction of confidence limits about effect measures, Statistics in Medicine 27 (2008); of two
    Wilson intervals it is R. G. Newcombe's, Interval estimation for the difference, Statistics in Medicine 17 (1998).
    """
    values = value_of(of, one), value_of(of, other)
    if values[0] is None or values[1] is None:
        return (*EVERYTHING, UNKNOWABLE)
    rows = _independent(of, one, other, (values[0], values[1]), confidence)
    if buckets == 1:
        return (*rows, BY_ROWS if isfinite(rows[0]) else UNKNOWABLE)
    found = paired(lambda a, b: a - b, of, one, other, confidence)
    if found is None:
        return (*EVERYTHING, UNKNOWABLE)
    return (*(wider(found, rows) if isfinite(rows[0]) else found), BY_CLUSTERS)


def wider(one: Interval, other: Interval) -> Interval:
    """What holds both."""
    return min(one[0], other[0]), max(one[1], other[1])


def _independent(of: Formula[Samples], one: Group, other: Group, values: Interval, confidence: float) -> Interval:
    first, second = by_rows(of, one, confidence), by_rows(of, other, confidence)
    if first is None or second is None:
        return EVERYTHING
    away, apart = values[0] - values[1], (values[0] - first[0], first[1] - values[0])
    against = (values[1] - second[0], second[1] - values[1])
    low, high = sqrt(apart[0] ** 2 + against[1] ** 2), sqrt(apart[1] ** 2 + against[0] ** 2)
    return away - low, away + high


def by_rows(of: Formula[Samples], group: Group, confidence: float) -> Interval | None:
    """The interval of one group with rows taken as independent; None where the profile does not hold enough."""
    found = of.estimate(group.of, 1, confidence)
    if found is None or found.method == UNKNOWABLE or not (isfinite(found.low) and isfinite(found.high)):
        return None
    return found.low, found.high


def paired(between: Between, of: Formula[Samples], one: Group, other: Group, confidence: float) -> Interval | None:
    """The delete-one-cluster jackknife of a number of two groups, or None where the clusters cannot say."""
    pairs = zip(known(of.values(one.of)), known(of.values(other.of)), strict=True)
    value, *without = (None if a is None or b is None else between(a, b) for a, b in pairs)
    return None if value is None else jackknifed(value, without, confidence)
