"""The daemon as a process of its own: it plays a small past to its end, survives kills, and stops cleanly."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sqlite3
import subprocess
import time
from datetime import datetime

import pytest

from tests.world import World, eventually

PARENT = "PAGE · churn 7 · accuracy"
RESOLVED = "accuracy holds again"


def ends(world: World, metric: str) -> list[datetime]:
    return [datetime.fromisoformat(str(row["window_end"])) for row in world.history("--metric", metric)]


def test_a_played_past_runs_to_its_end_and_tells_of_the_decay_once(world: World) -> None:
    daemon = world.start()

    assert daemon.wait(180) == 0, world.output()
    output = world.output()
    assert output.count(PARENT) == 1, output
    assert output.count(RESOLVED) == 1, output
    assert "Slack is not told, so every alert is shown here as the Slack message would read." in output
    breaches = ends(world, "accuracy")
    assert len(breaches) == len(set(breaches)), "no window is there twice"


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_clean_within_ten_seconds(world: World, sent: signal.Signals) -> None:
    daemon = world.start()
    eventually(lambda: "Look at http:" in world.output(), what="the daemon starts")
    time.sleep(3)

    began = time.monotonic()
    daemon.send_signal(sent)

    assert daemon.wait(10) == 0, world.output()
    assert time.monotonic() - began < 10
    assert "Stopped." in world.output()


def test_a_killed_daemon_goes_on_where_its_history_ends_and_tells_nothing_twice(world: World) -> None:
    for seconds in (5, 6, 4):
        daemon = world.start()
        time.sleep(seconds)
        daemon.kill()
        daemon.wait()

    last = world.start()

    assert last.wait(180) == 0, world.output()
    told = "".join(world.output(place) for place in range(len(world.processes)))
    accuracy = ends(world, "accuracy")
    assert len(accuracy) == len(set(accuracy))
    assert sorted(accuracy) == accuracy
    incidents = world.run("history", "--metric", "accuracy", "--verdict", "breach", "--format", "json")
    assert json.loads(incidents.stdout), "the decay was found"
    # A console cannot be asked what it has printed: a kill between printing and noting it repeats the message.
    assert told.count(PARENT) in (1, 2)


def test_two_daemons_on_one_sqlite_file_share_the_work(world: World) -> None:
    one = world.start()
    other = world.start(MONITOR_WEB__PORT="0")

    assert one.wait(240) == 0, world.output(0)
    assert other.wait(240) == 0, world.output(1)
    told = world.output(0) + world.output(1)
    assert told.count(PARENT) == 1
    assert told.count(RESOLVED) == 1
    accuracy = ends(world, "accuracy")
    assert len(accuracy) == len(set(accuracy))


def test_a_source_that_is_away_is_said_and_caught_up_with(world: World) -> None:
    predictions, hidden = world.folder / "predictions.parquet", world.folder / "hidden.parquet"
    daemon = world.start()
    eventually(lambda: "Look at http:" in world.output(), what="the daemon starts")
    predictions.rename(hidden)
    eventually(lambda: "source_failed" in world.output(), what="the source is missed")
    time.sleep(2)
    hidden.rename(predictions)

    assert daemon.wait(240) == 0, world.output()
    rows = world.history("--metric", "accuracy")
    assert {row["verdict"] for row in rows} <= {"ok", "breach"}, "each window got an answer in the end"
    # The outage may last until the source itself is told of; the decay then joins that incident or opens its own.
    with contextlib.closing(sqlite3.connect(world.folder / "history.db")) as history:
        decays = history.execute("SELECT count(*) FROM episodes WHERE metric = 'accuracy'").fetchone()
    assert decays == (1,), "the decay opened once"
    assert "accuracy fell below the promised 0.8" in world.output()


def test_health_readiness_and_metrics_answer_on_one_port(world: World) -> None:
    world.start()
    eventually(lambda: "Look at http:" in world.output(), what="the daemon starts")
    ok = re.compile(r'model_monitor_verdict\{metric="accuracy",model="churn".*verdict="ok".*\} 1\.0')
    eventually(lambda: ok.search(world.get("/metrics")[1]), what="a verdict is scraped")

    healthy, health = world.get("/healthz")
    ready, readiness = world.get("/readyz")
    metrics = world.get("/metrics")[1]

    assert (healthy, json.loads(health)["alive"]) == (200, True)
    assert (ready, json.loads(readiness)["problems"]) == (200, [])
    assert re.search(r'model_monitor_evaluations_total\{model="churn",state="done"\} \d+', metrics)
    assert "model_monitor_database_up 1.0" in metrics


def test_a_port_that_is_taken_is_said_and_nothing_starts(world: World) -> None:
    world.start()
    eventually(lambda: "Look at http:" in world.output(), what="the daemon starts")

    second = world.start()

    assert second.wait(30) == 2
    assert f"[web] 127.0.0.1:{world.port} cannot be listened on: Address already in use." in world.output()


def test_progress_is_silent_in_a_pipe(world: World) -> None:
    done: subprocess.CompletedProcess[str] = world.run("replay", "--until", "2026-03-05", "--format", "json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["contracts"][0]["incidents"] == []
    assert done.stderr == ""
