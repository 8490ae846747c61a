"""Since when an incident is open, whatever came before."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from monitor.history import incidents
from monitor.history.fleet import fleet_now
from monitor.history.queries import models
from monitor.history.records import EpisodeRecord
from monitor.history.spells import Spell, spell_of
from monitor.history.store import Store
from tests.history.conftest import DAY, LEASE, START, WALL, Record


@pytest.mark.parametrize(
    ("times", "since", "relapses"),
    [
        # nothing is known of its alerts; one that is still open; one that is over
        ([], 0, 0),
        ([(0, None)], 0, 0),
        ([(0, 5)], 0, 0),
        # a second alert joined before the first ended, or as it ended: no break
        ([(0, 5), (3, 9)], 0, 0),
        ([(0, 5), (5, None)], 0, 0),
        # the second ended before the first, and a third joined then
        ([(0, 9), (3, 5), (8, None)], 0, 0),
        # over for two days, and again; and once more
        ([(0, 5), (7, None)], 7, 1),
        ([(0, 5), (7, 8), (20, 22)], 20, 2),
        # after one that never ended there is no break
        ([(0, None), (7, 8), (20, None)], 0, 0),
    ],
)
def test_an_incident_is_open_since_its_last_break(
    times: list[tuple[int, int | None]], since: int, relapses: int
) -> None:
    told = [(START + began * DAY, None if ended is None else START + ended * DAY) for began, ended in times]
    assert spell_of(START, told) == Spell(START + since * DAY, relapses)


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
