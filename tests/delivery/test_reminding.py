"""Reminders and acknowledgements on a real history: each is made once, by however many daemons."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from monitor.alerts.incident import notification_key
from monitor.alerts.message import Message
from monitor.delivery.reminding import acknowledge, remind
from monitor.history import incidents as asked
from monitor.history import silences
from monitor.history.records import OutboxRecord, Silence
from monitor.history.store import Store
from monitor.history.tables import acknowledgements, alerts, episodes, incidents, outbox
from monitor.history.tables import silences as silence_table
from monitor.settings import AlertSettings, Escalation
from tests.alerts.scenes import Model, verdict
from tests.delivery.boxes import CHANNEL
from tests.delivery.open_incidents import DAY, T0, open_one, resolve

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PLAIN = AlertSettings()
LEADS = AlertSettings(escalation=(Escalation(after=HOUR, mention="@leads", channel="#leads"),))


def said(engine: Engine, receiver: str | None = None) -> list[Any]:
    """The outbox beyond what was there at first."""
    with engine.begin() as connection:
        found = connection.execute(select(outbox).where(outbox.c.reason != "opened").order_by(outbox.c.id)).all()
    return [row for row in found if receiver in (None, row.receiver)]


def reasons(engine: Engine) -> list[str]:
    return [row.reason for row in said(engine)]


def deliver(engine: Engine, at: datetime, state: str = "sent") -> None:
    with engine.begin() as connection:
        waiting = outbox.c.state == "pending"
        connection.execute(update(outbox).where(waiting).values(state=state, sent_at=at if state == "sent" else None))


def silence(at: datetime = T0, *, lasts: timedelta = HOUR) -> Silence:
    return Silence(0, {"model": "flight-*"}, at, at + lasts, "anna", "deploying")


def test_a_repeat_goes_to_everyone_who_was_told_and_takes_the_next_place_in_the_incident(engine: Engine) -> None:
    incident = open_one(engine, receivers=(CHANNEL, "console"))

    assert remind(engine, PLAIN, {CHANNEL, "console"}, T0 + 4 * HOUR - MINUTE) == 0
    assert remind(engine, PLAIN, {CHANNEL, "console"}, T0 + 4 * HOUR) == 1

    rows = said(engine)
    assert [row.key for row in rows] == [f"{incident}/2/{CHANNEL}", f"{incident}/2/console"]
    assert Message.from_data(rows[0].message).thread_line == "🔴 Still open after 4 hours: accuracy 0.668 < 0.728."
    assert rows[0].created_at == rows[0].next_at == T0 + 4 * HOUR
    assert remind(engine, PLAIN, {CHANNEL, "console"}, T0 + 9 * HOUR) == 0, "the first repeat is still to be delivered"


def test_a_receiver_that_is_no_more_is_not_reminded(engine: Engine) -> None:
    open_one(engine, receivers=(CHANNEL, "slack:#gone"))

    remind(engine, PLAIN, {CHANNEL}, T0 + 4 * HOUR)

    assert [row.receiver for row in said(engine)] == [CHANNEL]


def test_a_receiver_that_does_not_answer_gets_no_pile_of_repeats(engine: Engine) -> None:
    open_one(engine, receivers=(CHANNEL, "webhook:dead"))
    with engine.begin() as connection:
        dead = outbox.c.receiver == "webhook:dead"
        connection.execute(update(outbox).where(dead).values(state="blocked", sent_at=None))

    remind(engine, PLAIN, {CHANNEL, "webhook:dead"}, T0 + 4 * HOUR)

    assert [row.receiver for row in said(engine)] == [CHANNEL]


def test_an_escalation_mentions_somebody_and_tells_a_second_channel(engine: Engine) -> None:
    open_one(engine)

    remind(engine, LEADS, {CHANNEL, "slack:#leads"}, T0 + HOUR)

    rows = said(engine)
    assert [(row.reason, row.receiver) for row in rows] == [("escalated", CHANNEL), ("escalated", "slack:#leads")]
    assert Message.from_data(rows[0].message).mention == "@leads"
    deliver(engine, T0 + HOUR)
    remind(engine, LEADS, {CHANNEL, "slack:#leads"}, T0 + 5 * HOUR)
    repeat = said(engine)[-1]
    assert (repeat.reason, repeat.receiver) == ("repeat", "slack:#leads"), "who was called in is kept informed"
    assert Message.from_data(repeat.message).mention is None


def test_what_is_resolved_is_never_told_again(engine: Engine) -> None:
    resolve(engine, open_one(engine))

    assert remind(engine, LEADS, {CHANNEL}, T0 + 9 * DAY) == 0


def test_an_alert_that_is_over_is_not_spoken_of(engine: Engine) -> None:
    open_one(engine)
    with engine.begin() as connection:
        connection.execute(update(episodes).values(resolved_at=T0 + DAY))

    assert remind(engine, LEADS, {CHANNEL}, T0 + 9 * DAY) == 0


@pytest.mark.parametrize("stops", [False, True], ids=["it ends by itself", "somebody ends it"])
def test_a_silence_that_ends_while_the_incident_is_open_leads_to_one_message(engine: Engine, *, stops: bool) -> None:
    made = silences.add(engine, silence(lasts=3 * HOUR), T0)
    open_one(engine, state="suppressed")
    assert remind(engine, PLAIN, {CHANNEL}, T0 + HOUR) == 0
    if stops:
        silences.end(engine, made.id, T0 + HOUR)

    for quarter in range(4 * 6):
        now = T0 + HOUR + quarter * 15 * MINUTE
        remind(engine, PLAIN, {CHANNEL}, now)
        deliver(engine, now)

    told = said(engine)
    assert [row.reason for row in told if row.reason == "unmuted"] == ["unmuted"]
    assert told[0].created_at == T0 + (1 if stops else 3) * HOUR
    assert "Silence 1 of anna (deploying) is over" in told[0].message["thread_line"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 6)), max_size=3), st.integers(4, 12))
def test_nobody_is_told_while_all_is_muted_and_once_after(
    engine: Engine, silenced: list[tuple[int, int]], resolved: int
) -> None:
    """Hour by hour, with whatever silences, until it is resolved."""
    with engine.begin() as connection:
        for table in (outbox, episodes, alerts, incidents, silence_table):
            connection.execute(table.delete())
    incident = open_one(engine)
    muted: set[int] = set()
    for start, length in silenced:
        silences.add(engine, silence(T0 + start * HOUR, lasts=length * HOUR), T0)
        muted |= set(range(start, start + length))
    for hour in range(1, 24):
        if hour == resolved:
            resolve(engine, incident)
        remind(engine, PLAIN, {CHANNEL}, T0 + hour * HOUR)
        deliver(engine, T0 + hour * HOUR)

    made = [int((row.created_at - T0) / HOUR) for row in said(engine)]
    unmuted = [int((row.created_at - T0) / HOUR) for row in said(engine) if row.reason == "unmuted"]
    assert not muted & set(made)
    assert all(hour < resolved for hour in made)
    assert unmuted == [hour for hour in range(1, resolved) if hour - 1 in muted and hour not in muted]


def test_of_several_daemons_that_remind_at_once_one_does(engine: Engine) -> None:
    for number in range(12):
        open_one(engine, name=str(number))
    daemons = 4
    together = threading.Barrier(daemons)

    def work(_: int) -> int:
        together.wait(10)
        return remind(engine, PLAIN, {CHANNEL}, T0 + 4 * HOUR)

    with ThreadPoolExecutor(daemons) as pool:
        made = list(pool.map(work, range(daemons)))

    assert sum(made) == 12
    assert reasons(engine) == ["repeat"] * 12
    assert len({row.incident_id for row in said(engine)}) == 12
    with engine.begin() as connection:
        assert set(connection.execute(select(incidents.c.sequence)).scalars()) == {2}


def test_what_an_evaluation_has_to_say_is_not_lost_to_a_reminder(engine: Engine) -> None:
    """Both want the next place in the incident at the same moment."""
    incident = open_one(engine)
    store = Store(engine)
    token = store.claim("flight-delay", "me", T0, DAY)
    assert token is not None
    reminder = threading.Thread(target=lambda: remind(engine, PLAIN, {CHANNEL}, T0 + 4 * HOUR))
    with store.recording("flight-delay", token, T0) as recording:
        [found] = recording.incidents()
        reminder.start()
        reminder.join(0.5)
        place = found.sequence + 1
        recording.update_incident(incident, severity="page", resolved_at=None, sequence=place)
        message = model_message()
        key = notification_key(incident, place, CHANNEL)
        recording.enqueue(OutboxRecord(key, incident, CHANNEL, "alert_joined", message, T0 + 4 * HOUR))
    reminder.join(10)

    assert "alert_joined" in reasons(engine)


def model_message() -> dict[str, Any]:
    return Model().see(1, verdict("breach")).notifications[0].message.to_data()


def test_an_acknowledgement_is_told_in_the_thread_and_stops_the_reminders(engine: Engine) -> None:
    incident = open_one(engine)

    answer = acknowledge(engine, incident, "anna", "looking", T0 + HOUR, 6 * HOUR)
    deliver(engine, T0 + HOUR)

    assert answer.kind == "acknowledged"
    assert answer.sentence == f"Incident {incident} of flight-delay is acknowledged until 2026-03-04 19:00 UTC."
    [told] = said(engine)
    assert (told.reason, told.receiver) == ("acknowledged", CHANNEL)
    assert told.message["remark"] == "Acknowledged by anna until 2026-03-04 19:00 UTC"
    assert remind(engine, LEADS, {CHANNEL}, T0 + 7 * HOUR - MINUTE) == 0
    assert remind(engine, PLAIN, {CHANNEL}, T0 + 7 * HOUR) == 1
    assert said(engine)[-1].message["remark"] == "", "the parent does not claim it any more"


def test_an_acknowledgement_of_a_warning_does_not_hold_for_a_page(engine: Engine) -> None:
    incident = open_one(engine, page=False)
    acknowledge(engine, incident, "anna", "", T0, DAY)
    deliver(engine, T0)
    raised = Model().see(1, verdict("breach"))
    with engine.begin() as connection:
        [alert] = raised.alerts
        connection.execute(update(alerts).values(state=alert.to_data()))
        message = raised.notifications[0].message.to_data()
        connection.execute(update(outbox).values(message=message))

    assert remind(engine, PLAIN, {CHANNEL}, T0 + 4 * HOUR) == 1


@pytest.mark.parametrize(
    ("another", "kind", "sentence"),
    [
        # Over already: seeing it changes nothing.
        (0, "resolved", "is over since 2026-03-05 12:00 UTC; there is nothing to acknowledge."),
        # Never there.
        (1, "unknown", "There is no incident"),
    ],
)
def test_what_is_not_open_is_not_acknowledged(engine: Engine, another: int, kind: str, sentence: str) -> None:
    incident = open_one(engine)
    resolve(engine, incident)

    answer = acknowledge(engine, incident + another, "anna", "", T0, DAY)

    assert answer.kind == kind
    assert sentence in answer.sentence
    with engine.begin() as connection:
        assert connection.execute(select(acknowledgements)).all() == []
    assert reasons(engine) == []


def test_acknowledgements_given_at_once_are_all_kept(engine: Engine) -> None:
    incident = open_one(engine)
    together = threading.Barrier(4)

    def work(number: int) -> str:
        together.wait(10)
        return acknowledge(engine, incident, f"person {number}", "", T0, DAY).kind

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == ["acknowledged"] * 4

    assert reasons(engine) == ["acknowledged"] * 4
    story = asked.story(engine, incident, T0)
    assert story is not None
    assert {each.author for each in story.acknowledgements} == {f"person {number}" for number in range(4)}
