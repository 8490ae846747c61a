"""When an incident was open: one that relapses was over in between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from monitor.history.tables import episodes
from monitor.history.values import among


@dataclass(frozen=True, slots=True)
class Spell:
    """A time without a break in which an incident was open; without an end while it is."""

    began: datetime
    ended: datetime | None = None


def spells_of(opened_at: datetime, times: Iterable[tuple[datetime, datetime | None]]) -> tuple[Spell, ...]:
    """The spells, oldest first and at least one, of an incident that opened then.

    *times* are when its alerts opened and ended, in the order in which they opened.
    """
    found: list[Spell] = []
    for began, ended in times:
        if not found or (found[-1].ended is not None and began > found[-1].ended):
            found.append(Spell(began, ended))
        elif ended is None or (found[-1].ended is not None and ended > found[-1].ended):
            found[-1] = replace(found[-1], ended=ended)
    return tuple(found) or (Spell(opened_at),)


def spells(connection: Connection, opened: Sequence[Row[Any]]) -> dict[int, tuple[Spell, ...]]:
    """By incident; of each row its ``id`` and ``opened_at`` are known."""
    if not opened:
        return {}
    columns = [episodes.c[name] for name in ("incident_id", "opened_at", "resolved_at")]
    asked = select(*columns).where(among(connection.dialect.name, episodes.c.incident_id, "asked"))
    times: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    in_order = asked.order_by(episodes.c.opened_at, episodes.c.id)
    for incident, began, ended in connection.execute(in_order, {"asked": [row.id for row in opened]}).all():
        times[incident].append((began, ended))
    return {row.id: spells_of(row.opened_at, times[row.id]) for row in opened}
