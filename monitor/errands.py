"""What a daemon with Slack does beside telling: charts into threads, buttons, digests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from monitor.app import App
from monitor.clock import Clock, wall_now
from monitor.delivery.charting import Charts
from monitor.delivery.digesting import digest_once
from monitor.delivery.receiver import Receiver
from monitor.delivery.slack import SlackReceiver
from monitor.delivery.uploads import Uploads
from monitor.history.problems import HistoryUnavailable
from monitor.history.store import Store
from monitor.receivers import default_channel, names_of
from monitor.schedule.daemon import Job

log = structlog.get_logger(__name__)

PICTURES_EVERY = timedelta(seconds=5)
DIGEST_EVERY = timedelta(seconds=20)


def picture_jobs(app: App, store: Store, receivers: Sequence[Receiver], stop: threading.Event) -> list[Job]:
    """Draw the charts of incidents and show them in their threads; nothing where no Slack is."""
    shows = [receiver for receiver in receivers if isinstance(receiver, SlackReceiver)]
    if not shows:
        return []
    charts = Charts(store.engine, [receiver.name for receiver in shows], _units(app))
    uploads = Uploads(store.engine, shows, charts.describe)
    return [
        Job("draw", PICTURES_EVERY, _until_none(lambda: charts.draw_one(wall_now()), stop)),
        Job("upload", PICTURES_EVERY, _until_none(lambda: uploads.do_one(wall_now()), stop)),
    ]


def digest_jobs(app: App, store: Store, clock: Clock, stop: threading.Event) -> list[Job]:
    """Tell of the whole fleet, where the settings want it: the default channel, or else the first who is told."""
    digest = app.settings.alerts.digest
    channel = default_channel(app.settings)
    names = [channel.name] if channel is not None else names_of(app.settings)[:1]
    if digest is None or not names:
        return []
    watched = [watch.name for watch in app.watches]

    def tell() -> bool:
        return digest_once(store.engine, digest, names, watched, _units(app), now=clock.now(), wall=wall_now())

    return [Job("digest", DIGEST_EVERY, _until_none(tell, stop))]


def _units(app: App) -> dict[str, str]:
    return {bound.metric: bound.unit for watch in app.watches for bound in watch.contract.bounds}


def _until_none(one: Callable[[], bool], stop: threading.Event) -> Callable[[], None]:
    """Do *one* after the other; what the history cannot give now is done at a later turn."""

    def work() -> None:
        try:
            while not stop.is_set() and one():
                pass
        except HistoryUnavailable as problem:
            log.debug("errand_postponed", message=str(problem))  # evaluations say it, at their own pace

    return work
