"""An alert that fires and is resolved again and again is told once, then not until it is stable."""

from __future__ import annotations

import pytest

from monitor.alerts.flapping import CYCLES, STABLE, WITHIN
from monitor.alerts.message import NotificationReason
from monitor.alerts.rule import Rule
from tests.alerts.scenes import Kind, Model, end, verdict

HOLDS: tuple[Kind, ...] = ("holds",)
BREACH: tuple[Kind, ...] = ("breach",)
UNKNOWN_TOO: tuple[Kind, ...] = ("holds", "unknown")
UP_AND_DOWN: tuple[Kind, ...] = ("breach", "holds")


def told(model: Model, *kinds: Kind, start: int = 1) -> list[tuple[int, NotificationReason]]:
    """What people hear, by day."""
    found: list[tuple[int, NotificationReason]] = []
    for day, kind in enumerate(kinds, start=start):
        found += [(day, one.reason) for one in model.see(day, verdict(kind)).notifications]
    return found


def cycle(apart: int) -> tuple[Kind, ...]:
    """Fires, is resolved, and then holds until *apart* windows have gone by."""
    return ("breach", *HOLDS * (apart - 1))


TABLE: list[tuple[tuple[Kind, ...], list[tuple[int, NotificationReason]]]] = [
    # Twice is bad luck.
    (UP_AND_DOWN * 2, [(1, "opened"), (2, "resolved"), (3, "opened"), (4, "resolved")]),
    # At the third end it is called flapping, and the incident stays open.
    (UP_AND_DOWN * 3, [(1, "opened"), (2, "resolved"), (3, "opened"), (4, "resolved"), (5, "opened"), (6, "flapping")]),
    # What it does from then on is not told ...
    (UP_AND_DOWN * 9, [(1, "opened"), (2, "resolved"), (3, "opened"), (4, "resolved"), (5, "opened"), (6, "flapping")]),
    # ... until it has held for twelve windows after its last end, on day 8: then it is over.
    (
        (*UP_AND_DOWN * 4, *HOLDS * STABLE),
        [
            (1, "opened"),
            (2, "resolved"),
            (3, "opened"),
            (4, "resolved"),
            (5, "opened"),
            (6, "flapping"),
            (20, "resolved"),
        ],
    ),
    # ... or has fired for as long since day 9: then that is said.
    (
        (*UP_AND_DOWN * 4, "breach", *BREACH * STABLE),
        [
            (1, "opened"),
            (2, "resolved"),
            (3, "opened"),
            (4, "resolved"),
            (5, "opened"),
            (6, "flapping"),
            (21, "flapping"),
        ],
    ),
    # Windows that nobody could judge are no stable ones.
    (
        (*UP_AND_DOWN * 3, *UNKNOWN_TOO * (STABLE - 1), "holds"),
        [
            (1, "opened"),
            (2, "resolved"),
            (3, "opened"),
            (4, "resolved"),
            (5, "opened"),
            (6, "flapping"),
            (29, "resolved"),
        ],
    ),
    # Three within 24 windows: the third end falls on the 24th, counted from the first fire.
    (
        (*cycle(11) * 2, "breach", "holds"),
        [(1, "opened"), (2, "resolved"), (12, "opened"), (13, "resolved"), (23, "opened"), (24, "flapping")],
    ),
    # One window later it does not.
    (
        (*cycle(11), *cycle(12), "breach", "holds"),
        [(1, "opened"), (2, "resolved"), (12, "opened"), (13, "resolved"), (24, "opened"), (25, "resolved")],
    ),
]


@pytest.mark.parametrize(("kinds", "heard"), TABLE)
def test_flapping_is_told_once_and_then_when_it_is_over(
    kinds: tuple[Kind, ...], heard: list[tuple[int, NotificationReason]]
) -> None:
    assert told(Model(), *kinds) == heard


def test_what_nobody_is_told_is_kept_as_a_transition() -> None:
    model = Model()
    told(model, *UP_AND_DOWN * 3)
    changes = [model.see(day, verdict(kind)) for day, kind in enumerate(UP_AND_DOWN, start=7)]
    assert [(one.before, one.alert.condition, one.reason) for each in changes for one in each.transitions] == [
        ("resolved", "firing", "fired"),
        ("firing", "resolved", "resolved"),
    ]
    assert [change.incidents for change in changes] == [(), ()]


def test_the_notice_says_how_long_it_will_be_quiet() -> None:
    model = Model()
    told(model, *UP_AND_DOWN * 2, "breach")
    [notice] = model.see(6, verdict("holds", 0.778)).notifications
    assert notice.message.changed == (
        "accuracy fires and is resolved again and again; more is said once it has been stable for 12 windows."
    )
    assert notice.message.title == "🔴 PAGE · flight-delay 2013-04 · accuracy flaps, now 0.778 ≥ 0.728"
    told(model, "breach", *BREACH * (STABLE - 1), start=7)
    [steady] = model.see(19, verdict("breach")).notifications
    assert steady.message.changed == "accuracy has been stable for 12 windows, and it is open (0.668 < 0.728)."


def test_the_episode_lasts_as_long_as_it_flaps() -> None:
    model = Model()
    told(model, *UP_AND_DOWN * 3, *HOLDS * (STABLE - 1))
    [change] = model.see(18, verdict("holds")).incidents
    assert [one.resolved_at for one in change.resolved] == [end(18)]
    assert (change.incident.opened_at, change.incident.end_reason) == (end(5), "resolved")


def test_reopened_episodes_flap_too() -> None:
    heard = told(Model(Rule(reopen_for=end(2) - end(1))), *UP_AND_DOWN * 4)
    assert heard == [(1, "opened"), (2, "resolved"), (3, "reopened"), (4, "resolved"), (5, "reopened"), (6, "flapping")]


def test_what_is_remembered_of_the_past_is_bounded() -> None:
    model = Model()
    told(model, *UP_AND_DOWN * 40)
    [alert] = model.alerts.values()
    assert (len(alert.fired_in), alert.decided) == (CYCLES, 80)
    assert (CYCLES, WITHIN, STABLE) == (3, 24, 12)
