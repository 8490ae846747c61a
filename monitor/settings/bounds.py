"""Reviewing the numbers of a threshold: do its bounds go together, and is it over where it holds?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from checks.contract import Metric
from monitor.settings import Threshold
from monitor.settings.problems import File
from monitor.settings.remarks import Remark
from monitor.settings.schema import Place
from monitor.settings.terms import clear_of, limits_of

_BOUNDS = ("min", "max", "min_of_release", "max_of_release")


def review_bounds(threshold: Threshold, here: Place, file: File) -> Iterator[Remark]:
    """Whether the bounds of a threshold go together, and with where it clears."""
    yield from _limits(threshold, here, file)
    yield from _clear(threshold, here, file)


def _limits(threshold: Threshold, here: Place, file: File) -> Iterator[Remark]:
    also: tuple[Place, ...] = tuple((*here, key) for key in _BOUNDS)
    limits = list(limits_of(threshold))
    if not limits:
        yield Remark.of(file, here, "bounds nothing", "add min or max, such as { min = 0.9 }", also=also)
    for side in ("min", "max"):
        if len([1 for at, _, _ in limits if at == side]) == 2:
            what = f"has both {side} and {side}_of_release"
            yield Remark.of(file, here, what, "keep one of them", also=also)
    absolute = {side: limit for side, limit, of_release in limits if not of_release}
    if "min" in absolute and "max" in absolute and absolute["min"] > absolute["max"]:
        yield Remark.of(file, here, "has a min above its max, so nothing can hold it", "swap them", also=also)


def _clear(threshold: Threshold, here: Place, file: File) -> Iterator[Remark]:
    """Where an alert ends lies on the promised side of the one bound that it is about."""
    clear, limits = clear_of(threshold), list(limits_of(threshold))
    if clear is None or not limits:
        return
    at: Place = (*here, "clear")
    also: tuple[Place, ...] = tuple((*here, key) for key in _BOUNDS)
    side, limit, of_release = limits[0]
    of = f"{side}_of_release" if of_release else side
    if len({side for side, _, _ in limits}) == 2:
        what = "says where one bound counts as held again, and there are a min and a max"
        yield Remark.of(file, at, what, "keep one of them, or leave clear out", also=also)
    elif of_release and isinstance(threshold.clear, timedelta):
        what = f"is a duration, and {of} is a share of the release's own value"
        yield Remark.of(file, at, what, f"write a share too, such as {limit:g}", also=also)
    elif clear < limit if side == "min" else clear > limit:
        below, promised = ("below", "above") if side == "min" else ("above", "below")
        what = f"is {below} the {of}, so the value would breach where it counts as held again"
        written = file.quoted((*here, of)) or f"{limit:g}"
        yield Remark.of(file, at, what, f"write {written} or {promised}", also=also)


def review_durations(threshold: Threshold, metric: Metric, here: Place, file: File) -> Iterator[Remark]:
    """A duration is for what is measured in seconds."""
    for key in ("min", "max", "clear"):
        if isinstance(getattr(threshold, key), timedelta) and metric.unit != "seconds":
            what = f"is a duration, and '{metric.name}' is not measured in seconds"
            yield Remark.of(file, (*here, key), what, "write a number without quotes")
