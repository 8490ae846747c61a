"""Silences and maintenance at the moment of delivery: nobody is told, and what was told stays true."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from monitor.alerts.message import Message
from monitor.delivery.relay import Gate
from tests.delivery.boxes import NOW, SECOND, drain, put, relay_on, rows, states, story
from tests.delivery.fake_slack import FakeSlack
from tests.delivery.test_slack_delivery import exactly_once, receiver

WHY = "Silenced until 2026-03-01 06:00 UTC by ann: retraining."
UNTOLD = "Nothing of this incident was told here, so there is nothing to take back."
DAY = timedelta(days=1)


def muting(*reasons: str, until: datetime = NOW + DAY) -> Gate:
    """A gate that is shut to messages with these reasons."""

    def gate(message: Message, now: datetime) -> str | None:
        return WHY if message.reason in reasons and now < until else None

    return gate


def whys(engine: Engine) -> list[str | None]:
    return [row.why for row in rows(engine)]


def test_a_muted_incident_is_not_told_and_its_row_says_why(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1])
    drain(relay_on(engine, receiver(slack), gate=muting("opened")), seconds=5)
    assert slack.calls == []
    assert (states(engine), whys(engine)) == (["suppressed"], [WHY])


def test_a_muted_change_edits_the_parent_and_posts_nothing(slack: FakeSlack, engine: Engine) -> None:
    relay = relay_on(engine, receiver(slack), gate=muting("severity_raised"))
    incident = put(engine, story()[:1])
    now = drain(relay, seconds=2)
    put(engine, story()[2:3], incident=incident, at=now)
    drain(relay, now, seconds=5)
    [parent] = slack.messages
    assert parent.now["text"].startswith("🔴 PAGE")
    assert (states(engine), whys(engine)) == (["sent", "suppressed"], [None, WHY])


def test_a_parent_that_cannot_be_edited_now_is_edited_later(slack: FakeSlack, engine: Engine) -> None:
    relay = relay_on(engine, receiver(slack), gate=muting("severity_raised"))
    incident = put(engine, story()[:1])
    now = drain(relay, seconds=2)
    slack.script("chat.update", "500", "500")
    put(engine, story()[2:3], incident=incident, at=now)
    now = drain(relay, now, seconds=2)
    assert states(engine) == ["sent", "pending"]
    drain(relay, now, seconds=60)
    assert slack.messages[0].now["text"].startswith("🔴 PAGE")
    assert states(engine) == ["sent", "suppressed"]


def test_a_muted_change_of_a_parent_that_was_deleted_posts_no_new_one(slack: FakeSlack, engine: Engine) -> None:
    relay = relay_on(engine, receiver(slack), gate=muting("severity_raised"))
    incident = put(engine, story()[:1])
    now = drain(relay, seconds=2)
    slack.delete(slack.messages[0])
    put(engine, story()[2:3], incident=incident, at=now)
    drain(relay, now, seconds=5)
    assert slack.messages == []
    assert states(engine) == ["sent", "suppressed"]


@pytest.mark.parametrize("after", [0, 1], ids=["right behind it", "after everything before was muted"])
def test_the_end_of_an_incident_nobody_was_told_of_is_not_told(slack: FakeSlack, engine: Engine, after: int) -> None:
    told = story()
    incident = put(engine, told[: 1 + after])
    relay = relay_on(engine, receiver(slack), gate=muting("opened", "alert_joined"))
    now = drain(relay, seconds=5)
    put(engine, told[-1:], incident=incident, at=now)
    drain(relay, now, seconds=5)
    assert slack.calls == []
    assert whys(engine) == [WHY] * (1 + after) + [UNTOLD]


def test_the_end_of_an_incident_that_another_channel_was_told_of_is_not_told_here(
    slack: FakeSlack, engine: Engine
) -> None:
    incident = put(engine, story()[:1], receiver="slack:#archive")
    put(engine, story()[-1:], incident=incident)
    drain(relay_on(engine, receiver(slack), receiver(slack, "#archive")), seconds=5)
    [message] = slack.messages
    assert message.channel == "C0ARCHIVE1"
    assert whys(engine) == [None, UNTOLD]


def test_what_is_not_muted_is_told_though_what_came_before_was(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:3])
    drain(relay_on(engine, receiver(slack), gate=muting("opened", "alert_joined")), seconds=5)
    [message] = slack.messages
    assert message.body["text"].startswith("🔴 PAGE")
    assert states(engine) == ["suppressed", "suppressed", "sent"]


def test_a_muted_change_does_not_mute_the_incident_it_waits_behind(slack: FakeSlack, engine: Engine) -> None:
    # the first is about an alert that is not silenced: it is told, with the newest state
    put(engine, story()[:2])
    drain(relay_on(engine, receiver(slack), gate=muting("alert_joined")), seconds=5)
    assert len(slack.messages) == 1
    assert states(engine) == ["sent", "superseded"]


def test_what_may_have_landed_is_looked_for_before_it_is_called_untold(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1])
    slack.script("chat.postMessage", "lost")
    relay_on(engine, receiver(slack)).do_one(NOW)
    drain(relay_on(engine, receiver(slack), gate=muting("opened")), NOW + SECOND, seconds=60)
    exactly_once(slack, engine)


def test_what_did_not_land_is_muted_after_it_was_looked_for(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1])
    slack.script("chat.postMessage", "500")
    relay_on(engine, receiver(slack)).do_one(NOW)
    drain(relay_on(engine, receiver(slack), gate=muting("opened")), NOW + SECOND, seconds=60)
    assert slack.messages == []
    assert (states(engine), whys(engine)) == (["suppressed"], [WHY])


def test_what_cannot_be_looked_for_is_never_called_untold(slack: FakeSlack, engine: Engine) -> None:
    told = story()
    incident = put(engine, told[:1])
    slack.script("chat.postMessage", "lost")
    slack.script("conversations.list", "missing_scope")
    relay_on(engine, receiver(slack)).do_one(NOW)
    relay = relay_on(engine, receiver(slack), gate=muting("opened"))
    now = drain(relay, NOW + SECOND, seconds=60)
    assert whys(engine) == [f"{WHY} An earlier attempt may have been delivered; it could not be looked for."]
    put(engine, told[-1:], incident=incident, at=now)
    drain(relay, now, seconds=5)
    assert states(engine) == ["suppressed", "sent"], "whoever saw the first shall see that it is over"


def test_a_silence_that_ends_before_the_delivery_mutes_nothing(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1])
    slack.script("chat.postMessage", "not_in_channel")
    relay_on(engine, receiver(slack)).do_one(NOW)
    gate = muting("opened", until=NOW + 100 * SECOND)
    drain(relay_on(engine, receiver(slack), gate=gate), NOW + SECOND, seconds=400)
    exactly_once(slack, engine)
