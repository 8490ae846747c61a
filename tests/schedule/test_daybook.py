"""What is known of a model's days when one of its windows is judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from checks.discovery import discover
from monitor.alerts.alert import Alert
from monitor.schedule.daybook import Memory, daybook_of
from monitor.schedule.due import DueWindow
from monitor.schedule.watch import Watch, watches_of
from monitor.settings import ModelSettings, Outcomes, Predictions, Settings, Threshold

END = datetime(2026, 6, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def due_window() -> tuple[Watch, DueWindow]:
    """The model's window of a day that ends at END."""
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
    return watch, DueWindow(daily, END - daily.window, END, 0, "new", END)


def test_bounds_of_another_plan_share_the_budget_by_how_often_they_are_looked_at() -> None:
    watch, due = due_window()
    alerts = (
        Alert("one", "flights", "accuracy", "", "", "min", "page"),
        Alert("other", "flights", "log_loss", "", "", "max", "page"),
    )

    assert daybook_of(watch, due, Memory(alerts=alerts), ()).others == 3


def test_an_alert_spends_of_the_budget_for_as_long_as_the_budget_lasts() -> None:
    watch, due = due_window()
    fired_at = (END - 365 * DAY, END - 364 * DAY, END - DAY)
    alert = Alert("one", "flights", "accuracy", "", "", "min", "page", fired_at=fired_at)
    fired = replace(alert, fired_at=(*fired_at, END), window_end=END, before=alert)
    spent = {(("accuracy", "", ""), "min"): 2}

    assert daybook_of(watch, due, Memory(alerts=[alert]), ()).fired == spent
    assert daybook_of(watch, due, Memory(alerts=[fired]), ()).fired == spent, "its window is judged again"
