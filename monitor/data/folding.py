"""Folding the answer of the profile statement into profiles: plain counting, no engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from checks.profile import (
    ALL,
    LAG_EDGES,
    SCORE_BINS,
    Categories,
    Distribution,
    Errors,
    Layout,
    Numbers,
    Profile,
    Scores,
    Slice,
)
from monitor.data.profiler import CELL_INFINITE, CELL_NAN, CELL_NULL, CELL_OTHER


class Counted(NamedTuple):
    """One row of the answer."""

    what: str
    name: str
    bucket: int
    segment: str | None
    cell: int | None
    one: str | None
    other: str | None
    n: int
    s1: float | None
    s2: float | None
    s3: float | None
    s4: float | None


@dataclass(slots=True)
class Health:
    """What is wrong with the log itself in one bucket."""

    duplicate_predictions: int = 0
    duplicate_outcomes: int = 0
    orphan_outcomes: int = 0


def fold(
    layout: Layout,
    buckets: Iterable[int],
    answer: Iterable[Counted],
    health: Mapping[int, Health],
    *,
    without: str | None = None,
) -> dict[int, Profile]:
    """The profile of each bucket; one without rows is empty. The column *without* gets no distribution."""
    grouped: dict[int, list[Counted]] = defaultdict(list)
    for counted in answer:
        grouped[counted.bucket].append(counted)
    names = [name for name in layout.columns if name != without]
    return {bucket: _profile(layout, names, grouped[bucket], health.get(bucket, Health())) for bucket in buckets}


@dataclass(slots=True)
class _Part:
    """A slice being counted."""

    rows: int = 0
    labelled: int = 0
    confusion: dict[tuple[str, str], int] = field(default_factory=dict)
    negatives: list[int] = field(default_factory=lambda: [0] * SCORE_BINS)
    positives: list[int] = field(default_factory=lambda: [0] * SCORE_BINS)
    log_loss: float = 0.0
    squared_error: float = 0.0
    scored: bool = False
    errors: Counted | None = None
    outcomes: Counted | None = None

    def take(self, counted: Counted) -> None:
        match counted.what:
            case "rows":
                self.rows, self.labelled = counted.n, int(counted.s1 or 0)
            case "confusion":
                self.confusion[counted.one or "", counted.other or ""] = counted.n
            case "scores":
                bins = self.positives if counted.one == "1" else self.negatives
                bins[counted.cell or 0] += counted.n
                self.log_loss += counted.s1 or 0.0
                self.squared_error += counted.s2 or 0.0
                self.scored = True
            case "errors":
                self.errors = counted
            case "outcomes":
                self.outcomes = counted

    def slice(self, columns: Mapping[str, Distribution]) -> Slice:
        scores = Scores(tuple(self.negatives), tuple(self.positives), self.log_loss, self.squared_error)
        return Slice(self.rows, self.labelled, columns, self.confusion, scores if self.scored else None, self._errors())

    def _errors(self) -> Errors | None:
        e, y = self.errors, self.outcomes
        if e is None or y is None:
            return None
        sums = (e.s1 or 0.0, e.s3 or 0.0, e.s2 or 0.0, y.s1 or 0.0, y.s2 or 0.0, y.s3 or 0.0)
        return Errors(e.n, *sums, relative_rows=y.n)


def _profile(layout: Layout, names: list[str], answer: list[Counted], health: Health) -> Profile:
    parts: dict[str, _Part] = {ALL: _Part()}
    columns: dict[str, list[Counted]] = defaultdict(list)
    lags, early, late = [0] * (len(LAG_EDGES) + 1), 0, 0
    for counted in answer:
        if counted.what == "column":
            columns[counted.name].append(counted)
        elif counted.what == "late":
            late += counted.n
        elif counted.what == "lag" and counted.cell == -1:
            early += counted.n
        elif counted.what == "lag":
            lags[counted.cell or 0] += counted.n
        else:
            segment = f"{counted.name}={counted.segment}" if counted.name else ALL
            parts.setdefault(segment, _Part()).take(counted)
    rows = parts[ALL].rows
    spread = {name: _distribution(layout.columns[name], columns[name], rows) for name in names}
    return Profile(
        layout,
        {segment: part.slice(spread if segment == ALL else {}) for segment, part in sorted(parts.items())},
        duplicate_predictions=health.duplicate_predictions,
        duplicate_outcomes=health.duplicate_outcomes,
        orphan_outcomes=health.orphan_outcomes,
        early_outcomes=early,
        late_outcomes=late,
        lags=tuple(lags),
    )


def _distribution(cells: Numbers | Categories, answer: list[Counted], rows: int) -> Distribution:
    """The counts of one column; rows that no arm counted had no such column, or one of another type."""
    counts = [0] * cells.cells
    missing = {CELL_NULL: 0, CELL_NAN: 0, CELL_INFINITE: 0}
    places = {value: place for place, value in enumerate(cells.values)} if isinstance(cells, Categories) else {}
    for counted in answer:
        if counted.cell in missing:
            missing[counted.cell] += counted.n
        elif counted.cell == CELL_OTHER:
            counts[-1] += counted.n
        else:
            counts[places[counted.one or ""] if places else counted.cell or 0] += counted.n
    seen = sum(counts) + sum(missing.values())
    return Distribution(
        counts=tuple(counts),
        null=missing[CELL_NULL],
        nan=missing[CELL_NAN],
        infinite=missing[CELL_INFINITE],
        absent=rows - seen,
        total=sum(counted.s1 or 0.0 for counted in answer),
        squares=sum(counted.s2 or 0.0 for counted in answer),
        low=min((counted.s3 for counted in answer if counted.s3 is not None), default=None),
        high=max((counted.s4 for counted in answer if counted.s4 is not None), default=None),
    )
