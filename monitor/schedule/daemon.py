"""The daemon: APScheduler as the clock that ticks, delivers and prunes, and a watchdog over the tick."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from monitor.schedule.vitals import Vitals

log = structlog.get_logger(__name__)

TICK_STOPPED = 70
"""Exit code when the watchdog ends the process, so that the container is started anew."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something the daemon does again and again."""

    name: str
    every: timedelta
    do: Callable[[], None]


class Daemon:
    """Runs its jobs until stopped. A job that raises is reported and runs again at its next turn."""

    def __init__(self, jobs: list[Job], vitals: Vitals) -> None:
        self._vitals = vitals
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(len(jobs))},
            # A turn missed while the machine slept is taken once, late, instead of being dropped.
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )
        for job in jobs:
            trigger = IntervalTrigger(seconds=job.every.total_seconds())
            self._scheduler.add_job(self._guarded, trigger, args=[job], id=job.name)
        self._stopped = threading.Event()
        self._watchdog = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Start ticking."""
        self._vitals.tick()
        self._scheduler.start()
        self._watchdog.start()

    def stop(self) -> None:
        """Start nothing more; jobs under way end by themselves."""
        self._stopped.set()
        self._scheduler.shutdown(wait=False)

    def _guarded(self, job: Job) -> None:
        try:
            job.do()
        except Exception as problem:
            self._vitals.count("errors", job.name)
            log.exception("job_failed", message=f"The job {job.name} failed and will run again: {problem}")

    def _watch(self) -> None:
        """APScheduler's thread can die while it still calls itself running; then only a new process helps."""
        while not self._stopped.wait(1.0):
            if self._vitals.stale():
                age = self._vitals.tick_age()
                log.critical("tick_stopped", message=f"No tick for {age:.0f} s; the process ends to be started anew.")
                os._exit(TICK_STOPPED)
            # The clock may have stepped back, and APScheduler waits on the wall clock: wake it to look again.
            self._scheduler.wakeup()
