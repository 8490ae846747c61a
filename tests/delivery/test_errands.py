"""What a daemon does in Slack beside telling, by its settings."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from monitor.app import App
from monitor.clock import RealClock
from monitor.delivery.console import ConsoleReceiver
from monitor.delivery.drawing import Drawing
from monitor.errands import Buttons, Pictures, digest_jobs
from monitor.history.engine import open_engine
from monitor.history.store import Store
from monitor.receivers import receivers_of
from monitor.screen import console
from monitor.settings import AlertSettings, Digest, Settings, SlackSettings

TOKEN = SlackSettings(token=SecretStr("xoxb-1"), channel="#alerts")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(open_engine(f"sqlite:///{tmp_path}/history.db"))


def app(**settings: object) -> App:
    return App(Settings(models=(), **settings), Path(), ())


def jobs(built: App, store: Store) -> list[str]:
    stop = threading.Event()
    receivers = receivers_of(built.settings, console())
    found = [*Buttons(built, store).jobs(stop), *Pictures(built, store, receivers, Drawing()).jobs(stop)]
    return [job.name for job in (*found, *digest_jobs(built, store, RealClock(), stop))]


def test_without_slack_there_is_nothing_to_do(store: Store) -> None:
    assert isinstance(receivers_of(app().settings, console())[0], ConsoleReceiver)
    assert jobs(app(), store) == []


def test_without_an_app_token_nobody_listens_for_buttons(store: Store) -> None:
    before = threading.active_count()
    assert jobs(app(slack=TOKEN), store) == ["draw", "upload"]
    assert threading.active_count() == before


def test_with_an_app_token_somebody_does(store: Store) -> None:
    listening = TOKEN.model_copy(update={"app_token": SecretStr("xapp-1")})
    assert jobs(app(slack=listening), store) == ["buttons", "draw", "upload"]


def test_a_digest_is_made_where_the_settings_want_one(store: Store) -> None:
    assert jobs(app(alerts=AlertSettings(digest=Digest())), store) == ["digest"]
