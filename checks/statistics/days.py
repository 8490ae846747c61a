"""The independent parts of a window, worked out where the rows live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from checks.contract import Window

if TYPE_CHECKING:
    import ibis.expr.types as ir

DAY = timedelta(days=1)


def cluster_of(window: Window, at: ir.TimestampColumn) -> ir.IntegerColumn:
    """The number of the part a time falls into, as ``checks.parts`` cuts a window.

    Parts are calendar days (UTC), or buckets where the window is under two days or a bucket is a day or more.
    """
    length = (window.end - window.start) / max(len(window.buckets), 1)
    by_bucket = timedelta(0) < window.end - window.start < 2 * DAY or length >= DAY
    origin, step = (window.start, length) if by_bucket else (datetime(1970, 1, 1, tzinfo=UTC), DAY)
    since = at.truncate("s").epoch_seconds() - int(origin.timestamp())  # engines round 23:59:59.7 up into the next day
    number: ir.IntegerColumn = (since / int(step.total_seconds())).floor().cast("int64")
    return number
