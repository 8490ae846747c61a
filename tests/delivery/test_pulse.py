"""The heartbeat goes out only while people would be told, and an outage of the history is told from memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from monitor.delivery.http import Address
from monitor.delivery.outage import Outage
from monitor.history.deliveries import receiver_rows
from monitor.history.engine import open_engine
from monitor.history.store import Store
from monitor.pulse import Pulse
from monitor.receivers import heartbeat_of, names_of
from tests.delivery.boxes import NOW
from tests.delivery.fake_address import FakeAddress
from tests.delivery.fake_slack import FakeSlack
from tests.delivery.test_receivers import settings
from tests.delivery.test_slack_delivery import receiver

MINUTE = timedelta(minutes=1)
AWAY = "The history at localhost does not answer."


@pytest.fixture
def address() -> Iterator[FakeAddress]:
    with FakeAddress() as fake:
        yield fake


def pulse(engine: Engine, url: str, problems: Callable[[], list[str]] = list) -> Pulse:
    return Pulse(Store(engine), Address(url, timedelta(seconds=0.4)), Outage(None, "here"), problems)


def test_the_heartbeat_goes_out_while_all_is_well(engine: Engine, address: FakeAddress) -> None:
    beating = pulse(engine, f"{address.url}/ping/1")
    for minutes in range(3):
        beating.beat(NOW + minutes * MINUTE)
    assert [(asked.method, asked.path) for asked in address.asked] == [("GET", "/ping/1")] * 3
    [row] = receiver_rows(engine)
    assert (row.receiver, row.sent_at) == ("heartbeat", NOW + MINUTE), "as it was when the history was last tried"


def test_it_is_held_back_while_somebody_would_not_be_told_and_that_is_said_once(
    engine: Engine, address: FakeAddress
) -> None:
    problems = ["slack:#a refuses everything: ..."]
    beating = pulse(engine, address.url, lambda: problems)
    with capture_logs() as logs:
        for minutes in range(3):
            beating.beat(NOW + minutes * MINUTE)
        assert address.asked == []
        problems.clear()
        beating.beat(NOW + 3 * MINUTE)
    assert len(address.asked) == 1
    assert [(line["event"], line["message"]) for line in logs] == [
        ("heartbeat_held_back", "No heartbeat goes out: slack:#a refuses everything: ..."),
        ("heartbeat_goes_on", "The heartbeat goes out again."),
    ]


def test_an_address_that_does_not_answer_is_said_once_and_asked_again(engine: Engine, address: FakeAddress) -> None:
    beating = pulse(engine, address.url)
    address.script(500, 404, "lost")
    with capture_logs() as logs:
        for minutes in range(5):
            beating.beat(NOW + minutes * MINUTE)
            if minutes == 1:
                assert receiver_rows(engine)[0].error == "The answer was HTTP 500."
    assert len(address.asked) == 5
    assert [line["event"] for line in logs] == ["heartbeat_held_back", "heartbeat_goes_on"]
    assert "The address of alerts.heartbeat was not reached. The answer was HTTP 500." in logs[0]["message"]


def test_a_history_that_takes_no_write_holds_it_back(address: FakeAddress) -> None:
    nowhere = open_engine("postgresql://nobody@127.0.0.1:1/none")
    beating = pulse(nowhere, address.url, lambda: pytest.fail("asked a history that is away"))
    with capture_logs() as logs:
        beating.beat(NOW)
    assert address.asked == []
    assert logs[0]["event"] == "heartbeat_held_back"


def test_without_an_address_nobody_is_asked_and_the_history_is_tried_all_the_same(engine: Engine) -> None:
    seen: list[str] = []

    class Watched(Outage):
        def see(self, problem: str, *_: object) -> None:
            seen.append(problem)

    Pulse(Store(engine), None, Watched(None, "here"), list).beat(NOW)
    assert seen == [""]


def test_the_heartbeat_is_an_address_of_the_settings() -> None:
    assert heartbeat_of(settings()) is None
    said = settings(alerts={"heartbeat": "https://example.org/ping"})
    assert heartbeat_of(said) is not None
    assert names_of(said) == ["console", "heartbeat"]


def test_slack_is_told_once_when_the_history_stays_away_and_once_when_it_is_back(slack: FakeSlack) -> None:
    outage = Outage(receiver(slack), "host-1")
    for minutes in range(12):
        outage.see(AWAY, NOW + minutes * MINUTE)
        assert len(slack.messages) == (minutes >= 5)
    for minutes in range(12, 15):
        outage.see("", NOW + minutes * MINUTE)
    away, back = slack.messages
    assert away.body["text"] == (
        "🔴 model-monitor on host-1 cannot use its history since 2026-03-01 03:00 UTC; until it can, nothing is judged "
        f"and nobody is told of anything. {AWAY}"
    )
    assert back.body["text"] == (
        "🟢 model-monitor on host-1 uses its history again, after 12 minutes. "
        "What fell due meanwhile is caught up with."
    )
    assert away.body["client_msg_id"] == away.identity != back.identity
    assert slack.invalid == []


def test_outages_of_less_than_five_minutes_do_not_add_up(slack: FakeSlack) -> None:
    outage = Outage(receiver(slack), "host-1")
    for minutes, problem in enumerate([AWAY, AWAY, AWAY, AWAY, AWAY, "", AWAY, AWAY, AWAY, AWAY, AWAY, ""]):
        outage.see(problem, NOW + minutes * MINUTE)
    assert slack.calls == []


@pytest.mark.parametrize("fault", ["lost", "500", "not_in_channel"])
def test_what_slack_did_not_take_is_told_again_and_never_twice(slack: FakeSlack, fault: str) -> None:
    slack.script("chat.postMessage", fault)
    outage = Outage(receiver(slack), "host-1")
    for minutes in range(9):
        outage.see(AWAY, NOW + minutes * MINUTE)
    slack.script("chat.postMessage", fault)
    for minutes in range(9, 15):
        outage.see("", NOW + minutes * MINUTE)
    assert [message.body["text"][0] for message in slack.messages] == ["🔴", "🟢"]
