"""Slack is away for a day while two thousand things change: each incident is told of once it is back, oldest first."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from monitor.delivery.outbox import SqlOutbox
from monitor.delivery.relay import Relay
from monitor.delivery.retry import RelayRules
from monitor.delivery.slack import SlackReceiver
from monitor.history.tables import threads
from tests.conftest import a_free_port
from tests.delivery.boxes import NOW, SECOND, put, states, story
from tests.delivery.fake_slack import FakeSlack, Limited, Posted

STORY = story()
RETRY_AFTER = timedelta(minutes=2)
MOST_MORE = 50 * 2**20


class Wall:
    """The time on the wall, moved by the test."""

    def __init__(self) -> None:
        self.now: datetime = NOW

    def seconds(self) -> float:
        return self.now.timestamp()

    def pass_by(self, relay: Relay, length: timedelta, step: timedelta) -> None:
        """Let *length* go by while the relay looks for work at each *step*."""
        until = self.now + length
        while self.now < until:
            while relay.do_one(self.now):
                pass
            self.now += step


@pytest.mark.parametrize(
    ("hours", "incidents"),
    [pytest.param(2, 24, id="short"), pytest.param(24, 400, id="long", marks=pytest.mark.long)],
)
def test_after_a_day_without_slack_every_incident_is_told_of_oldest_first(
    engine: Engine, hours: int, incidents: int, record_property: Callable[[str, object], None]
) -> None:
    wall, port = Wall(), a_free_port()
    receiver = SlackReceiver(
        FakeSlack.token, "#alerts", api_url=f"http://127.0.0.1:{port}/api/", timeout=RelayRules().timeout
    )
    relay = Relay(SqlOutbox(engine), [receiver])
    before = memory()
    for _ in range(incidents):
        put(engine, STORY, at=wall.now)
        wall.pass_by(relay, timedelta(hours=hours) / incidents, step=10 * SECOND)
    more = memory() - before

    with FakeSlack(port=port, clock=wall.seconds) as slack:
        slack.faults.pace = 1.0
        slack.script("chat.postMessage", Limited(RETRY_AFTER.total_seconds()))
        back = wall.now
        while not set(states(engine)) <= {"sent", "superseded"}:
            wall.pass_by(relay, 60 * SECOND, step=SECOND)
            assert wall.now < back + timedelta(hours=2), "it takes too long to tell what was missed"

        parents = slack.parents()
        told = incidents_of(engine, parents)
        assert sorted(told) == list(range(1, incidents + 1)), "each incident appears, and once"
        assert told == sorted(told), "oldest first"
        late = [len([one for one in (parent, *slack.replies(parent)) if is_late(one)]) for parent in parents]
        assert set(late) <= {0, 1}
        assert all(late[: incidents - fresh(hours, incidents)]), "what is late says so"
        assert slack.record.violations == [], "nothing before Retry-After, nothing faster than a message a second"
        assert slack.invalid == []
        assert more <= MOST_MORE
        transitions = incidents * len(STORY)
        took = f"all told within {wall.now - back} | +{more / 2**20:.0f} MB"
        record_property("figures", f"{engine.name}: {hours} h without Slack | transitions {transitions:,} | {took}")


def fresh(hours: int, incidents: int) -> int:
    """How many incidents are too young to be late when Slack is back."""
    return int(RelayRules().late_after / (timedelta(hours=hours) / incidents)) + 1


def incidents_of(engine: Engine, parents: list[Posted]) -> list[int]:
    """The incident of each message, in the order of the messages."""
    with engine.connect() as connection:
        by_stamp = {row.provider_id: row.incident_id for row in connection.execute(select(threads))}
    return [by_stamp[parent.ts] for parent in parents]


def is_late(message: Posted) -> bool:
    """Whether it says so."""
    return " late" in json.dumps(message.body["blocks"][-1])


def memory() -> int:
    """What this process occupies, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
