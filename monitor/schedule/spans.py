"""A span for each check that a worker process measures, out of what it says on its way."""

from __future__ import annotations

from contextlib import ExitStack

from monitor import traces
from monitor.schedule.evaluation import CheckFailed, CheckStarted, Event


class CheckSpans:
    """The span of the check under way, ended by whatever comes next."""

    def __init__(self) -> None:
        self._open = ExitStack()

    def take(self, event: Event) -> None:
        """Follow the worker."""
        if isinstance(event, CheckFailed):
            traces.note(error=event.sentence)
        self._open.close()
        if isinstance(event, CheckStarted):
            self._open.enter_context(traces.span("check", check=event.kind))

    def died(self, how: str) -> None:
        """The worker says no more."""
        if how:
            traces.note(error=how)
        self._open.close()
