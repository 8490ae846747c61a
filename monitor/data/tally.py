"""The rows of the aggregation, put together as profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import add
from typing import Any

import numpy as np

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
from monitor.data.counting import Counts, Group
from monitor.data.longform import (
    CHANCES,
    CHANCES_OF_SEGMENTS,
    INFINITE,
    KNOWN,
    LAGS,
    NAN,
    NULL,
    RIGHT,
    SEGMENTS,
    WHOLE,
)
from monitor.data.shape import Shape
from monitor.data.statements import Streamed


@dataclass(frozen=True, slots=True)
class Health:
    """What the survey found in a bucket beside its rows."""

    rows: int = 0
    outcomes: int = 0
    duplicate_predictions: int = 0
    duplicate_outcomes: int = 0
    future_outcomes: int = 0
    orphan_outcomes: int = 0


@dataclass(slots=True)
class _Counts:
    cells: list[int]
    null: int = 0
    nan: int = 0
    infinite: int = 0
    total: float = 0.0
    squares: float = 0.0
    low: float | None = None
    high: float | None = None

    def add(self, cell: int, rows: int, sums: Sequence[float | None]) -> None:
        if cell == NULL:
            self.null += rows
        elif cell == NAN:
            self.nan += rows
        elif cell == INFINITE:
            self.infinite += rows
        else:
            self.cells[cell] += rows
            self.add_sums(*sums[:4])

    def add_group(self, group: Counts, index: int, cells: Sequence[int]) -> None:
        """What was counted of a group of rows; *index* is the place of the column in it."""
        null, nan, total, squares = group.sums[:, index].tolist()
        counted = sum(cells)
        self.cells = list(map(add, self.cells, cells))
        self.null += int(null)
        self.nan += int(nan)
        self.infinite += group.rows - int(null) - int(nan) - counted
        if counted:
            self.add_sums(total, squares, float(group.lows[index]), float(group.highs[index]))

    def add_sums(self, total: float | None, squares: float | None, low: float | None, high: float | None) -> None:
        self.total += total or 0.0
        self.squares += squares or 0.0
        if low is not None:
            self.low = low if self.low is None else min(self.low, low)
        if high is not None:
            self.high = high if self.high is None else max(self.high, high)

    def finished(self) -> Distribution:
        sums = (self.total, self.squares, self.low, self.high)
        return Distribution(tuple(self.cells), self.null, self.nan, self.infinite, 0, *sums)


@dataclass(slots=True)
class _Part:
    rows: int = 0
    labelled: int = 0
    confusion: dict[tuple[str, str], int] = field(default_factory=dict)
    negatives: list[int] = field(default_factory=lambda: [0] * SCORE_BINS)
    positives: list[int] = field(default_factory=lambda: [0] * SCORE_BINS)
    rejected: list[int] = field(default_factory=lambda: [0] * SCORE_BINS)
    accepted: list[int] = field(default_factory=lambda: [0] * SCORE_BINS)
    log_loss: float = 0.0
    squared_error: float = 0.0
    errors: list[float] = field(default_factory=lambda: [0.0] * 12)

    def add_losses(self, sums: Sequence[float | None]) -> None:
        self.log_loss += sums[0] or 0.0
        self.squared_error += sums[1] or 0.0


class Tally:
    """Collects the answer of the statements, then hands out one profile per bucket."""

    def __init__(self, layout: Layout, shape: Shape, buckets: Sequence[int]) -> None:
        self._layout, self._shape, self._buckets = layout, shape, tuple(buckets)
        self._cells = tuple(layout.columns.values())
        self._names = tuple(layout.columns)
        self._places = [
            {value: place for place, value in enumerate(cells.values)} if isinstance(cells, Categories) else {}
            for cells in self._cells
        ]
        self._segments = tuple(layout.segments)
        self._counts: dict[tuple[int, str, int], _Counts] = {}
        self._parts: dict[tuple[int, str], _Part] = {}
        self._lags: dict[int, list[int]] = {}
        self._early: dict[int, int] = {}
        self._late: dict[int, int] = {}

    def add_streamed(self, streamed: Streamed, counted: Mapping[Group, Counts]) -> None:
        """What ``counting`` counted of numeric columns."""
        ends = list(accumulate(self._cells[column.place].cells for column in streamed.columns))
        for (bucket, place, value), group in counted.items():
            cells = np.split(group.cells, ends[:-1])
            segment = self._segment(place, value)
            for index, column in enumerate(streamed.columns):
                self._counts_of(bucket, segment, column.place).add_group(group, index, cells[index].tolist())

    def add_long(self, rows: Iterable[Sequence[Any]]) -> None:
        """The long form: part, bucket, one, two, three, cell, rows and sums."""
        for part, bucket, one, two, three, cell, count, *sums in rows:
            if part >= 0:
                counts = self._counts_of(bucket, self._segment(None if three is None else int(three), two), part)
                self._add_cell(counts, part, one, cell, count, sums)
            elif part == LAGS:
                self._add_lag(bucket, cell, count, sums)
            elif part == CHANCES or part <= CHANCES_OF_SEGMENTS:
                place = None if part == CHANCES else CHANCES_OF_SEGMENTS - part
                self._add_chance(self._part_of(bucket, self._segment(place, one)), three, cell, count, sums)
            else:
                place = None if part == WHOLE else SEGMENTS - part
                self._add_rows(self._part_of(bucket, self._segment(place, one)), two, three, cell, count, sums)

    def _segment(self, place: int | None, value: str | None) -> str:
        return ALL if place is None else f"{self._segments[place]}={value}"

    def profiles(self, health: Mapping[int, Health]) -> dict[int, Profile]:
        """One profile per bucket asked for."""
        found: dict[int, dict[str, Slice]] = {bucket: {} for bucket in self._buckets}
        for bucket in self._buckets:
            self._part_of(bucket, ALL)
        for (bucket, segment), part in self._parts.items():
            found[bucket][segment] = self._slice(bucket, segment, part)
        return {bucket: self._profile(bucket, slices, health.get(bucket, Health())) for bucket, slices in found.items()}

    def _counts_of(self, bucket: int, segment: str, place: int) -> _Counts:
        key = (bucket, segment, place)
        if key not in self._counts:
            self._counts[key] = _Counts([0] * self._cells[place].cells)
        return self._counts[key]

    def _part_of(self, bucket: int, segment: str) -> _Part:
        key = (bucket, segment)
        if key not in self._parts:
            self._parts[key] = _Part()
        return self._parts[key]

    def _add_cell(
        self, counts: _Counts, place: int, value: str | None, cell: int, rows: int, sums: Sequence[Any]
    ) -> None:
        if isinstance(self._cells[place], Numbers):
            counts.add(cell, rows, sums)
        elif cell == NULL:
            counts.null += rows
        else:
            counts.cells[self._places[place][value] if cell == KNOWN and value is not None else -1] += rows

    def _add_lag(self, bucket: int, cell: int, rows: int, sums: Sequence[Any]) -> None:
        if cell != NULL:
            self._lags.setdefault(bucket, [0] * (len(LAG_EDGES) + 1))[cell] += rows
        self._early[bucket] = self._early.get(bucket, 0) + int(sums[0] or 0)
        self._late[bucket] = self._late.get(bucket, 0) + int(sums[1] or 0)

    def _add_rows(
        self, part: _Part, predicted: str | None, actual: str | None, cell: int, rows: int, sums: Sequence[Any]
    ) -> None:
        part.rows += rows
        if self._shape.task in {"regression", "ranking"}:
            part.labelled += rows if cell == 1 else 0
            if self._shape.task == "regression":
                part.errors = [known + (new or 0.0) for known, new in zip(part.errors, sums, strict=True)]
            return
        if cell != NULL and predicted is not None:
            (part.accepted if predicted == self._shape.positive else part.rejected)[cell] += rows
        if actual is None:
            return
        part.labelled += rows
        if predicted is not None:
            part.confusion[predicted, actual] = part.confusion.get((predicted, actual), 0) + rows
        if cell != NULL:
            (part.positives if actual == self._shape.positive else part.negatives)[cell] += rows
            part.add_losses(sums)

    def _add_chance(self, part: _Part, right: str | None, cell: int, rows: int, sums: Sequence[Any]) -> None:
        """Rows of many classes by the score of the predicted one; *right* is None where the outcome is not in."""
        if cell == NULL:
            return
        part.accepted[cell] += rows
        if right is not None:
            (part.positives if right == RIGHT else part.negatives)[cell] += rows
            part.add_losses(sums)

    def _slice(self, bucket: int, segment: str, part: _Part) -> Slice:
        counts = map(tuple, (part.rejected, part.accepted))
        scores = Scores(tuple(part.negatives), tuple(part.positives), part.log_loss, part.squared_error, *counts)
        return Slice(
            rows=part.rows,
            labelled=part.labelled,
            columns=self._distributions(bucket, segment, part.rows) if self._looked_at(segment) else {},
            confusion=part.confusion,
            scores=scores if self._shape.scored else None,
            errors=_errors(part.errors) if self._shape.task == "regression" else None,
        )

    def _looked_at(self, segment: str) -> bool:
        names = [self._segments[place] for place in self._shape.split]
        return segment == ALL or segment.partition("=")[0] in names

    def _distributions(self, bucket: int, segment: str, rows: int) -> dict[str, Distribution]:
        there = {column.place for column in self._shape.columns}
        found: dict[str, Distribution] = {}
        for place, name in enumerate(self._names):
            if place in there:
                found[name] = self._counts_of(bucket, segment, place).finished()
            else:
                found[name] = Distribution((0,) * self._cells[place].cells, absent=rows)
        return found

    def _profile(self, bucket: int, slices: Mapping[str, Slice], health: Health) -> Profile:
        return Profile(
            layout=self._layout,
            slices=slices,
            duplicate_predictions=health.duplicate_predictions,
            duplicate_outcomes=health.duplicate_outcomes,
            orphan_outcomes=health.orphan_outcomes,
            early_outcomes=self._early.get(bucket, 0),
            future_outcomes=health.future_outcomes,
            late_outcomes=self._late.get(bucket, 0),
            lags=tuple(self._lags.get(bucket, [0] * (len(LAG_EDGES) + 1))),
        )


def _errors(sums: Sequence[float]) -> Errors:
    rows, error, absolute, squared, outcome, outcome_squared, relative, relative_rows, symmetric, *counts = sums
    within, inside, interval_rows = map(int, counts)
    exact = (error, absolute, squared, outcome, outcome_squared, relative)
    return Errors(int(rows), *exact, int(relative_rows), symmetric, within, inside, interval_rows)
