"""Mistakes that somebody could make in the life of alerts: each changes one function by a few words."""

from __future__ import annotations
import __future__

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from monitor.alerts import advance, blind, closing, flapping, grouping, life, telling
from monitor.alerts.grouping import Rules
from monitor.release.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Mutant:
    """*function* with *old* replaced by *new*, which would be a mistake because of *why*."""

    why: str
    function: Callable[..., Any]
    old: str
    new: str

    @contextmanager
    def alive(self) -> Iterator[None]:
        """The mistake made, wherever the function was imported to."""
        function = self.function
        assert isinstance(function, FunctionType)
        right = function.__code__
        function.__code__ = self._code(function)
        try:
            yield
        finally:
            function.__code__ = right

    def _code(self, function: FunctionType) -> CodeType:
        source = textwrap.dedent(inspect.getsource(function)).removeprefix("@property\n")
        assert source.count(self.old) == 1, f"{self.why}: {self.old!r} stands {source.count(self.old)} times in it"
        made: dict[str, Any] = {}
        flags = __future__.annotations.compiler_flag
        exec(compile(source.replace(self.old, self.new), "mutant", "exec", flags), function.__globals__, made)  # noqa: S102  # that is what a mutant is
        code = made[function.__name__].__code__
        assert isinstance(code, CodeType)
        return code


