"""How numbers, durations and names are written for people: in verdicts, messages and tables."""

from __future__ import annotations

import math
from datetime import timedelta

_DURATION = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)))


def number(value: float | None, digits: int = 3) -> str:
    """A value in about *digits* significant digits: 0.668, 0.2, 12.51, 18,511."""
    if value is None:
        return "no value"
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite" if value > 0 else "minus infinite"
    value += 0.0  # a zero may be negative, and people do not know that one
    places = max(digits - 3, 0)
    if abs(round(value, places)) >= 1000:
        return f"{value:,.{places}f}"
    return f"{value:.{digits if abs(value) < 1 else digits + 1}g}"


def measured(value: float | None, unit: str = "", digits: int = 3) -> str:
    """A value with its unit: ``0.668``, ``3h 50m`` for seconds, ``12.5 EUR``."""
    if not unit or value is None or not math.isfinite(value):
        return number(value, digits)
    if unit == "seconds" and abs(value) < 1e12:
        return duration(timedelta(seconds=round(value) if abs(value) >= 60 else round(value, 3)))
    return f"{number(value, digits)} {unit}"


def told_apart(value: float, other: float) -> int:
    """The digits it takes until two different numbers look different; 15 at most."""
    digits = 3
    while digits < 15 and value != other and number(value, digits) == number(other, digits):
        digits += 1
    return digits


def interval(low: float | None, high: float | None, unit: str = "", digits: int = 3) -> str:
    """``[0.655, 0.681]``; an end that is not known is left open, and no interval at all is the empty text."""
    if low is None and high is None:
        return ""
    lowest = "-∞" if low in {None, -math.inf} else measured(low, unit, digits)
    highest = "∞" if high in {None, math.inf} else measured(high, unit, digits)
    return f"[{lowest}, {highest}]"


def rows(count: int) -> str:
    """``18,511 rows``, ``1 row``."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def duration(length: timedelta) -> str:
    """``7d``, ``1d 12h``, ``2.5s``: exactly, and as config.toml takes it."""
    if length < timedelta(0):
        return f"-{duration(-length)}"
    parts = []
    rest = length
    for unit, size in _DURATION:
        count, rest = divmod(rest, size)
        parts += [f"{count}{unit}"] if count else []
    if rest or not parts:
        parts.append(f"{rest.total_seconds():.6f}".rstrip("0").rstrip(".") + "s")
    return " ".join(parts)


def display_name(metric: str, column: str = "", segment: str = "") -> str:
    """``drift.temp``, ``accuracy [origin=EWR]``."""
    name = f"{metric}.{column}" if column else metric
    return f"{name} [{segment}]" if segment else name
