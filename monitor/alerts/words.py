"""What messages write beside numbers: comparisons with a bound, moments and spans of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from monitor.release.contract import Side
from monitor.release.words import interval, measured, told_apart


def comparison(side: Side, value: float | None, threshold: float | None, unit: str = "") -> str:
    """``0.668 < 0.728``: with as many digits as it takes that two different numbers look different."""
    if value is None or threshold is None:
        return f"{measured(value, unit)}, promised {at_bound(side, threshold, unit)}"
    digits = told_apart(value, threshold)
    return f"{measured(value, unit, digits)} {_sign(side, value, threshold)} {measured(threshold, unit, digits)}"


def digits_apart(value: float | None, threshold: float | None) -> int:
    """The digits it takes that both look different; three where one of them is missing."""
    return 3 if value is None or threshold is None else told_apart(value, threshold)


def at_bound(side: Side, threshold: float | None, unit: str = "", digits: int = 3) -> str:
    """``at least 0.728``."""
    return f"{'at least' if side == 'min' else 'at most'} {measured(threshold, unit, digits)}"


def with_interval(value: float | None, low: float | None, high: float | None, unit: str = "", digits: int = 3) -> str:
    """``0.668 [0.655, 0.681]``."""
    return f"{measured(value, unit, digits)} {interval(low, high, unit, digits)}".rstrip()


@lru_cache(maxsize=4096)  # a page tells the same times over and over
def moment(at: datetime) -> str:
    """``2013-07-08 00:00``, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def span(length: timedelta) -> str:
    """``21 days``, ``5 hours 3 minutes``: the two largest units that are not zero."""
    seconds = max(int(length.total_seconds()), 0)
    parts = []
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts[:2]) or "no time"


def shortened(text: str, length: int) -> str:
    """*text*, or as much of it as fits with an ellipsis that says it goes on."""
    return text if len(text) <= length else text[: max(length - 1, 0)] + "…"


def _sign(side: Side, value: float, threshold: float) -> str:
    if side == "min":
        return "<" if value < threshold else "≥"
    return ">" if value > threshold else "≤"
