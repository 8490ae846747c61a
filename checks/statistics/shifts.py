"""How one column of a window differs from the reference's, in every way the drift check tells it.

Each measure gives what is left of a distance after chance: the distance of the two samples (``raw``) less what chance
alone makes of samples of these sizes (``noise``), and 0 unless a test of its own says that anything changed at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import exp, sqrt

from checks.profile import Categories, Distribution, Numbers
from checks.statistics import changes, distances, ordered
from checks.statistics.cells import Cell, compared, most_moved

METHOD = "{what}, less its {quantile:.3%} quantile under no change (rows taken as independent)"


@dataclass(frozen=True)
class Pair:
    """A column in the reference and in the window, and the chance that any one of its measures may be wrong."""

    name: str
    cells: Numbers | Categories
    before: Distribution
    now: Distribution
    level: float
    segment: str = ""

    @cached_property
    def rows(self) -> tuple[int, int]:
        """Rows of the reference and of the window."""
        return self.before.rows, self.now.rows

    @cached_property
    def filled(self) -> tuple[int, int]:
        """Those with a value: for numbers, a finite one."""
        return sum(self.before.counts), sum(self.now.counts)

    @cached_property
    def compared(self) -> tuple[Cell, ...]:
        return compared(self.cells, self.before, self.now)

    @cached_property
    def counts(self) -> tuple[list[int], list[int]]:
        return [cell.before for cell in self.compared], [cell.now for cell in self.compared]

    @cached_property
    def p_value(self) -> float:
        """The chance of counts as different as these where nothing changed."""
        return changes.changed(*self.counts)

    @cached_property
    def noise(self) -> float:
        """What the PSI stays below where nothing changed."""
        return distances.psi_noise(*self.rows, len(self.compared), self.level)


@dataclass(frozen=True, slots=True)
class Shift:
    """What a measure says of a pair."""

    value: float | None
    low: float | None = None
    high: float | None = None
    detail: dict[str, object] = field(default_factory=dict)


def drift(pair: Pair) -> Shift:
    """The population stability index."""
    raw = distances.psi(*distances.shares(*pair.counts))
    rows_before, rows = pair.rows
    detail: dict[str, object] = {
        "raw": raw,
        "noise": pair.noise,
        "p_value": pair.p_value,
        "cells": len(pair.compared),
        "null_before": pair.before.null / rows_before,
        "null_now": pair.now.null / rows,
        "moved": most_moved(pair.cells, pair.before, pair.now),
        "method": METHOD.format(what="distance of binned counts", quantile=1 - pair.level),
    }
    return Shift(_beyond_chance(pair, raw - pair.noise), detail=detail)


def jensen_shannon(pair: Pair) -> Shift:
    """The Jensen-Shannon distance."""
    raw = distances.jensen_shannon(*distances.shares(*pair.counts))
    return _rooted(pair, raw, distances.JENSEN_SHANNON)


def hellinger(pair: Pair) -> Shift:
    """The Hellinger distance."""
    return _rooted(pair, distances.hellinger(*_plain(pair)), distances.HELLINGER)


def chi_square(pair: Pair) -> Shift:
    """Cramér's V, with the tests of significance beside it."""
    shift = _rooted(pair, distances.cramer(*_plain(pair)), distances.CRAMER)
    test = changes.g_test(*pair.counts)
    tests = {"pearson": changes.pearson(*pair.counts), "g": test.statistic, "freedom": test.freedom}
    return Shift(shift.value, detail=shift.detail | tests | {"g_p_value": test.p_value, "p_value": pair.p_value})


def total_variation(pair: Pair) -> Shift:
    """The share of rows that lie in other cells now."""
    raw = distances.total_variation(*_plain(pair))
    noise, below = distances.total_variation_noise(*pair.counts, pair.level)
    return _between(raw, noise, min(raw + below, 1.0), pair.p_value, pair.level)


def kolmogorov_smirnov(pair: Pair) -> Shift | None:
    """The largest difference of the cumulative shares of numbers."""
    if not isinstance(pair.cells, Numbers):
        return None
    if (lacking := _no_numbers(pair)) is not None:
        return lacking
    raw = ordered.kolmogorov_smirnov(pair.before.counts, pair.now.counts)
    noise = _smirnov_noise(pair)
    return _between(raw, noise, min(raw + noise, 1.0), _smirnov_p(pair, raw), pair.level)


