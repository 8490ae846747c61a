"""What is known of a model's days when one of its windows is judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from checks.discovery import discover
from monitor.alerts.alert import Alert
from monitor.history.records import DayRecord
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


def fired(known_for: int, *alerts: Alert) -> int:
    """How often the model's alerts fired in the year before END, where so many days are known."""
    watch, due = due_window()
    days = [DayRecord("", "accuracy", "", "", END - (day + 1) * DAY, 0.8, 100, 0.04) for day in range(known_for)]
    return daybook_of(watch, due, Memory(days, alerts), ()).fired


def test_what_fired_has_spent_of_the_models_budget_for_as_long_as_the_budget_and_the_version_last() -> None:
    fired_at = (END - 365 * DAY, END - 364 * DAY, END - 30 * DAY, END - DAY)
    alert = Alert("one", "flights", "accuracy", "", "", "min", "page", fired_at=fired_at)
    again = replace(alert, fired_at=(*fired_at, END), window_end=END, before=alert)
    other = Alert("other", "flights", "log_loss", "", "", "max", "page", fired_at=(END - 2 * DAY, END - DAY))

    assert fired(366, alert) == 3
    assert fired(366, again) == 3, "its window is judged again"
    assert fired(366, alert, other) == 4, "what fires in one window is one page"
    assert fired(20, alert) == 1, "the days of a new version are all that is known"
    assert fired(0, alert) == 0
