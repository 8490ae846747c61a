"""What is known of a model's days when one of its windows is judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from checks.discovery import discover
from monitor.alerts.alert import Alert
from monitor.schedule.daybook import Memory, daybook_of
from monitor.schedule.due import DueWindow
from monitor.schedule.watch import watches_of
from monitor.settings import ModelSettings, Outcomes, Predictions, Settings, Threshold

END = datetime(2026, 6, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_bounds_of_another_plan_share_the_budget_by_how_often_they_are_looked_at() -> None:
    model = ModelSettings(
        name="flights",
        version="1",
        task="binary",
        bucket=HOUR,
        predictions=Predictions(source="live", id="id", time="time", prediction="said", score="score"),
        outcomes=Outcomes(source="live", value="was"),
        release={"accuracy": Threshold(min=0.7, every=DAY), "log_loss": Threshold(max=0.6, severity="page")},
    )
    (watch,) = watches_of(Settings(models=(model,)), discover(), Path())
    daily = next(plan for plan in watch.plans if plan.every == DAY)
    due = DueWindow(daily, END - daily.window, END, 0, "new", END)
    alerts = (
        Alert("one", "flights", "accuracy", "", "", "min", "page"),
        Alert("other", "flights", "log_loss", "", "", "max", "page"),
    )

    assert daybook_of(watch, due, Memory(alerts=alerts), ()).others == 3