def wasserstein(pair: Pair) -> Shift | None:
    """The distance that numbers moved on average, in standard deviations of the reference's."""
    if not isinstance(pair.cells, Numbers):
        return None
    if (lacking := _no_numbers(pair)) is not None:
        return lacking
    unit = ordered.deviation(pair.before)
    if not unit > 1e-9 * (abs(pair.cells.centre) + abs(pair.before.total) / pair.filled[0]):
        return _unknown(
            f"All numbers of '{pair.name}' in the reference are alike, so there is no spread to measure by."
        )
    raw = ordered.wasserstein(pair.cells, pair.before, pair.now) / unit
    noise, below = (part / unit for part in ordered.wasserstein_noise(pair.cells, pair.before, pair.now, pair.level))
    p_value = _smirnov_p(pair, ordered.kolmogorov_smirnov(pair.before.counts, pair.now.counts))
    return _between(raw, noise, raw + below, p_value, pair.level)


def new_categories(pair: Pair) -> Shift | None:
    """The share of rows with a value that the reference never had."""
    if not isinstance(pair.cells, Categories):
        return None
    if (lacking := _no_values(pair)) is not None:
        return lacking
    (*known, other), unknown = pair.before.counts, pair.now.counts[-1]
    rows_before, rows = pair.filled
    p_value = changes.unseen(known, other, unknown, rows)
    raw = max(unknown / rows - other / rows_before, 0.0)
    low, high = changes.share_change(other, rows_before, unknown, rows, pair.level)
    detail: dict[str, object] = {"raw": raw, "new_rows": unknown, "other_before": other, "p_value": p_value}
    if not p_value < pair.level:
        return Shift(0.0, 0.0, max(high, 0.0), detail)
    return Shift(raw, min(max(low, 0.0), raw), max(high, raw), detail)


def vanished_categories(pair: Pair) -> Shift | None:
    """The share of the reference's rows whose value no longer appears, where that is not chance."""
    if not isinstance(pair.cells, Categories):
        return None
    if (lacking := _no_values(pair)) is not None:
        return lacking
    known, rows = pair.before.counts[:-1], pair.filled[0]
    gone = sorted(changes.vanished(pair.before.counts, pair.now.counts, pair.level), key=lambda place: -known[place])
    absent = sum(old for old, new in zip(known, pair.now.counts, strict=False) if not new)
    names = [pair.cells.values[place] for place in gone[:5]]
    detail: dict[str, object] = {"raw": absent / rows, "vanished": len(gone), "most_frequent": names}
    return Shift(sum(known[place] for place in gone) / rows, detail=detail)


def null_change(pair: Pair) -> Shift:
    """The change of the share of rows without a usable value."""
    before, now = _missing(pair.before), _missing(pair.now)
    rows_before, rows = pair.rows
    low, high = changes.share_change(before, rows_before, now, rows, pair.level)
    shares = {"before": before / rows_before, "now": now / rows, "confidence": 1 - pair.level}
    return Shift(shares["now"] - shares["before"], low, high, {**shares})


def _beyond_chance(pair: Pair, excess: float) -> float:
    return max(excess, 0.0) if pair.p_value < pair.level else 0.0


def _rooted(pair: Pair, squared: float, factor: float) -> Shift:
    """A distance whose square is *factor* times the PSI, near zero."""
    noise = pair.noise * factor
    return Shift(sqrt(_beyond_chance(pair, squared - noise)), detail={"raw": sqrt(squared), "noise": sqrt(noise)})


def _between(raw: float, noise: float, high: float, p_value: float, level: float) -> Shift:
    """A distance with its interval, whose lower end is the value."""
    value = max(raw - noise, 0.0) if p_value < level else 0.0
    detail = {"raw": raw, "noise": noise, "p_value": p_value, "confidence": 1 - 2 * level}
    return Shift(value, value, max(high, value), {**detail})


def _smirnov_noise(pair: Pair) -> float:
    return ordered.kolmogorov_smirnov_noise(*pair.filled, pair.level)


def _smirnov_p(pair: Pair, raw: float) -> float:
    return min(1.0, 2 * exp(-2 * raw**2 / (1 / pair.filled[0] + 1 / pair.filled[1])))


def _plain(pair: Pair) -> tuple[list[float], list[float]]:
    before, now = pair.counts
    return [count / pair.rows[0] for count in before], [count / pair.rows[1] for count in now]


def _missing(one: Distribution) -> int:
    return one.null + one.nan + one.infinite + one.absent


def _no_numbers(pair: Pair) -> Shift | None:
    return _lacking(pair, "finite number in")


def _no_values(pair: Pair) -> Shift | None:
    return _lacking(pair, "value of")


def _lacking(pair: Pair, what: str) -> Shift | None:
    for side, filled in zip(("reference", "window"), pair.filled, strict=True):
        if not filled:
            return _unknown(f"The {side} holds no {what} '{pair.name}'.")
    return None


def _unknown(reason: str) -> Shift:
    return Shift(None, detail={"reason": reason})
