"""The alarm in the daemon's own work: days are kept, judged together, and decide what pages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import select

from monitor.alerts.routing import Route, Routing
from monitor.app import FOREVER, App, build_app, open_store
from monitor.by_hand import Evaluated, evaluate_now
from monitor.history.store import Store
from monitor.history.tables import bucket_values, evaluations, verdicts
from monitor.schedule.replay import replay
from monitor.schedule.runner import Runner
from monitor.schedule.vitals import Vitals
from monitor.schedule.work import Desk
from monitor.settings import load_settings
from tests.world import DAY, START, World, write_log

LIVED, BAD = 34, 31
PAGED = START + (BAD + 1) * DAY


@pytest.fixture
def app(world: World) -> App:
    write_log(world.folder, days=LIVED, decay=range(BAD, BAD + 1))
    return build_app(load_settings(world.folder / "config.toml", {}), world.folder)


@pytest.fixture
def lived(app: App) -> Iterator[Store]:
    """The history of a month, and of one bad day after it."""
    with open_store(app.settings, app.base) as store:
        desk = Desk(
            store,
            Routing((Route("console"),)),
            *(Vitals(stale_after=60), FOREVER, threading.Event(), 0),
            report=False,
            played_from=START,
        )
        runner = Runner(desk, app.watches, app.settings.schedule)
        replay(runner, START, START + (LIVED + 1) * DAY, lambda _: None)
        runner.stop(grace=0)
        yield store


def told(store: Store) -> dict[datetime, tuple[str, str]]:
    """The reason and sentence of each verdict on accuracy, by the end of its window."""
    asked = select(evaluations.c.window_end, verdicts.c.reason, verdicts.c.sentence)
    asked = asked.join(verdicts, verdicts.c.evaluation_id == evaluations.c.id)
    with store.engine.connect() as connection:
        found = connection.execute(asked.where(verdicts.c.metric == "accuracy").order_by(evaluations.c.window_end))
        return {row.window_end: (row.reason, row.sentence) for row in found}


def by_hand(app: App, end: datetime) -> Evaluated:
    done = evaluate_now(app, app.watches[0], end + DAY, (end - 2 * DAY, end), lambda _: None)
    return next(one for one in done if one.plan.awaits_outcomes)


def test_one_bad_day_after_a_month_pages_and_stays_until_the_days_are_back(app: App, lived: Store) -> None:
    with lived.engine.connect() as connection:
        days = connection.execute(select(bucket_values.c.metric, bucket_values.c.bucket_start, bucket_values.c.rows))
        known = [tuple(day) for day in days.all()]
    assert sorted(known) == [("accuracy", START + day * DAY, 200) for day in range(LIVED)]

    reasons = told(lived)
    assert {reason for end, (reason, _) in reasons.items() if end < PAGED} <= {"holds", "watch"}
    assert reasons[PAGED][0] == "falls_below"
    assert "accuracy over the last day 0." in reasons[PAGED][1]  # two days' interval cannot say so
    assert [reasons[end][0] for end in sorted(reasons) if end > PAGED] == ["not_back"] * (LIVED - BAD - 1)

    for end in (PAGED, PAGED + 2 * DAY):
        done = by_hand(app, end)
        assert [(one.reason, one.sentence) for one in done.verdicts if one.bound.metric == "accuracy"] == [reasons[end]]
        assert done.remark == "", "by hand it is judged as the daemon did"


def test_without_a_history_an_evaluation_by_hand_says_that_it_judged_the_window_alone(app: App) -> None:
    assert by_hand(app, PAGED).remark == (
        "accuracy: 2 days are known, too few to be judged together (it takes 29), so the verdict is on the window "
        "alone; the daemon judges by the days that its history holds."
    )
