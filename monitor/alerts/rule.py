"""The rule that alerts live by: how long things must last, and what belongs together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from monitor.alerts.movers import NOTHING_SEEN, Seen
from monitor.release.contract import Severity
from monitor.release.verdict import Verdict

GroupBy = Literal["model", "metric", "segment"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How long a breach must last before an alert fires, how long it must hold before it is resolved, and how soon
    after that a breach goes on with the same episode.

    What is judged by its days and breaks within *relapse_for* of the end of the last incident that paged goes on with
    that incident.
    A promise that has had no answer for *blind_after* (None: for three evaluations) gets an alert of *blind_severity*.
    *group_by* is what the alerts of one incident have in common.
    """

    pending_for: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    reopen_for: timedelta = timedelta(0)
    relapse_for: timedelta = timedelta(0)
    blind_after: timedelta | None = None
    blind_severity: Severity = "warn"
    group_by: GroupBy = "model"


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """The window ``[start, end)`` of a plan with its verdicts; *source_failure* says why no row of it could be read."""

    plan: str
    start: datetime
    end: datetime
    verdicts: tuple[Verdict, ...]
    seen: Seen = NOTHING_SEEN
    source_failure: str | None = None
