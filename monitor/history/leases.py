"""Leases: which of several daemons evaluates a model now; a fencing token makes a former one's late result harmless."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from monitor.history.problems import LeaseLost
from monitor.history.tables import models
from monitor.history.values import insert_new


def claim(connection: Connection, model: str, owner: str, now: datetime, lease: timedelta) -> int | None:
    """Take the lease of *model* and return its token; None while it is held, by whomever."""
    insert_new(connection, models, [{"name": model, "lease_token": 0}])
    free = models.c.lease_owner.is_(None) | (models.c.lease_until <= now)
    taken = connection.execute(
        update(models)
        .where(models.c.name == model, free)
        .values(lease_owner=owner, lease_until=now + lease, lease_token=models.c.lease_token + 1)
    )
    if taken.rowcount == 0:
        return None
    # Our update holds the row until we commit, so this is our own token.
    token = connection.execute(select(models.c.lease_token).where(models.c.name == model)).scalar_one()
    return int(token)


def renew(connection: Connection, model: str, token: int, now: datetime, lease: timedelta) -> bool:
    """Hold the lease for longer; False where it is lost."""
    renewed = connection.execute(
        update(models)
        .where(models.c.name == model, models.c.lease_token == token, models.c.lease_until > now)
        .values(lease_until=now + lease)
    )
    return renewed.rowcount == 1


def give_back(connection: Connection, model: str, token: int) -> None:
    """End the lease before its time; nothing happens where it is lost already."""
    connection.execute(
        update(models)
        .where(models.c.name == model, models.c.lease_token == token)
        .values(lease_owner=None, lease_until=None)
    )


def lock(connection: Connection, model: str) -> None:
    """Hold the model's row until the transaction ends, whoever has the lease."""
    connection.execute(select(models.c.name).where(models.c.name == model).with_for_update())


def require(connection: Connection, model: str, token: int, now: datetime) -> None:
    """Hold the model's row until the transaction ends. Raises LeaseLost unless *token* is the current one at *now*."""
    held = connection.execute(
        select(models.c.lease_token, models.c.lease_until).where(models.c.name == model).with_for_update()
    ).first()
    if held is None or held.lease_token != token or held.lease_until is None or held.lease_until <= now:
        raise LeaseLost(
            f"The result for {model} came too late: its lease (token {token}) is over. "
            "Whoever holds the lease now evaluates the window; nothing was written."
        )
