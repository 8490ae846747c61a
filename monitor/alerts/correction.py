"""A verdict on an older window that newer data turned over: a line in the thread of the incident of that time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.alerts.alert import Alert, new_alert
from monitor.alerts.message import Message
from monitor.alerts.story import about
from monitor.alerts.words import comparison, moment
from monitor.release.verdict import Verdict
from monitor.release.words import display_name

Subject = tuple[str, str, str, str]
"""Metric, column, segment and side of a verdict."""

_MOST = 3


def turned_over(
    model: str, before: Mapping[Subject, str], verdicts: Iterable[Verdict], alerts: Iterable[Alert], end: datetime
) -> tuple[Verdict, ...]:
    """The verdicts that are a breach and were ok, or the other way round, on an older window, up to *end*.

    What is said of the newest window belongs to the life of its alert.
    """
    older = {alert.key for alert in alerts if alert.window_end is not None and alert.window_end > end}
    return tuple(
        one
        for one in verdicts
        if {one.state, before.get((one.bound.metric, one.column, one.segment, one.bound.side))} == {"ok", "breach"}
        and new_alert(model, one).key in older
    )


def corrected(newest: Message, model: str, turned: Sequence[Verdict], end: datetime) -> Message:
    """The newest message of the incident, with what is to be said in its thread."""
    told = ", ".join(_said(one) for one in turned[:_MOST])
    more = f" and {len(turned) - _MOST} more" if len(turned) > _MOST else ""
    line = f"✏️ The window up to {moment(end)} UTC was judged again with newer data: {told}{more}."
    return replace(
        newest,
        reason="corrected",
        thread_line=line,
        mention=None,
        about=about([new_alert(model, one) for one in turned]),
    )


def _said(verdict: Verdict) -> str:
    name = display_name(verdict.bound.metric, verdict.column, verdict.segment)
    compared = comparison(verdict.bound.side, verdict.value, verdict.threshold, verdict.bound.unit)
    return f"{name} is {'a breach after all' if verdict.state == 'breach' else 'no breach'} ({compared})"
