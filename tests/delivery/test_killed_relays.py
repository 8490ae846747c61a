"""Relays are killed with SIGKILL at random moments while Slack misbehaves: nothing is lost, nothing comes twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from monitor.alerts.incident import Notification
from monitor.clock import wall_now
from tests.delivery.boxes import put, states, story
from tests.delivery.fake_slack import Chaos, FakeSlack

INCIDENTS = 15
KILLS = 25
CHAOS = Chaos({"500": 0.04, "500_after": 0.02, "429": 0.05, "lost": 0.05, "truncated": 0.02}, seed=7)


@contextmanager
def nest(url: str, api_url: str) -> Iterator[subprocess.Popen[str]]:
    script = Path(__file__).with_name("relay_nest.py")
    command = [sys.executable, str(script), url, api_url]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def hatch(process: subprocess.Popen[str]) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("one\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def _put_the_rest(engine: Engine, numbers: list[int], told: list[Notification]) -> list[int]:
    for number in numbers:
        put(engine, told, incident=number, at=wall_now())
    return []


def test_relays_killed_at_random_lose_and_double_nothing(engine: Engine, database_url: str, slack: FakeSlack) -> None:
    dice = random.Random(database_url.split(":", maxsplit=1)[0])
    told = story()[:3]
    numbers = [put(engine, told[:1], at=wall_now()) for _ in range(INCIDENTS)]
    slack.unleash(CHAOS)
    kills = 0
    until = time.monotonic() + 60
    with nest(database_url, slack.url) as process:
        relays = [hatch(process), hatch(process)]
        while time.monotonic() < until and (numbers or "pending" in states(engine)):
            time.sleep(dice.uniform(0.02, 0.12))
            if numbers and "pending" not in states(engine):  # every parent is there: now their threads
                numbers = _put_the_rest(engine, numbers, told[1:])
            if kills < KILLS:
                os.kill(relays.pop(dice.randrange(2)), signal.SIGKILL)
                relays.append(hatch(process))
                kills += 1
        for relay in relays:
            os.kill(relay, signal.SIGKILL)
    assert kills >= KILLS / 2
    assert states(engine) == ["sent"] * len(told) * INCIDENTS, "lost"
    identities = [message.identity for message in slack.messages]
    assert len(identities) == len(set(identities)) == len(told) * INCIDENTS, "doubled"
    assert all(len(slack.replies(parent)) == len(told) - 1 for parent in slack.parents())
    assert slack.invalid == []
