"""Silences in the history: made, listed, ended before their time. Every time is passed in and is wall time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, insert, select, update

from monitor.history.engine import Readable, reading
from monitor.history.records import Silence
from monitor.history.tables import silences
from monitor.history.values import words

_FRESH = timedelta(seconds=5)
_AUTHOR = 200


def add(engine: Engine, silence: Silence, now: datetime) -> Silence:
    """Keep a silence; returns it with its id."""
    author, comment = words(silence.author, _AUTHOR), words(silence.comment)
    row = {
        "matchers": dict(silence.matchers),
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "author": author,
        "comment": comment,
        "created_at": now,
        "updated_at": now,
    }
    with engine.begin() as connection:
        made = connection.execute(insert(silences).returning(silences.c.id), row).scalar_one()
    return replace(silence, id=int(made), author=author, comment=comment)


def kept(
    engine: Readable, since: datetime | None = None, after: int = 0, limit: int | None = None
) -> tuple[Silence, ...]:
    """Every silence, oldest first; with *since* those that end later, of those *after* an id the first *limit*."""
    asked = select(silences).where(silences.c.id > after).order_by(silences.c.id).limit(limit)
    with reading(engine) as connection:
        found = connection.execute(asked if since is None else asked.where(silences.c.ends_at > since))
        return tuple(_silence(row) for row in found)


def end(engine: Engine, silence_id: int, at: datetime) -> Silence | None:
    """End a silence at *at* if it would end later, and return it as it is then; None where there is none of that id."""
    mine = silences.c.id == silence_id
    with engine.begin() as connection:
        connection.execute(update(silences).where(mine, silences.c.ends_at > at).values(ends_at=at, updated_at=at))
        found = connection.execute(select(silences).where(mine)).first()
    return None if found is None else _silence(found)


class SilencesNow:
    """The silences that are not over, read again after a few seconds: a delivery asks for them at every message."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._read_at: datetime | None = None
        self._found: tuple[Silence, ...] = ()

    def __call__(self, now: datetime) -> tuple[Silence, ...]:
        if self._read_at is None or not timedelta(0) <= now - self._read_at < _FRESH:
            self._found, self._read_at = kept(self._engine, now), now
        return self._found


def _silence(row: Row[Any]) -> Silence:
    return Silence(row.id, row.matchers, row.starts_at, row.ends_at, row.author, row.comment)
