"""A message that looks like an alert and says that it is none: to try out a channel."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.alerts.message import AlertLine, Field, Message
from monitor.alerts.words import moment


def sample(now: datetime) -> Message:
    """The first message of an incident that is not; it names nobody who could be called."""
    since = now - timedelta(days=7)
    return Message(
        reason="opened",
        state="warn",
        model="sample",
        version="1",
        title="🧪 TEST, nothing is wrong · sample 1 · accuracy 0.668 < 0.728",
        fields=(
            Field("Window", f"{moment(since)} → {moment(now)} UTC"),
            Field("Value", "0.668 [0.655, 0.681]"),
            Field("Promised", "at least 0.728 (release 1, released at 0.781)"),
            Field("Rows", "18,511; outcomes are in for 97 % of the window"),
        ),
        changed="This is a test, sent by model-monitor slack test. Alerts look like this; nobody has to do anything.",
        others=(AlertLine("warn", "WARN · drift.carrier 0.24 > 0.2"),),
        more=0,
        owner=None,
        runbook=None,
        thread_line="🧪 This is a test.",
        opened_at=now,
        window_end=now,
        movers="Worst segments: origin=EWR 0.612 (release 0.77), origin=JFK 0.7 (release 0.79)\n"
        "Moved most: carrier PSI 0.24 (at most 0.2), temp PSI 0.41, wind PSI 0.05",
    )
