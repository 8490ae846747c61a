"""What waits for the first message of an incident becomes part of it; late messages say so and tell the story."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from monitor.delivery.coalescing import Waiting, lateness
from monitor.delivery.retry import RelayRules
from monitor.delivery.slack import SlackReceiver
from monitor.history.tables import outbox, receivers
from tests.delivery.boxes import NOW, SECOND, drain, put, relay_on, rows, states, story
from tests.delivery.fake_slack import Chaos, FakeSlack, Limited, Posted
from tests.delivery.test_slack_delivery import exactly_once, receiver

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def note(message: Posted) -> str:
    return str(message.body["blocks"][-1]["elements"][0]["text"])


def test_what_waits_together_is_one_message_with_the_newest_state(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:3])
    drain(relay_on(engine, receiver(slack)), seconds=5)
    [message] = slack.messages
    assert message.body["text"].startswith("🔴 PAGE · flight-delay 2013-04 · accuracy 0.668 &lt; 0.728")
    assert "late" not in note(message)
    assert states(engine) == ["sent", "superseded", "superseded"]


def test_the_first_message_waits_for_what_belongs_to_it_and_no_other_does(slack: FakeSlack, engine: Engine) -> None:
    relay = relay_on(engine, receiver(slack), rules=RelayRules(timeout=SECOND, group_wait=10 * SECOND))
    incident = put(engine, story()[:1])
    put(engine, story()[1:2], incident=incident, at=NOW + 8 * SECOND)
    drain(relay, seconds=10)
    assert slack.messages == []
    now = drain(relay, NOW + 10 * SECOND, seconds=2)
    assert states(engine) == ["sent", "superseded"]
    put(engine, story()[2:3], incident=incident, at=now)
    drain(relay, now, seconds=2)
    assert states(engine) == ["sent", "superseded", "sent"], "the thread is there: nothing to wait for"


def test_an_incident_that_is_over_before_it_was_told_is_told_all_the_same(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story())
    drain(relay_on(engine, receiver(slack)), seconds=5)
    [message] = slack.messages
    assert message.body["text"].startswith("🟢 RESOLVED · flight-delay 2013-04")


def test_after_an_outage_each_incident_is_one_message_that_tells_its_story(slack: FakeSlack, engine: Engine) -> None:
    told = story()
    slack.script("chat.postMessage", *["500"] * 60)
    relay = relay_on(engine, receiver(slack))
    first = put(engine, told[:1])
    put(engine, told[:1], at=NOW + MINUTE)
    put(engine, told[1:], incident=first, at=NOW + 90 * MINUTE)
    drain(relay, seconds=6 * 3600, step=30 * SECOND)
    over, still = sorted(slack.messages, key=lambda message: "WARN" in message.body["text"])
    assert over.body["text"].startswith("🟢 RESOLVED")
    assert still.body["text"].startswith("🟡 WARN")
    assert "fired 2026-03-01 03:00, 3 changes, resolved 2026-03-01 04:30 UTC; delivered " in note(over)
    assert "fired 2026-03-01 03:01 UTC; delivered " in note(still)
    assert states(engine) == ["sent", "sent", *["superseded"] * 4]


@pytest.mark.parametrize("fault", ["500", "closed door"])
def test_when_a_channel_works_again_what_waits_is_told_at_once_oldest_first(
    slack: FakeSlack, engine: Engine, fault: str
) -> None:
    shut = SlackReceiver(FakeSlack.token, "#alerts", api_url="http://127.0.0.1:1/api/", timeout=SECOND)
    for _ in range(8):
        put(engine, story()[:1])
    if fault == "500":
        slack.unleash(Chaos({"500": 1.0}))
    now = drain(relay_on(engine, receiver(slack) if fault == "500" else shut), seconds=3600, step=5 * SECOND)
    assert slack.messages == []
    slack.unleash(None)
    open_again = relay_on(engine, receiver(slack))
    until = now + 5 * MINUTE
    while not slack.messages:
        assert now < until, "the first probe comes within five minutes"
        now = drain(open_again, now, seconds=1)
    drain(open_again, now, seconds=9)
    exactly_once(slack, engine)
    place = {row.provider_id: row.incident_id for row in rows(engine)}
    _, *after_the_probe = [place[message.ts] for message in slack.messages]
    assert after_the_probe == sorted(after_the_probe)
    assert len(after_the_probe) == 7


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        # alone
        (["opened"], "fired 2026-03-01 03:00 UTC; delivered 3 hours late"),
        # and over
        (["opened", "resolved"], "fired 2026-03-01 03:00, resolved 2026-03-01 03:01 UTC; delivered 3 hours late"),
        # with one change between
        (
            ["opened", "alert_joined", "severity_raised"],
            "fired 2026-03-01 03:00, 1 change, severity raised 2026-03-01 03:02 UTC; delivered 3 hours late",
        ),
    ],
)
def test_a_late_message_tells_the_story(reasons: list[str], expected: str) -> None:
    behind = [Waiting(place, reason, NOW + place * MINUTE, {}) for place, reason in enumerate(reasons) if place]
    assert lateness(reasons[0], NOW, behind, 3 * HOUR) == expected


@pytest.mark.parametrize("jump", [HOUR, timedelta(days=400)], ids=str)
def test_a_clock_that_is_set_back_does_not_hold_messages_up(slack: FakeSlack, engine: Engine, jump: timedelta) -> None:
    ahead = NOW + jump
    put(engine, story()[:1], at=ahead)
    put(engine, story()[:1], at=ahead)
    slack.script("chat.postMessage", "lost")
    relay = relay_on(engine, receiver(slack), rules=RelayRules(timeout=SECOND, group_wait=10 * SECOND))
    drain(relay, ahead + 10 * SECOND, seconds=1)
    drain(relay, NOW, seconds=60)
    exactly_once(slack, engine)
    assert len(slack.messages) == 2


def test_after_a_clock_was_set_back_retries_are_as_patient_as_ever(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1], at=NOW + HOUR)
    slack.script("chat.postMessage", "lost")
    relay = relay_on(engine, receiver(slack))
    drain(relay, NOW, seconds=29)
    assert len(slack.calls) == 1, "what may have landed settles first"
    drain(relay, NOW + 29 * SECOND, seconds=5)
    exactly_once(slack, engine)


def test_channels_are_paced_and_blocked_each_for_itself(slack: FakeSlack, engine: Engine) -> None:
    # two routes that lead to one channel are one receiver; another channel goes on while that one is blocked
    slack.channels["leads"] = "C0LEADS001"
    for place in range(4):
        put(engine, story()[:1])
        put(engine, story()[:1], receiver="slack:#leads", at=NOW + place * SECOND)
    slack.script("chat.postMessage", Limited(60))
    relay = relay_on(engine, receiver(slack), receiver(slack, "#leads"))
    drain(relay, seconds=20, step=SECOND / 10)
    posted = [message.channel for message in slack.messages]
    assert posted == ["C0LEADS001"] * 4
    drain(relay, NOW + 60 * SECOND, seconds=3, step=SECOND / 10)
    assert [message.channel for message in slack.messages].count("C0ALERTS01") == 3
    with engine.begin() as connection:
        connection.execute(update(receivers).values(blocked_until=None))
    drain(relay, NOW + 63 * SECOND, seconds=3, step=SECOND / 10)
    exactly_once(slack, engine)


def test_a_digest_belongs_to_no_incident_and_waits_for_nobody(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:2])
    with engine.begin() as connection:
        connection.execute(update(outbox).values(incident_id=None))
    relay = relay_on(engine, receiver(slack), rules=RelayRules(timeout=SECOND, group_wait=60 * SECOND))
    drain(relay, seconds=5)
    assert states(engine) == ["sent", "sent"]
    assert len(slack.parents()) == 2
    assert rows(engine)[0].provider_id == slack.messages[0].ts
