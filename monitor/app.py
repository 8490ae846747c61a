"""The composition root: builds the daemon or a replay out of the settings."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from checks.contract import Check
from checks.discovery import discover
from monitor.alerts.routing import Route, Routing
from monitor.clock import Clock, PlayedClock, RealClock, monotonic, wall_now
from monitor.history.problems import HistoryUnavailable
from monitor.history.releases import Evidence, Release, see
from monitor.history.store import Store
from monitor.release.written import written
from monitor.schedule.runner import Runner
from monitor.schedule.vitals import Vitals
from monitor.schedule.watch import Watch, watches_of
from monitor.schedule.work import Desk
from monitor.settings import Settings

log = structlog.get_logger(__name__)

GRACE = 4.0
"""Seconds a running evaluation may take to end after SIGTERM; Docker kills after 10."""
DATABASE_PATIENCE = 60.0
NOBODY = "replay"
"""Who is told in a replay: messages are kept in its outbox, and no relay sends them."""

FOREVER = timedelta(days=36500)
"""How far back a replayed or played past is caught up with: nothing of it is too old."""


@dataclass(frozen=True, slots=True)
class App:
    """The settings with everything that follows from them, nothing started."""

    settings: Settings
    base: Path
    watches: tuple[Watch, ...]

    def watch(self, name: str) -> Watch | None:
        """The model of that name."""
        return next((watch for watch in self.watches if watch.name == name), None)


def build_app(settings: Settings, base: Path, checks: Mapping[str, type[Check]] | None = None) -> App:
    """Work out what follows from the settings. *base* is the folder of config.toml."""
    found = checks if checks is not None else discover(checks_dir(settings, base))
    return App(settings, base, watches_of(settings, found, base))


def checks_dir(settings: Settings, base: Path) -> Path | None:
    """The folder of the team's own checks."""
    return None if settings.checks_dir is None else base / settings.checks_dir


def present(settings: Settings, clock: Clock | None = None) -> datetime:
    """The moment a command takes for now: the end of a played clock, else the time on the wall."""
    if clock is not None:
        return clock.now()
    if settings.clock is not None:
        return settings.clock.end or settings.clock.start
    return wall_now()


def open_store(settings: Settings, base: Path, url: str | None = None) -> Store:
    """The history, migrated to this program's version. Raises HistoryUnavailable."""
    from monitor.history.engine import database_url, open_engine
    from monitor.history.migrations import migrate

    engine = open_engine(url or database_url(settings, base))
    migrate(engine)
    return Store(engine)


def await_store(settings: Settings, base: Path, stop: threading.Event, alive: Callable[[], None]) -> Store:
    """The history, waiting a while for a database that is starting up. Raises HistoryUnavailable after that."""
    began = monotonic()
    while True:
        alive()
        try:
            return open_store(settings, base)
        except HistoryUnavailable as problem:
            if monotonic() - began > DATABASE_PATIENCE or stop.wait(2.0):
                raise
            log.warning("history_unavailable", message=f"{problem} Waiting for it.")


def clock_of(settings: Settings, store: Store, watches: tuple[Watch, ...]) -> Clock:
    """The real clock, or the played one going on where its history ends."""
    played = settings.clock
    if played is None:
        return RealClock()
    ends = [store.newest_window_end(watch.name, plan.name) for watch in watches for plan in watch.plans]
    newest = max((end for end in ends if end is not None), default=played.start)
    return PlayedClock(max(played.start, newest), played.speed, played.end)


def record_releases(store: Store, watches: tuple[Watch, ...], now: datetime) -> None:
    """Remember the contract of each model version as it is now."""
    for watch in watches:
        see(store.engine, seen_release(watch, now))


def seen_release(
    watch: Watch, now: datetime, released_at: datetime | None = None, evidence: Evidence | None = None
) -> Release:
    """The contract of a model version as the history keeps it."""
    key = (watch.name, watch.model.version, watch.contract.hash)
    return Release(*key, written(watch.model), now, released_at, evidence)


@contextmanager
def throw_away_runner(app: App, since: datetime) -> Iterator[tuple[Runner, Store]]:
    """A runner over an empty history that is gone afterwards: for replay."""
    with tempfile.TemporaryDirectory(prefix="model-monitor-replay-") as folder:
        store = open_store(app.settings, app.base, f"sqlite:///{folder}/history.db")
        size = app.settings.history.artifact_size
        desk = Desk(
            store,
            Routing((Route(NOBODY),)),
            Vitals(stale_after=float("inf")),
            FOREVER,
            threading.Event(),
            size,
            report=False,
            played_from=since,
        )
        runner = Runner(desk, app.watches, app.settings.schedule)
        try:
            yield runner, store
        finally:
            runner.stop(grace=0.0)
            store.engine.dispose()
