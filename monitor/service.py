"""The running daemon: scheduler, delivery and web port together, from start to a clean stop."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import structlog
from rich.console import Console

from monitor.alerts.alert import Alert
from monitor.app import FOREVER, GRACE, App, await_store, clock_of, record_releases
from monitor.clock import Clock, PlayedClock, wall_now
from monitor.delivery.alertmanager import AlertmanagerMirror, as_told
from monitor.delivery.drawing import Drawing
from monitor.delivery.health import healthy
from monitor.delivery.lanes import Lane, finish_all
from monitor.delivery.outage import Outage
from monitor.delivery.outbox import SqlOutbox
from monitor.delivery.receiver import Receiver
from monitor.delivery.reminding import remind
from monitor.errands import Buttons, Pictures, digest_jobs, units_of
from monitor.history import queries
from monitor.history.deliveries import ReceiverRow, note_receiver, receiver_rows
from monitor.history.engine import remark_on_sqlite
from monitor.history.problems import HistoryUnavailable
from monitor.history.store import Store
from monitor.pulse import Pulse
from monitor.receivers import (
    HEARTBEAT,
    default_channel,
    gate_of,
    heartbeat_of,
    listed,
    mirrors_of,
    names_of,
    receivers_of,
    routing_of,
    rules_of,
)
from monitor.schedule.closing import close_gone
from monitor.schedule.daemon import Daemon, Job
from monitor.schedule.runner import Runner
from monitor.schedule.vitals import Vitals
from monitor.schedule.work import Desk
from monitor.settings import Settings
from monitor.web.guard import Guard
from monitor.web.metrics import HistoryMetrics, VitalMetrics
from monitor.web.pages.showing import problems
from monitor.web.reader import Reader
from monitor.web.routes import routes
from monitor.web.server import Probes, Readiness, Server, create_app

log = structlog.get_logger(__name__)

STALE_TICKS = 6
LEAST_STALE = 60.0
DELIVER_EVERY = timedelta(seconds=1)
MIRROR_EVERY = timedelta(seconds=10)
PULSE_EVERY = timedelta(minutes=1)
PRUNE_EVERY = timedelta(hours=1)
RENEW_EVERY = timedelta(seconds=15)
REMIND_EVERY = timedelta(seconds=15)
PATIENCE = 0.5
"""Seconds more for a thread that hangs in a database that does not answer. All waits of a stop add up to under 8."""
LAST_DELIVERY = 1.5
"""Seconds a delivery under way at the stop may take; then it is left to be found by the next start."""


def spare_the_collector() -> None:
    """Keep what is there by now out of the garbage collector's sight: modules and settings stay for good, and to walk
    all of them takes a fifth of a second in which no thread does anything."""
    gc.collect()
    gc.freeze()


class Service:
    """Everything the daemon runs. Construct, ``run`` until ``stop`` is set or a played clock ends."""

    def __init__(self, app: App, stop: threading.Event, console: Console) -> None:
        """Open everything, start nothing but the port, which answers while the database is waited for.

        Raises HistoryUnavailable, and OSError where the port is taken.
        """
        settings = app.settings
        self.app = app
        self.stop = stop
        self._names = names_of(settings)
        self.vitals = Vitals(stale_after=max(LEAST_STALE, STALE_TICKS * _tick(settings).total_seconds()))
        self._store: Store | None = None
        self._drawing = Drawing()
        reader = self._reader()
        answers = create_app(self._probes(), routes(reader), problems(reader))
        self._server = Server(Guard(answers, settings.web, wall_now), settings.web.host, settings.web.port)
        self._server.start()
        self.store = await_store(settings, app.base, stop, self.vitals.tick)
        self.clock: Clock = clock_of(settings, self.store, app.watches)
        self._store = self.store  # from here on the port answers from it
        threading.Thread(target=self._look_at_the_fleet, args=(reader,), name="fleet", daemon=True).start()
        if (remark := remark_on_sqlite(self.store.engine)) and settings.clock is None:
            log.warning("sqlite_wal_reset", message=remark)
        record_releases(self.store, app.watches, self.clock.now())
        close_gone(self.store, settings.models, app.watches, routing_of(settings), wall_now())
        receivers = receivers_of(settings, console)
        self._lanes = self._lanes_to(receivers)
        self._mirrors = mirrors_of(settings)
        self._buttons = Buttons(app, self.store)
        self._pictures = Pictures(app, self.store, receivers, self._drawing)
        self._errands = [
            *self._buttons.jobs(stop),
            *self._pictures.jobs(stop),
            *digest_jobs(app, self.store, self.clock, stop),
        ]
        self._names = names_of(settings)
        outage = Outage(default_channel(settings), socket.gethostname())
        self._pulse = Pulse(
            self.store, heartbeat_of(settings), outage, lambda: self._problems(receiver_rows(self.store.engine))
        )
        self.runner = Runner(self._desk(), app.watches, settings.schedule)
        self._daemon = Daemon(self._jobs(), self.vitals)

    def _lanes_to(self, receivers: Iterable[Receiver]) -> list[Lane]:
        outbox, rules = SqlOutbox(self.store.engine), rules_of(self.app.settings)
        gate = gate_of(self.app.settings, self.store.engine)
        return [Lane(outbox, receiver, rules, self._count_delivery, gate) for receiver in receivers]

    def _count_delivery(self, receiver: str, result: str) -> None:
        self.vitals.count("deliveries", receiver, result)

    def _desk(self) -> Desk:
        settings = self.app.settings
        return Desk(
            self.store,
            routing_of(settings),
            self.vitals,
            FOREVER if settings.clock else settings.schedule.catch_up,
            threading.Event(),
            settings.history.artifact_size,
            settings.alerts.report,
            settings.clock.start if settings.clock else None,
        )

    @property
    def port(self) -> int:
        """The port of /healthz, /readyz and /metrics."""
        return self._server.port

    def run(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Work until told to stop, calling *meanwhile* a few times a second."""
        spare_the_collector()
        self._daemon.start()
        while not self.stop.wait(0.2) and not self._played_out():
            meanwhile()
        self.shut_down()

    def shut_down(self) -> None:
        """Finish or give back what is under way, close everything. What is not delivered stays in the outbox."""
        log.info("stopping", message="Stopping: finishing or giving back what is under way.")
        self.stop.set()
        self._daemon.stop()
        self._buttons.close()
        self.runner.stop(grace=GRACE, patience=PATIENCE)
        finish_all(self._lanes, LAST_DELIVERY)
        self._server.stop()
        self._drawing.close()
        self.store.engine.dispose()
        log.info("stopped", message="Stopped.")

    def _played_out(self) -> bool:
        """Whether a played clock has ended and everything that followed from it is done, said and shown."""
        if not self.clock.finished() or not self.runner.idle():
            return False
        upcoming = self.runner.next_due()
        try:
            if upcoming is None or upcoming <= self.clock.now() or self.store.outbox_summary().pending:
                return False
            return not self._pictures.outstanding()
        except HistoryUnavailable:
            return False

    def _jobs(self) -> list[Job]:
        deliveries = [Job(f"deliver {lane.name}", DELIVER_EVERY, partial(self._deliver, lane)) for lane in self._lanes]
        mirrors = [Job(f"tell {mirror.name}", MIRROR_EVERY, partial(self._mirror, mirror)) for mirror in self._mirrors]
        return [
            *deliveries,
            *mirrors,
            Job("pulse", PULSE_EVERY, lambda: self._pulse.beat(wall_now())),
            Job("tick", _tick(self.app.settings), self._tick),
            Job("renew", RENEW_EVERY, self.runner.renew_leases),
            Job("remind", REMIND_EVERY, self._remind),
            Job("prune", PRUNE_EVERY, self._prune),
            *self._errands,
        ]

    def _tick(self) -> None:
        self.vitals.tick()
        if isinstance(self.clock, PlayedClock):
            self.clock.wait_for(self.runner.working_at())
        self.runner.tick(self.clock.now())

    def _deliver(self, lane: Lane) -> None:
        try:
            lane.deliver(self.stop, wall_now)
        except HistoryUnavailable as problem:
            self.vitals.count("errors", "deliver")
            log.debug("delivery_postponed", message=str(problem))  # evaluations say it, at their own pace

    def _remind(self) -> None:
        try:
            remind(self.store.engine, self.app.settings.alerts, frozenset(self._names), wall_now())
        except HistoryUnavailable as problem:
            log.debug("reminders_postponed", message=str(problem))  # evaluations say it, at their own pace

    def _mirror(self, mirror: AlertmanagerMirror) -> None:
        models = {watch.name: watch.facts for watch in self.app.watches}
        try:
            alerts = [Alert.from_data(data) for data in queries.open_alerts(self.store.engine)]
        except HistoryUnavailable:
            mirror.tell(None, wall_now())
            return
        now = wall_now()
        outcome = mirror.tell(as_told(alerts, models, self.app.settings.web.url), now)
        if outcome is not None:
            self._count_delivery(mirror.name, outcome.kind)
            reached = now if outcome.kind == "sent" else None
            note_receiver(self.store.engine, mirror.name, reached, outcome.error, healthy=mirror.works(now))

    def _prune(self) -> None:
        settings = self.app.settings.history
        removed = self.store.prune(self.clock.now(), settings.keep, keep_artifacts=settings.keep_artifacts)
        if removed:
            log.info(
                "history_pruned", message="What is older than history.keep or keep_artifacts was removed.", rows=removed
            )

    def _probes(self) -> Probes:
        return Probes(
            tick_age=self.vitals.tick_age,
            stale=self.vitals.stale,
            readiness=self._readiness,
            vital_metrics=VitalMetrics(self.vitals),
            history_metrics=HistoryMetrics(
                lambda: queries.latest_verdicts(self._history().engine),
                lambda: listed(receiver_rows(self._history().engine), self._names, wall_now()),
                wall_now,
            ),
        )

    def _reader(self) -> Reader:
        return Reader(
            engine=lambda: self._history().engine,
            settings=self.app.settings,
            now=self._now,
            wall_now=wall_now,
            units=units_of(self.app),
            drawing=self._drawing,
            under_way=self.vitals.under_way,
        )

    def _look_at_the_fleet(self, reader: Reader) -> None:
        """So that whoever opens the page first need not wait for it: of a thousand models that takes a second."""
        with suppress(HistoryUnavailable):  # then the first to ask reads it
            reader.standing.of_all(self.store.engine)

    def _now(self) -> datetime:
        self._history()  # the clock is there as soon as it is
        return self.clock.now()

    def _history(self) -> Store:
        if self._store is None:
            raise HistoryUnavailable("The history database has not answered yet.")
        return self._store

    def _readiness(self) -> Readiness:
        try:
            rows = receiver_rows(self._history().engine)
        except HistoryUnavailable as problem:
            return Readiness((str(problem),))
        facts = {
            "models": len(self.app.watches),
            "outbox": sum(row.waiting for row in rows),
            "now": self.clock.now(),
        }
        return Readiness(tuple(self._problems(rows)), facts)

    def _problems(self, rows: Iterable[ReceiverRow]) -> list[str]:
        """What keeps those from being told whom this daemon tells."""
        mine = [row for row in rows if row.receiver in self._names and row.receiver != HEARTBEAT]
        return healthy(self.vitals.tick_age(), self.vitals.stale_after, mine, wall_now())


def _tick(settings: Settings) -> timedelta:
    """How often to look for due windows; a played clock wants it fast enough not to stumble."""
    return min(settings.schedule.tick, timedelta(seconds=0.2)) if settings.clock else settings.schedule.tick
