"""The daemon is killed at each instant that matters and started again: nothing is lost, doubled or told otherwise."""

from __future__ import annotations

import signal
from itertools import cycle, islice
from pathlib import Path

import pytest

from monitor.history.engine import open_engine
from tests.delivery.fake_slack import FakeSlack
from tests.faults.conftest import Stage, Story
from tests.faults.points import GATHERING, POINTS, SCRIPTED
from tests.faults.telling import (
    Told,
    as_if_each_were_sent,
    differences,
    lines_left_out,
    read_in_slack,
    superseded,
    told,
)

KILL, TERM = signal.SIGKILL, signal.SIGTERM
WAYS = [(sent, database) for database in ("sqlite", "postgresql") for sent in (KILL, TERM)]
# `make test` takes every second point in one of these ways, `make faults` all of them in all four
SOME = [
    (point, *way)
    for point, way in zip(
        islice(POINTS, 0, None, 2),
        cycle([(KILL, "sqlite"), (KILL, "postgresql"), (TERM, "sqlite"), (KILL, "sqlite"), (TERM, "postgresql")]),
        strict=False,
    )
]
ALL = [
    pytest.param(
        point, *way, marks=() if (point, *way) in SOME else pytest.mark.long, id=f"{point}-{way[0].name}-{way[1]}"
    )
    for point in POINTS
    for way in WAYS
]


@pytest.mark.parametrize(("point", "sent", "database"), ALL)
def test_a_daemon_that_is_hit_and_started_again_tells_the_same_story(
    point: str,
    sent: signal.Signals,
    database: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    undisturbed: Story,
) -> None:
    url = f"sqlite:///{tmp_path / 'history.db'}"
    if database == "postgresql":
        url = str(request.getfixturevalue("postgres_database"))
    with FakeSlack() as slack:
        stage = Stage(tmp_path, url, slack)
        stage.prepare()
        if point in SCRIPTED:
            slack.script("chat.postMessage", SCRIPTED[point])

        code = stage.run_and_hit(point, sent)
        assert code == ended(point, sent), stage.output()
        assert stage.run() == 0, stage.output()

        engine = open_engine(url)
        seen = told(engine, slack.record)
        engine.dispose()
        assert seen == Told(lost=[], doubled=[], strangers=[]), stage.output()
        here, there = stage.history(), undisturbed.history
        read = read_in_slack(slack.record)
        if point in GATHERING:
            assert differences(as_if_each_were_sent(here), as_if_each_were_sent(there)) == []
            assert lines_left_out(read, undisturbed.slack) == superseded(here) - superseded(there)
        else:
            assert differences(here, there) == []
            assert read == undisturbed.slack
        assert slack.invalid == []


def ended(point: str, sent: signal.Signals) -> int:
    """How the process ends: killed, stopped cleanly, or told a second time to stop and gone at once."""
    if sent == KILL:
        return -KILL
    return 128 + TERM if point.startswith("stopping") else 0
