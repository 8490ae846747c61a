"""A small HTTP server with the shape of an MLflow tracking server's REST API."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Tracking:
    """What the server holds and how it answers."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    experiment: str = "flight delay/1"
    allowed: str = ""
    """The Authorization it wants."""
    status: int = 200
    answer: bytes = b""
    """What it says in place of MLflow's words."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def as_user(self, userinfo: str) -> str:
        return self.url.replace("http://", f"http://{userinfo}@")


def run(started: int, ended: int | None, status: str = "FINISHED", **tags: str) -> dict[str, Any]:
    """A run as MLflow writes it; times in milliseconds."""
    info = {"run_id": f"r{started}", "status": status, "start_time": started, "lifecycle_stage": "active"}
    told = [{"key": key, "value": value} for key, value in tags.items()]
    return {"info": info | ({} if ended is None else {"end_time": ended}), "data": {"tags": told}}


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@contextmanager
def tracking(*runs: dict[str, Any], **settings: Any) -> Iterator[Tracking]:
    """The server, on loopback, while the block runs."""
    held = Tracking(list(runs), **settings)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            assert urlsplit(self.path).path == "/api/2.0/mlflow/experiments/get-by-name"
            if query["experiment_name"] == [held.experiment]:
                self._say(200, {"experiment": {"experiment_id": "7", "name": held.experiment}})
            else:
                self._say(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "No such experiment"})

        def do_POST(self) -> None:
            assert self.path == "/api/2.0/mlflow/runs/search"
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            held.asked.append(asked)
            assert asked["experiment_ids"] == ["7"]
            assert asked["order_by"] == ["attributes.start_time DESC"]
            before = int(asked["filter"].removeprefix("attributes.start_time < "))
            found = [one for one in held.runs if one["info"]["start_time"] < before]
            found.sort(key=lambda one: -one["info"]["start_time"])
            first = int(asked.get("page_token", "0"))
            last = first + asked["max_results"]
            more = {"next_page_token": str(last)} if last < len(found) else {}
            self._say(200, {"runs": found[first:last]} | more)

        def _say(self, status: int, what: dict[str, Any]) -> None:
            if held.allowed and self.headers.get("Authorization") != held.allowed:
                status, what = 401, {}
            body = held.answer or json.dumps(what).encode()
            self.send_response(held.status if held.status != 200 else status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    held.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
