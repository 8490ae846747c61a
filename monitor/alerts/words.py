"""How messages write numbers, times and names."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from monitor.release.contract import Side


def number(value: float | None, digits: int = 3) -> str:
    """A value in about *digits* significant digits: 0.668, 0.2, 12.5, 18,511."""
    if value is None:
        return "no value"
    if not math.isfinite(value):
        return str(value)
    if 1000 <= abs(value) < 1e9:
        return f"{value:,.{max(digits - 3, 0)}f}"
    return f"{value:.{digits if abs(value) < 1 else digits + 1}g}"


def comparison(side: Side, value: float | None, threshold: float | None) -> str:
    """``0.668 < 0.728``: with as many digits as it takes that two different numbers look different."""
    if value is None or threshold is None:
        return f"{number(value)}, promised {at_bound(side, threshold)}"
    digits = digits_apart(value, threshold)
    return f"{number(value, digits)} {_sign(side, value, threshold)} {number(threshold, digits)}"


def digits_apart(value: float | None, threshold: float | None) -> int:
    """The digits it takes that two different numbers look different; three where they do anyway."""
    digits = 3
    while digits < 15 and value != threshold and number(value, digits) == number(threshold, digits):
        digits += 1
    return digits


def at_bound(side: Side, threshold: float | None, digits: int = 3) -> str:
    """``at least 0.728``."""
    return f"{'at least' if side == 'min' else 'at most'} {number(threshold, digits)}"


def interval(value: float | None, low: float | None, high: float | None, digits: int = 3) -> str:
    """``0.668 [0.655, 0.681]``."""
    if low is None and high is None:
        return number(value, digits)
    return f"{number(value, digits)} [{number(low, digits)}, {number(high, digits)}]"


def moment(at: datetime) -> str:
    """``2013-07-08 00:00``, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def span(length: timedelta) -> str:
    """``21 days``, ``5 hours``, ``10 minutes``: the two largest units that are not zero."""
    seconds = max(int(length.total_seconds()), 0)
    parts = []
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts[:2]) or "no time"


def display_name(metric: str, column: str, segment: str) -> str:
    """``drift.temp``, ``accuracy [origin=EWR]``."""
    name = f"{metric}.{column}" if column else metric
    return f"{name} [{segment}]" if segment else name


def shortened(text: str, length: int) -> str:
    """*text*, or as much of it as fits with an ellipsis that says it goes on."""
    return text if len(text) <= length else text[: max(length - 1, 0)] + "…"


def _sign(side: Side, value: float, threshold: float) -> str:
    if side == "min":
        return "<" if value < threshold else "≥"
    return ">" if value > threshold else "≤"
