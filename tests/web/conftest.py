"""The port over a history, asked over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from monitor.history.store import Store
from monitor.settings import WebSettings
from monitor.web.server import Server
from tests.web.serving import serve

Site = Callable[..., httpx.Client]


@pytest.fixture
def store(engine: Engine) -> Store:
    return Store(engine)


@pytest.fixture
def site(engine: Engine) -> Iterator[Site]:
    """Serve the port with these ``[web]`` settings, and ask it; as *client* says, from another address."""
    servers: list[Server] = []
    clients: list[httpx.Client] = []

    def ask(web: WebSettings | None = None, client: str | None = None, **more: Any) -> httpx.Client:
        servers.append(serve(engine, web, client))
        url = f"http://127.0.0.1:{servers[-1].port}"
        clients.append(httpx.Client(base_url=url, trust_env=False, timeout=20, **more))
        return clients[-1]

    yield ask
    for each in clients:
        each.close()
    for server in servers:
        server.stop()
