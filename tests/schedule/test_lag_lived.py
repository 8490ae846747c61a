"""Outcomes that become late overnight, or stop, through the real path: reference, worker, history, verdicts, alerts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from monitor.app import build_app, throw_away_runner
from monitor.history.incidents import said
from monitor.history.store import Store
from monitor.history.tables import baselines, evaluations, incidents, verdicts
from monitor.release.lag import LagCurve
from monitor.release.maturity import SETTLED
from monitor.reproducing import Reproduced, reproduced
from monitor.schedule.replay import replay
from monitor.settings import load_settings
from tests.world import DAY, START

ROWS = 100
CHANGE, DECAY, END = 16, 18, 40
"""The days on which outcomes become late, the model becomes bad, and the story ends."""
CONFIG = """
[[models]]
name = "churn"
version = "7"
task = "binary"

[models.predictions]
source = "predictions.parquet"
id = "id"
time = "at"
prediction = "said"
features = []

[models.outcomes]
source = "outcomes.parquet"
value = "was"
time = "known_at"

[models.reference]
source = "reference.parquet"

[models.release]
accuracy = { min = 0.75, window = "WINDOW", every = "1d" }
outcome_age = { max = "2d", window = "1d" }

[clock]
start = 2026-03-02T00:00:00Z
"""


def write_world(
    folder: Path,
    *,
    slowest: float,
    stop: int = END,
    decay: int = END,
    change: int = CHANGE,
    end: int = END,
    window: str = "1d",
) -> None:
    """A model that is right nine times in ten, and half the time from *decay* on. Outcomes take up to a day; from
    *change* on up to *slowest* days, wrong ones first; none comes from day *stop* on."""
    chance = random.Random(3)
    rows = [row for day in range(end) for row in _rows(chance, day, 1 if day < change else slowest, day >= decay)]
    log = {"id": pa.array([f"p{place}" for place in range(len(rows))]), "at": _stamps(rows, "at")}
    log["said"] = pa.array([1] * len(rows))
    came = {"id": log["id"], "was": pa.array([int(right) for _, _, right in rows]), "known_at": _stamps(rows, "known")}
    told = pa.table(came).filter(pa.array([known < START + stop * DAY for _, known, _ in rows]))
    pq.write_table(pa.table(log), folder / "predictions.parquet")
    pq.write_table(told, folder / "outcomes.parquet")
    released = pa.table(log).append_column("was", came["was"]).append_column("known_at", came["known_at"])
    pq.write_table(released.slice(0, 14 * ROWS), folder / "reference.parquet")
    (folder / "config.toml").write_text(CONFIG.replace("WINDOW", window))


def _rows(chance: random.Random, day: int, slowest: float, bad: bool) -> Iterator[tuple[datetime, datetime, bool]]:
    for row in range(ROWS):
        at = START + day * DAY + row * timedelta(minutes=14)
        right = chance.random() < (0.5 if bad else 0.9)
        late = chance.random() ** (1 / 3 if right else 3) if slowest > 1 else chance.random()
        yield at, at + slowest * late * DAY, right


def _stamps(rows: list[tuple[datetime, datetime, bool]], which: str) -> pa.Array:
    return pa.array([row[which == "known"] for row in rows], pa.timestamp("us", "UTC"))


@dataclass(frozen=True)
class Judged:
    """A revision of a daily window: which day, how many days after its end, on how many outcomes, and what it said."""

    day: int
    age: float
    revision: int
    outcomes: int
    reason: str


def judged(store: Store, metric: str) -> list[Judged]:
    names = ("window_end", "evaluated_at", "revision", "outcomes")
    asked = select(*(evaluations.c[name] for name in names), verdicts.c.reason).order_by(evaluations.c.id)
    asked = asked.join(verdicts, verdicts.c.evaluation_id == evaluations.c.id).where(verdicts.c.metric == metric)
    with store.engine.connect() as connection:
        return [
            Judged((row[0] - START).days - 1, (row[1] - row[0]) / DAY, row.revision, row.outcomes, row.reason)
            for row in connection.execute(asked)
        ]


@dataclass(frozen=True)
class Lived:
    """What the history holds when it is over."""

    accuracy: list[Judged]
    outcome_age: list[Judged]
    pages: list[tuple[int, str]]
    """The day whose window paged, and what it was about."""
    waits: timedelta
    again: list[Reproduced]
    """The windows of its incidents, judged again when all is over."""


def live(folder: Path, end: int = END) -> Lived:
    app = build_app(load_settings(folder / "config.toml", {}), folder)
    with throw_away_runner(app, START) as (runner, store):
        replay(runner, START, START + end * DAY, lambda _: None)
        told = [one for one in said(store.engine) if one["reason"] in ("opened", "reopened", "severity_raised")]
        pages = [(datetime.fromisoformat(one["window_end"]), one["title"]) for one in told if one["state"] == "page"]
        with store.engine.connect() as connection:
            curve = LagCurve(tuple(connection.execute(select(baselines.c.lag_curve)).scalar_one()))
            ids = connection.scalars(select(incidents.c.id)).all()
        ends = [((at - START).days - 1, title) for at, title in pages]
        again = [one for incident in ids for one in reproduced(app, store, incident, lambda _: None) or ()]
        return Lived(judged(store, "accuracy"), judged(store, "outcome_age"), ends, curve.age_of(SETTLED), again)


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Outcomes take up to ten days instead of one, wrong ones first; two days later the model becomes bad."""
    folder = tmp_path_factory.mktemp("late")
    write_world(folder, slowest=10, decay=DECAY)
    return live(folder)


