"""Two groups of rows compared by one metric: which metrics, the parts they share, and how sure a difference is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from math import isfinite, sqrt

from checks.contract import EVERY_TASK, CannotMeasure, Metric, Task
from checks.profile import Profile, Slice
from checks.statistics import classification, formulas
from checks.statistics.formula import BY_CLUSTERS, BY_ROWS, UNKNOWABLE, Formula
from checks.statistics.intervals import EVERYTHING, Interval, LeftOut
from checks.statistics.quantiles import student

DEFAULTS: dict[Task, tuple[str, ...]] = {
    "binary": ("accuracy", "recall", "false_positive_rate", "selection_rate"),
    "multiclass": ("accuracy",),
    "regression": ("mae", "bias"),
    "ranking": (),
}
"""What is compared where nothing is said."""

Between = Callable[[float, float], float | None]


def selection_rate(part: Slice, positive: str) -> float | None:
    """(tp + fp) / rows: the share predicted positive, of the rows with an outcome."""
    of, rows = classification.counts(part, positive), classification.judged(part)
    return (of.tp + of.fp) / rows if rows else None


def false_positive_rate(part: Slice, positive: str) -> float | None:
    """fp / (fp + tn)."""
    spared = classification.specificity(classification.counts(part, positive))
    return None if spared is None else 1 - spared


def _further(positive: str) -> tuple[Formula, ...]:
    """Metrics that make sense between groups only."""

    def negatives(part: Slice) -> int:
        of = classification.counts(part, positive)
        return of.fp + of.tn

    judged, tasks = classification.judged, formulas.BINARY
    return (
        Formula(
            Metric("selection_rate", "share predicted positive", "low", tasks=tasks),
            lambda part: selection_rate(part, positive),
            *(judged, formulas.NO_ROWS, 0, 1, judged),
            share=True,
        ),
        Formula(
            Metric("false_positive_rate", "share of actual negatives predicted positive", "low", tasks=tasks),
            lambda part: false_positive_rate(part, positive),
            *(judged, f"No row came true as another class than '{positive}'.", 0, 1, negatives),
            share=True,
        ),
    )


def known(task: Task, positive: str = "1") -> dict[str, Formula]:
    """Every metric that groups can be compared by, by name."""
    sets = {
        "binary": (*formulas.binary(positive), *_further(positive)),
        "multiclass": formulas.MANY_CLASSES,
        "regression": formulas.NUMBERS,
    }
    return {one.metric.name: one for one in sets.get(task, ())}


@lru_cache(maxsize=1)
def known_names() -> frozenset[str]:
    """The names of every task."""
    return frozenset(name for task in EVERY_TASK for name in known(task))


def demand_known(names: tuple[str, ...]) -> tuple[str, ...]:
    """*names*, if each is a metric of some task. Raises ValueError."""
    for name in names:
        if name not in known_names():
            raise ValueError(f"'{name}' is no metric to compare by; there are: {', '.join(sorted(known_names()))}")
    return names


def chosen(task: Task, positive: str, names: tuple[str, ...]) -> tuple[Formula, ...]:
    """The formulas of *names*, or of the task's usual ones. Raises CannotMeasure for one of another task."""
    there = known(task, positive)
    for name in names:
        if name not in there:
            raise CannotMeasure(f"'{name}' is not measured of {task} models; there are: {', '.join(there) or 'none'}.")
    return tuple(there[name] for name in names or DEFAULTS[task])


@dataclass(frozen=True, slots=True, eq=False)  # slices cannot be hashed; a group is itself
class Group:
    """A segment of a window and the same without each cluster in turn, clusters without its rows included."""

    name: str
    whole: Slice
    without: tuple[Slice, ...]


def groups(parts: Sequence[Profile], segments: Sequence[str]) -> tuple[Group, ...]:
    """Segments side by side."""
    return beside({name: [replace(part.slices.get(name, Slice()), columns={}) for part in parts] for name in segments})


def beside(slices: Mapping[str, Sequence[Slice]]) -> tuple[Group, ...]:
    """Groups by their slice per cluster. Place i leaves the same cluster out of each; one without outcomes is none."""
    clusters = list(zip(*slices.values(), strict=True))
    held = [place for place, ones in enumerate(clusters) if any(one.labelled for one in ones)]
    found = []
    for name, own in slices.items():
        kept = [own[place] for place in held]
        before, after = _running(kept), _running(kept[::-1])[::-1]
        without = tuple(before[place].merge(after[place + 1]) for place in range(len(kept)))
        found.append(Group(name, reduce(Slice.merge, own, Slice()), without))
    return tuple(found)


def _running(slices: Sequence[Slice]) -> list[Slice]:
    """Merges of the first 0, 1, 2, ... slices."""
    merges = [Slice()]
    for part in slices:
        merges.append(merges[-1].merge(part))
    return merges


def difference(of: Formula, one: Group, other: Group, buckets: int, confidence: float) -> tuple[float, float, str]:
    """The interval of ``one - other``: the delete-one-cluster jackknife, at least that of independent rows.

    Both sides leave the same day out, so what a day does to both cancels. For independent rows the intervals of both
    sides are put together: ``d - √((θ₁-l₁)² + (u₂-θ₂)²)``, ``d + √((u₁-θ₁)² + (θ₂-l₂)²)``. Source: G. Y. Zou,
    A. Donner, Construction of confidence limits about effect measures, Statistics in Medicine 27 (2008); of two
    Wilson intervals it is R. G. Newcombe's, Interval estimation for the difference, Statistics in Medicine 17 (1998).
    """
    values = of.value(one.whole), of.value(other.whole)
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


def _independent(of: Formula, one: Group, other: Group, values: Interval, confidence: float) -> Interval:
    first, second = (by_rows(of, group, value, confidence) for group, value in zip((one, other), values, strict=True))
    if first is None or second is None:
        return EVERYTHING
    away, apart = values[0] - values[1], (values[0] - first[0], first[1] - values[0])
    against = (values[1] - second[0], second[1] - values[1])
    low, high = sqrt(apart[0] ** 2 + against[1] ** 2), sqrt(apart[1] ** 2 + against[0] ** 2)
    return away - low, away + high


def by_rows(of: Formula, group: Group, value: float, confidence: float) -> Interval | None:
    """The interval of one group with rows taken as independent; None where the profile does not hold enough."""
    low, high, method = of.interval(value, LeftOut(group.whole, ()), 1, confidence)
    return None if method == UNKNOWABLE or not (isfinite(low) and isfinite(high)) else (low, high)


def paired(between: Between, of: Formula, one: Group, other: Group, confidence: float) -> Interval | None:
    """The delete-one-cluster jackknife of a number of two groups, or None where the clusters cannot say."""
    pairs = [(of.value(a), of.value(b)) for a, b in zip(one.without, other.without, strict=True)]
    found = [None if a is None or b is None else between(a, b) for a, b in pairs]
    whole, clusters = (of.value(one.whole), of.value(other.whole)), len(found)
    value = None if whole[0] is None or whole[1] is None else between(whole[0], whole[1])
    estimates = [estimate for estimate in found if estimate is not None]
    if value is None or clusters < 2 or len(estimates) < clusters:
        return None
    mean = sum(estimates) / clusters
    error = sqrt((clusters - 1) / clusters * sum((estimate - mean) ** 2 for estimate in estimates))
    half = student(0.5 + confidence / 2, clusters - 1) * error
    return value - half, value + half
