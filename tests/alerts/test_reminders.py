"""Acknowledgements, repeats, escalation and the end of a mute: who is told again, and when not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.acknowledgement import Acknowledgement, acknowledged, holding
from monitor.alerts.message import About, Message, MessageState, NotificationReason
from monitor.alerts.muting import muted
from monitor.alerts.reminders import Reminder, Standing, Told, due, present
from monitor.alerts.silence import Silence
from monitor.settings import AlertSettings, Escalation, Maintenance
from tests.alerts.scenes import Model, drift, verdict

T0 = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PAGE, WARNING = About("accuracy", "", "page"), About("drift.temp", "", "warn")
PLAIN = AlertSettings()
TIERS = AlertSettings(
    escalation=(Escalation(after=2 * HOUR, channel="#ml-leads"), Escalation(after=30 * MINUTE, mention="@second"))
)


def standing(
    *told: Told, severity: MessageState = "page", acknowledgements: Sequence[Acknowledgement] = ()
) -> Standing:
    model = Model()
    newest = model.see(1, verdict("breach") if severity == "page" else drift("breach")).notifications[-1].message
    alerts = tuple(alert for alert in model.alerts.values() if alert.is_open)
    return Standing(present(newest, alerts), alerts, told or (opened(severity=severity),), tuple(acknowledgements))


def told(
    reason: NotificationReason, at: datetime, *, severity: MessageState = "page", suppressed: bool = False
) -> Told:
    about = PAGE if severity == "page" else WARNING
    return Told(reason, severity, "suppressed" if suppressed else "told", at, at, (about,))


def opened(at: datetime = T0, *, severity: MessageState = "page", suppressed: bool = False) -> Told:
    return told("opened", at, severity=severity, suppressed=suppressed)


def acknowledgement(at: datetime = T0, *, severity: str = "page", lasts: timedelta = DAY) -> Acknowledgement:
    return Acknowledgement(severity, "anna", "looking into it", at, at + lasts)


def silence(at: datetime = T0, *, lasts: timedelta = HOUR) -> Silence:
    return Silence(3, {"model": "flight-*"}, at, at + lasts, "anna", "deploying")


def reason(found: Reminder | None) -> str | None:
    return None if found is None else found.message.reason


@pytest.mark.parametrize(
    ("now", "severity", "acknowledgements", "expected"),
    [
        # A page every four hours, since people were last told.
        (T0 + 4 * HOUR - MINUTE, "page", [], None),
        (T0 + 4 * HOUR, "page", [], "repeat"),
        # A warning every day.
        (T0 + 4 * HOUR, "warn", [], None),
        (T0 + DAY, "warn", [], "repeat"),
        # Somebody has seen it.
        (T0 + 4 * HOUR, "page", [acknowledgement()], None),
        # ... but that is over.
        (T0 + DAY, "page", [acknowledgement()], "repeat"),
        # ... or they have seen the warning, and now it pages.
        (T0 + 4 * HOUR, "page", [acknowledgement(severity="warn")], "repeat"),
        # ... while one of a page holds for a warning too.
        (T0 + 2 * DAY, "warn", [acknowledgement(lasts=3 * DAY)], None),
    ],
)
def test_people_are_reminded_of_what_is_open_and_not_acknowledged(
    now: datetime, severity: MessageState, acknowledgements: list[Acknowledgement], expected: str | None
) -> None:
    found = due(standing(severity=severity, acknowledgements=acknowledgements), (), PLAIN, now)

    assert reason(found) == expected


def test_a_repeat_says_how_long_it_is_open_and_how_it_stands() -> None:
    found = due(standing(), (), PLAIN, T0 + 5 * HOUR)

    assert found is not None
    assert found.message.thread_line == "🔴 Still open after 5 hours: accuracy 0.668 < 0.728."
    assert found.message.title.startswith("🔴 PAGE · flight-delay")
    assert found.message.remark == ""


def test_what_waits_to_be_delivered_is_not_repeated() -> None:
    waiting = replace(opened(), outcome="waiting")

    assert due(standing(waiting), (), TIERS, T0 + 30 * DAY) is None


def test_a_notification_of_any_kind_is_a_reminder_in_itself() -> None:
    found = due(standing(opened(), told("alert_joined", T0 + 3 * HOUR)), (), PLAIN, T0 + 5 * HOUR)

    assert found is None


@pytest.mark.parametrize(
    ("history", "now", "tier"),
    [
        # Not yet.
        ([opened()], T0 + 29 * MINUTE, None),
        # The first tier, by time and not by place in the settings.
        ([opened()], T0 + 30 * MINUTE, ("@second", None)),
        # Once; the second tier has its own time, counted from when people were first told.
        ([opened(), told("escalated", T0 + 30 * MINUTE)], T0 + 119 * MINUTE, None),
        ([opened(), told("escalated", T0 + 30 * MINUTE)], T0 + 120 * MINUTE, (None, "#ml-leads")),
        # Then no more: what follows is the repeat.
        ([opened(), *[told("escalated", T0 + 2 * HOUR)] * 2], T0 + 3 * HOUR, None),
        # Counted from the page, not from the warning it began with.
        ([opened(severity="warn"), told("severity_raised", T0 + HOUR)], T0 + 80 * MINUTE, None),
        ([opened(severity="warn"), told("severity_raised", T0 + HOUR)], T0 + 90 * MINUTE, ("@second", None)),
        # Counted from when people were told, not from when nobody was.
        ([opened(suppressed=True), told("unmuted", T0 + HOUR)], T0 + 80 * MINUTE, None),
        # Opened again: counted anew, and a tier that was used stays used.
        ([opened(), told("reopened", T0 + HOUR)], T0 + 80 * MINUTE, None),
        ([opened(), told("escalated", T0 + HOUR), told("reopened", T0 + 3 * HOUR)], T0 + 4 * HOUR, None),
    ],
)
def test_a_page_that_nobody_acknowledges_escalates_tier_by_tier(
    history: list[Told], now: datetime, tier: tuple[str | None, str | None] | None
) -> None:
    found = due(standing(*history), (), TIERS, now)

    escalated = found if reason(found) == "escalated" else None
    assert (None if escalated is None else (escalated.message.mention, escalated.channel)) == tier


def test_warnings_and_acknowledged_pages_do_not_escalate() -> None:
    assert due(standing(severity="warn"), (), TIERS, T0 + 3 * HOUR) is None
    assert due(standing(acknowledgements=[acknowledgement()]), (), TIERS, T0 + 3 * HOUR) is None


def test_after_an_acknowledgement_has_expired_escalation_begins_anew() -> None:
    seen = standing(acknowledgements=[acknowledgement(lasts=3 * HOUR)])

    assert due(seen, (), TIERS, T0 + 3 * HOUR + 29 * MINUTE) is None
    found = due(seen, (), TIERS, T0 + 3 * HOUR + 30 * MINUTE)
    assert found is not None
    assert found.message.thread_line == "🔴 Nobody has acknowledged this for 30 minutes: accuracy 0.668 < 0.728."


@pytest.mark.parametrize(
    ("history", "silences", "now", "expected"),
    [
        # While it holds nobody is told.
        ([opened(suppressed=True)], [silence()], T0 + 59 * MINUTE, None),
        # When it is over and the incident still open, people are told, once.
        ([opened(suppressed=True)], [silence()], T0 + HOUR, "unmuted"),
        ([opened(suppressed=True), told("unmuted", T0 + HOUR)], [silence()], T0 + 2 * HOUR, None),
        # Also where people knew of the incident before.
        ([opened()], [silence(T0 + MINUTE)], T0 + 2 * HOUR, "unmuted"),
        # Not where it was opened only after the silence.
        ([opened(T0 + HOUR)], [silence()], T0 + HOUR, None),
        # Another silence goes on.
        ([opened(suppressed=True)], [silence(), silence(lasts=3 * HOUR)], T0 + 2 * HOUR, None),
        # The silence has gone without a trace, as a calendar does that is taken out of the settings.
        ([opened(suppressed=True)], [], T0 + MINUTE, "unmuted"),
        # The reminder itself fell into another silence that is over now.
        (
            [opened(suppressed=True), told("unmuted", T0 + HOUR, suppressed=True)],
            [silence(), silence(T0 + HOUR)],
            T0 + 2 * HOUR,
            "unmuted",
        ),
    ],
)
def test_the_end_of_a_silence_is_told_once_while_the_incident_is_open(
    history: list[Told], silences: list[Silence], now: datetime, expected: str | None
) -> None:
    assert reason(due(standing(*history), silences, PLAIN, now)) == expected


def test_the_end_of_a_silence_names_it() -> None:
    found = due(standing(opened(suppressed=True)), [silence()], PLAIN, T0 + HOUR)

    assert found is not None
    assert found.message.thread_line == (
        "🔴 Silence 3 of anna (deploying) is over, and this is still open: accuracy 0.668 < 0.728."
    )


def test_the_end_of_maintenance_is_told_too() -> None:
    settings = AlertSettings(maintenance=(Maintenance(name="noon", begins="11:30", ends="12:30"),))

    assert due(standing(opened(suppressed=True)), (), settings, T0 + 29 * MINUTE) is None
    found = due(standing(opened(suppressed=True)), (), settings, T0 + 30 * MINUTE)
    assert found is not None
    assert found.message.thread_line.startswith("🔴 Maintenance 'noon' is over")


def test_an_acknowledgement_is_a_line_in_the_thread_and_a_remark_by_the_incident() -> None:
    said = acknowledged(standing().message, acknowledgement())

    assert said.reason == "acknowledged"
    assert said.thread_line == "👀 Acknowledged by anna until 2026-03-05 12:00 UTC: looking into it"
    assert said.remark == "Acknowledged by anna until 2026-03-05 12:00 UTC"
    assert acknowledged(said, replace(acknowledgement(), comment="")).thread_line.endswith("UTC.")


@pytest.mark.parametrize(
    ("at", "since", "holds"),
    [
        (T0, None, True),
        (T0 + DAY - MINUTE, None, True),
        (T0 + DAY, None, False),  # expired
        (T0 - MINUTE, None, False),  # not yet given
        (T0 + HOUR, T0, True),
        (T0 + HOUR, T0 + MINUTE, False),  # it was resolved and has opened again since
    ],
)
def test_an_acknowledgement_holds_for_a_while(at: datetime, since: datetime | None, holds: bool) -> None:
    assert (holding([acknowledgement()], "page", at, since) is not None) is holds


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 10)), max_size=3),
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 40)), max_size=2),
    st.booleans(),
)
def test_a_day_of_reminders(silenced: list[tuple[int, int]], acks: list[tuple[int, int]], page: bool) -> None:
    """Every half hour for two days: nothing while muted, one word after each mute, tiers once, none after its end."""
    severity: MessageState = "page" if page else "warn"
    silences = [silence(T0 + start * HOUR, lasts=length * HOUR) for start, length in silenced]
    given_acks = [acknowledgement(T0 + start * HOUR, lasts=length * HOUR) for start, length in acks]
    first = standing(severity=severity)
    history = [opened(severity=severity, suppressed=muted(first.message, silences, (), T0) is not None)]
    now = T0
    while now < T0 + 2 * DAY:
        now += HOUR / 2
        seen = replace(first, told=tuple(history), acknowledgements=tuple(given_acks))
        found = due(seen, silences, TIERS, now)
        if found is not None:
            assert muted(first.message, silences, (), now) is None
            assert reason(found) == "unmuted" or seen.acknowledgement(now) is None
            history.append(told(found.message.reason, now, severity=severity))
            assert due(replace(seen, told=tuple(history)), silences, PLAIN, now) is None, "it is told once"
    resolved = replace(first.message, state="resolved")
    assert due(replace(first, message=resolved, told=tuple(history)), silences, TIERS, now + 9 * DAY) is None
    assert sum(each.reason == "escalated" for each in history) <= (2 if page else 0)
    assert sum(each.reason == "unmuted" for each in history) == _stretches(first.message, silences)


def _stretches(message: Message, silences: list[Silence]) -> int:
    """How often in the two days nobody could be told for a while, and then again."""
    hours = [muted(message, silences, (), T0 + HOUR / 2 * half) is not None for half in range(97)]
    return sum(before and not after for before, after in pairwise(hours))
