"""What a model's page ranks: columns by how far they drifted, segments by what they cost, absences by reason. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.history.rows import HistoryRow
from monitor.history.strips import Course, Measured
from monitor.release.contract import side_of

MOST_COLUMNS = 30
MOST_CELLS = 60
STRONG = 0.25
"""Drift that is drawn in full colour; the population stability index is usually called large from here on."""
ABSENT = ("missing", "null", "fallback")


@dataclass(frozen=True, slots=True)
class Cell:
    """A span of time on a strip: where it lies, in hundredths, and its largest value."""

    left: float
    width: float
    value: float | None
    at: datetime

    @property
    def strength(self) -> float:
        """How strong its colour is."""
        return 0.0 if self.value is None else round(min(max(self.value, 0.0) / STRONG, 1.0), 2)


@dataclass(frozen=True, slots=True)
class _Span:
    left: float
    width: float
    ends: Sequence[datetime]


@dataclass(frozen=True, slots=True)
class Strip:
    """A column over time."""

    column: str
    cells: tuple[Cell, ...]
    now: float | None
    most: float


@dataclass(frozen=True, slots=True)
class Damage:
    """A segment that is worse than promised: by how much, over how many rows, and both together."""

    segment: str
    value: float
    rows: int
    beyond: float

    @property
    def cost(self) -> float:
        """The rows by which it misses the promise, or their like in the metric's unit."""
        return self.beyond * self.rows


@dataclass(frozen=True, slots=True)
class Absence:
    """Entities of the population that fared so in one window, and the share that they are of it."""

    reason: str
    entities: int
    share: float


def strips_of(drifts: Mapping[str, Course], most: int = MOST_COLUMNS) -> tuple[Strip, ...]:
    """The columns that drifted, by what they are now and then by what they were at most."""
    spans = _spans(sorted(set().union(*drifts.values())))
    stood = {column: (values.get(spans[-1].ends[-1]), _most(values.values())) for column, values in drifts.items()}
    ranked = sorted(stood, key=lambda column: (*(-(value or 0.0) for value in stood[column]), column))
    return tuple(
        Strip(column, _cells(drifts[column], spans), stood[column][0], stood[column][1] or 0.0)
        for column in ranked[:most]
    )


def damages_of(segments: Sequence[Measured], whole: HistoryRow) -> tuple[Damage, ...]:
    """The segments beyond the promise on the whole, by rows times distance: where to look first."""
    if whole.threshold is None:
        return ()
    sign = 1 if side_of(whole.side) == "min" else -1
    found = [
        Damage(one.segment, one.value, one.rows, sign * (whole.threshold - one.value))
        for one in segments
        if one.segment and one.value is not None
    ]
    return tuple(sorted(found, key=lambda one: (-one.cost, one.segment)))


def absences_of(newest: Measured | None) -> tuple[Absence, ...]:
    """Why entities were not covered in one window, the most frequent reason first."""
    if newest is None or not newest.detail.get("population"):
        return ()
    population = int(newest.detail["population"])
    counted = Counter({reason: int(newest.detail.get(reason, 0)) for reason in ABSENT})
    return tuple(Absence(reason, count, count / population) for reason, count in counted.most_common())


def _spans(ends: Sequence[datetime]) -> list[_Span]:
    """The windows in groups, as many as there is room for cells."""
    each = max(-(-len(ends) // MOST_CELLS), 1)
    groups = [ends[first : first + each] for first in range(0, len(ends), each)]
    width = 100 / max(len(groups), 1)
    return [_Span(round(place * width, 2), round(width, 2), group) for place, group in enumerate(groups)]


def _cells(values: Course, spans: Iterable[_Span]) -> tuple[Cell, ...]:
    return tuple(
        [Cell(span.left, span.width, _most([values.get(at) for at in span.ends]), span.ends[-1]) for span in spans]
    )


def _most(values: Iterable[float | None]) -> float | None:
    return max([value for value in values if value is not None], default=None)
