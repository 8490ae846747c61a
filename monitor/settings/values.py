"""How single values are written in config.toml: durations, sizes, times, names of columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import ip_network
from math import isfinite
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
SIZES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}

LONGEST = 36525 * 86400.0

_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B)", re.IGNORECASE)

_RATE = re.compile(r"([1-9]\d*)\s+per\s+(.+)")
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")

A_DURATION = "must be a duration; write a number with its unit, such as '90s', '30m', '4h', '7d', '2w' or '1d 12h'"
A_RATE = "must say how many in how long, such as '1 per 365d' or '2 per 90d'"
A_SIZE = "must be a size; write a number with its unit, such as '512MB' or '2GB'"
A_TIME = "must be a time; write it as 2013-04-16T00:00:00Z (without a zone it is UTC)"
A_BOUND = "must be a number, or a duration such as '4h' where the metric is measured in seconds"
A_TOLERANCE = "must be a number in the unit of the outcome, or a share of the outcome such as '10%'"
SOME_COLUMNS = 'must be the name of a column, or a list of names such as ["customer", "day"]'


def parse_duration(value: object) -> timedelta:
    """``"1d 12h"`` as a timedelta. Raises ValueError with a sentence."""
    if isinstance(value, timedelta):
        return value
    text = value if isinstance(value, str) else ""
    parts = _DURATION_PART.findall(text)
    if not parts or _DURATION_PART.sub("", text).strip():
        raise ValueError(A_DURATION)
    seconds = sum(float(count) * UNITS[unit] for count, unit in parts)
    if seconds > LONGEST:
        raise ValueError("must not be longer than a hundred years")
    return timedelta(seconds=seconds)


def parse_rate(value: object) -> timedelta:
    """``"2 per 90d"`` as the time that one of them has: 45 days. Raises ValueError with a sentence."""
    if isinstance(value, timedelta):
        return value
    found = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(A_RATE)
    one = parse_duration(found[2]) / int(found[1])
    if one < timedelta(days=1):
        raise ValueError("must not be more than one a day, which is no promise")
    return one


def parse_time(text: str, now: datetime) -> datetime:
    """A time as people ask for it: ``2013-07-01``, ``2013-07-01T06:00``, or ``7d`` before *now*. Raises ValueError."""
    with suppress(ValueError):
        return parse_moment(text)
    try:
        return now - parse_duration(text)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is neither a time (2013-07-01, 2013-07-01T06:00) nor a duration (7d, 12h)."
        ) from None


def parse_size(value: object) -> int:
    """``"2GB"`` as bytes: KB, MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB of 1024. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(A_SIZE)
    return int(float(found[1]) * SIZES[found[2].upper()])


def parse_moment(value: object) -> datetime:
    """A TOML time or date, or ISO 8601 text, as an aware UTC time. Raises ValueError."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(A_TIME) from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise ValueError(A_TIME)  # noqa: TRY004  # pydantic turns ValueError, and only that, into a problem
    return value.replace(tzinfo=UTC) if value.tzinfo is None else _in_utc(value)


def _in_utc(at: datetime) -> datetime:
    """The same moment in UTC, or the first or last that UTC can tell, where it lies hours beyond."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return (datetime.min if at.year == 1 else datetime.max).replace(tzinfo=UTC)  # noqa: DTZ901  # it has one at once


def parse_amount(value: object) -> float | timedelta:
    """A bound: a number, or a duration for what is measured in seconds. Raises ValueError."""
    if isinstance(value, str | timedelta):
        try:
            return parse_duration(value)
        except ValueError:
            raise ValueError(A_BOUND) from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(A_BOUND)
    return float(value)


class Share(BaseModel):
    """A share of something, written as a percentage: ``"10%"`` is 0.1."""

    model_config = ConfigDict(frozen=True)

    of_one: float


def parse_tolerance(value: object) -> float | Share:
    """``5`` in the unit of the outcome, or ``"10%"`` of it. Raises ValueError."""
    if isinstance(value, Share):
        return value
    percent = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if percent is not None:
        return Share(of_one=float(percent[1]) / 100)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise ValueError(A_TOLERANCE)
    return float(value)


def parse_columns(value: object) -> str | tuple[str, ...]:
    """One name, or several. Raises ValueError."""
    if isinstance(value, str) and value:
        return value
    if isinstance(value, list | tuple) and value and all(isinstance(name, str) and name for name in value):
        return tuple(value)
    raise ValueError(SOME_COLUMNS)


def known_zone(value: str) -> str:
    """The name of a time zone. Raises ValueError."""
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):  # a folder of the zone database raises OSError, a path ValueError
        raise ValueError("must be the name of a time zone, such as 'UTC' or 'America/New_York'") from None
    return value


def known_clock_time(value: str) -> str:
    """A time of day. Raises ValueError."""
    if not _CLOCK_TIME.fullmatch(value):
        raise ValueError("must be a time of day between '00:00' and '23:59'")
    return value


def known_network(value: str) -> str:
    """An address, or a network of addresses. Raises ValueError."""
    try:
        ip_network(value)
    except ValueError:
        raise ValueError("must be an address or a network, such as '10.0.0.7' or '10.0.0.0/8'") from None
    return value


def known_header(value: str) -> str:
    """The name of a header of HTTP. Raises ValueError."""
    if not _HEADER.fullmatch(value):
        raise ValueError("must be the name of a header, such as 'X-Forwarded-User'")
    return value


def fit_for_address(value: str) -> str:
    """A name that can be part of an address, where browsers and servers shorten some. Raises ValueError."""
    if value in {".", ".."} or value != value.strip("/") or "//" in value:
        raise ValueError("must be a name with a page of its own: neither '.' nor '..', no '/' at an end and no '//'")
    return value


def between(low: timedelta, high: timedelta, words: str) -> Callable[[timedelta], timedelta]:
    """A validator for durations in ``[low, high]``; *words* names both ends."""

    def check(value: timedelta) -> timedelta:
        if not low <= value <= high:
            raise ValueError(f"must be between {words}")
        return value

    return check


def positive(value: timedelta) -> timedelta:
    """A validator for durations longer than nothing."""
    if value <= timedelta(0):
        raise ValueError("must be longer than nothing")
    return value
