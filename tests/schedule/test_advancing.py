"""What the life of alerts leaves in the history: incidents, episodes, transitions, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, select

from checks.discovery import discover
from monitor.alerts.alert import Alert
from monitor.alerts.routing import Route, Routing
from monitor.alerts.rule import JudgedWindow, Rule
from monitor.app import open_store
from monitor.delivery.reminding import acknowledge
from monitor.history import incidents, tables
from monitor.history.records import EvaluationRecord, VerdictRecord
from monitor.history.store import Store
from monitor.release.verdict import Verdict
from monitor.schedule.advancing import advance
from monitor.schedule.correcting import correct
from monitor.schedule.due import DueWindow
from monitor.schedule.plan import Plan
from monitor.schedule.watch import Watch, watches_of
from monitor.settings import load_settings
from tests.alerts.scenes import Kind, drift, verdict
from tests.world import World

DAY = timedelta(days=1)
FIRST = datetime(2026, 3, 10, tzinfo=UTC)
WALL = datetime(2026, 6, 1, tzinfo=UTC)


class Life:
    """A model whose accuracy is judged once a day."""

    def __init__(self, store: Store, watch: Watch, token: int) -> None:
        self.store = store
        self.watch = watch
        self.token = token

    def see(
        self, day: int, kind: Kind, receiver: str = "console", *others: Verdict, wall: datetime = WALL
    ) -> list[int]:
        window = JudgedWindow("p", FIRST + (day - 2) * DAY, FIRST + day * DAY, (verdict(kind), *others))
        with self.store.recording("churn", self.token, WALL) as recording:
            evaluation = EvaluationRecord("7", "p", window.start, window.end, window.end)
            evaluated = recording.evaluation(evaluation)
            judged = verdict(kind)
            recording.verdicts(
                evaluated, [VerdictRecord(judged.bound.metric, judged.state, judged.reason, "page", "min")]
            )
            return advance(
                recording, self.watch, window, Routing((Route(receiver),)), evaluation_id=evaluated, wall=wall
            )

    def revise(self, day: int, kind: Kind) -> None:
        """Judge the window that ends on *day* again, when it is not the newest any more."""
        plan = Plan("p", 2 * DAY, DAY, awaits_outcomes=True, checks=())
        due = DueWindow(plan, FIRST + (day - 2) * DAY, FIRST + day * DAY, 1, "revision", WALL)
        with self.store.recording("churn", self.token, WALL) as recording:
            alerts = tuple(Alert.from_data(data) for data in recording.alerts().values())
            correct(recording, self.watch, due, (verdict(kind),), alerts, WALL)

    def rows(self, table: Table, *names: str) -> list[tuple[Any, ...]]:
        with self.store.engine.connect() as connection:
            asked = select(*(table.c[name] for name in names)).order_by(table.c.id)
            return [tuple(row) for row in connection.execute(asked)]


@pytest.fixture
def life(world: World, database_url: str) -> Iterator[Life]:
    settings = load_settings(world.folder / "config.toml", {})
    (watch,) = watches_of(settings, discover(), world.folder)
    with open_store(settings, world.folder, database_url) as store:
        token = store.claim("churn", "me", WALL, DAY)
        assert token is not None
        yield Life(store, watch, token)


def test_each_change_of_condition_is_kept_with_its_reason_and_its_incident(life: Life) -> None:
    life.watch = replace(life.watch, rule=Rule(pending_for=DAY, keep_firing_for=DAY))
    kinds: tuple[Kind, ...] = ("breach", "breach", "unknown", "holds", "breach", "holds", "holds")
    for day, kind in enumerate(kinds, start=1):
        life.see(day, kind)

    found = life.rows(tables.transitions, "side", "before", "after", "reason", "incident_id", "evaluation_id")
    assert [row[1:] for row in found if row[0] == "min"] == [
        ("inactive", "pending", "pending_started", None, 1),
        ("pending", "firing", "fired", 1, 2),
        ("firing", "recovering", "recovering_started", 1, 4),
        ("recovering", "firing", "relapsed", 1, 5),
        ("firing", "recovering", "recovering_started", 1, 6),
        ("recovering", "resolved", "resolved", 1, 7),
    ]
    assert life.rows(tables.incidents, "resolved_at", "end_reason", "sequence") == [(FIRST + 7 * DAY, "resolved", 2)]


def test_an_incident_that_is_reopened_is_the_same_row(life: Life) -> None:
    assert life.watch.rule.reopen_for == DAY, "as settings have it"
    kinds: tuple[Kind, ...] = ("breach", "holds", "breach")
    assert [life.see(day, kind) for day, kind in enumerate(kinds, start=1)] == [[1], [], []]

    assert life.rows(tables.incidents, "opened_at", "resolved_at", "end_reason") == [(FIRST + DAY, None, "")]
    assert life.rows(tables.episodes, "opened_at", "resolved_at", "reopened") == [(FIRST + DAY, None, 1)]
    assert [key for (key,) in life.rows(tables.outbox, "key")] == ["1/1/console", "1/2/console", "1/3/console"]


@pytest.mark.parametrize(
    ("revised", "line"),
    [
        ("holds", "accuracy is no breach (0.778 ≥ 0.728)"),
        ("breach", None),  # as it was
        ("unknown", None),  # nothing is known against it
    ],
)
def test_an_older_window_that_is_judged_otherwise_is_told_in_the_thread(
    life: Life, revised: Kind, line: str | None
) -> None:
    life.see(1, "breach")
    life.see(2, "breach")
    life.revise(1, revised)

    told = life.rows(tables.outbox, "key", "reason", "message")
    assert [key for key, _, _ in told] == ["1/1/console", *(["1/2/console"] if line else [])]
    if line:
        assert (told[1][1], told[1][2]["state"]) == ("corrected", "page")
        assert told[1][2]["thread_line"] == (
            f"✏️ The window up to 2026-03-11 00:00 UTC was judged again with newer data: {line}."
        )
    assert life.rows(tables.incidents, "resolved_at") == [(None,)], "it ends nothing"


def test_a_breach_of_the_past_that_no_incident_covers_is_left_to_the_history(life: Life) -> None:
    life.see(1, "holds")
    life.see(2, "holds")
    life.revise(1, "breach")
    assert life.rows(tables.outbox, "key") == []


def test_whoever_heard_of_an_incident_hears_its_end(life: Life) -> None:
    life.see(1, "breach", "slack:#old")
    life.see(2, "holds", "slack:#new")
    assert life.rows(tables.outbox, "reason", "receiver") == [
        ("opened", "slack:#old"),
        ("resolved", "slack:#new"),
        ("resolved", "slack:#old"),
    ]


def test_who_acknowledged_an_incident_stands_by_it_as_long_as_that_holds(life: Life) -> None:
    def say(day: int, kind: Kind, hours: float, *others: Verdict) -> str:
        life.see(day, kind, "console", *others, wall=WALL + timedelta(hours=hours))
        message = life.rows(tables.outbox, "message")[-1][0]
        return f"{message['reason']}: {message['remark']}"

    seen = "Acknowledged by ada until 2026-06-01 11:00 UTC"
    assert say(1, "breach", 0) == "opened: "
    acknowledge(life.store.engine, 1, "ada", "", WALL + timedelta(hours=1), timedelta(hours=10))
    assert say(2, "breach", 2, drift("breach")) == f"alert_joined: {seen}", "the next message keeps it"
    assert say(3, "breach", 12, drift("holds")) == "alert_resolved: ", "it has expired"


def test_an_incident_that_is_opened_again_is_to_be_seen_again(life: Life) -> None:
    life.see(1, "breach")
    acknowledge(life.store.engine, 1, "ada", "", WALL + timedelta(hours=1), DAY)
    life.see(2, "holds", wall=WALL + timedelta(hours=2))
    life.see(3, "breach", wall=WALL + timedelta(hours=3))
    life.see(4, "breach", "console", drift("breach"), wall=WALL + timedelta(hours=4))

    said = [(message["reason"], message["remark"]) for (message,) in life.rows(tables.outbox, "message")]
    assert said[-2:] == [("reopened", ""), ("alert_joined", "")]
    (listed,) = incidents.listed(life.store.engine, WALL + timedelta(hours=5))
    assert listed.acknowledged is None


def test_an_alert_of_an_older_version_ends_in_the_incident_that_was_open(life: Life) -> None:
    life.see(1, "breach")
    with life.store.engine.begin() as connection:
        (state,) = connection.execute(select(tables.alerts.c.state)).scalars()
        old = {name: value for name, value in state.items() if name not in {"incident", "decided", "fired_in", "why"}}
        connection.execute(tables.alerts.update().values(state=old))
    life.see(2, "holds")
    assert life.rows(tables.incidents, "resolved_at", "end_reason") == [(FIRST + 2 * DAY, "resolved")]
    assert life.rows(tables.episodes, "resolved_at") == [(FIRST + 2 * DAY,)]
