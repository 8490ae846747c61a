"""What waits together becomes one message: how things stand now, how it came to that, and how late it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.alerts.words import moment, span


@dataclass(frozen=True, slots=True)
class Waiting:
    """A later notification of the same incident to the same receiver."""

    id: int
    reason: str
    created_at: datetime
    message: Mapping[str, Any]


def lateness(reason: str, created_at: datetime, behind: Sequence[Waiting], late: timedelta) -> str:
    """``fired 2026-03-01 02:10, 3 changes, resolved 2026-03-01 03:40 UTC; delivered 3 hours late``."""
    told = [_happened(reason, created_at)]
    if len(behind) > 1:
        told.append(f"{len(behind) - 1} {'change' if len(behind) == 2 else 'changes'}")
    if behind:
        told.append(_happened(behind[-1].reason, behind[-1].created_at))
    return f"{', '.join(told)} UTC; delivered {span(late)} late"


def _happened(reason: str, at: datetime) -> str:
    return f"{'fired' if reason == 'opened' else reason.replace('_', ' ')} {moment(at)}"
