"""What a daemon with Slack does beside telling: charts into threads, buttons, digests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from monitor.alerts.buttons import signing_key
from monitor.app import App
from monitor.clock import Clock, wall_now
from monitor.delivery.charting import Charts
from monitor.delivery.digesting import digest_once
from monitor.delivery.drawing import Drawing
from monitor.delivery.pressing import Presses
from monitor.delivery.receiver import Receiver
from monitor.delivery.retry import RelayRules
from monitor.delivery.slack import SlackReceiver
from monitor.delivery.socket import Socket, answer
from monitor.delivery.uploads import Uploads
from monitor.history.problems import HistoryUnavailable
from monitor.history.store import Store
from monitor.receivers import default_channel, names_of
from monitor.schedule.daemon import Job

log = structlog.get_logger(__name__)

PICTURES_EVERY = timedelta(seconds=5)
BUTTONS_EVERY = timedelta(seconds=10)
DIGEST_EVERY = timedelta(seconds=20)


class Pictures:
    """The charts of incidents, drawn and shown in their threads; nothing where no Slack is."""

    def __init__(self, app: App, store: Store, receivers: Sequence[Receiver], drawing: Drawing) -> None:
        self._shows = [receiver for receiver in receivers if isinstance(receiver, SlackReceiver)]
        names = [receiver.name for receiver in self._shows]
        self._charts = Charts(store.engine, names, units_of(app), drawing)
        self._uploads = Uploads(store.engine, self._shows, self._charts.describe)

    def jobs(self, stop: threading.Event) -> list[Job]:
        """Draw, and show."""
        if not self._shows:
            return []
        return [
            Job("draw", PICTURES_EVERY, _until_none(lambda: self._charts.draw_one(wall_now()), stop)),
            Job("upload", PICTURES_EVERY, _until_none(lambda: self._uploads.do_one(wall_now()), stop)),
        ]

    def outstanding(self) -> bool:
        """Whether a chart is still to be drawn, or to be tried to be shown. Raises HistoryUnavailable."""
        now = wall_now()
        return bool(self._shows) and (self._charts.outstanding(now) or self._uploads.outstanding(now))


def digest_jobs(app: App, store: Store, clock: Clock, stop: threading.Event) -> list[Job]:
    """Tell of the whole fleet, where the settings want it: the default channel, or else the first who is told."""
    digest = app.settings.alerts.digest
    channel = default_channel(app.settings)
    names = [channel.name] if channel is not None else names_of(app.settings)[:1]
    if digest is None or not names:
        return []
    watched = [watch.name for watch in app.watches]

    def tell() -> bool:
        return digest_once(store.engine, digest, names, watched, units_of(app), now=clock.now(), wall=wall_now())

    return [Job("digest", DIGEST_EVERY, _until_none(tell, stop))]


class Buttons:
    """The buttons in Slack, where there is an app token: a connection, and what they do."""

    def __init__(self, app: App, store: Store) -> None:
        settings = app.settings
        slack, self._socket = settings.slack, None
        if slack.token is None or slack.app_token is None:
            return
        token = slack.token.get_secret_value()
        self._presses = Presses(store.engine, signing_key(token), settings.alerts.acknowledged_for, answer)
        self._socket = Socket(
            slack.app_token.get_secret_value(),
            token,
            api_url=slack.api_url,
            timeout=RelayRules().timeout,
            take=lambda payload: self._presses.take(payload, wall_now()),
        )

    def jobs(self, stop: threading.Event) -> list[Job]:
        """Keep the connection, and do what a killed daemon has left undone."""
        return [] if self._socket is None else [Job("buttons", BUTTONS_EVERY, _until_none(self._watch, stop))]

    def close(self) -> None:
        """Let go of the connection."""
        if self._socket is not None:
            self._socket.close()

    def _watch(self) -> bool:
        if self._socket is not None:
            self._socket.watch()
            self._presses.finish(wall_now())
        return False


def units_of(app: App) -> dict[str, str]:
    """The units of the metrics that are promised."""
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
