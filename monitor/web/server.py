"""The daemon's port: /healthz (is it alive?), /readyz (can it do its work?), /metrics (Prometheus)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import uvicorn
from litestar import Litestar, MediaType, Response, get
from litestar.types import ControllerRouterHandler, ExceptionHandlersMap
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from monitor.web.api.openapi import description
from monitor.web.guard import App
from monitor.web.metrics import HistoryMetrics, VitalMetrics
from monitor.web.problem import answer_problem
from monitor.web.punctual import PunctualProtocol


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the daemon can do its work, and what stands in the way."""

    problems: tuple[str, ...] = ()
    facts: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Probes:
    """What the port asks of the daemon."""

    tick_age: Callable[[], float]
    stale: Callable[[], bool]
    readiness: Callable[[], Readiness]
    vital_metrics: VitalMetrics
    history_metrics: HistoryMetrics


def create_app(
    probes: Probes,
    handlers: Sequence[ControllerRouterHandler] = (),
    problems: ExceptionHandlersMap | None = None,
) -> Litestar:
    """The web application: the daemon's probes, *handlers* for people and programs, and what *problems* are told as."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(probes.vital_metrics)
    registry.register(probes.history_metrics)

    @get("/healthz", media_type=MediaType.JSON, sync_to_thread=False, include_in_schema=False)
    def healthz() -> Response[dict[str, object]]:
        """Red only when the tick is stale: a database or Slack that is away is no reason to restart."""
        stale = probes.stale()
        body: dict[str, object] = {"alive": not stale, "seconds_since_tick": round(probes.tick_age(), 1)}
        return Response(body, status_code=503 if stale else 200)

    @get("/readyz", media_type=MediaType.JSON, sync_to_thread=True, include_in_schema=False)
    def readyz() -> Response[dict[str, object]]:
        ready = probes.readiness()
        body = {"ready": not ready.problems, "problems": list(ready.problems), **ready.facts}
        return Response(body, status_code=503 if ready.problems else 200)

    @get("/metrics", media_type=MediaType.TEXT, sync_to_thread=True, include_in_schema=False)
    def metrics() -> Response[bytes]:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return Litestar(
        [healthz, readyz, metrics, *handlers],
        openapi_config=description(),
        exception_handlers={Exception: answer_problem} if problems is None else problems,
        logging_config=None,
    )


class Server:
    """The application on a port, in a thread of its own."""

    def __init__(self, app: App, host: str, port: int) -> None:
        """Bind at once. Raises OSError where the port is taken."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        config = uvicorn.Config(
            app, http=PunctualProtocol, ws="none", log_config=None, access_log=False, server_header=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="web", daemon=True)

    @property
    def port(self) -> int:
        """The port bound; the one the system chose where 0 was asked for."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being answered and close the port."""
        self._server.should_exit = True
        self._thread.join(1.5)
        self._socket.close()
