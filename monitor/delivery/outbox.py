"""The outbox over SQLAlchemy Core: claims by row lease, settles by owner and attempt, paces each receiver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from monitor.delivery.coalescing import Waiting
from monitor.delivery.receiver import Thread
from monitor.delivery.retry import Claim, RelayRules, Retry
from monitor.history.engine import reading
from monitor.history.tables import outbox, receivers, threads

_OPEN = ("pending", "blocked")
_TOLD = ("sent", "superseded")
_SKEW = timedelta(minutes=10)
"""What was done this far in the future was done before the clock was set back; its waits mean nothing any more."""


class SqlOutbox:
    """The tables outbox, threads and receivers; each operation is one transaction.

    *engine* begins SQLite transactions with BEGIN IMMEDIATE.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, now: datetime, paces: Mapping[str, timedelta], owner: str, rules: RelayRules) -> Claim | None:
        """The oldest notification due, first in its incident, whose receiver takes one now; its slot is taken too."""
        due = _due(now, list(paces), rules)
        with reading(self._engine) as connection:
            if connection.execute(due).first() is None:
                return None  # most of the time; no writer has to wait for that answer
        with self._engine.connect() as connection, connection.begin() as transaction:
            query = due.with_for_update(of=outbox, skip_locked=True)
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
                    lease_until=now + rules.lease,
                )
            )
            return _claimed(row, owner)

    def extend(self, claim: Claim, at: datetime, lease: timedelta) -> bool:
        """Hold it *lease* longer; False where it is not ours any more."""
        values = {"lease_until": at + lease, "attempted_at": at}
        with self._engine.begin() as connection:
            return _change(connection, claim, values, outbox.c.lease_until > at)

    def successors(self, claim: Claim) -> Sequence[Waiting]:
        """The notifications that wait behind it, in order."""
        if claim.incident_id is None:
            return []
        columns = (outbox.c.id, outbox.c.reason, outbox.c.created_at, outbox.c.message)
        behind = (outbox.c.id > claim.id, outbox.c.state.in_(_OPEN))
        query = select(*columns).where(*_same_incident(claim), *behind).order_by(outbox.c.id)
        with reading(self._engine) as connection:
            return [Waiting(*row) for row in connection.execute(query)]

    def told(self, claim: Claim) -> bool:
        """Whether anything of its incident was told to its receiver before, or may have been."""
        perhaps = or_(outbox.c.state.in_(_TOLD), outbox.c.first_attempted_at.is_not(None))
        query = select(outbox.c.id).where(*_same_incident(claim), outbox.c.id < claim.id, perhaps).limit(1)
        with reading(self._engine) as connection:
            return connection.execute(query).first() is not None

    def forget_thread(self, claim: Claim) -> None:
        """Its parent message is gone: the next one becomes the parent."""
        with self._engine.begin() as connection:
            connection.execute(_forget(claim))

    def sent(
        self,
        claim: Claim,
        at: datetime,
        thread: Thread,
        provider_id: str,
        superseded: Sequence[int],
        settled_before: datetime,
    ) -> bool:
        """It is delivered, and in it those *superseded*; False where it is not ours any more.

        Where the receiver works again, what was last attempted before *settled_before* is due at once.
        """
        done = {"state": "sent", "sent_at": at, "provider_id": provider_id, "error": None, "lease_until": None}
        with self._engine.begin() as connection:
            if not _change(connection, claim, done):
                return False
            if claim.incident_id is not None:
                connection.execute(_forget(claim))
                where = {"incident_id": claim.incident_id, "receiver": claim.receiver}
                parent = {"channel_id": thread.channel_id, "provider_id": thread.provider_id}
                connection.execute(threads.insert().values(**where, **parent))
            covered = {"state": "superseded", "sent_at": at, "provider_id": provider_id}
            connection.execute(update(outbox).where(outbox.c.id.in_(superseded)).values(covered))
            if _recovered(connection, claim.receiver):
                _wake(connection, claim.receiver, at, settled_before)
            connection.execute(update(receivers).where(receivers.c.name == claim.receiver).values(sent_at=at))
            return True

    def suppressed(self, claim: Claim, why: str, *, uncertain: bool) -> bool:
        """Nobody is told of it; *uncertain* where an earlier attempt may have landed. False where it is not ours."""
        done = {"state": "suppressed", "why": why, "error": None, "lease_until": None}
        attempted = {} if uncertain else {"first_attempted_at": None}
        with self._engine.begin() as connection:
            return _change(connection, claim, {**done, **attempted})

    def put_back(self, claim: Claim, retry: Retry) -> bool:
        """Give it back for later; False where it is not ours any more."""
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


