"""The port over a history, asked over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from monitor.history.engine import open_engine
from monitor.history.migrations import migrate
from monitor.history.store import Store
from monitor.schedule.vitals import Vitals
from monitor.settings import ModelSettings, Predictions, Settings, WebSettings
from monitor.web.guard import Guard
from monitor.web.metrics import HistoryMetrics, VitalMetrics
from monitor.web.reader import Reader
from monitor.web.routes import routes
from monitor.web.server import Probes, Readiness, Server, create_app

NOW = datetime(2013, 7, 31, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)
Site = Callable[..., httpx.Client]


def model(name: str) -> ModelSettings:
    predictions = Predictions(source="p.parquet", id="id", time="at", prediction="y")
    return ModelSettings(name=name, version="v1", task="binary", owner="@team", predictions=predictions)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_engine(database_url)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def store(engine: Engine) -> Store:
    return Store(engine)


@pytest.fixture
def site(engine: Engine) -> Iterator[Site]:
    """Serve the port with these ``[web]`` settings, and ask it; as *client* says, it came from another address."""
    servers: list[Server] = []
    clients: list[httpx.Client] = []

    def serve(web: WebSettings | None = None, client: str | None = None, **more: Any) -> httpx.Client:
        settings = Settings(models=(model("flights"), model("demand")), web=web or WebSettings())
        vitals = Vitals(stale_after=1e9)
        probes = Probes(
            vitals.tick_age,
            vitals.stale,
            Readiness,
            VitalMetrics(vitals),
            HistoryMetrics(list, list, lambda: WALL),
        )
        reader = Reader(lambda: engine, settings, lambda: NOW, lambda: WALL)
        guard = Guard(create_app(probes, routes(reader)), settings.web, lambda: WALL)
        server = Server(guard if client is None else _from(guard, client), "127.0.0.1", 0)
        server.start()
        servers.append(server)
        clients.append(httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False, timeout=20, **more))
        return clients[-1]

    yield serve
    for each in clients:
        each.close()
    for server in servers:
        server.stop()


def _from(app: Guard, address: str) -> Any:
    """The same application, asked from elsewhere."""

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "client": (address, 1)}, receive, send)

    return asked
