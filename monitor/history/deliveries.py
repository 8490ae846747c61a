"""How each receiver does: what waits for it, when it was last told something, and what keeps it from being told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from monitor.history.engine import reading
from monitor.history.retention import UNDELIVERED
from monitor.history.tables import outbox, receivers
from monitor.history.values import insert_or_replace


@dataclass(frozen=True, slots=True)
class ReceiverRow:
    """A receiver now. *healthy* is false while it refuses everything; *oldest* is when the oldest of the waiting began.

    *error* is what went wrong last, empty where nothing did.
    """

    receiver: str
    healthy: bool = True
    sent_at: datetime | None = None
    blocked_until: datetime | None = None
    waiting: int = 0
    blocked: int = 0
    suppressed: int = 0
    oldest: datetime | None = None
    error: str = ""


def receiver_rows(engine: Engine) -> list[ReceiverRow]:
    """Every receiver that was ever told something or is due to be, by name."""
    with reading(engine) as connection:
        known = {row.name: row for row in connection.execute(select(receivers))}
        counts = _counts(connection)
        errors = _errors_of_blocked(connection)
    return [
        _row(name, known.get(name), counts.get(name, {}), errors.get(name, "")) for name in sorted({*known, *counts})
    ]


def note_receiver(engine: Engine, name: str, at: datetime | None, error: str, *, healthy: bool) -> None:
    """Remember how a receiver without an outbox does: reached at *at*, or not, and why."""
    seen = {"name": name, "healthy": healthy, "error": error or None}
    with engine.begin() as connection:
        insert_or_replace(connection, receivers, [seen if at is None else {**seen, "sent_at": at}], {})


def _counts(connection: Connection) -> dict[str, dict[str, tuple[int, datetime]]]:
    found = connection.execute(
        select(outbox.c.receiver, outbox.c.state, func.count(), func.min(outbox.c.created_at))
        .where(outbox.c.state.in_((*UNDELIVERED, "suppressed")))
        .group_by(outbox.c.receiver, outbox.c.state)
    )
    counts: dict[str, dict[str, tuple[int, datetime]]] = {}
    for receiver, state, count, oldest in found:
        counts.setdefault(receiver, {})[state] = (count, oldest)
    return counts


def _errors_of_blocked(connection: Connection) -> dict[str, str]:
    """Of each receiver's oldest blocked notification: what Slack has against this message alone is said only there."""
    found = connection.execute(
        select(outbox.c.receiver, outbox.c.error)
        .where(outbox.c.state == "blocked", outbox.c.error.is_not(None))
        .order_by(outbox.c.id.desc())
    )
    return {receiver: error for receiver, error in found}  # noqa: C416  # dict() does not type a row as a pair


def _row(name: str, known: Any, counts: Mapping[str, tuple[int, datetime]], blocked_error: str) -> ReceiverRow:
    due = [counts[state][1] for state in UNDELIVERED if state in counts]
    waiting, blocked, suppressed = (counts.get(state, (0, None))[0] for state in (*UNDELIVERED, "suppressed"))
    return ReceiverRow(
        receiver=name,
        healthy=known is None or known.healthy,
        sent_at=None if known is None else known.sent_at,
        blocked_until=None if known is None else known.blocked_until,
        waiting=waiting,
        blocked=blocked,
        suppressed=suppressed,
        oldest=min(due, default=None),
        error=(known.error if known is not None else None) or blocked_error,
    )
