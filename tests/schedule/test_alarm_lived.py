"""The alarm in the daemon's own work: days are kept, judged together, and decide what pages."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from monitor.alerts.routing import Route, Routing
from monitor.app import FOREVER, build_app, open_store
from monitor.history.tables import bucket_values, evaluations, verdicts
from monitor.schedule.replay import replay
from monitor.schedule.runner import Runner
from monitor.schedule.vitals import Vitals
from monitor.schedule.work import Desk
from monitor.settings import load_settings
from tests.world import DAY, START, World, write_log

LIVED, BAD = 34, 31


def test_one_bad_day_after_a_month_pages_and_stays_until_the_days_are_back(world: World, tmp_path: Path) -> None:
    write_log(world.folder, days=LIVED, decay=range(BAD, BAD + 1))
    app = build_app(load_settings(world.folder / "config.toml", {}), world.folder)
    store = open_store(app.settings, app.base, f"sqlite:///{tmp_path}/lived.db")
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

    with store.engine.connect() as connection:
        asked = select(evaluations.c.window_end, verdicts.c.reason, verdicts.c.sentence)
        asked = asked.join(verdicts, verdicts.c.evaluation_id == evaluations.c.id)
        told = connection.execute(asked.where(verdicts.c.metric == "accuracy").order_by(evaluations.c.window_end))
        reasons: dict[datetime, tuple[str, str]] = {row.window_end: (row.reason, row.sentence) for row in told}
        days = connection.execute(select(bucket_values.c.metric, bucket_values.c.bucket_start, bucket_values.c.rows))
        known = [tuple(day) for day in days.all()]
    store.close()
    assert sorted(known) == [("accuracy", START + day * DAY, 200) for day in range(LIVED)]
    paged = START + (BAD + 1) * DAY
    assert {reason for end, (reason, _) in reasons.items() if end < paged} <= {"holds", "watch"}
    assert reasons[paged][0] == "falls_below"
    assert "accuracy over the last day 0." in reasons[paged][1]  # two days' interval cannot say so
    assert [reasons[end][0] for end in sorted(reasons) if end > paged] == ["not_back"] * (LIVED - BAD - 1)
