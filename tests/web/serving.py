"""The port over a history, served on loopback."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from litestar import Litestar
from sqlalchemy import Engine

from monitor.schedule.vitals import Vitals
from monitor.settings import ModelSettings, Predictions, Settings, WebSettings
from monitor.web.guard import Guard
from monitor.web.metrics import HistoryMetrics, VitalMetrics
from monitor.web.pages.showing import problems
from monitor.web.reader import Reader
from monitor.web.routes import routes
from monitor.web.server import Probes, Readiness, Server, create_app

NOW = datetime(2013, 7, 31, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)


def serve(engine: Engine, web: WebSettings | None = None, client: str | None = None) -> Server:
    """Serve with these ``[web]`` settings; as *client* says, everybody asks from another address."""
    guard = Guard(application(engine, web), web or WebSettings(), lambda: WALL)
    server = Server(guard if client is None else _from(guard, client), "127.0.0.1", 0)
    server.start()
    return server


def application(engine: Engine | None = None, web: WebSettings | None = None) -> Litestar:
    """What stands behind the guard; without an engine it can only be looked at."""
    settings = Settings(models=(_model("flights"), _model("demand")), web=web or WebSettings())
    vitals = Vitals(stale_after=1e9)
    metrics = HistoryMetrics(list, list, lambda: WALL)
    probes = Probes(vitals.tick_age, vitals.stale, Readiness, VitalMetrics(vitals), metrics)

    def given() -> Engine:
        assert engine is not None
        return engine

    reader = Reader(given, settings, lambda: NOW, lambda: WALL)
    return create_app(probes, routes(reader), problems(reader))


def _model(name: str) -> ModelSettings:
    predictions = Predictions(source="p.parquet", id="id", time="at", prediction="y")
    return ModelSettings(name=name, version="v1", task="binary", owner="@team", predictions=predictions)


def _from(app: Guard, address: str) -> Any:
    """The same application, asked from elsewhere."""

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "client": (address, 1)}, receive, send)

    return asked