MUTANTS = [
    # The life of one alert.
    Mutant(
        "an unknown window counts as one that holds",
        life._decide,
        'return "frozen", alert',
        "return _clear(alert, window_end, rule)",
    ),
    Mutant("suspicion opens", life._decide, 'return "inconclusive", alert', "return _breach(alert, window_end, rule)"),
    Mutant(
        "what is short of the clear bound resolves", life._decide, 'event == "not_clear" and alert.is_open', "False"
    ),
    Mutant(
        "what is short of the clear bound keeps a breach pending",
        life._decide,
        " and alert.is_open",
        ' and alert.condition != "inactive"',
    ),
    Mutant("it fires one window late", life._breach, "held >= rule.pending_for", "held > rule.pending_for"),
    Mutant(
        "pending does not add up",
        life._breach,
        "alert.held + _distance(alert, window_end)",
        "_distance(alert, window_end)",
    ),
    Mutant("it reopens however late", life._breach, "window_end - alert.since <= rule.reopen_for", "rule.reopen_for"),
    Mutant("it does not reopen at the last moment", life._breach, "<= rule.reopen_for", "< rule.reopen_for"),
    Mutant(
        "a relapse counts as a new fire",
        life._breach,
        'if alert.condition == "recovering"',
        'if alert.condition == "never"',
    ),
    Mutant(
        "it is resolved one window late", life._clear, "held >= rule.keep_firing_for", "held > rule.keep_firing_for"
    ),
    Mutant(
        "a value that holds leaves it pending",
        life._clear,
        '"pending_cleared", _into(alert, "inactive", window_end)',
        '"pending_cleared", alert',
    ),
    Mutant(
        "what the window alone decided spends of the budget",
        life.advance,
        'step.reason == "fired" and seen.by_days',
        'step.reason == "fired"',
    ),
    Mutant("the timer goes on from one condition to the next", life._into, "held=timedelta(0)", "held=alert.held"),
    Mutant("an old window moves it", life.move, 'return Step(alert, "stale")', "pass"),
    Mutant(
        "a revision comes on top of what it replaces",
        life.move,
        "base = replace(alert.before, ",
        "base = replace(alert, ",
    ),
    Mutant(
        "a revision forgets what people were told", life.move, "incident=alert.incident, ended_at=alert.ended_at", ""
    ),
    Mutant("windows without an answer count as stable", life.move, 'if event != "unknown"', "if True"),
    Mutant("an error is no missing answer", life.event_of, '("unknown", "error")', '("unknown",)'),
    Mutant(
        "the clear bound is not asked",
        vars(Verdict)["clears"].fget,
        'self.reason == "holds"',
        'self.reason in ("holds", "not_clear")',
    ),
    # Flapping.
    Mutant("it flaps one cycle early", flapping.observed, "len(fired_in) == CYCLES", "len(fired_in) >= CYCLES - 1"),
    Mutant("cycles count however far apart", flapping.observed, "window - fired_in[0] < WITHIN", "True"),
    Mutant("the last window of those that count does not", flapping.observed, "< WITHIN", "< WITHIN - 1"),
    Mutant("it flaps for ever", flapping.observed, "flapping and window - flipped_in >= STABLE", "False"),
    Mutant("it is stable a window too soon", flapping.observed, ">= STABLE", ">= STABLE - 1"),
    # Data health.
    Mutant(
        "one segment without an answer is blind",
        blind._promise_step,
        "decided = [verdict for verdict in verdicts if",
        "decided = [verdict for verdict in verdicts[:1] if",
    ),
    Mutant("the first window without an answer does not count", blind._blind, "after - every", "after"),
    Mutant(
        "each promise tells of the source too",
        blind._promise_step,
        "inhibited=window.source_failure is not None",
        "inhibited=False",
    ),
    Mutant("each plan tells of the source", blind._source_step, "inhibited=told", "inhibited=False"),
    Mutant("what was open is taken back by a failing source", blind._blind, " and not known.is_open", ""),
    Mutant("segments that are named are no promises of their own", blind.blind_key, "bound.segment", '""'),
    # Incidents.
    Mutant("what opens after an end joins the incident that is over", telling._cases, "if incident.is_open}", "}"),
    Mutant(
        "what opens beside an open incident opens another",
        telling._cases,
        "open_now.setdefault(group, home)",
        "open_now.setdefault(group + str(id(move)), home)",
    ),
    Mutant("a relapse is an incident of its own", telling._cases, 'move.kind == "relapsed" else', "False else"),
    Mutant("what opens comes before a relapse", telling._cases, 'move.kind != "relapsed")', 'move.kind == "relapsed")'),
    Mutant("what only warned is relapsed into", Rules.relapse_of, 'one.severity == "page"', "True"),
    Mutant(
        "a relapse comes however late", Rules.relapse_of, "window_end - last.resolved_at <=", "last.resolved_at and"
    ),
    Mutant("what was closed is relapsed into", Rules.relapse_of, 'last.end_reason != "resolved"', "False"),
    Mutant("what windows decide relapses", advance._with_relapses, "if verdict.bound.pages_by_days", "if True"),
    Mutant("an incident ends with the first of its alerts", telling._severity, "if alert.in_incident", "if False"),
    Mutant("an incident never ends", telling._severity, "if alert.in_incident", "if True"),
    Mutant("an incident loses its gravest severity", telling._moved_on, "(incident.severity, severity)", "(severity,)"),
    Mutant(
        "a sequence number comes twice", telling._moved_on, "case.incident.sequence + 1", "case.incident.sequence or 1"
    ),
    Mutant(
        "an incident that goes on stays resolved", telling._moved_on, 'resolved_at=None, end_reason=""', 'end_reason=""'
    ),
    Mutant("a rise of severity is not heard", telling._reason, '(was, severity) == ("warn", "page")', "False"),
    Mutant(
        "it reopens though another incident has opened since",
        Rules.last_incident,
        "newest.id == alert.incident",
        "True",
    ),
    Mutant("all alerts are one group", grouping.group_of, 'if group_by == "model"', "if True"),
    Mutant("flapping is told again and again", advance._move, "alert.flapping != old.flapping", "alert.flapping"),
    Mutant("an end taken back opens anew", advance._goes_on, "old.ended_at == window_end", "False"),
    # Closing.
    Mutant(
        "a segment that is not seen any more is closed",
        closing.promised,
        "bound.applies_to(*about)",
        "about == (bound.metric, bound.column, bound.segment)",
    ),
    Mutant("what is pending stays so for ever", closing.close_alerts, ' or one.condition == "pending"', ""),
    Mutant("a revision brings the closed back to life", closing._closed, "before=None", "before=alert.before"),
]
