"""The digest, when it is due: made from the history and put into the outbox, once for all daemons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import structlog
from sqlalchemy import Engine

from monitor.alerts.digest import Fleet, Margin, OpenModel, due_on, tell_fleet
from monitor.alerts.silence import named
from monitor.history import silences
from monitor.history.fleet import FleetNow, fleet_now, said, say
from monitor.history.records import OutboxRecord
from monitor.history.rows import HistoryRow
from monitor.release.contract import Side
from monitor.release.words import display_name
from monitor.settings import Digest

log = structlog.get_logger(__name__)


def digest_once(
    engine: Engine,
    digest: Digest,
    receivers: Sequence[str],
    watched: Sequence[str],
    units: Mapping[str, str],
    *,
    now: datetime,
    wall: datetime,
) -> bool:
    """Put the digest that is due at *now*, monitor time, into the outbox of each of *receivers*; False where none is.

    *watched* are the names of the models, *units* those of metrics. Its key makes it once, however many daemons try.
    """
    day = due_on(digest, now)
    if day is None:
        return False
    keys = {f"digest/{day.isoformat()}/{receiver}": receiver for receiver in receivers}
    missing = {key: receiver for key, receiver in keys.items() if key not in said(engine, list(keys))}
    if not missing:
        return False
    held = tuple(named(each) for each in silences.kept(engine, wall) if each.starts_at <= wall)
    fleet = _fleet(fleet_now(engine, wall), watched, units, held)
    message = tell_fleet(fleet, day, now, digest.every).to_data()
    say(engine, [OutboxRecord(key, None, receiver, "digest", message, wall) for key, receiver in missing.items()])
    log.info("digest_made", message=f"The digest of {day:%Y-%m-%d} is on its way.", receivers=len(missing))
    return True


def _fleet(found: FleetNow, watched: Sequence[str], units: Mapping[str, str], held: tuple[str, ...]) -> Fleet:
    """Of the models that are watched now; others are history."""
    known = set(watched)
    own = [row for row in found.verdicts if row.model in known and row.verdict == "ok"]
    return Fleet(
        models=len(known),
        open=tuple(
            OpenModel(
                row.model,
                row.id,
                "page" if row.severity == "page" else "warn",
                found.since[row.id],
                found.seen.get(row.id, ""),
            )
            for row in found.incidents
            if row.model in known
        ),
        unjudged=tuple(sorted(known - {row.model for row in found.models})),
        blind=tuple(
            f"{row.model} {display_name(row.metric, row.column, row.segment)}"
            for row in found.blind
            if row.model in known
        ),
        margins=_margins((row for row in own if row.reason not in ("watch", "not_back")), units),
        suspicious=_margins((row for row in own if row.reason == "watch"), units),
        silences=held,
    )


def _margins(rows: Iterable[HistoryRow], units: Mapping[str, str]) -> tuple[Margin, ...]:
    return tuple(margin for row in rows if (margin := _margin(row, units)) is not None)


def _margin(row: HistoryRow, units: Mapping[str, str]) -> Margin | None:
    if row.value is None or row.threshold is None:
        return None
    side: Side = "min" if row.side == "min" else "max"
    name = display_name(row.metric, row.column, row.segment)
    return Margin(row.model, name, side, row.value, row.threshold, units.get(row.metric, ""))
