"""Silences and incidents as the history keeps and tells them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine, insert, update

from monitor.history import incidents, silences
from monitor.history.records import EpisodeRecord, OutboxRecord, Silence
from monitor.history.silences import SilencesNow
from monitor.history.store import Store
from monitor.history.tables import acknowledgements, outbox, transitions
from tests.history.conftest import DAY, START, WALL

HOUR = timedelta(hours=1)
QUIET = Silence(0, {"model": "flight-*", "segment": ""}, WALL, WALL + HOUR, "anna", "deploying")
MESSAGE = {"state": "page", "thread_line": "accuracy fell", "owner": "@flights", "about": [["accuracy", "", "page"]]}


def test_a_silence_is_kept_as_it_was_made_and_gets_an_id(engine: Engine) -> None:
    made = silences.add(engine, QUIET, WALL)

    assert made == replace(QUIET, id=1)
    assert silences.kept(engine) == (made,)


def test_a_silence_that_is_over_is_told_of_only_when_asked_for(engine: Engine) -> None:
    silences.add(engine, QUIET, WALL)

    assert len(silences.kept(engine, WALL + HOUR - timedelta(seconds=1))) == 1
    assert silences.kept(engine, WALL + HOUR) == ()
    assert len(silences.kept(engine)) == 1


def test_a_silence_can_be_ended_once_and_never_prolonged(engine: Engine) -> None:
    silences.add(engine, QUIET, WALL)

    assert silences.end(engine, 1, WALL + HOUR / 2) == replace(QUIET, id=1, ends_at=WALL + HOUR / 2)
    assert silences.end(engine, 1, WALL + 2 * HOUR) == replace(QUIET, id=1, ends_at=WALL + HOUR / 2)
    assert silences.end(engine, 7, WALL) is None


def test_deliveries_see_a_new_silence_within_seconds(engine: Engine) -> None:
    now = SilencesNow(engine)
    assert now(WALL) == ()
    silences.add(engine, QUIET, WALL)

    assert now(WALL + timedelta(seconds=4)) == ()
    assert len(now(WALL + timedelta(seconds=5))) == 1
    assert len(now(WALL - DAY)) == 1, "the clock was set back"


def test_silences_go_when_they_are_older_than_the_history(engine: Engine, store: Store) -> None:
    silences.add(engine, QUIET, WALL)

    assert store.prune(WALL + HOUR + 400 * DAY, 400 * DAY) == 0
    assert store.prune(WALL + HOUR + 401 * DAY, 400 * DAY) == 1
    assert silences.kept(engine) == ()


def an_incident(store: Store, *, day: int = 0, model: str = "flights", resolved: bool = False, told: str = "") -> int:
    token = store.claim(model, "me", WALL, HOUR)
    assert token is not None
    opened = START + day * DAY
    with store.recording(model, token, WALL) as recording:
        incident = recording.open_new_incident(version="1", severity="page", opened_at=opened)
        recording.open_episode(incident, EpisodeRecord("k", "drift", "warn", opened, "temp", "origin=EWR", 0.3, 0.2))
        recording.open_episode(incident, EpisodeRecord("k2", "accuracy", "page", opened))
        if resolved:
            recording.update_incident(incident, severity="page", resolved_at=opened + DAY, sequence=2)
        for place, state in enumerate(filter(None, told.split())):
            recording.enqueue(OutboxRecord(f"{incident}/{place}/console", incident, "console", "opened", MESSAGE, WALL))
            recording.connection.execute(
                update(outbox).where(outbox.c.key == f"{incident}/{place}/console").values(state=state)
            )
    store.give_back(model, token)
    return incident


def test_incidents_are_listed_by_model_by_time_and_those_that_are_open(engine: Engine, store: Store) -> None:
    an_incident(store, day=0, resolved=True)
    an_incident(store, day=1)
    an_incident(store, day=2, model="churn")

    def ids(*, model: str | None = None, since: datetime | None = None, open_only: bool = False) -> list[int]:
        return [row.id for row in incidents.listed(engine, WALL, model, since, open_only=open_only)]

    assert ids() == [1, 2, 3]
    assert ids(model="flights") == [1, 2]
    assert ids(since=START + DAY) == [1, 2, 3]
    assert ids(since=START + 1.5 * DAY) == [2, 3], "those that went on by then"
    assert ids(open_only=True, model="churn") == [3]


def test_an_incident_names_its_alerts_and_what_became_of_telling(engine: Engine, store: Store) -> None:
    for told in ("", "suppressed", "suppressed blocked", "blocked pending", "pending superseded", "suppressed sent"):
        an_incident(store, told=told)

    found = incidents.listed(engine, WALL)

    assert found[0].alerts == ("drift.temp [origin=EWR]", "accuracy")
    assert [row.told for row in found] == ["nobody", "muted", "blocked", "waiting", "told", "told"]


def test_an_acknowledgement_of_a_warning_is_not_shown_once_it_pages(engine: Engine, store: Store) -> None:
    incident = an_incident(store)
    with engine.begin() as connection:
        seen = {"incident_id": incident, "severity": "warn", "author": "anna", "created_at": WALL}
        connection.execute(insert(acknowledgements), {**seen, "comment": "", "expires_at": WALL + HOUR})

    assert [row.acknowledged for row in incidents.listed(engine, WALL)] == [None]


def test_the_story_of_an_incident_holds_everything(engine: Engine, store: Store) -> None:
    incident = an_incident(store, told="suppressed")
    another = an_incident(store, told="sent")
    with engine.begin() as connection:
        seen = {"incident_id": incident, "severity": "page", "author": "anna", "created_at": WALL}
        connection.execute(insert(acknowledgements), {**seen, "comment": "mine", "expires_at": WALL + HOUR})
        about = {
            "model": "flights",
            "alert_key": "k",
            "metric": "drift",
            "column": "temp",
            "segment": "",
            "side": "max",
        }
        change = {"before": "pending", "after": "firing", "reason": "fired", "value": 0.3}
        times = {"window_end": START, "recorded_at": WALL}
        connection.execute(insert(transitions), {**about, **change, **times, "incident_id": incident})
        connection.execute(update(outbox).where(outbox.c.incident_id == incident).values(why="Silence 3 ..."))

    story = incidents.story(engine, incident, WALL)

    assert story is not None
    assert story.owner == "@flights"
    assert [(each.metric, each.segment) for each in story.alerts] == [("drift.temp", "origin=EWR"), ("accuracy", "")]
    assert [(each.metric, each.before, each.after, each.reason) for each in story.transitions] == [
        ("drift.temp", "pending", "firing", "fired")
    ]
    assert [(each.state, each.why, each.line) for each in story.notifications] == [
        ("suppressed", "Silence 3 ...", "accuracy fell")
    ]
    assert [each.comment for each in story.acknowledgements] == ["mine"]
    assert story.incident.acknowledged == story.acknowledgements[0]
    after = incidents.story(engine, incident, WALL + HOUR)
    assert after is not None
    assert after.incident.acknowledged is None, "it has expired"
    assert incidents.story(engine, another + 1, WALL) is None
