"""One incident per model: it opens with the first alert and ends with the last."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from monitor.alerts.incident import EpisodeResolved, notification_key
from monitor.alerts.message import Message
from monitor.alerts.rule import Rule
from monitor.release.verdict import Verdict
from tests.alerts.scenes import DAY, Kind, Model, drift, end, verdict


def test_nothing_wrong_is_nothing_to_tell() -> None:
    model = Model()
    changes = model.see(1, verdict("holds"), drift("unknown"))
    assert (changes.incidents, changes.notifications) == ((), ())
    assert [(one.metric, one.side, one.condition) for one in changes.alerts] == [
        ("accuracy", "min", "inactive"),
        ("drift", "max", "inactive"),
        ("drift", "blind", "pending"),
    ]


def test_an_incident_from_its_opening_to_its_end() -> None:
    model = Model()
    opened = model.see(1, drift("breach"), verdict("holds"))
    assert [one.reason for one in opened.notifications] == ["opened"]
    [change] = opened.incidents
    assert (change.incident.severity, change.incident.opened_at, change.incident.sequence) == ("warn", end(1), 1)
    assert [(one.metric, one.column, one.opened_at, one.threshold) for one in change.opened] == [
        ("drift", "temp", end(1), 0.2)
    ]
    raised = model.see(2, verdict("breach"), drift("breach"))
    assert [one.reason for one in raised.notifications] == ["severity_raised"]
    assert model.incident is not None
    assert model.incident.severity == "page"
    partly = model.see(3, verdict("holds"))
    assert [one.reason for one in partly.notifications] == ["alert_resolved"]
    assert partly.notifications[0].message.state == "warn", "the message shows what is open now"
    assert model.incident.severity == "page", "the incident keeps the highest it had"
    ended = model.see(4, drift("holds"))
    assert [one.reason for one in ended.notifications] == ["resolved"]
    assert ended.incidents[0].resolved == (EpisodeResolved(change.opened[0].alert_key, end(4)),)
    assert (model.ended[0].resolved_at, model.ended[0].end_reason) == (end(4), "resolved")
    assert model.ended[0].sequence == 4


def test_several_changes_in_one_window_are_one_notification() -> None:
    model = Model()
    model.see(1, verdict("breach"))
    segments = [verdict("breach", segment=f"origin={name}") for name in ("EWR", "JFK", "LGA", "BOS", "SFO")]
    [told] = model.see(2, verdict("holds"), *segments).notifications
    assert told.reason == "alert_joined"
    assert "accuracy [origin=BOS] fell below" in told.message.changed
    assert "3 more alerts changed in this window." in told.message.changed
    assert told.message.title.endswith("(+4 more)")


def test_the_page_comes_back_loudly_after_it_had_gone() -> None:
    # page resolved while a warning goes on, then pages again: that must be heard
    model = Model()
    model.see(1, verdict("breach"), drift("breach"))
    model.see(2, verdict("holds"))
    [told] = model.see(3, verdict("breach")).notifications
    assert told.reason == "severity_raised"


def test_a_severity_raised_in_the_contract_is_told() -> None:
    model = Model()
    model.see(1, verdict("breach", severity="warn"))
    [told] = model.see(2, verdict("breach", severity="page")).notifications
    assert told.reason == "severity_raised"
    assert told.message.changed == "accuracy pages now; until now it warned (0.668 < 0.728)."


def test_a_revision_takes_an_incident_back_and_says_so() -> None:
    model = Model()
    model.see(1, verdict("breach"))
    [told] = model.see(1, verdict("holds", 0.75)).notifications
    assert told.reason == "resolved"
    assert told.message.changed == (
        "accuracy is taken back: the window up to 2013-06-04 00:00 UTC was judged again "
        "with newer data and is no breach (0.75 ≥ 0.728)."
    )
    assert model.incident is None


def test_a_breach_soon_after_the_end_goes_on_in_the_same_incident() -> None:
    model = Model(Rule(reopen_for=DAY))
    model.see(1, verdict("breach", 0.61))
    model.see(2, verdict("holds"))
    again = model.see(3, verdict("breach"))
    [change] = again.incidents
    assert (change.notification.reason, change.notification.sequence, change.opens) == ("reopened", 3, False)
    assert (change.incident.id, change.incident.resolved_at, change.incident.end_reason) == (1, None, "")
    assert (change.opened, change.reopened) == ((), (again.alerts[0].key,))
    assert change.notification.message.title == "🔴 PAGE · flight-delay 2013-04 · accuracy 0.668 < 0.728"
    assert change.notification.message.changed.startswith("Again: accuracy fell below the promised 0.728")
    assert again.alerts[0].worst == 0.61, "the episode is the same one"
    assert len(model.incidents) == 1


def test_what_comes_later_is_an_incident_of_its_own() -> None:
    model = Model(Rule(reopen_for=DAY))
    model.see(1, verdict("breach"))
    model.see(2, verdict("holds"))
    model.see(3, verdict("holds"))
    [told] = model.see(4, verdict("breach")).notifications
    assert (told.reason, told.sequence, len(model.incidents)) == ("opened", 1, 2)


def test_nothing_is_reopened_once_another_incident_has_opened() -> None:
    model = Model(Rule(reopen_for=9 * DAY))
    model.see(1, verdict("breach"))
    model.see(2, verdict("holds"))
    model.see(3, drift("breach"))
    joined = model.see(4, verdict("breach"))
    assert [one.reason for one in joined.notifications] == ["severity_raised"]
    assert ([step.reason for step in joined.steps], joined.incidents[0].incident.id) == (["fired"], 2)
    assert len(joined.incidents[0].opened) == 1


RELAPSES = Rule(reopen_for=DAY, relapse_for=9 * DAY)


def by_days(kind: Kind, metric: str = "accuracy") -> Verdict:
    """A verdict of the alarm on a bound that pages."""
    return verdict(kind, metric=metric, averages=True)


def test_a_relapse_of_what_is_judged_by_days_opens_its_last_incident_again() -> None:
    model = Model(RELAPSES)
    model.see(1, by_days("breach"))
    model.see(2, by_days("holds"))
    model.see(10, by_days("holds"))
    [change] = model.see(11, by_days("breach")).incidents
    assert (change.notification.reason, change.notification.sequence, change.opens) == ("reopened", 3, True)
    assert (change.incident.id, change.incident.opened_at, change.incident.resolved_at) == (1, end(1), None)
    assert len(change.opened) == 1, "the alert's episode is a new one"
    assert change.notification.message.changed.startswith(
        "Again, 9 days after the incident was over: accuracy fell below the promised 0.728"
    )
    model.see(12, by_days("holds"))
    assert [one.resolved_at for one in model.ended] == [end(12)]


@pytest.mark.parametrize(("days", "said"), [(1, "day"), (3, "3 days")])
def test_what_days_decided_is_told_of_these_days(days: int, said: str) -> None:
    model = Model(RELAPSES)
    [told] = model.see(9, replace(by_days("breach"), since=end(9 - days))).notifications
    assert told.message.changed.startswith(
        f"accuracy fell below the promised 0.728: 0.668 [0.655, 0.681] over 18,511 rows of the last {said}."
    )
    window = next(field for field in told.message.fields if field.label == "Days")
    assert window.text == f"2013-06-{12 - days:02} 00:00 → 2013-06-12 00:00 UTC"


@pytest.mark.parametrize(
    ("later", "day"),
    [
        (by_days("breach"), 12),  # a moment too late
        (verdict("breach"), 11),  # each of its windows is judged by itself
        (drift("breach"), 11),  # it only warns
    ],
)
def test_what_is_no_relapse_is_an_incident_of_its_own(later: Verdict, day: int) -> None:
    model = Model(RELAPSES)
    model.see(1, by_days("breach"))
    model.see(2, by_days("holds"))
    [told] = model.see(day, later).notifications
    assert (told.reason, len(model.incidents)) == ("opened", 2)


def test_a_relapse_goes_on_with_the_last_incident_that_paged_whatever_warned_since() -> None:
    model = Model(RELAPSES)
    model.see(1, by_days("breach"))
    model.see(2, by_days("holds"))
    model.see(3, drift("breach"))
    model.see(4, drift("holds"))
    [change] = model.see(5, by_days("breach")).incidents
    assert (change.notification.reason, change.incident.id) == ("reopened", 1)
    assert [one.id for one in model.ended] == [2]


def test_a_relapse_while_another_incident_is_open_joins_that_one() -> None:
    model = Model(RELAPSES)
    model.see(1, by_days("breach"))
    model.see(2, by_days("holds"))
    model.see(3, drift("breach"))
    [change] = model.see(4, by_days("breach")).incidents
    assert (change.notification.reason, change.incident.id) == ("severity_raised", 2)


def test_another_bound_that_shares_the_budget_relapses_into_the_same_incident() -> None:
    model = Model(RELAPSES)
    model.see(1, by_days("breach"), by_days("holds", "mae"))
    model.see(2, by_days("holds"), by_days("holds", "mae"))
    [change] = model.see(5, by_days("holds"), by_days("breach", "mae")).incidents
    assert (change.notification.reason, change.incident.id) == ("reopened", 1)
    assert change.notification.message.changed.startswith(
        "Again, 3 days after the incident was over: mae rose above the promised 0.2"
    )


def test_what_opens_beside_a_relapse_joins_it() -> None:
    model = Model(RELAPSES)
    model.see(1, drift("holds"), by_days("breach"))
    model.see(2, drift("holds"), by_days("holds"))
    [change] = model.see(5, drift("breach"), by_days("breach")).incidents
    assert (change.notification.reason, change.incident.id, len(change.opened)) == ("reopened", 1, 2)


def test_what_was_closed_and_not_resolved_is_not_relapsed_into() -> None:
    model = Model(RELAPSES)
    model.see(1, by_days("breach"))
    model.incidents[1] = replace(model.incidents[1], resolved_at=end(2), end_reason="threshold_removed")
    model.alerts.clear()
    [told] = model.see(3, by_days("breach")).notifications
    assert (told.reason, len(model.incidents)) == ("opened", 2)


def test_an_alert_comes_back_into_the_incident_that_others_kept_open() -> None:
    model = Model(Rule(reopen_for=DAY))
    model.see(1, verdict("breach", severity="warn"), drift("breach"))
    model.see(2, verdict("holds", severity="warn"))
    [change] = model.see(3, verdict("breach", severity="warn")).incidents
    assert (change.notification.reason, change.opened, len(change.reopened)) == ("alert_joined", (), 1)


def test_a_revision_that_takes_an_end_back_goes_on_in_the_same_thread() -> None:
    # whatever reopen_for says: people have been told the end, and it was none
    model = Model()
    model.see(1, verdict("breach"))
    model.see(2, verdict("holds"))
    [change] = model.see(2, verdict("breach")).incidents
    assert (change.notification.reason, change.incident.id, change.opened) == ("reopened", 1, ())
    assert len(change.reopened) == 1


def test_a_breach_taken_back_and_found_again_pages_once() -> None:
    model = Model()
    reasons = [model.see(1, verdict(kind)).notifications[0].reason for kind in ("breach", "holds", "breach")]
    assert reasons == ["opened", "resolved", "reopened"]


def test_a_bound_may_wait_longer_than_the_rest() -> None:
    model = Model(Rule())
    assert model.see(1, verdict("breach", pending_for=2 * DAY)).notifications == ()
    assert model.see(2, verdict("breach", pending_for=2 * DAY)).notifications == ()
    assert len(model.see(3, verdict("breach", pending_for=2 * DAY)).notifications) == 1


def test_an_old_window_changes_nothing() -> None:
    model = Model()
    model.see(5, verdict("breach"))
    changes = model.see(3, verdict("holds"))
    assert (changes.alerts, changes.notifications) == ((), ())


def test_two_verdicts_on_one_alert_are_an_error() -> None:
    with pytest.raises(ValueError, match="Two verdicts") as raised:
        Model().see(1, verdict("breach"), verdict("holds"))
    assert str(raised.value).startswith("Two verdicts of model 'flight-delay' are about the same alert")
    assert str(raised.value).endswith("One window holds one verdict per metric, column, segment and side.")


def test_the_message_says_what_was_promised_and_what_is() -> None:
    model = Model()
    model.see(1, verdict("holds", 0.775))
    [told] = model.see(2, verdict("breach")).notifications
    message = told.message
    assert message.title == "🔴 PAGE · flight-delay 2013-04 · accuracy 0.668 < 0.728"
    assert {field.label: field.text for field in message.fields} == {
        "Window": "2013-05-29 00:00 → 2013-06-05 00:00 UTC",
        "Value": "0.668 [0.655, 0.681]",
        "Promised": "at least 0.728 (release 2013-04, released at 0.781)",
        "Rows": "18,511",
        "Since": "2013-06-05 00:00 UTC",
    }
    assert message.changed == (
        "accuracy fell below the promised 0.728: 0.668 [0.655, 0.681] over 18,511 rows. "
        "It last held at 0.775, in the window up to 2013-06-04 00:00 UTC."
    )
    assert message.thread_line == f"🔴 2013-06-05 00:00 UTC · {message.changed}"
    assert Message.from_data(json.loads(json.dumps(message.to_data()))) == message


def test_numbers_that_differ_look_different() -> None:
    [told] = Model().see(1, verdict("breach", 0.72795)).notifications
    assert "accuracy 0.72795 < 0.728" in told.message.title or "accuracy 0.7279 < 0.728" in told.message.title
    assert "0.728 < 0.728" not in told.message.title


def test_notifications_of_an_incident_are_numbered_without_gaps() -> None:
    model = Model()
    numbers: list[int] = []
    days: list[tuple[Kind, Kind]] = [("breach", "holds"), ("breach", "breach"), ("holds", "breach"), ("holds", "holds")]
    for day, (accuracy, shift) in enumerate(days, 1):
        numbers += [one.sequence for one in model.see(day, verdict(accuracy), drift(shift)).notifications]
    assert numbers[0] == 1
    assert all(later == earlier + 1 for earlier, later in pairwise(numbers))
    assert notification_key(7, 2, "slack:#alerts") == "7/2/slack:#alerts"
