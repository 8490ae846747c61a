"""Two relays under fire: they are killed or paused at random while Slack misbehaves, until everything is delivered."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine, func, select

from monitor.clock import wall_now
from monitor.history.tables import outbox
from tests.delivery.boxes import put, story
from tests.delivery.fake_slack import Chaos
from tests.delivery.slack.process import SlackProcess
from tests.faults.telling import Told, told

ROOT = Path(__file__).parents[2]
STORY = story()
# 5 % of all posts and edits each: whatever Slack and the way to it do at their worst
EACH_FAULT: Mapping[str, float] = dict.fromkeys(
    ("429", "500", "500_after", "reset", "truncated", "html", "no_ts", "lost", "late", "hang"), 0.05
)
Weapon = Literal["kill", "pause"]


@dataclass(frozen=True)
class Plan:
    """How heavy the fire is. *every*: from one hit to the next; *pause*: how long a relay is stopped."""

    weapon: Weapon
    incidents: int
    hits: int
    every: tuple[float, float] = (0.02, 0.12)
    pause: float = 1.5
    faults: Mapping[str, float] = field(default_factory=lambda: EACH_FAULT)
    patience: float = 60.0


@dataclass(frozen=True)
class Figures:
    """What came of it."""

    weapon: Weapon
    hits: int
    alerts: int
    told: Told
    invalid: list[str]
    faults: Mapping[str, int]
    seconds: float

    def __str__(self) -> str:
        befell = ", ".join(f"{name} {count:,}" for name, count in sorted(self.faults.items()))
        return (
            f"{self.weapon}s {self.hits:,} | alerts {self.alerts:,} | lost {len(self.told.lost)} | "
            f"twice {len(self.told.strangers)} | faults {sum(self.faults.values()):,}: {befell} | {self.seconds:.0f} s"
        )


class Nest:
    """Where relays hatch. It forks them, so that each is at work within milliseconds."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def hatch(self) -> int:
        """One relay more; its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("one\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def nest(url: str, api_url: str) -> Iterator[Nest]:
    """A nest for relays on the history at *url*; they die with it."""
    command = [sys.executable, "-m", "tests.faults.relay_nest", url, api_url]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Nest(process)
        process.kill()


def besiege(engine: Engine, url: str, plan: Plan) -> Figures:
    """Deliver stories of five alerts each under fire: first the messages, then, or they would be one, their threads."""
    dice = random.Random(f"{plan.weapon} {url.partition(':')[0]}")
    opened = [put(engine, STORY[:1], at=wall_now()) for _ in range(plan.incidents)]
    began = time.monotonic()
    hits = 0
    with SlackProcess() as slack, nest(url, slack.url) as home:
        slack.unleash(Chaos(plan.faults, reads=0.2, seed=7))  # or searches of many pages would never end
        relays = [home.hatch(), home.hatch()]
        while (opened or _pending(engine)) and time.monotonic() < began + plan.patience:
            time.sleep(dice.uniform(*plan.every))
            if not _pending(engine):
                opened = _go_on(engine, opened)
            if hits < plan.hits:
                hit(plan, relays, home, dice)
                hits += 1
        for relay in relays:
            os.kill(relay, signal.SIGKILL)
        record = slack.record()
    seconds = time.monotonic() - began
    alerts = plan.incidents * len(STORY)
    return Figures(plan.weapon, hits, alerts, told(engine, record), record.invalid, record.faults, seconds)


def _go_on(engine: Engine, opened: list[int]) -> list[int]:
    for incident in opened:
        put(engine, STORY[1:], incident=incident, at=wall_now())
    return []


def hit(plan: Plan, relays: list[int], home: Nest, dice: random.Random) -> None:
    """Kill one relay and hatch another, or stop one for longer than its lease."""
    relay = relays.pop(0) if plan.weapon == "pause" else relays.pop(dice.randrange(2))
    if plan.weapon == "kill":
        os.kill(relay, signal.SIGKILL)
        relays.append(home.hatch())
        return
    os.kill(relay, signal.SIGSTOP)
    time.sleep(plan.pause)
    os.kill(relay, signal.SIGCONT)
    relays.append(relay)


def _pending(engine: Engine) -> int:
    with engine.connect() as connection:
        waiting = select(func.count()).select_from(outbox).where(outbox.c.state.in_(("pending", "blocked")))
        return int(connection.execute(waiting).scalar_one())
