"""The parent's side of a worker process: start it, give it a job, bound its time, and survive its death."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import structlog

from monitor.clock import monotonic
from monitor.history.records import DayRecord
from monitor.schedule import worker
from monitor.schedule.evaluation import (
    BaselineTaken,
    BucketsRead,
    CheckFailed,
    CheckMeasured,
    CheckStarted,
    DaysMeasured,
    Event,
    Finished,
    Job,
    Key,
    NewBucket,
    SourceFailed,
)
from monitor.schedule.spans import CheckSpans

log = structlog.get_logger(__name__)

START_TIMEOUT = timedelta(seconds=60)
JOBS_PER_PROCESS = 500


@dataclass
class Result:
    """What came of one evaluation."""

    baseline: BaselineTaken | None = None
    buckets: dict[datetime, NewBucket] = field(default_factory=dict)
    measured: dict[int, CheckMeasured] = field(default_factory=dict)
    failures: dict[int, CheckFailed] = field(default_factory=dict)
    days: tuple[DayRecord, ...] = ()
    source_failure: str | None = None
    source_detail: str = ""
    rows: int = 0
    outcomes: int = 0
    seconds: float = 0.0
    complete: bool = False

    def take(self, event: Event) -> None:
        """Add one event of the worker."""
        match event:
            case BaselineTaken():
                self.baseline = event
            case BucketsRead(buckets):
                self.buckets = {**self.buckets, **buckets}
            case CheckMeasured(place):
                self.measured[place] = event
            case CheckFailed(place):
                self.failures[place] = event
            case DaysMeasured(values):
                self.days += values
            case SourceFailed(sentence, detail):
                self.source_failure, self.source_detail, self.complete = sentence, detail, True
            case Finished(rows, outcomes):
                self.rows, self.outcomes, self.complete = rows, outcomes, True
            case CheckStarted():
                pass

    @property
    def answered(self) -> frozenset[int]:
        """The places in the plan of checks that need no further try."""
        return frozenset(self.measured) | frozenset(self.failures)

    @property
    def released(self) -> dict[Key, float]:
        """The release's own values of what was measured."""
        return {key: value for event in self.measured.values() for key, value in event.released.items()}


class Stopped(Exception):
    """The evaluation was given up because the daemon stops."""


class Worker:
    """One worker process, replaced when it dies, hangs, fails or has served long enough."""

    def __init__(self, *, memory: int, check_timeout: timedelta) -> None:
        self._memory = memory
        self._timeout = check_timeout.total_seconds()
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._jobs = 0
        self._stopped = False
        self._kills = 0

    def run(self, job: Job, tell: Callable[[CheckStarted], None] = lambda _: None) -> Result:
        """Evaluate *job*. A check that takes the process down costs its own measurement; the others are tried again.

        *tell* hears of each check that starts. Raises Stopped when the worker is stopped meanwhile.
        """
        began = monotonic()
        result = Result()
        while not result.complete:
            self._run_once(replace(job, skip=job.skip | result.answered), result, tell)
        if result.failures or self._jobs >= JOBS_PER_PROCESS:
            self._end()  # a check that failed may have left anything behind
        result.seconds = monotonic() - began
        return result

    def stop(self) -> None:
        """Kill the process; a run under way ends with Stopped. May be called from another thread."""
        self._stopped = True
        process = self._process
        if process is not None:
            _kill_group(process)

    def take_kills(self) -> int:
        """How many processes died or were ended since this was last asked."""
        kills, self._kills = self._kills, 0
        return kills

    def close(self) -> None:
        """End the process when no run is under way."""
        self._end()

    def _run_once(self, job: Job, result: Result, tell: Callable[[CheckStarted], None]) -> None:
        if self._stopped:
            raise Stopped
        pipe = self._pipe_to_process()
        if self._stopped:  # while the process started
            raise Stopped
        self._jobs += 1
        running: CheckStarted | None = None
        spans = CheckSpans()
        died = ""
        try:
            pipe.send(job)
            while not result.complete:
                if not pipe.poll(self._timeout):
                    died = f"took longer than schedule.check_timeout ({self._timeout:g} s) and was ended"
                    break
                event: Event = pipe.recv()
                running = event if isinstance(event, CheckStarted) else None
                spans.take(event)
                if running is not None:
                    tell(running)
                result.take(event)
        except (EOFError, OSError):
            died = self._death()
        spans.died(died)
        if self._stopped:
            raise Stopped
        if died:
            self._end()
            self._kills += 1
            _blame(job, running, died, result)

    def _pipe_to_process(self) -> Connection:
        if self._pipe is not None and self._process is not None and self._process.is_alive():
            return self._pipe
        self._end()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=worker.main, args=(theirs, os.getpid(), self._memory), name="model-monitor-worker", daemon=True
        )
        self._process.start()
        theirs.close()
        self._jobs = 0
        try:
            started = self._pipe.poll(START_TIMEOUT.total_seconds()) and self._pipe.recv()
        except (EOFError, OSError):
            started = False
        if not started:
            self._end()
            if self._stopped:
                raise Stopped
            raise RuntimeError("A worker process did not start within a minute, or died; is the machine out of memory?")
        return self._pipe

    def _death(self) -> str:
        if self._process is None:
            return "lost its process"
        self._process.join(5)
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended its process (exit code {code}) without an answer"

    def _end(self) -> None:
        if self._process is not None:
            _kill_group(self._process)
            self._process.join(5)
            self._process.close()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None


def _kill_group(process: BaseProcess) -> None:
    """Kill the worker and whatever it started; it leads a process group of its own."""
    if process.pid is None:
        return
    for kill in (os.killpg, os.kill):  # the group exists only once the worker has called setsid
        try:
            kill(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _blame(job: Job, running: CheckStarted | None, died: str, result: Result) -> None:
    """Whose fault a death was: the check that ran, or the reading of rows before any check ran."""
    if running is None:
        result.source_failure = f"{job.model.name}: reading the rows {died}."
        result.complete = True
        log.warning("reading_killed", message=result.source_failure, model=job.model.name)
        return
    sentence = f"The check {running.kind} {died}."
    result.failures[running.place] = CheckFailed(running.place, running.kind, sentence)
    log.warning("check_killed", message=sentence, model=job.model.name, check=running.kind)
