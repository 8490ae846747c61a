"""The independent parts of a window, which intervals rest on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

T = TypeVar("T")


def parts_of(start: datetime, end: datetime, buckets: Sequence[T]) -> list[list[T]]:
    """The buckets of ``[start, end)`` by calendar day (UTC), or one by one in a window under two days."""
    if end - start < timedelta(days=2):
        return [[bucket] for bucket in buckets]
    length = (end - start) / max(len(buckets), 1)
    days: dict[int, list[T]] = {}
    for place, bucket in enumerate(buckets):
        days.setdefault((start + place * length).toordinal(), []).append(bucket)
    return list(days.values())
