"""At the start of the daemon: what config.toml does not promise any more is closed, by whichever daemon is first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from checks.discovery import discover
from monitor.alerts.routing import Route, Routing
from monitor.alerts.rule import JudgedWindow
from monitor.app import open_store
from monitor.history import tables
from monitor.history.records import EvaluationRecord
from monitor.history.store import Store
from monitor.release.contract import Bound
from monitor.release.verdict import Verdict
from monitor.schedule.advancing import advance
from monitor.schedule.closing import close_gone
from monitor.schedule.watch import Watch, watches_of
from monitor.settings import Settings, load_settings
from tests.world import World

DAY = timedelta(days=1)
END = datetime(2026, 3, 10, tzinfo=UTC)
WALL = datetime(2026, 6, 1, tzinfo=UTC)
ROUTING = Routing((Route("slack:#new"),))


@pytest.fixture
def store(world: World, database_url: str) -> Iterator[Store]:
    """A history in which the model churn pages for its accuracy, told to a channel of old."""
    settings = settings_of(world.folder)
    with open_store(settings, world.folder, database_url) as opened:
        (watch,) = watches(settings, world.folder)
        token = opened.claim("churn", "me", WALL, DAY)
        assert token is not None
        with opened.recording("churn", token, WALL) as recording:
            bound = next(one for one in watch.contract.bounds if one.metric == "accuracy")
            window = JudgedWindow("p", END - 2 * DAY, END, (breach(bound),))
            evaluated = recording.evaluation(EvaluationRecord("7", "p", END - 2 * DAY, END, END))
            advance(recording, watch, window, Routing((Route("slack:#old"),)), evaluation_id=evaluated, wall=WALL)
        yield opened


def breach(bound: Bound) -> Verdict:
    return Verdict(bound, "breach", "falls_below", "It fell.", threshold=0.8, value=0.6, rows=400)


def settings_of(folder: Path, old: str = "", new: str = "") -> Settings:
    path = folder / "config.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1) if old else text)
    return load_settings(path, {})


def watches(settings: Settings, folder: Path) -> tuple[Watch, ...]:
    return watches_of(settings, discover(), folder)


def ended(store: Store) -> list[tuple[datetime | None, str]]:
    columns = tables.incidents.c
    with store.engine.connect() as connection:
        return [(at, why) for at, why in connection.execute(select(columns.resolved_at, columns.end_reason))]


def told(store: Store) -> list[tuple[str, str]]:
    with store.engine.connect() as connection:
        found = connection.execute(
            select(tables.outbox.c.reason, tables.outbox.c.receiver).order_by(tables.outbox.c.id)
        )
        return [(reason, receiver) for reason, receiver in found]


@pytest.mark.parametrize(
    ("old", "new", "because"),
    [
        # nothing is gone
        ("", "", None),
        # the threshold is
        ("accuracy = { min = 0.8 }\n", "", "threshold_removed"),
        # another bound on the metric is another promise
        ("accuracy = { min = 0.8 }", "accuracy = { max = 0.8 }", "threshold_removed"),
        # a threshold that is only moved is the same promise
        ("accuracy = { min = 0.8 }", "accuracy = { min = 0.5 }", None),
        # the model is retired
        ('name = "churn"', 'name = "churn"\nretired = true', "retired"),
        # the model is gone
        ('name = "churn"', 'name = "another"', "model_removed"),
    ],
)
def test_what_is_gone_is_closed_once_and_told_where_it_began(
    world: World, store: Store, old: str, new: str, because: str | None
) -> None:
    settings = settings_of(world.folder, old, new)
    for _ in range(2):  # two daemons start
        close_gone(store, settings.models, watches(settings, world.folder), ROUTING, WALL)

    assert ended(store) == [(END, because) if because else (None, "")]
    closed = [("closed", "slack:#new"), ("closed", "slack:#old")] if because else []
    assert told(store) == [("opened", "slack:#old"), *closed]


def test_a_retired_model_is_not_watched(world: World) -> None:
    settings = settings_of(world.folder, 'name = "churn"', 'name = "churn"\nretired = true')
    assert watches(settings, world.folder) == ()
