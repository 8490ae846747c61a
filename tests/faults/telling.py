"""What a history and Slack say in the end, without what may differ between two runs of the same days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Table, select

from monitor.history import tables
from tests.delivery.fake_slack import Record

# Ids and the time on the wall; how often something was tried, and where it ended up at Slack.
PASSING = {
    "id",
    "evaluation_id",
    "incident_id",
    "baseline_id",
    "seconds",
    "evaluated_at",
    "recorded_at",
    "created_at",
    "read_at",
    "attempts",
    "attempted_at",
    "first_attempted_at",
    "next_at",
    "lease_owner",
    "lease_until",
    "sent_at",
    "provider_id",
    "error",
    "data",  # a profile's bytes: its categories come in whatever order the engine counted them
}
KEPT = (
    tables.releases,
    tables.baselines,
    tables.profiles,
    tables.evaluations,
    tables.measurements,
    tables.verdicts,
    tables.incidents,
    tables.alerts,
    tables.episodes,
    tables.outbox,
)


def history_of(engine: Engine) -> dict[str, list[str]]:
    """Every table's rows, as text, in an order of their own."""
    with engine.connect() as connection:
        ids = list(connection.execute(select(tables.incidents.c.id).order_by(tables.incidents.c.id)).scalars())
        place = {incident: place for place, incident in enumerate(ids)}  # a rollback costs an id, so not the id itself
        return {
            table.name: sorted(_shown(table, row, place) for row in connection.execute(select(table))) for table in KEPT
        }


def _shown(table: Table, row: Any, place: Mapping[int, int]) -> str:
    shown = {name: value for name, value in row._mapping.items() if name not in PASSING}
    if table is tables.outbox:
        incident, _, rest = shown["key"].partition("/")
        shown["key"] = f"{place.get(int(incident)) if incident.isdigit() else incident}/{rest}"
    if table is tables.alerts:
        shown["state"] = _placed(shown["state"], place)
    return str(shown)


def _placed(state: Mapping[str, Any], place: Mapping[int, int]) -> dict[str, Any]:
    """The state of an alert, with that before it."""
    before = state["before"] and _placed(state["before"], place)
    return {**state, "incident": place.get(state["incident"]), "before": before}


def differences(here: Mapping[str, list[str]], there: Mapping[str, list[str]]) -> list[str]:
    """The rows that only one of two histories has."""
    return [
        f"{where} {table}: {row}"
        for table in here
        for where, found, other in (("only here", here, there), ("only there", there, here))
        for row in (Counter(found[table]) - Counter(other[table])).elements()
    ]


@dataclass(frozen=True)
class Told:
    """How often each notification is in Slack, by what the outbox says of it."""

    lost: list[str]
    doubled: list[str]
    strangers: list[str]
    """Messages no notification knows of."""


def told(engine: Engine, record: Record) -> Told:
    """Compare the outbox with what is in Slack."""
    with engine.connect() as connection:
        outbox = list(
            connection.execute(select(tables.outbox.c.key, tables.outbox.c.state, tables.outbox.c.provider_id))
        )
    stamps = {message.ts for message in record.messages}
    identities = Counter(message.identity for message in record.messages)
    return Told(
        lost=[row.key for row in outbox if row.state not in ("sent", "superseded") or row.provider_id not in stamps],
        doubled=[message.body["text"] for message in record.messages if identities[message.identity] > 1],
        strangers=sorted(stamps - {row.provider_id for row in outbox}),
    )


def read_in_slack(record: Record) -> list[tuple[str, list[str]]]:
    """The parents as they read now, each with the lines of its thread."""
    return [
        (parent.now["text"], [reply.now["text"] for reply in record.replies(parent)]) for parent in record.parents()
    ]


def as_if_each_were_sent(history: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The same where what was told within a later message of its incident counts as sent by itself."""
    outbox = sorted(row.replace("'state': 'superseded'", "'state': 'sent'") for row in history["outbox"])
    return {**history, "outbox": outbox}


def superseded(history: Mapping[str, list[str]]) -> int:
    """How many notifications were told within a later message of their incident."""
    return sum("'state': 'superseded'" in row for row in history["outbox"])


def lines_left_out(read: Sequence[tuple[str, list[str]]], whole: Sequence[tuple[str, list[str]]]) -> int:
    """How many lines the threads lack; the parents must read the same, and no line may be another or elsewhere."""
    assert [parent for parent, _ in read] == [parent for parent, _ in whole]
    for (_, lines), (_, every_line) in zip(read, whole, strict=True):
        assert lines == [line for line in every_line if line in lines]
    return sum(len(lines) for _, lines in whole) - sum(len(lines) for _, lines in read)
