"""A log that stops, through the real path: worker, history, verdicts, alerts."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.alerts.routing import Routing
from monitor.app import build_app, throw_away_runner
from monitor.by_hand import evaluate_now
from monitor.history import queries
from monitor.history.rows import EpisodeRow
from monitor.schedule.replay import replay
from monitor.settings import load_settings
from tests.world import DAY, START

STOP = START + 24 * DAY + timedelta(hours=7)
CONFIG = """
[[models]]
name = "churn"
version = "7"
task = "binary"
bucket = "6h"
window = "6h"

[models.predictions]
source = "predictions.parquet"
id = "id"
time = "at"
prediction = "said"
segments = ["shop"]

[models.trainings]
source = "trainings.csv"
version = "version"

[models.release]
prediction_age = { max = "6h" }
volume = { min = 5, segments = ["shop"] }
volume_change = { min = 0.5 }
training_time = { max = "4h" }
"kpi_change.yes" = { min = 0.9 }

[[models.checks]]
check = "business_kpi"
name = "yes"
column = "said"

[history]
url = "sqlite:///history.db"

[clock]
start = 2026-03-02T00:00:00Z
end = 2026-03-30T00:00:00Z
"""


def write(folder: Path, until: datetime) -> None:
    """Twice as many predictions on Saturdays; none from *until* on."""
    at = [
        START + day * DAY + timedelta(minutes=15 * k / (2 if day % 7 == 5 else 1))
        for day in range(28)
        for k in range(192 if day % 7 == 5 else 96)
    ]
    at = [one for one in at if one < until]
    log = {
        "id": [f"p{place}" for place in range(len(at))],
        "at": pa.array(at, pa.timestamp("us", "UTC")),
        "said": pa.array([1] * len(at), pa.int64()),
        "shop": pa.array(["N" if place % 2 else "S" for place in range(len(at))], pa.string()),
    }
    pq.write_table(pa.table(log), folder / "predictions.parquet")
    (folder / "trainings.csv").write_text(
        "started,finished,version\n2026-02-20T00:00:00Z,2026-02-20T02:00:00Z,7\n2026-03-25T00:00:00Z,,8\n"
    )
    (folder / "config.toml").write_text(CONFIG)


def incidents(folder: Path, since: datetime, until: datetime) -> list[EpisodeRow]:
    app = build_app(load_settings(folder / "config.toml", {}), folder)
    with throw_away_runner(app, since) as (runner, store):
        replay(runner, since, until, lambda _: None)
        return queries.incidents(store.engine)


def test_a_stop_of_all_data_is_an_alert_within_one_interval(tmp_path: Path) -> None:
    write(tmp_path, STOP)
    found = {(one.metric, one.segment): one for one in incidents(tmp_path, START + 10 * DAY, STOP + DAY)}

    first = START + 24 * DAY + timedelta(hours=12)  # the window in which it stops still has four rows
    empty = first + timedelta(hours=6)  # the first window without any
    training = START + 23 * DAY + timedelta(hours=6)  # the running training has taken six hours
    assert {key: (one.opened_at, one.resolved_at) for key, one in found.items()} == {
        ("volume", ""): (first, None),
        ("volume", "shop=N"): (first, None),
        ("volume", "shop=S"): (first, None),
        ("volume_change", ""): (first, None),
        ("kpi_change.yes", ""): (first, None),
        ("prediction_age", ""): (empty, None),
        ("training_time", ""): (training, None),
    }
    assert found["prediction_age", ""].value == pytest.approx((empty - STOP).total_seconds() + 900)
    assert found["volume", ""].value == 4


def test_a_model_without_any_row_yet_is_told_of_its_trainings_and_volume(tmp_path: Path) -> None:
    write(tmp_path, START)
    found = incidents(tmp_path, START + 23 * DAY, START + 24 * DAY)
    assert {one.metric for one in found if one.value is not None} == {"volume", "training_time"}
    blind = {one.metric: one.opened_at for one in found if one.value is None}
    third = START + 23 * DAY + timedelta(hours=18)
    assert blind == dict.fromkeys(("prediction_age", "volume_change", "kpi_change.yes"), third)


def test_evaluate_compares_with_what_the_history_holds(tmp_path: Path) -> None:
    write(tmp_path, STOP)
    app = build_app(load_settings(tmp_path / "config.toml", {}), tmp_path)
    window = (START + 19 * DAY, START + 19 * DAY + timedelta(hours=6))  # a Saturday

    def change() -> float | None:
        done = evaluate_now(app, app.watches[0], STOP, window, lambda _: None)
        measured = [one for each in done for event in each.result.measured.values() for one in event.measurements]
        (found,) = [one.value for one in measured if (one.metric, one.segment) == ("volume_change", "")]
        return found

    assert change() is None, "there is no history yet"
    _live(tmp_path)
    assert change() == 1.0


def _live(folder: Path) -> None:
    """What a daemon would have recorded by the third Saturday."""
    import threading

    from monitor.app import FOREVER, open_store
    from monitor.schedule.runner import Runner
    from monitor.schedule.vitals import Vitals
    from monitor.schedule.work import Desk

    app = build_app(load_settings(folder / "config.toml", {}), folder)
    store = open_store(app.settings, folder)
    desk = Desk(
        store, Routing(()), Vitals(stale_after=60), FOREVER, threading.Event(), 10**6, report=False, played_from=START
    )
    runner = Runner(desk, app.watches, app.settings.schedule)
    try:
        replay(runner, START, START + 13 * DAY, lambda _: None)
    finally:
        runner.stop(grace=0)
        store.close()