def _due(now: datetime, names: Sequence[str], rules: RelayRules) -> Select[Any]:
    earlier = outbox.alias("earlier")
    before = exists().where(
        earlier.c.incident_id == outbox.c.incident_id,
        earlier.c.receiver == outbox.c.receiver,
        earlier.c.id < outbox.c.id,
        earlier.c.state.in_(_OPEN),
    )
    thread = and_(threads.c.incident_id == outbox.c.incident_id, threads.c.receiver == outbox.c.receiver)
    sources = outbox.outerjoin(threads, thread).outerjoin(receivers, receivers.c.name == outbox.c.receiver)
    set_back = func.coalesce(outbox.c.attempted_at, outbox.c.created_at) > now + _SKEW
    waited = or_(outbox.c.attempted_at.is_not(None), outbox.c.created_at <= now - rules.group_wait)
    gathered = or_(outbox.c.incident_id.is_(None), threads.c.provider_id.is_not(None), waited)
    free = or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= now)
    return (
        select(outbox, threads.c.channel_id, threads.c.provider_id.label("parent_id"))
        .select_from(sources)
        .where(
            outbox.c.state.in_(_OPEN),
            outbox.c.receiver.in_(names),
            or_(and_(outbox.c.next_at <= now, gathered, free), set_back),
            _takes_one(now),
            ~before,
        )
        .order_by(outbox.c.id)
        .limit(1)
    )


def _takes_one(now: datetime) -> ColumnElement[bool]:
    """Whether the receiver takes a message now: it is neither paced nor paused."""
    free = or_(receivers.c.next_slot_at.is_(None), receivers.c.next_slot_at <= now)
    open_again = or_(receivers.c.blocked_until.is_(None), receivers.c.blocked_until <= now)
    return or_(and_(free, open_again), _was_set_back(now))


def _was_set_back(now: datetime) -> ColumnElement[bool]:
    """Whether the clock was set back since the receiver's last message."""
    return receivers.c.next_slot_at > now + _SKEW


def _take_slot(connection: Connection, receiver: str, now: datetime, pace: timedelta) -> bool:
    """Whether the receiver takes a message now; decided by the row, for all relays at once."""
    known = postgresql.insert(receivers) if connection.dialect.name == "postgresql" else sqlite.insert(receivers)
    connection.execute(known.values(name=receiver, healthy=True).on_conflict_do_nothing())
    paused = case((_was_set_back(now), null()), else_=receivers.c.blocked_until)
    slot = update(receivers).where(receivers.c.name == receiver, _takes_one(now))
    taken = connection.execute(slot.values(next_slot_at=now + pace, blocked_until=paused))
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


def _recovered(connection: Connection, receiver: str) -> bool:
    """Whether it did not work before it did now."""
    failing = or_(receivers.c.error.is_not(None), ~receivers.c.healthy)
    working = {"healthy": True, "error": None}
    return (
        connection.execute(update(receivers).where(receivers.c.name == receiver, failing).values(working)).rowcount == 1
    )


def _wake(connection: Connection, receiver: str, at: datetime, settled_before: datetime) -> None:
    """Make due what the receiver did not take, but for what a relay is claiming, which would wait for us in turn."""
    patient = (outbox.c.state.in_(_OPEN), outbox.c.attempted_at <= settled_before)
    idle = select(outbox.c.id).where(outbox.c.receiver == receiver, *patient).with_for_update(skip_locked=True)
    connection.execute(update(outbox).where(outbox.c.id.in_(idle)).values(next_at=at))


def _same_incident(claim: Claim) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return outbox.c.incident_id == claim.incident_id, outbox.c.receiver == claim.receiver


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
