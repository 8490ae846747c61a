"""A small model to be killed over, and what is known of it when nobody is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.history.engine import open_engine
from monitor.history.store import Store
from tests.conftest import a_free_port
from tests.delivery.fake_slack import FakeSlack
from tests.faults.telling import history_of, read_in_slack
from tests.world import World, environment, write_log

ROOT = Path(__file__).parents[2]
PROMISES = """accuracy = { min = 0.8, severity = "warn" }
recall = { min = 0.73 }"""
DAYS = ("2026-03-08", "2026-03-19")  # a decay begins and ends in them
EXTRA = """
[slack]
token = "${SLACK_BOT_TOKEN}"
channel = "#alerts"
api_url = "%s"

[alerts]
report = false
"""


@dataclass(frozen=True)
class Story:
    """What is told of the days, in the history and in Slack."""

    history: dict[str, list[str]]
    slack: list[tuple[str, list[str]]]


@dataclass
class Stage:
    """A folder with the model, a history and a Slack, for one daemon after another."""

    folder: Path
    url: str
    slack: FakeSlack

    def prepare(self) -> None:
        write_log(self.folder)
        world = World(self.folder, a_free_port())
        world.configure(speed="40d", history=self.url, promises=PROMISES, days=DAYS, extra=EXTRA % self.slack.url)

    def run(self, *trap: str) -> int:
        """Run a daemon to its end, with a trap in it or without; returns how it ended."""
        command = [sys.executable, "-m", "tests.faults.daemon", str(self.folder / "config.toml"), *trap]
        variables = environment() | {"SLACK_BOT_TOKEN": self.slack.token, "PYTHONPATH": str(ROOT)}
        with (self.folder / "output.txt").open("a") as output:
            done = subprocess.run(
                command, cwd=ROOT, env=variables, stdout=output, stderr=output, timeout=120, check=False
            )
        return done.returncode

    def run_and_hit(self, point: str, sent: signal.Signals) -> int:
        """Run a daemon until it is hit at *point*."""
        mark = self.folder / "hit"
        code = self.run(point, str(int(sent)), str(mark))
        assert mark.exists(), f"{point} was never reached. {self.output()}"
        return code

    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    def history(self) -> dict[str, list[str]]:
        with Store(open_engine(self.url)) as store:
            return history_of(store.engine)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story as it is told when nobody is killed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with FakeSlack() as slack:
        stage = Stage(folder, f"sqlite:///{folder / 'history.db'}", slack)
        stage.prepare()
        assert stage.run() == 0, stage.output()
        return Story(stage.history(), read_in_slack(slack.record))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures of every siege and outage, and how many crashes were survived: what `make faults` is run for."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    ended = [report for report in reports if report.when == "call"]
    figures = [str(value) for report in ended for name, value in report.user_properties if name == "figures"]
    crashes = [report for report in ended if "test_crashes" in report.nodeid]
    survived = sum(report.passed for report in crashes)
    terminalreporter.section("figures")
    for line in [*figures, f"crashes survived: {survived} of {len(crashes)}"]:
        terminalreporter.line(line)
