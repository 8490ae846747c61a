"""When a notification comes up again: pure decisions over claims and outcomes."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from monitor.alerts.words import span
from monitor.delivery.receiver import Outcome, Thread

_UNKNOWN_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(days=1)
_NAMESPACE = uuid.UUID("6f0f0f3a-1f0a-5d7e-9a57-0d3b6f2f5c11")


@dataclass(frozen=True, slots=True)
class RelayRules:
    """The times of delivery.

    *settle* is how long a request that was given up may still take effect, *group_wait* how long the first message of
    an incident waits for what belongs to it.
    """

    timeout: timedelta = timedelta(seconds=10)
    settle: timedelta = timedelta(seconds=30)
    lease: timedelta = timedelta(seconds=60)
    first_backoff: timedelta = timedelta(seconds=1)
    last_backoff: timedelta = timedelta(minutes=5)
    outage_pause: timedelta = timedelta(seconds=30)
    refused_pause: timedelta = timedelta(minutes=5)
    fail_open_after: timedelta = timedelta(minutes=10)
    late_after: timedelta = timedelta(minutes=10)
    group_wait: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        if self.lease < 2 * self.timeout + self.settle:
            raise ValueError(
                f"A lease of {span(self.lease)} ends before an abandoned request has settled; twice the timeout "
                f"and the settle time, at least {span(2 * self.timeout + self.settle)}, would be right."
            )


@dataclass(frozen=True, slots=True)
class Claim:
    """A notification that is ours until the lease ends. *uncertain_since*: an earlier attempt may have landed."""

    id: int
    key: str
    incident_id: int | None
    receiver: str
    message: Mapping[str, Any]
    attempts: int
    created_at: datetime
    uncertain_since: datetime | None
    thread: Thread | None
    owner: str

    @property
    def identity(self) -> str:
        """What the receiver keeps beside the message; the time keeps two histories with the same key apart."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.key}|{self.created_at.isoformat()}"))


@dataclass(frozen=True, slots=True)
class Retry:
    """When and how a notification that was not delivered comes up again; *pause_until* holds the whole receiver."""

    next_at: datetime
    error: str
    blocked: bool = False
    uncertain_since: datetime | None = None
    pause_until: datetime | None = None
    healthy: bool = True


def decide_retry(claim: Claim, at: datetime, outcome: Outcome, rules: RelayRules, *, untried: bool = False) -> Retry:
    """When a notification comes up again after *outcome*; *untried* where nothing was posted in this attempt."""
    backoff = backoff_after(claim, rules)
    uncertain = claim.uncertain_since
    if outcome.kind == "ambiguous" and not untried:
        uncertain = uncertain or at
        pause = at + min(backoff, rules.outage_pause)
        return Retry(at + max(rules.settle, backoff), outcome.error, uncertain_since=uncertain, pause_until=pause)
    if outcome.kind == "limited":
        until = at + (outcome.retry_after or rules.outage_pause)
        return Retry(until, outcome.error, uncertain_since=uncertain, pause_until=until)
    if outcome.kind == "refused":
        until = at + rules.refused_pause
        return Retry(until, outcome.error, blocked=True, uncertain_since=uncertain, pause_until=until, healthy=False)
    if outcome.kind == "rejected":
        return Retry(at + rules.refused_pause, outcome.error, blocked=True, uncertain_since=uncertain)
    if outcome.kind == "gone":
        return Retry(at, outcome.error, uncertain_since=uncertain)
    pause = at + min(backoff, rules.outage_pause)
    # A door that stays shut is no message's fault: all wait as long, so that the oldest goes first when it opens.
    again = pause if outcome.kind == "not_sent" else at + backoff
    return Retry(again, outcome.error, uncertain_since=uncertain, pause_until=pause)


def backoff_after(claim: Claim, rules: RelayRules) -> timedelta:
    """Twice as long after each attempt, up to a limit, less up to half of it so that replicas do not march in step."""
    doublings = max(0, min(claim.attempts - 1, 30))
    full = min(rules.first_backoff * (1 << doublings), rules.last_backoff)
    share = zlib.crc32(f"{claim.key}|{claim.attempts}".encode()) / 2**32
    return full * (1 - share / 2)


def retry_after(header: str | None, date: str | None = None) -> timedelta:
    """The wait that is asked for, a day at most; half a minute where it is asked for in a way nobody understands.

    *date* is when the answer was given, for a header that names a time (RFC 9110, 10.2.3).
    """
    wait = _wait(header or "", date or "")
    return _UNKNOWN_WAIT if wait is None or wait < timedelta(0) else min(wait, _LONGEST_WAIT)


def _wait(header: str, date: str) -> timedelta | None:
    try:
        return timedelta(seconds=float(header))
    except (ValueError, OverflowError):
        pass
    try:
        return parsedate_to_datetime(header) - parsedate_to_datetime(date)
    except (ValueError, TypeError):  # no date, or one of them without a zone
        return None