def test_early_outcomes_page_nobody_and_a_decay_meanwhile_does_as_soon_as_its_window_is_mature(late: Lived) -> None:
    [(day, title)] = late.pages

    assert day in (DECAY, DECAY + 1)
    assert "accuracy" in title
    assert next(one for one in late.accuracy if one.reason == "falls_below").age <= 10


def test_each_window_waits_for_the_usual_outcomes_and_is_then_judged(late: Lived) -> None:
    decided = [one for one in late.accuracy if one.reason not in ("provisional", "outcomes_not_in")]
    first = {one.day: one for one in reversed(decided)}

    assert all(one.outcomes >= 0.7 * ROWS for one in decided)
    assert set(range(CHANGE, END - 11)) <= set(first)
    assert {one.reason for one in decided if one.day in range(CHANGE)} == {"holds"}
    assert max(one.age for one in first.values()) <= 11
    assert {one.reason for one in late.accuracy if one.day == CHANGE + 1} >= {"provisional", "holds"}


def test_when_the_new_lag_is_known_windows_are_judged_that_much_later(late: Lived) -> None:
    assert timedelta(days=7) <= late.waits <= timedelta(days=10)
    assert max(one.day for one in late.accuracy) <= END - 8


def test_a_stop_of_all_outcomes_is_told_by_their_freshness_and_judges_nothing(tmp_path: Path) -> None:
    write_world(tmp_path, slowest=1, stop=20)

    lived = live(tmp_path)

    assert [title for _, title in lived.pages if "accuracy" in title] == []
    [(day, title)] = lived.pages
    assert "outcome_age" in title
    assert day == 21
    assert {one.reason for one in lived.accuracy if one.day >= 20} <= {"outcomes_not_in", "provisional"}


def test_an_incident_is_judged_again_by_the_days_that_were_known_and_did_not_wait_then(tmp_path: Path) -> None:
    write_world(tmp_path, slowest=4, change=36, decay=38, end=52, stop=52, window="7d")

    lived = live(tmp_path, 52)

    waited = [one.recorded.story.maturity.waiting for one in lived.again if one.recorded.story.maturity]
    assert any(waited), "the alarm left days out"
    assert {one.recorded.story.results[0].reason for one in lived.again} >= {"falls_below"}
    assert [pair for one in lived.again for pair in one.pairs if not pair.equal] == []
