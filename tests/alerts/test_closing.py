"""What is promised no more is closed, not resolved; whatever else happens to the data closes nothing."""

from __future__ import annotations

import pytest

from monitor.alerts.alert import Alert, alert_key
from monitor.alerts.blind import blind_key, source_key
from monitor.alerts.closing import close_alerts, promised
from monitor.alerts.incident import Changes
from monitor.alerts.rule import Rule
from monitor.alerts.story import CloseReason
from monitor.release.contract import Bound
from tests.alerts.scenes import DAY, FACTS, Model, drift, end, verdict

NAME = FACTS.name
ACCURACY = Bound("accuracy", "accuracy", "", "min", 0.728, segments=("origin",))
DRIFT = Bound("drift.*", "drift", "*", "max", 0.2, except_columns=("dep",))
PLAN = "7d each 1d"


def close(model: Model, *bounds: Bound, because: CloseReason = "threshold_removed") -> Changes:
    keep = promised(NAME, bounds, [PLAN] if bounds else [])
    return model.keep(close_alerts(FACTS, model.alerts, list(model.incidents.values()), keep, because))


@pytest.mark.parametrize(
    ("metric", "column", "segment", "side", "still"),
    [
        # the bound itself
        ("accuracy", "", "", "min", True),
        # a segment that it covers without naming it, seen in the newest window or not
        ("accuracy", "", "origin=JFK", "min", True),
        # a segment column that it covers no more
        ("accuracy", "", "carrier=AA", "min", False),
        # the other side of the bound
        ("accuracy", "", "", "max", False),
        # a column under the star
        ("drift", "temp", "", "max", True),
        # ... but one with a threshold of its own, which is gone
        ("drift", "dep", "", "max", False),
        # a metric without any
        ("roc_auc", "", "", "min", False),
    ],
)
def test_an_alert_stays_as_long_as_a_bound_is_about_it(
    metric: str, column: str, segment: str, side: str, *, still: bool
) -> None:
    about = Alert("k", NAME, metric, column, segment, "min" if side == "min" else "max", "page")
    assert promised(NAME, [ACCURACY, DRIFT], [PLAN])(about) is still


@pytest.mark.parametrize(
    ("key", "still"),
    [
        # of a threshold, as it is written
        (blind_key(NAME, ACCURACY), True),
        (blind_key(NAME, DRIFT), True),
        # of a column that had one
        (alert_key(NAME, "drift", "dep", "", "blind"), False),
        # of the source of a plan
        (source_key(NAME, PLAN), True),
        # ... that is evaluated no more
        (source_key(NAME, "1d each 1d"), False),
    ],
)
def test_a_blind_alert_stays_as_long_as_its_threshold(key: str, *, still: bool) -> None:
    assert promised(NAME, [ACCURACY, DRIFT], [PLAN])(Alert(key, NAME, "x", "", "", "blind", "warn")) is still


def test_what_is_promised_no_more_ends_its_incident_and_is_told_as_closed() -> None:
    model = Model()
    model.see(1, verdict("breach"))
    model.see(3, drift("holds"))
    changes = close(model, DRIFT)
    [change] = changes.incidents
    assert (change.incident.resolved_at, change.incident.end_reason) == (end(3), "threshold_removed")
    assert (change.notification.reason, change.notification.message.state) == ("closed", "resolved")
    assert (
        change.notification.message.title == "⚪ CLOSED, NOT RESOLVED · flight-delay 2013-04 · accuracy 0.668 < 0.728"
    )
    assert change.notification.message.changed == (
        "accuracy is closed, not resolved: config.toml promises it no more (0.668 < 0.728)."
    )
    assert [(one.before, one.alert.condition, one.reason) for one in changes.transitions] == [
        ("firing", "closed", "threshold_removed")
    ]
    assert [one.resolved_at for one in change.resolved] == [end(3)]
    assert close(model, DRIFT) == Changes(), "whoever comes second finds nothing"


def test_an_incident_goes_on_with_what_is_still_promised() -> None:
    model = Model()
    model.see(1, verdict("breach"), drift("breach"))
    [change] = close(model, DRIFT).incidents
    assert (change.notification.reason, change.incident.is_open) == ("closed", True)
    assert change.notification.message.title == "🟡 WARN · flight-delay 2013-04 · drift.temp 0.31 > 0.2"
    model.see(2, drift("holds"))
    assert model.ended[0].end_reason == "resolved"


def test_a_model_that_is_retired_or_gone_closes_everything_with_one_message() -> None:
    for because in ("retired", "model_removed"):
        model = Model()
        model.see(1, verdict("breach"), drift("breach"))
        changes = close(model, because=because)
        assert [one.incident.end_reason for one in changes.incidents] == [because]
        assert {alert.condition for alert in changes.alerts} == {"closed"}


def test_what_was_pending_is_closed_silently() -> None:
    model = Model(Rule(DAY))
    model.see(1, verdict("breach"))
    changes = close(model)
    assert ([one.before for one in changes.transitions], changes.notifications) == (["pending"], ())


def test_what_is_promised_again_starts_anew() -> None:
    model = Model(Rule(reopen_for=9 * DAY))
    model.see(1, verdict("breach"))
    close(model)
    [told] = model.see(2, verdict("breach")).notifications
    assert (told.reason, len(model.incidents)) == ("opened", 2)


def test_a_window_judged_again_does_not_bring_back_what_was_closed() -> None:
    model = Model(Rule(DAY))
    for day in (1, 2, 3):
        model.see(day, verdict("breach"))
    close(model)
    [step] = [one for one in model.see(3, verdict("breach")).steps if one.alert.side == "min"]
    assert (step.reason, step.revised) == ("pending_started", False)


def test_what_is_promised_is_left_alone() -> None:
    model = Model()
    model.see(1, verdict("breach"), verdict("breach", segment="origin=JFK"))
    model.see(2, verdict("breach"))
    assert close(model, ACCURACY) == Changes()
