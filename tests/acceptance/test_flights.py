"""The example, as a newcomer runs it: incidents where the flights' model really decayed, none where it was quiet."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.world import command, environment

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.xdist_group("flights")  # the year is replayed once, in one of pytest's processes

# From the data's own ground truth (weekly accuracy against the release threshold, with day-clustered errors).
DECAY = [("2013-06-24", "2013-07-15"), ("2013-07-22", "2013-07-29"), ("2013-12-02", "2013-12-23")]
QUIET = [("2013-04-29", "2013-05-20"), ("2013-05-27", "2013-06-24"), ("2013-08-12", "2013-12-02")]
AFTER_QUIET = [DECAY[0], DECAY[2]]
CLEARLY_QUIET = [("2013-05-08", "2013-05-20"), ("2013-05-27", "2013-06-24"), ("2013-09-09", "2013-12-02")]


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def test_the_year_is_replayed_in_one_process(request: pytest.FixtureRequest) -> None:
    """pytest-xdist names the group that it keeps together; a version that forgot groups did so without a word."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert request.node.nodeid.endswith("@flights")


@pytest.fixture(scope="module")
def incidents() -> list[dict[str, object]]:
    done = subprocess.run(
        command("replay", "--format", "json", "--config", str(ROOT / "config.toml")),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    [present] = json.loads(done.stdout)["contracts"]
    found: list[dict[str, object]] = present["incidents"]
    return found


def opened(incidents: list[dict[str, object]]) -> list[datetime]:
    return [datetime.fromisoformat(str(each["opened_at"])) for each in incidents]


def is_open(incident: dict[str, object], start: datetime, end: datetime) -> bool:
    """Whether the incident was open between *start* and *end*."""
    ended = incident["resolved_at"]
    began = datetime.fromisoformat(str(incident["opened_at"]))
    return began <= end and (ended is None or datetime.fromisoformat(str(ended)) > start)


@pytest.mark.parametrize(("start", "end"), AFTER_QUIET)
def test_an_incident_opens_in_a_stretch_of_decay(incidents: list[dict[str, object]], start: str, end: str) -> None:
    # A window that ends at midnight holds the day before it.
    assert any(at(start) < found <= at(end) for found in opened(incidents))


@pytest.mark.parametrize(("start", "end"), DECAY)
def test_an_incident_is_open_in_each_stretch_of_decay(incidents: list[dict[str, object]], start: str, end: str) -> None:
    # The second begins a week after the first: its incident goes on, for days that are clearly back take longer to see.
    assert any(is_open(each, at(start), at(end)) for each in incidents)


@pytest.mark.parametrize(("start", "end"), CLEARLY_QUIET)
def test_no_incident_stays_open_for_weeks_of_quiet(incidents: list[dict[str, object]], start: str, end: str) -> None:
    # Four weeks for the days since the page to be clearly back; without these an incident that never ends finds all.
    assert not [each for each in incidents if is_open(each, at(start), at(end))]


@pytest.mark.parametrize(("start", "end"), QUIET)
def test_no_incident_opens_while_all_was_quiet(incidents: list[dict[str, object]], start: str, end: str) -> None:
    assert not [found for found in opened(incidents) if at(start) < found <= at(end)]


def test_an_incident_says_what_is_needed_to_judge_it(incidents: list[dict[str, object]]) -> None:
    first = incidents[0]

    assert {"model", "metric", "segment", "severity", "opened_at", "resolved_at", "value", "threshold"} == set(first)
    assert ("flight-delay", "accuracy", "", "page", 0.728) == (
        first["model"],
        first["metric"],
        first["segment"],
        first["severity"],
        first["threshold"],
    )
    assert isinstance(first["value"], float)
    assert first["value"] < 0.728
