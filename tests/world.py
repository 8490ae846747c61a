"""A small world to run the real daemon in: three weeks of a model that decays in the second."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 21
ROWS = 200
DECAY = range(7, 14)
RIGHT, WRONG = 0.9, 0.6

CONFIG = """
[[models]]
name = "churn"
version = "7"
task = "binary"
owner = "@growth"
window = "2d"

[models.predictions]
source = "predictions.parquet"
id = "id"
time = "at"
prediction = "said"
entity = "customer"

[models.outcomes]
source = "outcomes.parquet"
value = "was"
time = "known_at"
delay = "1d"

[models.population]
source = "population.parquet"
entity = "customer"

[models.release]
{promises}

[history]
url = "{history}"

[web]
port = {port}

[clock]
start = {start}T00:00:00Z
end = {end}T00:00:00Z
speed = "{speed}"
"""


def write_log(folder: Path, *, slowest: float = 20, days: int = DAYS, decay: range = DECAY) -> None:
    """Predictions that come true nine times in ten, and six in ten on days of *decay*; *slowest* outcome in hours."""
    chance = random.Random(7)
    at, said, was, known, customer = [], [], [], [], []
    for day in range(days):
        right = WRONG if day in decay else RIGHT
        for row in range(ROWS):
            moment = START + day * DAY + timedelta(seconds=row * 400)
            guess = chance.randint(0, 1)
            at.append(moment)
            said.append(guess)
            was.append(guess if chance.random() < right else 1 - guess)
            known.append(moment + timedelta(hours=chance.uniform(0.5, slowest)))
            customer.append(f"c{row}")
    ids = [f"p{place}" for place in range(len(at))]
    stamp = pa.timestamp("us", "UTC")
    log = {"id": ids, "at": pa.array(at, stamp), "said": said, "customer": customer}
    pq.write_table(pa.table(log), folder / "predictions.parquet")
    came = {"id": ids, "was": was, "known_at": pa.array(known, stamp)}
    pq.write_table(pa.table(came), folder / "outcomes.parquet")
    pq.write_table(pa.table({"customer": sorted(set(customer))}), folder / "population.parquet")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "monitor", *words]


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("MONITOR_")}


@dataclass
class World:
    """A folder with a config.toml, and the daemons started in it."""

    folder: Path
    port: int
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def configure(
        self,
        *,
        speed: str = "4d",
        history: str = "sqlite:///history.db",
        extra: str = "",
        promises: str = "accuracy = { min = 0.8 }\ncoverage = { min = 0.5 }",
        days: tuple[str, str] = ("2026-03-02", "2026-03-23"),
    ) -> None:
        start, end = days
        text = CONFIG.format(speed=speed, history=history, port=self.port, promises=promises, start=start, end=end)
        (self.folder / "config.toml").write_text(text + extra)

    def run(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*words, "--config", str(self.folder / "config.toml")),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=environment(),
        )

    def start(self, **variables: str) -> subprocess.Popen[str]:
        with (self.folder / f"output-{len(self.processes)}.txt").open("w") as output:
            process = subprocess.Popen(
                command("run", "--config", str(self.folder / "config.toml")),
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment() | variables,
            )
        self.processes.append(process)
        return process

    def output(self, place: int = -1) -> str:
        place = place % len(self.processes)
        return (self.folder / f"output-{place}.txt").read_text()

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of the daemon's answer; status 0 while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except (urllib.error.URLError, TimeoutError):
            return 0, ""

    def history(self, *words: str) -> list[dict[str, object]]:
        done = self.run("history", "--format", "json", *words)
        assert done.returncode == 0, done.stderr
        rows: list[dict[str, object]] = json.loads(done.stdout)
        return rows

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait(10)


def eventually(true: Callable[[], object], *, within: float = 60, what: str = "") -> None:
    until = time.monotonic() + within
    while not true():
        assert time.monotonic() < until, f"Not within {within} s: {what}"
        time.sleep(0.2)
