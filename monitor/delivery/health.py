"""Whether people would be told if something were wrong: pure, for /readyz and for the heartbeat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from monitor.alerts.words import moment, span
from monitor.history.deliveries import ReceiverRow

LATE = timedelta(minutes=15)
"""What waits this long is no blip any more."""
FAILING = timedelta(minutes=2)
"""An answer that was lost is looked for after half a minute; what still fails then is failing."""


def healthy(tick_age: float, stale_after: float, receivers: Sequence[ReceiverRow], now: datetime) -> list[str]:
    """Everything that stands in the way, as sentences; ages in seconds."""
    problems = [f"No tick for {tick_age:.0f} s."] if tick_age > stale_after else []
    for row in receivers:
        problems += _receiver(row, now)
    return problems


def _receiver(row: ReceiverRow, now: datetime) -> list[str]:
    """At most one sentence: the first reason explains the others."""
    waits = timedelta(0) if row.oldest is None else now - row.oldest
    if not row.healthy:
        return [f"{row.receiver} refuses everything: {row.error}"]
    if row.blocked:
        told = "1 notification is" if row.blocked == 1 else f"{row.blocked} notifications are"
        return [f"{row.receiver}: {told} blocked until this is mended: {row.error}"]
    if row.error and waits > FAILING:
        return [f"{row.receiver} has not worked for {span(waits)}: {row.error}"]
    if row.oldest is not None and waits > LATE:
        return [f"A notification has waited for {row.receiver} since {moment(row.oldest)} UTC."]
    return []
