"""Replay and the life of windows: late outcomes revise them, and history replayed equals history lived."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from monitor.alerts.routing import Route, Routing
from monitor.app import FOREVER, App, build_app, open_store
from monitor.history import queries
from monitor.history.store import Store
from monitor.history.tables import evaluations, measurements, verdicts
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


def test_a_window_whose_outcomes_are_late_waits_for_them_and_is_judged_when_they_are_in(
    world: World, tmp_path: Path
) -> None:
    write_log(world.folder, days=26, decay=range(0))
    came = pq.read_table(world.folder / "outcomes.parquet").to_pylist()
    for one in came:  # nobody's outcome is told for three days, and then all of them are
        if START + 19 * DAY <= one["known_at"] < START + 22 * DAY:
            one["known_at"] = START + 22 * DAY
    pq.write_table(pa.Table.from_pylist(came), world.folder / "outcomes.parquet")
    app = build_app(load_settings(world.folder / "config.toml", {}), world.folder)

    with running(app, f"sqlite:///{tmp_path}/late.db", START) as (runner, store):
        replay(runner, START, START + 26 * DAY, lambda _: None)
        with store.engine.connect() as connection:
            asked = select(evaluations.c.window_end, evaluations.c.revision, verdicts.c.reason)
            asked = asked.join(verdicts, verdicts.c.evaluation_id == evaluations.c.id)
            asked = asked.where(verdicts.c.metric == "accuracy").order_by(evaluations.c.id)
            told = [((row.window_end - START).days, row.revision, row.reason) for row in connection.execute(asked)]
        heard = queries.incidents(store.engine)

    assert {reason for _, _, reason in told} == {"holds", "provisional"}
    waited = [(day, revision) for day, revision, reason in told if reason == "provisional"]
    assert waited, "the windows that end while no outcome comes"
    assert {revision for _, revision in waited} == {0}
    assert {day for day, revision, reason in told if revision and reason == "holds"} >= {day for day, _ in waited}
    assert heard == []
