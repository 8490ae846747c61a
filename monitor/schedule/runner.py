"""Runs what is due: a thread and a worker process per model under evaluation, under a lease in the history."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from uuid import uuid4

import structlog

from monitor.clock import monotonic, wall_now
from monitor.history.problems import AlreadyEvaluated, HistoryUnavailable, LeaseLost
from monitor.schedule.pool import Stopped, Worker
from monitor.schedule.watch import Watch
from monitor.schedule.work import Desk, drain
from monitor.settings import ScheduleSettings

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
PAUSE_AFTER_ERROR = 15.0
IDLE_WORKER = 60.0


class Runner:
    """The only place where due windows meet threads, worker processes and leases."""

    def __init__(self, desk: Desk, watches: Sequence[Watch], settings: ScheduleSettings) -> None:
        self._desk = desk
        self._watches = tuple(watches)
        self._settings = settings
        self._owner = uuid4().hex
        self._executor = ThreadPoolExecutor(settings.workers, thread_name_prefix="evaluate")
        self._lock = threading.Lock()
        self._idle: list[tuple[Worker, float]] = []
        self._busy: set[Worker] = set()
        self._running: dict[str, Future[None]] = {}
        self._began_at: dict[str, datetime] = {}
        self._tokens: dict[str, int] = {}
        self._idle_until: dict[str, datetime] = {}
        self._paused_until: dict[str, float] = {}

    def tick(self, now: datetime) -> None:
        """Start every model that may have something due and is not being evaluated already."""
        self._running = {name: future for name, future in self._running.items() if not future.done()}
        for watch in self._watches:
            if not self._desk.stopping.is_set() and self._may_be_due(watch.name, now):
                self._began_at[watch.name] = now
                self._running[watch.name] = self._executor.submit(self._work, watch, now)
        self._close_idle_workers()

    def settle(self) -> None:
        """Wait until everything started has ended."""
        wait(self._running.values())

    def idle(self) -> bool:
        """Whether no model is being evaluated."""
        return all(future.done() for future in tuple(self._running.values()))

    def working_at(self) -> datetime | None:
        """The oldest monitor time at which work began that has not ended; None while idle."""
        running = tuple(self._running.items())  # a copy: the tick adds to it meanwhile
        return min((self._began_at[name] for name, work in running if not work.done()), default=None)

    def next_due(self) -> datetime | None:
        """When the first model has something due, as far as is known."""
        return min(tuple(self._idle_until.values()), default=None)

    def renew_leases(self) -> None:
        """Keep the models under evaluation ours."""
        for name, token in list(self._tokens.items()):
            self._desk.store.renew(name, token, wall_now(), LEASE)

    def stop(self, grace: float, patience: float | None = None) -> None:
        """Let running evaluations end within *grace* seconds, then give their windows back.

        A thread that hangs in a frozen database is waited for *patience* seconds more (None: for ever) and left behind;
        the lease it holds ends by itself.
        """
        self._desk.stopping.set()
        wait(self._running.values(), timeout=grace)
        with self._lock:
            workers = [*self._busy, *(worker for worker, _ in self._idle)]
        for worker in workers:
            worker.stop()
        self._executor.shutdown(wait=patience is None, cancel_futures=True)
        wait(self._running.values(), timeout=patience)
        for worker in workers:
            worker.close()

    def _may_be_due(self, name: str, now: datetime) -> bool:
        if name in self._running or monotonic() < self._paused_until.get(name, 0.0):
            return False
        return name not in self._idle_until or self._idle_until[name] <= now

    def _work(self, watch: Watch, now: datetime) -> None:
        """The work on one model; whatever goes wrong is said, and the window stays due."""
        try:
            self._claim_and_drain(watch, now)
        except Stopped:
            log.info("evaluation_given_back", message=f"{watch.name}: the window under way is given back.")
        except (LeaseLost, AlreadyEvaluated) as problem:
            log.info("evaluation_taken_over", message=f"{watch.name}: {problem}", model=watch.name)
        except HistoryUnavailable as problem:
            self._pause(watch.name, "history_unavailable", str(problem))
        except Exception as problem:  # noqa: BLE001  # a bug in one model's work must not stop the others; it is logged whole
            self._pause(watch.name, "evaluation_failed", f"{watch.name}: {problem}.", with_trace=True)

    def _pause(self, name: str, event: str, sentence: str, *, with_trace: bool = False) -> None:
        self._desk.vitals.count("errors", event)
        self._paused_until[name] = monotonic() + PAUSE_AFTER_ERROR
        again = f"{sentence} Trying again in {PAUSE_AFTER_ERROR:.0f} s."
        log.warning(event, message=again, model=name, exc_info=with_trace)

    def _claim_and_drain(self, watch: Watch, now: datetime) -> None:
        store = self._desk.store
        token = store.claim(watch.name, self._owner, wall_now(), LEASE)
        if token is None:
            return  # another replica has it
        self._tokens[watch.name] = token
        worker = self._take_worker()
        try:
            self._idle_until[watch.name] = drain(self._desk, watch, now, token, worker)
        finally:
            self._return_worker(worker)
            del self._tokens[watch.name]
            store.give_back(watch.name, token)

    def _take_worker(self) -> Worker:
        with self._lock:
            worker = self._idle.pop()[0] if self._idle else None
            if worker is None:
                worker = Worker(memory=self._settings.memory, check_timeout=self._settings.check_timeout)
            self._busy.add(worker)
            return worker

    def _return_worker(self, worker: Worker) -> None:
        self._desk.vitals.count("worker_kills", by=worker.take_kills())
        with self._lock:
            self._busy.discard(worker)
            self._idle.append((worker, monotonic()))

    def _close_idle_workers(self) -> None:
        """A worker holds some 200 MB; between evaluations that are far apart none is kept."""
        with self._lock:
            expired = [worker for worker, since in self._idle if monotonic() - since > IDLE_WORKER]
            self._idle = [(worker, since) for worker, since in self._idle if worker not in expired]
        for worker in expired:
            worker.close()
