"""Replay and the life of windows: late outcomes revise them, and history replayed equals history lived."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.alerts.routing import Route, Routing
from monitor.app import FOREVER, App, build_app, open_store
from monitor.history.store import Store
from monitor.history.tables import evaluations, measurements
from monitor.schedule.replay import replay
from monitor.schedule.runner import Runner
from monitor.schedule.vitals import Vitals
from monitor.schedule.work import Desk
from monitor.settings import load_settings
from tests.world import DAY, START, World, write_log

CONSOLE = Routing((Route("console"),))

Measured = dict[tuple[datetime, str], tuple[int, float | None, int]]


@contextmanager
def running(app: App, url: str, begin: datetime) -> Iterator[tuple[Runner, Store]]:
    store = open_store(app.settings, app.base, url)
    desk = Desk(store, CONSOLE, Vitals(stale_after=60), FOREVER, threading.Event(), 0, report=False, played_from=begin)
    runner = Runner(desk, app.watches, app.settings.schedule)
    try:
        yield runner, store
    finally:
        runner.stop(grace=0)
        store.engine.dispose()


def measured(store: Store, metric: str) -> Measured:
    """The newest revision of each window: (revision, value, rows)."""
    columns = (evaluations.c.window_end, evaluations.c.revision, measurements.c.value, measurements.c.rows)
    asked = select(*columns).join(measurements, measurements.c.evaluation_id == evaluations.c.id)
    asked = asked.where(measurements.c.metric == metric, measurements.c.segment == "")
    with store.engine.begin() as connection:
        found = list(connection.execute(asked.order_by(evaluations.c.window_end, evaluations.c.revision)))
    return {(row.window_end, metric): (row.revision, row.value, row.rows) for row in found}


@pytest.fixture
def app(world: World) -> App:
    # Outcomes take up to four days, and are waited for one.
    write_log(world.folder, slowest=96)
    return build_app(load_settings(world.folder / "config.toml", {}), world.folder)


def test_late_outcomes_revise_the_windows_they_are_in_and_no_others(app: App, tmp_path: Path) -> None:
    end = START + 12 * DAY

    with running(app, f"sqlite:///{tmp_path}/late.db", START) as (runner, store):
        replay(runner, START, end, lambda _: None)
        accuracy, coverage = measured(store, "accuracy"), measured(store, "coverage")

    settled = {key: found for key, found in accuracy.items() if key[0] <= end - 6 * DAY}
    assert settled
    assert all(
        revision > 0 and rows == min(400, 200 * (at - START).days) for (at, _), (revision, _, rows) in settled.items()
    )
    assert {revision for revision, _, _ in coverage.values()} == {0}, "coverage does not look at outcomes"


def test_history_replayed_in_one_go_equals_history_lived_in_pieces(app: App, tmp_path: Path) -> None:
    end = START + 9 * DAY

    with running(app, f"sqlite:///{tmp_path}/whole.db", START) as (runner, store):
        replay(runner, START, end, lambda _: None)
        whole = measured(store, "accuracy")
    for piece in range(3):
        with running(app, f"sqlite:///{tmp_path}/pieces.db", START) as (runner, store):
            replay(runner, START + timedelta(days=3 * piece), START + timedelta(days=3 * piece + 3), lambda _: None)
            pieces = measured(store, "accuracy")

    assert whole == pieces
