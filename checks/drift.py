"""Drift: how far the distribution of a column has moved from the release's, beyond what chance makes of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import sqrt
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, NonNegativeFloat, PlainSerializer

from checks.contract import Check, Measurement, Metric, Needs, Window
from checks.profile import Distribution, Slice
from checks.statistics import shifts
from checks.statistics.shifts import Pair, Shift

FALSE_ALARMS = 0.002
"""The chance that any column of a window without change is above zero, for each of the tests below."""

MEASURES: Mapping[str, tuple[Callable[[Pair], Shift | None], str]] = {
    "drift": (shifts.drift, "population stability index against the reference"),
    "jensen_shannon": (shifts.jensen_shannon, "Jensen-Shannon distance to the reference"),
    "hellinger": (shifts.hellinger, "Hellinger distance to the reference"),
    "total_variation": (shifts.total_variation, "share of rows that lie elsewhere than in the reference"),
    "chi_square": (shifts.chi_square, "Cramér's V of window against reference"),
    "kolmogorov_smirnov": (shifts.kolmogorov_smirnov, "largest difference of cumulative shares"),
    "wasserstein": (shifts.wasserstein, "how far numbers moved, in standard deviations of the reference"),
    "new_categories": (shifts.new_categories, "share of rows with a value the reference never had"),
    "vanished_categories": (shifts.vanished_categories, "share of the reference whose value no longer appears"),
    "null_change": (shifts.null_change, "change of the share of rows without a usable value"),
}

Weights = Annotated[
    tuple[tuple[str, NonNegativeFloat], ...],
    BeforeValidator(lambda given: tuple(given.items()) if isinstance(given, Mapping) else given),
    PlainSerializer(dict),
]


class Drift(Check):
    """PSI, Jensen-Shannon, Hellinger, total variation, Cramér's V, Kolmogorov-Smirnov, Wasserstein; null share, values.

    Of each column, null share included, against the reference. From each distance the most that sampling alone makes
    of two windows of these sizes is subtracted, at a level set for all columns and segments together; and it is 0
    unless a test that holds in small samples says that the column changed. So windows without change stay at 0 whatever
    their size. Rows are taken as independent; those of one real day are not, so quiet real windows differ by more.
    ``drift_impact`` ranks columns: √(drift) times *importance*, the column's correlation ratio with the error as the
    reference shows it, or as given here (``{temp = 0.3}``; columns not named then count 0). By Cauchy-Schwarz the mean
    error moves at most that many of its standard deviations, should the error of each cell stay what it was.
    The outcome is looked at among the rows that have one: a missing one is late, not different.
    Distances have no unit; shares are of rows, 0 to 1.
    """

    kind: ClassVar[str] = "drift"
    metrics: ClassVar[tuple[Metric, ...]] = (
        *(Metric(name, told, "low", per="column", pages=False) for name, (_, told) in MEASURES.items()),
        Metric("drift_impact", "strength of drift times importance for the error", "low", per="column", pages=False),
        Metric("outcome_drift", "population stability index of the outcomes known so far", "low", pages=False),
    )

    importance: Weights = ()

    def needs(self) -> Needs:
        return Needs(distributions=True, reference=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        if window.baseline is None:
            return
        sides = dict(_segments(window, window.baseline.slices))
        level = FALSE_ALARMS / max(sum(len(before.columns) for before, _ in sides.values()), 1)
        for segment, (before, now) in sides.items():
            pairs = [pair for pair in _pairs(window, before, now, level, segment) if pair.name != window.roles.outcome]
            found = [one for pair in pairs for one in _measured(pair)]
            yield from found
            yield from self._ranked([one for one in found if one.metric == "drift"], window.live.layout.importance)
            yield from _of_outcome(window, before, now, level, segment)

    def _ranked(self, drifts: Sequence[Measurement], learned: Mapping[str, float]) -> Iterator[Measurement]:
        """The drifts times their importance, the most important first."""
        given = dict(self.importance)
        known, source = (given, "given") if given else (learned, "error of the reference")
        if not known:
            known, source = {one.column: 1.0 for one in drifts}, "none known: all columns alike"
        impacts = [(sqrt(one.value or 0.0) * known.get(one.column, 0.0), one) for one in drifts]
        for rank, (impact, one) in enumerate(sorted(impacts, key=lambda pair: (-pair[0], pair[1].column)), start=1):
            weight: dict[str, object] = {"importance": known.get(one.column, 0.0), "importance_from": source}
            if one.value is None:
                yield replace(one, metric="drift_impact")
            else:
                yield replace(
                    one, metric="drift_impact", value=impact, detail={"rank": rank, "of": len(drifts)} | weight
                )


def _segments(window: Window, baseline: Mapping[str, Slice]) -> Iterator[tuple[str, tuple[Slice, Slice]]]:
    """The whole, and the segments whose columns are known on both sides."""
    for segment, now in window.live.slices.items():
        before = baseline.get(segment)
        if before is not None and before.columns and (now.columns or not segment):
            yield segment, (before, now)


def _pairs(window: Window, before: Slice, now: Slice, level: float, segment: str) -> Iterator[Pair]:
    for name, cells in window.live.layout.columns.items():
        if name in before.columns:
            live = now.columns.get(name) or Distribution((0,) * cells.cells, absent=now.rows)
            yield Pair(name, cells, before.columns[name], live, level, segment)


def _measured(pair: Pair) -> Iterator[Measurement]:
    rows_before, rows = pair.rows
    lacking = "window" if rows_before else "reference"
    reason = f"The {lacking} holds no row with '{pair.name}'."
    for metric, (measure, _) in MEASURES.items():
        shift = measure(pair) if rows and rows_before else Shift(None, detail={"reason": reason})
        if shift is not None:
            yield Measurement(metric, shift.value, shift.low, shift.high, rows, pair.segment, pair.name, shift.detail)


def _of_outcome(window: Window, before: Slice, now: Slice, level: float, segment: str) -> Iterator[Measurement]:
    """Outcomes that are in against those of the reference; whether they are in is no matter."""
    for pair in _pairs(window, before, now, level, segment):
        if pair.name != window.roles.outcome:
            continue
        known = replace(pair, before=_known(pair.before), now=_known(pair.now))
        rows_before, rows = known.rows
        lacking = "The reference has no outcomes." if rows else "No outcome of this window is in yet."
        shift = shifts.drift(known) if rows and rows_before else Shift(None, detail={"reason": lacking})
        detail = shift.detail | {"outcome_share": rows / now.rows if now.rows else None}
        yield Measurement("outcome_drift", shift.value, rows=rows, segment=segment, detail=detail)


def _known(one: Distribution) -> Distribution:
    return replace(one, null=0, nan=0, infinite=0, absent=0)
