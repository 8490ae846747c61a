"""Notifications on their way to Slack, over HTTP, with the faults Slack and networks have."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from monitor.alerts.buttons import LABELS, Pressed, read_value, signing_key
from monitor.clock import wall_now
from monitor.delivery.retry import RelayRules
from monitor.delivery.slack import SlackReceiver
from monitor.delivery.slack_client import auth_test
from monitor.history.tables import outbox, receivers, threads
from tests.delivery.boxes import CHANNEL, NOW, SECOND, drain, put, put_one_by_one, relay_on, rows, states, story
from tests.delivery.fake_slack import FAULTS, FakeSlack, Limited

TIMEOUT = timedelta(seconds=10)  # so long that a busy machine is never taken for a Slack that is away
SHORT = timedelta(seconds=0.4)


def receiver(
    slack: FakeSlack, channel: str = "#alerts", token: str = FakeSlack.token, timeout: timedelta = TIMEOUT
) -> SlackReceiver:
    return SlackReceiver(token, channel, api_url=slack.url, timeout=timeout)


def exactly_once(slack: FakeSlack, engine: Engine) -> None:
    """Each notification is one message: nothing lost, nothing doubled, nothing that Slack refused."""
    identities = [message.identity for message in slack.messages]
    assert len(identities) == len(set(identities)), "doubled"
    assert states(engine) == ["sent"] * len(identities), "lost"
    assert slack.invalid == []


def test_an_incident_is_one_message_edited_in_place_with_its_story_in_the_thread(
    slack: FakeSlack, engine: Engine
) -> None:
    put_one_by_one(engine, story(), relay_on(engine, receiver(slack)))
    [parent] = slack.parents()
    replies = slack.replies(parent)
    exactly_once(slack, engine)
    assert parent.body["text"] == "🟡 WARN · flight-delay 2013-04 · drift.temp 0.31 &gt; 0.2"
    assert [edit["text"].split(" · ")[0] for edit in parent.edits] == ["🟡 WARN", "🔴 PAGE", "🔴 PAGE", "🟢 RESOLVED"]
    assert len(parent.now["blocks"]) < len(parent.body["blocks"]), "a resolved parent shrinks"
    assert [bool(reply.body.get("reply_broadcast")) for reply in replies] == [False, True, False, False]
    assert "drift.wind rose above the promised 0.2" in replies[0].body["text"]
    assert parent.body["client_msg_id"] == parent.identity


def test_the_owner_is_called_by_a_new_parent_and_by_an_escalation_and_by_nothing_else(
    slack: FakeSlack, engine: Engine
) -> None:
    slack.record.mentions = ("<@U0ANNA001>", "<!subteam^S0LEADS01>")
    told = story()
    escalated = replace(told[2].message, reason="escalated", mention="@leads")
    mentions = {"@flights-oncall": "U0ANNA001", "@leads": "S0LEADS01"}
    calling = SlackReceiver(FakeSlack.token, "#alerts", api_url=slack.url, timeout=TIMEOUT, mentions=mentions)
    put_one_by_one(engine, [*told[:2], replace(told[2], message=escalated), *told[3:]], relay_on(engine, calling))
    [parent] = slack.parents()
    exactly_once(slack, engine)
    texts = [
        json.dumps(body["blocks"])
        for body in (parent.body, *parent.edits, *(one.body for one in slack.replies(parent)))
    ]
    assert ["<@U0ANNA001>" in text for text in texts] == [True, *[False] * 4, False, True, False, False]
    assert ["<!subteam^S0LEADS01>" in text for text in texts] == [*[False] * 5, False, True, False, False]
    assert [bool(reply.body.get("reply_broadcast")) for reply in slack.replies(parent)] == [False, True, False, False]


def test_buttons_and_the_page_are_those_of_the_incident_and_go_when_it_is_resolved(
    slack: FakeSlack, engine: Engine
) -> None:
    put(engine, story()[:1])
    second = put(engine, story()[:1])
    web = "https://monitor.example.org/"
    dressed = SlackReceiver(FakeSlack.token, "#alerts", api_url=slack.url, timeout=TIMEOUT, web_url=web, buttons=True)
    relay = relay_on(engine, dressed)
    now = drain(relay, seconds=4)
    put(engine, story()[1:], incident=second, at=now)
    drain(relay, now, seconds=10)
    _, parent = slack.parents()
    actions = parent.body["blocks"][-1]["elements"]
    assert f"<https://monitor.example.org/incidents/{second}|Incident>" in json.dumps(parent.body["blocks"])
    pressed = [read_value(signing_key(FakeSlack.token), button["value"], wall_now()) for button in actions]
    assert pressed == [Pressed(action, second) for action in LABELS]
    assert [body["blocks"][-1]["type"] for body in parent.edits] == ["actions"] * 3 + ["context"]
    assert slack.invalid == []


def test_a_second_incident_is_a_second_message(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1])
    put(engine, story()[:1])
    drain(relay_on(engine, receiver(slack)), seconds=10)
    assert len(slack.parents()) == 2
    exactly_once(slack, engine)


# slack-sdk does not close a response that breaks off; the collector does, with a warning
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", ["parent", "reply", "update"])
def test_no_fault_loses_or_doubles_a_message(slack: FakeSlack, engine: Engine, fault: str, place: str) -> None:
    slack.hang_seconds = 0.6
    relay = relay_on(engine, receiver(slack, timeout=SHORT if fault == "hang" else TIMEOUT))
    told = story()
    if place == "parent":
        slack.script("chat.postMessage", fault, fault)
    incident = put(engine, told[:1])
    now = drain(relay, seconds=150)
    if place != "parent":
        slack.script("chat.update" if place == "update" else "chat.postMessage", fault, fault)
    put(engine, told[1:3], incident=incident, at=now)
    drain(relay, now, seconds=150)
    exactly_once(slack, engine)
    assert len(slack.messages) == 3
    gc.collect()


def test_a_lost_answer_is_found_on_the_last_page_of_a_busy_channel(engine: Engine) -> None:
    with FakeSlack(page_size=3) as slack:
        put(engine, story()[:1])
        slack.script("chat.postMessage", "lost")
        relay = relay_on(engine, receiver(slack))
        relay.do_one(NOW)
        for number in range(20):
            body = {"channel": "#alerts", "text": f"chatter {number}"}
            slack.answer("chat.postMessage", body)
        drain(relay, NOW + SECOND, seconds=120)
        ours = [message for message in slack.messages if "metadata" in message.body]
        assert len(ours) == 1
        assert states(engine) == ["sent"]
        assert slack.called("conversations.history") == 7
        assert slack.called("conversations.list") == 1


def test_an_ambiguous_attempt_settles_before_it_is_looked_for(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1])
    slack.script("chat.postMessage", "lost")
    relay = relay_on(engine, receiver(slack))
    drain(relay, seconds=29)
    assert slack.called("conversations.history") == 0
    drain(relay, NOW + 29 * SECOND, seconds=4)
    assert slack.called("conversations.history") == 1
    exactly_once(slack, engine)


@pytest.mark.parametrize("seconds", [1, 12, 90, 3600])
def test_nothing_is_asked_of_slack_before_retry_after(slack: FakeSlack, engine: Engine, seconds: int) -> None:
    put(engine, story()[:1])
    put(engine, story()[:1])
    slack.script("chat.postMessage", Limited(seconds))
    relay = relay_on(engine, receiver(slack))
    relay.do_one(NOW)
    for passed in range(1, 20):
        assert not relay.do_one(NOW + timedelta(seconds=seconds) * passed / 20)
    assert len(slack.calls) == 1
    drain(relay, NOW + timedelta(seconds=seconds), seconds=10)
    exactly_once(slack, engine)


def test_a_retry_after_that_makes_no_sense_is_half_a_minute(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1])
    slack.script("chat.postMessage", Limited("Wed, 21 Oct 2026 07:28:00 GMT"))
    relay = relay_on(engine, receiver(slack))
    drain(relay, seconds=30)
    assert len(slack.calls) == 1
    drain(relay, NOW + 30 * SECOND, seconds=5)
    exactly_once(slack, engine)


def test_a_channel_gets_at_most_one_message_a_second(slack: FakeSlack, engine: Engine) -> None:
    for _ in range(5):
        put(engine, story()[:1])
    relay = relay_on(engine, receiver(slack))
    drain(relay, seconds=3, step=SECOND / 10)
    assert len(slack.messages) == 3


def test_a_refusal_blocks_is_shown_and_heals_by_itself(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1])
    slack.script("chat.postMessage", "not_in_channel")
    relay = relay_on(engine, receiver(slack))
    drain(relay, seconds=299)
    assert states(engine) == ["blocked"]
    sentence = (
        "Slack answered not_in_channel (HTTP 200). Invite the bot to the channel, or correct its name in config.toml."
    )
    assert rows(engine)[0].error == sentence
    with engine.begin() as connection:
        assert connection.execute(select(receivers.c.healthy, receivers.c.error)).one() == (False, sentence)
    assert len(slack.calls) == 1
    drain(relay, NOW + 299 * SECOND, seconds=10)
    exactly_once(slack, engine)
    with engine.begin() as connection:
        assert connection.execute(select(receivers.c.healthy, receivers.c.error)).one() == (True, None)


def test_blocks_that_slack_refuses_go_out_as_plain_text_at_once(slack: FakeSlack, engine: Engine) -> None:
    slack.script("chat.postMessage", "invalid_blocks")
    slack.script("chat.update", "msg_blocks_too_long")
    put_one_by_one(engine, story()[:2], relay_on(engine, receiver(slack)))
    [parent] = slack.parents()
    assert "blocks" not in parent.body
    assert "Promised: at most 0.2 (release 2013-04)" in parent.body["text"]
    assert parent.now["blocks"] == []
    exactly_once(slack, engine)


def test_a_deleted_parent_is_posted_anew(slack: FakeSlack, engine: Engine) -> None:
    told = story()
    relay = relay_on(engine, receiver(slack))
    incident = put(engine, told[:1])
    relay.do_one(NOW)
    slack.delete(slack.messages[0])
    put(engine, told[1:2], incident=incident)
    drain(relay, NOW + SECOND, seconds=5)
    put(engine, told[2:3], incident=incident, at=NOW + 6 * SECOND)
    drain(relay, NOW + 6 * SECOND, seconds=5)
    [parent] = slack.parents()
    assert len(slack.replies(parent)) == 1
    assert states(engine) == ["sent"] * 3
    with engine.begin() as connection:
        assert connection.execute(select(threads.c.provider_id)).scalar_one() == parent.ts


def test_when_history_stays_unreadable_the_message_goes_out_all_the_same(slack: FakeSlack, engine: Engine) -> None:
    # Slack answers, but cannot read back: an outage of history alone
    put(engine, story()[:1])
    slack.script("chat.postMessage", "500")
    slack.script("conversations.list", *["500"] * 50)
    relay = relay_on(engine, receiver(slack))
    drain(relay, seconds=599)
    assert slack.messages == []
    drain(relay, NOW + 599 * SECOND, seconds=400)
    exactly_once(slack, engine)
    assert len(slack.messages) == 1


def test_without_the_right_to_read_history_nobody_waits_for_it(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1])
    slack.script("chat.postMessage", "500")
    slack.script("conversations.list", "missing_scope")
    drain(relay_on(engine, receiver(slack)), seconds=40)
    exactly_once(slack, engine)


def test_a_relay_that_lost_its_lease_posts_nothing(slack: FakeSlack, engine: Engine) -> None:
    incident = put(engine, story()[:1])
    drain(relay_on(engine, receiver(slack)), seconds=1)
    put(engine, story()[1:2], incident=incident)

    class Slow(SlackReceiver):
        def update_parent(self, *args: Any) -> Any:
            with engine.begin() as connection:  # another relay takes the row while this one is away
                connection.execute(update(outbox).values(lease_owner="another"))
            return super().update_parent(*args)

    slow = Slow(FakeSlack.token, "#alerts", api_url=slack.url, timeout=TIMEOUT)
    assert relay_on(engine, slow).do_one(NOW + 5 * SECOND)
    assert len(slack.messages) == 1


def test_a_message_that_cannot_be_read_stops_only_its_own_incident(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1])
    put(engine, story()[:1])
    with engine.begin() as connection:
        connection.execute(update(outbox).where(outbox.c.id == 1).values(message={"nonsense": True}))
    drain(relay_on(engine, receiver(slack)), seconds=10)
    assert states(engine) == ["blocked", "sent"]
    assert rows(engine)[0].error == "The stored message cannot be read."


def test_a_closed_door_is_certainly_not_sent(engine: Engine) -> None:
    put(engine, story()[:1])
    closed = SlackReceiver(FakeSlack.token, "#alerts", api_url="http://127.0.0.1:1/api/", timeout=TIMEOUT)
    assert relay_on(engine, closed).do_one(NOW)
    assert rows(engine)[0].state == "pending"
    assert rows(engine)[0].first_attempted_at is None
    assert "Connection refused" in rows(engine)[0].error


def test_rows_of_receivers_that_are_not_here_wait(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1], receiver="slack:#elsewhere")
    assert not relay_on(engine, receiver(slack)).do_one(NOW)
    assert receiver(slack).name == CHANNEL


def test_auth_test_answers_in_a_sentence(slack: FakeSlack) -> None:
    good = auth_test(slack.token, api_url=slack.url)
    assert good == (True, "Slack knows the bot 'model-monitor' of workspace 'Acme'.")
    bad = auth_test("xoxb-wrong", api_url=slack.url)
    sentence = "Slack answered invalid_auth (HTTP 200). Give a valid bot token in MONITOR_SLACK__TOKEN."
    assert bad == (False, sentence)
    nobody = auth_test("xoxb-wrong", api_url="http://127.0.0.1:1")
    assert not nobody.ok
    assert nobody.sentence.startswith("Slack could not be reached: ")


def test_a_lease_that_ends_too_early_is_an_error() -> None:
    sentence = (
        "A lease of 10 seconds ends before an abandoned request has settled; twice the timeout "
        "and the settle time, at least 50 seconds, would be right."
    )
    with pytest.raises(ValueError, match="A lease of 10 seconds") as raised:
        RelayRules(lease=timedelta(seconds=10))
    assert str(raised.value) == sentence
