"""The report on an incident: there once the incident is open, through the real worker, and never in the alert's way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select

from checks.evidently_report import Asked, Evidently
from monitor.alerts.routing import Route, Routing
from monitor.app import FOREVER, App, build_app, open_store, throw_away_runner
from monitor.history import queries
from monitor.history.store import Store
from monitor.history.tables import artifacts, evaluations, incidents, outbox
from monitor.schedule import report, work
from monitor.schedule.replay import replay
from monitor.schedule.runner import Runner
from monitor.schedule.vitals import Vitals
from monitor.schedule.work import Desk
from monitor.settings import load_settings
from tests.data.logs import small_model
from tests.world import DAY, START, World

CONSOLE = Routing((Route("console"),))
END = START + 16 * DAY
"""By then the second week's decay has opened an incident."""
LEAVES_MUCH = '''
from checks.contract import Artifact, Check, Measurement, Metric, Needs

class Leaves(Check):
    """Leaves a small document and a large one."""
    kind = "leaves"
    metrics = (Metric("leaves", "one", "high"),)
    def needs(self): return Needs()
    def measure(self, window):
        yield Measurement("leaves", 1.0, rows=window.live.whole.rows)
        yield Artifact("small.txt", "text/plain", b"small")
        yield Artifact("large.txt", "text/plain", b"x" * 3_000_000)
'''


@pytest.fixture
def app(world: World) -> App:
    return built(world)


def built(world: World) -> App:
    return build_app(load_settings(world.folder / "config.toml", {}), world.folder)


@contextmanager
def played(app: App, url: str, *, size: int = 10**7, reports: bool = True) -> Iterator[Store]:
    """The daemon's work from START to END, with the runner and worker processes it has."""
    store = open_store(app.settings, app.base, url)
    stopping = threading.Event()
    desk = Desk(store, CONSOLE, Vitals(stale_after=60), FOREVER, stopping, size, report=reports, played_from=START)
    runner = Runner(desk, app.watches, app.settings.schedule)
    try:
        replay(runner, START, END, lambda _: None)
        yield store
    finally:
        runner.stop(grace=0)
        store.close()


def count(store: Store, table: Table) -> int:
    with store.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_an_incident_that_opens_gets_one_report(app: App, database_url: str) -> None:
    with played(app, database_url) as store:
        assert count(store, incidents) == 1
        (row,) = queries.artifacts(store.engine)
        found = queries.artifact(store.engine, row.id)

    assert found is not None
    text = found[1].decode()
    assert (row.model, row.check, row.name, row.incident_id) == ("churn", "evidently", "incident.html", 1)
    assert f"<title>{row.window_start:%Y-%m-%d} 00:00 to {row.window_end:%Y-%m-%d} 00:00 UTC, 400 rows</title>" in text
    assert "Classification Model Performance" in text


def test_no_report_where_it_is_switched_off(app: App, tmp_path: Path) -> None:
    with played(app, f"sqlite:///{tmp_path / 'own.db'}", reports=False) as store:
        assert count(store, incidents) == 1
        assert queries.artifacts(store.engine) == []


def test_a_replay_that_is_thrown_away_makes_none(app: App) -> None:
    with throw_away_runner(app, START) as (runner, store):
        replay(runner, START, END, lambda _: None)
        assert count(store, incidents) == 1
        assert count(store, artifacts) == 0


def test_a_report_comes_after_everything_due_is_told(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    made = report.make_report

    def watched(store: Store, *rest: object, **more: object) -> None:
        seen.append((count(store, incidents), count(store, outbox)))
        made(store, *rest, **more)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(work, "make_report", watched)
    with played(app, f"sqlite:///{tmp_path / 'own.db'}"):
        pass

    assert seen == [(1, 1)]


@pytest.mark.parametrize(
    ("preset", "size", "sentence"),
    [
        # The check cannot measure; the report is larger than what is kept.
        ("NoSuchPreset", 10**7, "there is no report on incident 1: Evidently has no metric or preset 'NoSuchPreset'"),
        ("DataSummaryPreset", 1000, "history.artifact_size allows 0.0 MB."),
    ],
)
def test_a_report_that_fails_costs_nothing_but_itself(
    app: App,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    preset: str,
    size: int,
    sentence: str,
) -> None:
    monkeypatch.setattr(report, "report_check", lambda _: Evidently(run=(Asked(name=preset),)))

    with played(app, f"sqlite:///{tmp_path / 'own.db'}", size=size) as store:
        assert queries.artifacts(store.engine) == []
        assert count(store, outbox) >= 1
        with store.engine.connect() as connection:
            states = set(connection.execute(select(evaluations.c.state)).scalars())
    assert states == {"done"}
    said = capsys.readouterr()
    assert sentence in said.out + said.err


def test_what_is_too_large_is_not_kept_and_the_evaluation_says_so(world: World, tmp_path: Path) -> None:
    (world.folder / "own").mkdir()
    (world.folder / "own" / "leaves.py").write_text(LEAVES_MUCH)
    config = world.folder / "config.toml"
    config.write_text(
        'checks_dir = "own"\n'
        + config.read_text().replace("[models.release]", "[models.release]\nleaves = { min = 0 }")
    )

    with played(built(world), f"sqlite:///{tmp_path / 'own.db'}", size=2_000_000, reports=False) as store:
        kept = queries.artifacts(store.engine)
        with store.engine.connect() as connection:
            details = list(connection.execute(select(evaluations.c.detail).where(evaluations.c.rows > 0)).scalars())

    assert {row.name for row in kept} == {"small.txt"}
    assert {sentence for detail in details for sentence in detail["dropped"]} == {
        "large.txt of the check leaves has 3.0 MB and was not kept: history.artifact_size allows 2.0 MB."
    }


@pytest.mark.parametrize(
    ("changes", "presets"),
    [
        # Everything there is to compare with and to judge by.
        ({}, ["DataDriftPreset", "DataSummaryPreset", "ClassificationPreset"]),
        ({"task": "multiclass"}, ["DataDriftPreset", "DataSummaryPreset", "ClassificationPreset"]),
        ({"task": "regression"}, ["DataDriftPreset", "DataSummaryPreset", "RegressionPreset"]),
        # No preset of Evidently judges a ranking without further arguments.
        ({"task": "ranking"}, ["DataDriftPreset", "DataSummaryPreset"]),
        # Nothing to compare with; nothing to judge by.
        ({"reference": None}, ["DataSummaryPreset", "ClassificationPreset"]),
        ({"outcomes": None}, ["DataDriftPreset", "DataSummaryPreset"]),
    ],
)
def test_the_report_tells_what_it_can(changes: dict[str, object], presets: list[str]) -> None:
    assert [one.name for one in report.report_check(small_model(**changes)).run] == presets
