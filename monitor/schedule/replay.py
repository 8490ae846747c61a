"""Replay: the same evaluation over past windows with the clock passed in, into a history of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from monitor.schedule.runner import Runner


def replay(runner: Runner, since: datetime, until: datetime, tell: Callable[[datetime], None]) -> None:
    """Move the clock from one due time to the next, from *since* to *until*, working off what is due at each."""
    now = since
    while now <= until:
        runner.tick(now)
        runner.settle()
        tell(now)
        upcoming = runner.next_due()
        if upcoming is None or upcoming > until:
            return
        if upcoming <= now:
            raise ReplayStuck(f"The replay could not get past {now:%Y-%m-%d %H:%M} UTC; the log above says why.")
        now = upcoming


class ReplayStuck(Exception):
    """Work that is due could not be done."""
