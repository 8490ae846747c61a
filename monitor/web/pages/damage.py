"""What a model's page ranks: columns by how far they drifted, segments by what they cost, absences by reason. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.history.heat import Heat
from monitor.history.rows import HistoryRow
from monitor.history.strips import Measured
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


def strips_of(heat: Heat, most: int = MOST_COLUMNS) -> tuple[Strip, ...]:
    """The columns that drifted, by what they are now and then by what they were at most."""
    stood = {column: (heat.now.get(column), _most(values)) for column, values in heat.most.items()}
    ranked = sorted(stood, key=lambda column: (*(-(value or 0.0) for value in stood[column]), column))
    width = 100 / max(len(heat.cells), 1)
    spans = [(round(place * width, 2), round(width, 2), ends[-1]) for place, ends in enumerate(heat.cells)]
    return tuple(
        Strip(column, _cells(heat.most[column], spans), stood[column][0], stood[column][1] or 0.0)
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


def _cells(values: Iterable[float | None], spans: Iterable[tuple[float, float, datetime]]) -> tuple[Cell, ...]:
    return tuple([Cell(left, width, value, at) for value, (left, width, at) in zip(values, spans, strict=True)])


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
