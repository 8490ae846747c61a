"""Whatever the verdicts are, and in whatever order plans are judged: what always holds of alerts and incidents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from monitor.alerts.alert import Alert
from monitor.alerts.closing import close_alerts
from monitor.alerts.flapping import STABLE
from monitor.alerts.incident import Changes
from monitor.alerts.rule import Rule
from monitor.release.verdict import Verdict
from tests.alerts.scenes import DAY, FACTS, Kind, Model, drift, verdict

KINDS = st.sampled_from(("holds", "not_clear", "breach", "inconclusive", "unknown", "error"))
DAYS = st.integers(0, 3).map(lambda days: days * DAY)
RULES = st.builds(
    Rule,
    pending_for=DAYS,
    keep_firing_for=DAYS,
    reopen_for=DAYS,
    blind_after=st.none() | DAYS,
    group_by=st.sampled_from(("model", "metric", "segment")),
)
PLANS = ("with outcomes", "without")
Window = tuple[str, int, tuple[Kind, ...], str | None]


def verdicts_of(plan: str, kinds: tuple[Kind, ...]) -> tuple[Verdict, ...]:
    """Three promises of accuracy in one plan, drift of two columns in the other."""
    one, two, three = kinds
    if plan == "with outcomes":
        named = verdict(three, segment="origin=LGA", named=True)
        return verdict(one), verdict(two, segment="origin=JFK"), named
    return drift(one), drift(two, "dep"), verdict(three, metric="drift", column="temp", segment="origin=JFK")


def see(model: Model, window: Window) -> Changes:
    plan, day, kinds, failure = window
    found = verdicts_of(plan, kinds)
    if failure:
        found = tuple(replace(one, state="error", reason="source_failed") for one in found)
    return model.see(day, *found, plan=plan, source_failure=failure)


WINDOWS = st.tuples(
    st.sampled_from(PLANS),
    st.sampled_from((0, 1, 1, 1, 2, -1)),  # the same window again, the next one, one later, or an older one
    st.tuples(KINDS, KINDS, KINDS),
    st.sampled_from((None, None, None, "The source is gone.")),
)


class Life(RuleBasedStateMachine):
    """A model, and beside it the little that must be true of it."""

    @initialize(chosen=RULES)
    def start(self, chosen: Rule) -> None:
        self.model = Model(chosen)
        self.log: list[Window | str] = []
        self.newest = dict.fromkeys(PLANS, 1)
        self.open_episodes: dict[str, int] = {}
        self.ended_episodes: set[tuple[str, int]] = set()
        self.sequences: dict[int, list[int]] = {}

    @rule(window=WINDOWS)
    def judge(self, window: Window) -> None:
        plan, ahead, kinds, failure = window
        day = max(self.newest[plan] + ahead, 1)
        self.newest[plan] = max(day, self.newest[plan])
        before = dict(self.model.alerts)
        seen = (plan, day, kinds, failure)
        changes = see(self.model, seen)
        self.log.append(seen)
        self._unknown_moves_nothing(changes, before)
        self._only_what_clears_ends(changes, before)
        self._count(changes)

    @rule(metric=st.sampled_from(("accuracy", "drift")))
    def close(self, metric: str) -> None:
        self._count(closed(self.model, metric))
        self.log.append(metric)

    def _unknown_moves_nothing(self, changes: Changes, before: Mapping[str, Alert]) -> None:
        for step in changes.steps:
            old = before.get(step.alert.key)
            if step.reason == "frozen" and not step.revised and old is not None:
                assert (step.alert.condition, step.alert.held) == (old.condition, old.held)
                assert step.alert.flapping == old.flapping

    def _only_what_clears_ends(self, changes: Changes, before: Mapping[str, Alert]) -> None:
        for step in changes.steps:
            old = before.get(step.alert.key)
            was_open = old is not None and old.is_open
            if was_open and not step.alert.is_open:
                assert step.reason == "resolved" or step.revised
            if step.alert.is_open and not was_open:
                assert step.reason in {"fired", "reopened"} or step.revised

    def _count(self, changes: Changes) -> None:
        """Follow episodes and sequence numbers as a reader of the history would."""
        groups = [change.incident.group for change in changes.incidents]
        assert len(groups) == len(set(groups)), "at most one notification per group and window"
        ids = {id(change): change.incident.id for change in changes.incidents}
        new = iter(sorted(set(self.model.incidents) - set(self.sequences)))
        for change in changes.incidents:
            incident_id = ids[id(change)] or next(new)
            self.sequences.setdefault(incident_id, []).append(change.notification.sequence)
            for opened in change.opened:
                assert opened.alert_key not in self.open_episodes, "never two open episodes of one alert"
                self.open_episodes[opened.alert_key] = incident_id
            for key in change.reopened:
                assert key not in self.open_episodes
                assert (key, incident_id) in self.ended_episodes, "only what has ended goes on"
                self.open_episodes[key] = incident_id
            for ended in change.resolved:
                assert self.open_episodes.pop(ended.alert_key) == incident_id
                self.ended_episodes.add((ended.alert_key, incident_id))

    @invariant()
    def alerts_episodes_and_incidents_agree(self) -> None:
        if not hasattr(self, "model"):
            return
        held = {key: alert.incident for key, alert in self.model.alerts.items() if alert.in_incident}
        assert held == self.open_episodes
        assert {one.id for one in self.model.incidents.values() if one.is_open} == set(held.values())
        for numbers in self.sequences.values():
            assert numbers == list(range(1, len(numbers) + 1)), "no number is missing and none comes twice"

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        again = Model(self.model.rule)
        for entry in self.log:
            closed(again, entry) if isinstance(entry, str) else see(again, entry)
        assert (again.alerts, again.incidents) == (self.model.alerts, self.model.incidents)


def closed(model: Model, metric: str) -> Changes:
    """The model after a metric was promised no more."""
    incidents = list(model.incidents.values())
    return model.keep(
        close_alerts(FACTS, model.alerts, incidents, lambda alert: alert.metric != metric, "threshold_removed")
    )


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

HISTORY = st.lists(KINDS, max_size=15)


@given(HISTORY, DAYS, DAYS)
def test_a_breach_that_lasts_fires_and_what_holds_long_enough_is_resolved(
    history: list[Kind], pending_for: timedelta, keep_firing_for: timedelta
) -> None:
    model = Model(Rule(pending_for, keep_firing_for))
    for day, kind in enumerate(history, start=1):
        model.see(day, verdict(kind))
    day = len(history)
    for _ in range(pending_for // DAY + 1):
        day += 1
        model.see(day, verdict("breach"))
    (alert,) = (one for one in model.alerts.values() if one.side == "min")
    assert alert.condition == "firing"
    for _ in range(keep_firing_for // DAY + 1):
        day += 1
        model.see(day, verdict("holds"))
    (alert,) = (one for one in model.alerts.values() if one.side == "min")
    assert alert.condition == "resolved"


@given(st.lists(st.sampled_from(("breach", "holds", "unknown")), max_size=20))
def test_whatever_flapped_is_over_after_a_long_calm(history: list[Kind]) -> None:
    calm: list[Kind] = ["holds"] * (1 + STABLE)  # the first of them may be the end that starts the wait
    model = Model()
    for day, kind in enumerate([*history, *calm], start=1):
        model.see(day, verdict(kind))
    assert model.incident is None
    for one in model.incidents.values():
        assert one.end_reason == "resolved"


@given(st.lists(st.tuples(KINDS, KINDS, KINDS), min_size=2, max_size=8), st.data())
def test_the_order_in_which_plans_are_judged_is_nothing_to_their_alerts(
    kinds: list[tuple[Kind, Kind, Kind]], data: st.DataObject
) -> None:
    windows: list[Window] = [(plan, day, each, None) for plan in PLANS for day, each in enumerate(kinds, start=1)]
    shuffled = data.draw(st.permutations(windows))
    mixed = sorted(shuffled, key=lambda window: window[1])
    states = []
    for order in (windows, mixed):
        model = Model(Rule(DAY, DAY))
        for window in order:
            see(model, window)
        states.append({key: replace(alert, incident=None) for key, alert in model.alerts.items()})
    assert states[0] == states[1]
