"""What keeps people from being told is said: by /readyz, by the metrics and by ``model-monitor receivers``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, update

from monitor.delivery.health import healthy
from monitor.history.deliveries import ReceiverRow, note_receiver, receiver_rows
from monitor.history.tables import outbox
from monitor.receivers import listed, well
from monitor.web.metrics import HistoryMetrics
from tests.delivery.boxes import CHANNEL, NOW, SECOND, drain, put, relay_on, story
from tests.delivery.fake_slack import FakeSlack
from tests.delivery.test_muted_delivery import muting
from tests.delivery.test_slack_delivery import receiver

MINUTE = timedelta(minutes=1)
REVOKED = "Slack answered token_revoked (HTTP 200). Give a valid bot token in MONITOR_SLACK__TOKEN."


def row(**said: Any) -> ReceiverRow:
    return ReceiverRow(receiver="slack:#a", **said)


@pytest.mark.parametrize(
    ("tick_age", "found", "expected"),
    [
        # nothing waits
        (1, [row()], []),
        # a tick that stopped
        (61, [row()], ["No tick for 61 s."]),
        # refused for good
        (
            1,
            [row(healthy=False, error=REVOKED, blocked=1, oldest=NOW - MINUTE)],
            [f"slack:#a refuses everything: {REVOKED}"],
        ),
        # this message alone is refused
        (
            1,
            [row(blocked=1, error="Slack answered x.", oldest=NOW)],
            ["slack:#a: 1 notification is blocked until this is mended: Slack answered x."],
        ),
        # an outage, once it is no blip
        (1, [row(waiting=1, error="HTTP 500", oldest=NOW - 2 * MINUTE)], []),
        (
            1,
            [row(waiting=1, error="HTTP 500", oldest=NOW - 3 * MINUTE)],
            ["slack:#a has not worked for 3 minutes: HTTP 500"],
        ),
        # nobody takes it, and nobody says why
        (1, [row(waiting=1, oldest=NOW - 15 * MINUTE)], []),
        (
            1,
            [row(waiting=1, oldest=NOW - 16 * MINUTE)],
            ["A notification has waited for slack:#a since 2026-03-01 02:44 UTC."],
        ),
        # suppressed on purpose is well
        (1, [row(suppressed=5)], []),
    ],
)
def test_what_stands_in_the_way_is_a_sentence(tick_age: float, found: list[ReceiverRow], expected: list[str]) -> None:
    assert healthy(tick_age, 60, found, NOW) == expected


@pytest.mark.parametrize(
    "name", ["token_revoked", "invalid_auth", "missing_scope", "is_archived", "channel_not_found", "not_in_channel"]
)
def test_a_refusal_for_good_is_shown_and_what_waits_goes_out_once_it_is_mended(
    slack: FakeSlack, engine: Engine, name: str
) -> None:
    put(engine, story()[:1])
    put(engine, story()[:1])
    slack.script("chat.postMessage", name)
    relay = relay_on(engine, receiver(slack))
    drain(relay, seconds=5)
    [found] = receiver_rows(engine)
    assert (found.receiver, found.healthy, found.blocked, found.waiting) == (CHANNEL, False, 1, 1)
    assert found.error.startswith(f"Slack answered {name} (HTTP 200). ")
    assert len(found.error.split(". ")) == 2, "a way out"
    assert found.blocked_until is not None
    assert 5 * MINUTE <= found.blocked_until - NOW < 6 * MINUTE, "a busy machine takes its time"
    drain(relay, NOW + 6 * MINUTE, seconds=60)
    [found] = receiver_rows(engine)
    assert (found.healthy, found.blocked, found.waiting, found.error, found.oldest) == (True, 0, 0, "", None)
    assert well(found)
    assert found.sent_at is not None


def test_what_is_held_against_one_message_is_shown_too(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1])
    put(engine, story()[:1])
    with engine.begin() as connection:
        connection.execute(update(outbox).where(outbox.c.id == 1).values(message={"nonsense": True}))
    drain(relay_on(engine, receiver(slack)), seconds=5)
    [found] = receiver_rows(engine)
    assert (found.healthy, found.blocked, found.error) == (True, 1, "The stored message cannot be read.")
    assert not well(found)


def test_the_metrics_tell_receivers_apart(slack: FakeSlack, engine: Engine) -> None:
    put(engine, story()[:1])
    put(engine, story()[:1], receiver="slack:#elsewhere")
    drain(relay_on(engine, receiver(slack), gate=muting("opened")), seconds=5)
    metrics = HistoryMetrics(list, lambda: receiver_rows(engine), lambda: NOW + 90 * SECOND)
    told = {
        (family.name, *sample.labels.values()): sample.value
        for family in metrics.collect()
        for sample in family.samples
    }
    assert told["model_monitor_outbox", CHANNEL, "suppressed"] == 1
    assert told["model_monitor_outbox", "slack:#elsewhere", "pending"] == 1
    assert told["model_monitor_outbox_age_seconds", "slack:#elsewhere"] == 90
    assert told["model_monitor_receiver_healthy", CHANNEL] == 1


def test_receivers_are_listed_as_configured_then_those_that_are_gone_but_waited_for() -> None:
    rows = [
        row(),
        ReceiverRow("slack:#b", blocked_until=NOW),
        ReceiverRow("slack:#gone", waiting=2),
        ReceiverRow("slack:#over"),
    ]
    found = listed(rows, ["slack:#b", "slack:#new"], NOW)
    assert [each.receiver for each in found] == ["slack:#b", "slack:#new", "slack:#gone"]
    assert [well(each) for each in found] == [True, True, False]
    assert found[0].blocked_until is None, "a pause that is over is none"
    assert found[2].error == "config.toml names no such receiver any more. Name it again, and what waits goes out."


def test_a_receiver_without_an_outbox_is_remembered_too(engine: Engine) -> None:
    note_receiver(engine, "heartbeat", NOW, "", healthy=True)
    note_receiver(engine, "heartbeat", None, "HTTP 500", healthy=False)
    [found] = receiver_rows(engine)
    assert (found.sent_at, found.healthy, found.error) == (NOW, False, "HTTP 500")
    note_receiver(engine, "heartbeat", NOW + MINUTE, "", healthy=True)
    [found] = receiver_rows(engine)
    assert (found.sent_at, found.healthy, found.error) == (NOW + MINUTE, True, "")
