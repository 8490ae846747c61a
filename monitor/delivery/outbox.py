"""The outbox over SQLAlchemy Core: claims by row lease, settles by owner and attempt, paces each receiver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, and_, delete, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from monitor.delivery.receiver import Thread
from monitor.delivery.relay import Waiting
from monitor.delivery.retry import Claim, Retry
from monitor.history.engine import reading
from monitor.history.tables import outbox, receivers, threads

_OPEN = ("pending", "blocked")


class SqlOutbox:
    """The tables outbox, threads and receivers. *engine* begins SQLite transactions with BEGIN IMMEDIATE."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, now: datetime, paces: Mapping[str, timedelta], owner: str, lease: timedelta) -> Claim | None:
        """See :class:`monitor.delivery.relay.Outbox`."""
        with reading(self._engine) as connection:
            if connection.execute(_due(now, list(paces))).first() is None:
                return None  # most of the time; no writer has to wait for that answer
        with self._engine.connect() as connection, connection.begin() as transaction:
            query = _due(now, list(paces)).with_for_update(of=outbox, skip_locked=True)
            row = connection.execute(query).first()
            if row is None:
                return None
            if not _take_slot(connection, row.receiver, now, paces[row.receiver]):
                transaction.rollback()  # another relay took the receiver's slot first
                return None
            connection.execute(
                update(outbox)
                .where(outbox.c.id == row.id)
                .values(
                    attempts=row.attempts + 1,
                    attempted_at=now,
                    first_attempted_at=row.first_attempted_at or now,
                    lease_owner=owner,
                    lease_until=now + lease,
                )
            )
            return _claimed(row, owner)

    def extend(self, claim: Claim, at: datetime, lease: timedelta) -> bool:
        """See :class:`monitor.delivery.relay.Outbox`."""
        values = {"lease_until": at + lease, "attempted_at": at}
        with self._engine.begin() as connection:
            return _change(connection, claim, values, outbox.c.lease_until > at)

    def successors(self, claim: Claim) -> Sequence[Waiting]:
        """See :class:`monitor.delivery.relay.Outbox`."""
        behind = and_(outbox.c.incident_id == claim.incident_id, outbox.c.receiver == claim.receiver)
        query = select(outbox.c.id, outbox.c.message).where(behind, outbox.c.id > claim.id, outbox.c.state.in_(_OPEN))
        with reading(self._engine) as connection:
            return [Waiting(row.id, row.message) for row in connection.execute(query.order_by(outbox.c.id))]

    def forget_thread(self, claim: Claim) -> None:
        """See :class:`monitor.delivery.relay.Outbox`."""
        with self._engine.begin() as connection:
            connection.execute(_forget(claim))

    def sent(self, claim: Claim, at: datetime, thread: Thread, provider_id: str, superseded: Sequence[int]) -> bool:
        """See :class:`monitor.delivery.relay.Outbox`."""
        done = {"state": "sent", "sent_at": at, "provider_id": provider_id, "error": None, "lease_until": None}
        with self._engine.begin() as connection:
            if not _change(connection, claim, done):
                return False
            connection.execute(_forget(claim))
            connection.execute(
                threads.insert().values(
                    incident_id=claim.incident_id,
                    receiver=claim.receiver,
                    channel_id=thread.channel_id,
                    provider_id=thread.provider_id,
                )
            )
            covered = {"state": "superseded", "sent_at": at, "provider_id": provider_id}
            connection.execute(update(outbox).where(outbox.c.id.in_(superseded)).values(covered))
            working = {"healthy": True, "error": None, "sent_at": at}
            connection.execute(update(receivers).where(receivers.c.name == claim.receiver).values(working))
            return True

    def put_back(self, claim: Claim, retry: Retry) -> bool:
        """See :class:`monitor.delivery.relay.Outbox`."""
        values = {
            "state": "blocked" if retry.blocked else "pending",
            "next_at": retry.next_at,
            "error": retry.error,
            "first_attempted_at": retry.uncertain_since,
            "lease_owner": None,
            "lease_until": None,
        }
        with self._engine.begin() as connection:
            if not _change(connection, claim, values):
                return False
            if retry.pause_until is not None:
                _pause(connection, claim.receiver, retry)
            return True


def _due(now: datetime, names: Sequence[str]) -> Select[Any]:
    earlier = outbox.alias("earlier")
    before = exists().where(
        earlier.c.incident_id == outbox.c.incident_id,
        earlier.c.receiver == outbox.c.receiver,
        earlier.c.id < outbox.c.id,
        earlier.c.state.in_(_OPEN),
    )
    thread = and_(threads.c.incident_id == outbox.c.incident_id, threads.c.receiver == outbox.c.receiver)
    sources = outbox.outerjoin(threads, thread).outerjoin(receivers, receivers.c.name == outbox.c.receiver)
    return (
        select(outbox, threads.c.channel_id, threads.c.provider_id.label("parent_id"))
        .select_from(sources)
        .where(
            outbox.c.state.in_(_OPEN),
            outbox.c.receiver.in_(names),
            outbox.c.next_at <= now,
            or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= now),
            or_(receivers.c.blocked_until.is_(None), receivers.c.blocked_until <= now),
            or_(receivers.c.next_slot_at.is_(None), receivers.c.next_slot_at <= now),
            ~before,
        )
        .order_by(outbox.c.id)
        .limit(1)
    )


def _take_slot(connection: Connection, receiver: str, now: datetime, pace: timedelta) -> bool:
    """Whether the receiver takes a message now; decided by the row, for all relays at once."""
    known = postgresql.insert(receivers) if connection.dialect.name == "postgresql" else sqlite.insert(receivers)
    connection.execute(known.values(name=receiver, healthy=True).on_conflict_do_nothing())
    free = or_(receivers.c.next_slot_at.is_(None), receivers.c.next_slot_at <= now)
    open_again = or_(receivers.c.blocked_until.is_(None), receivers.c.blocked_until <= now)
    taken = connection.execute(
        update(receivers).where(receivers.c.name == receiver, free, open_again).values(next_slot_at=now + pace)
    )
    return taken.rowcount == 1


def _claimed(row: Row[Any], owner: str) -> Claim:
    return Claim(
        id=row.id,
        key=row.key,
        incident_id=row.incident_id,
        receiver=row.receiver,
        message=row.message,
        attempts=row.attempts + 1,
        created_at=row.created_at,
        uncertain_since=row.first_attempted_at,
        thread=None if row.parent_id is None else Thread(row.channel_id, row.parent_id),
        owner=owner,
    )


def _change(connection: Connection, claim: Claim, values: Mapping[str, Any], *more: Any) -> bool:
    """Change the row where it is still ours: the same owner and the same attempt."""
    ours = (outbox.c.id == claim.id, outbox.c.lease_owner == claim.owner, outbox.c.attempts == claim.attempts)
    waiting = outbox.c.state.in_(_OPEN)
    return connection.execute(update(outbox).where(*ours, waiting, *more).values(values)).rowcount == 1


def _forget(claim: Claim) -> Any:
    return delete(threads).where(threads.c.incident_id == claim.incident_id, threads.c.receiver == claim.receiver)


def _pause(connection: Connection, receiver: str, retry: Retry) -> None:
    longer = or_(receivers.c.blocked_until.is_(None), receivers.c.blocked_until < retry.pause_until)
    connection.execute(
        update(receivers).where(receivers.c.name == receiver, longer).values(blocked_until=retry.pause_until)
    )
    state = {"error": retry.error, "healthy": retry.healthy}
    connection.execute(update(receivers).where(receivers.c.name == receiver).values(state))
