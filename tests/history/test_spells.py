"""Since when an incident is open, whatever came before."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import Engine

from monitor.history import incidents
from monitor.history.fleet import fleet_now
from monitor.history.queries import models
from monitor.history.records import EpisodeRecord
from monitor.history.spells import Spell, spells_of
from monitor.history.store import Store
from tests.history.conftest import DAY, LEASE, START, WALL, Record

Times = tuple[int, int | None]


@pytest.mark.parametrize(
    ("times", "spells"),
    [
        # nothing is known of its alerts; one that is still open; one that is over
        ([], [(0, None)]),
        ([(0, None)], [(0, None)]),
        ([(0, 5)], [(0, 5)]),
        # a second alert joined before the first ended, or as it ended: no break
        ([(0, 5), (3, 9)], [(0, 9)]),
        ([(0, 5), (5, None)], [(0, None)]),
        # the second ended before the first, and a third joined then
        ([(0, 9), (3, 5), (8, None)], [(0, None)]),
        # over for two days, and again; and once more
        ([(0, 5), (7, None)], [(0, 5), (7, None)]),
        ([(0, 5), (7, 8), (20, 22)], [(0, 5), (7, 8), (20, 22)]),
        # after one that never ended there is no break
        ([(0, None), (7, 8), (20, None)], [(0, None)]),
    ],
)
def test_a_spell_is_a_time_without_a_break(times: list[Times], spells: list[Times]) -> None:
    def told(each: list[Times]) -> list[tuple[datetime, datetime | None]]:
        return [(START + began * DAY, None if ended is None else START + ended * DAY) for began, ended in each]

    assert spells_of(START, told(times)) == tuple(Spell(*each) for each in told(spells))


def test_an_incident_that_relapsed_is_told_to_be_open_since_then_everywhere(
    engine: Engine, store: Store, record: Record
) -> None:
    record(70)
    token = store.claim("flights", "me", WALL, LEASE)
    assert token is not None
    with store.recording("flights", token, WALL) as recording:
        incident = recording.open_new_incident(version="v1", severity="page", opened_at=START)
        for began, ended in ((0, 5), (60, None)):
            episode = EpisodeRecord("k", "accuracy", "page", START + began * DAY)
            recording.open_episode(incident, episode)
            if ended is not None:
                recording.resolve_episode(incident, "k", START + ended * DAY)
    again = START + 60 * DAY
    [row] = incidents.listed(engine, WALL)
    assert (row.opened_at, row.since, row.relapses, row.alerts) == (START, again, 1, ("accuracy",))
    [model] = models(engine)
    assert model.incident_since == again
    assert fleet_now(engine, WALL).since == {incident: again}
