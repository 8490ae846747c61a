"""What the settings say of who is told becomes receivers, routes and waits."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

from rich.console import Console
from sqlalchemy import Engine

from monitor.clock import wall_now
from monitor.delivery.console import ConsoleReceiver
from monitor.delivery.lanes import Lane, finish_all
from monitor.delivery.outbox import SqlOutbox
from monitor.delivery.receiver import Outcome
from monitor.delivery.retry import RelayRules
from monitor.receivers import default_channel, receivers_of, routing_of, rules_of
from monitor.settings import Settings
from tests.delivery.boxes import put, states, story
from tests.world import eventually

SLACK: dict[str, Any] = {
    "token": "xoxb-1",
    "channel": "#alerts",
    "routes": [
        {"channel": "#growth", "models": ["churn-*"], "severities": ["page"]},
        {"channel": "#alerts", "owners": ["@flights"]},
        {"channel": "#growth", "owners": ["@growth"]},
    ],
}


def settings(**tables: Any) -> Settings:
    return Settings.model_validate({"models": (), **tables})


def names(said: Settings) -> list[str]:
    return [receiver.name for receiver in receivers_of(said, Console())]


def test_without_a_token_the_console_is_told_everything() -> None:
    said = settings(slack={"channel": "#alerts"})
    assert names(said) == ["console"]
    assert routing_of(said).receivers("churn", None, "page") == ("console",)
    assert default_channel(said) is None


def test_each_channel_is_one_receiver_however_often_it_is_named() -> None:
    tiers = [{"after": "1h", "channel": "#leads"}, {"after": "2h", "mention": "@cto"}]
    said = settings(slack=SLACK, alerts={"escalation": tiers})
    assert names(said) == ["slack:#alerts", "slack:#growth", "slack:#leads"]
    channel = default_channel(said)
    assert channel is not None
    assert channel.name == "slack:#alerts"


def test_the_first_route_that_fits_decides_and_the_default_channel_takes_the_rest() -> None:
    routing = routing_of(settings(slack=SLACK))
    assert routing.receivers("churn-eu", "@flights", "page") == ("slack:#growth",)
    assert routing.receivers("churn-eu", "@flights", "warn") == ("slack:#alerts",)
    assert routing.receivers("ranking", "@growth", "warn") == ("slack:#growth",)
    assert routing.receivers("ranking", None, "page") == ("slack:#alerts",)


def test_first_messages_wait_as_the_settings_say_but_never_on_a_played_clock() -> None:
    wait = {"group_wait": "90s"}
    assert rules_of(settings(alerts=wait)).group_wait == timedelta(seconds=90)
    assert rules_of(settings(alerts=wait, clock={"start": "2026-03-01"})).group_wait == timedelta(0)


class Hanging(ConsoleReceiver):
    """Hangs until it is let go."""

    name = "hanging"

    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self.let_go = threading.Event()
        self.reached = threading.Event()

    def post_parent(self, letter: Any) -> Outcome:
        self.reached.set()
        self.let_go.wait(30)
        return super().post_parent(letter)


def test_a_receiver_that_hangs_holds_up_nobody_else_and_a_stop_only_a_while(engine: Engine) -> None:
    stop, hanging, results = threading.Event(), Hanging(), []
    others = ConsoleReceiver(Console(quiet=True))
    lanes = [
        Lane(SqlOutbox(engine), receiver, RelayRules(), lambda *result: results.append(result))
        for receiver in (hanging, others)
    ]
    put(engine, story()[:1], receiver="hanging", at=wall_now())
    put(engine, story()[:1], receiver="console", at=wall_now())
    threads = [threading.Thread(target=lane.deliver, args=(stop, wall_now)) for lane in lanes]
    for thread in threads:
        thread.start()
    assert hanging.reached.wait(10)
    eventually(lambda: states(engine) == ["pending", "sent"], what="the other is told")
    stop.set()
    began = time.monotonic()
    finish_all(lanes, 0.3)
    assert 0.25 < time.monotonic() - began < 2
    hanging.let_go.set()
    for thread in threads:
        thread.join(10)
    assert states(engine) == ["sent", "sent"]
    assert sorted(results) == [("console", "sent"), ("hanging", "sent")]
