"""Since when an incident is open: one that relapses was over in between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from monitor.history.tables import episodes
from monitor.history.values import among


@dataclass(frozen=True, slots=True)
class Spell:
    """The time without a break in which an incident is open, or was last: since when, and how often it was over."""

    since: datetime
    relapses: int = 0


def spell_of(opened_at: datetime, times: Iterable[tuple[datetime, datetime | None]]) -> Spell:
    """Of an incident opened then, whose alerts opened and ended at *times*, in the order in which they opened."""
    spell, until = Spell(opened_at), opened_at
    for began, ended in times:
        if began > until:
            spell = Spell(began, spell.relapses + 1)
        if ended is None:
            break
        until = max(until, ended)
    return spell


def spells(connection: Connection, opened: Sequence[Row[Any]]) -> dict[int, Spell]:
    """By incident; of each row its ``id`` and ``opened_at`` are known."""
    columns = [episodes.c[name] for name in ("incident_id", "opened_at", "resolved_at")]
    asked = select(*columns).where(among(connection.dialect.name, episodes.c.incident_id, "asked"))
    times: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    in_order = asked.order_by(episodes.c.opened_at, episodes.c.id)
    for incident, began, ended in connection.execute(in_order, {"asked": [row.id for row in opened]}).all():
        times[incident].append((began, ended))
    return {row.id: spell_of(row.opened_at, times[row.id]) for row in opened}
