"""Slack's Web API over HTTP, with the faults that befall calls on the way there and back."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qs, urlsplit

from tests.delivery.slack.faults import ACCEPTED_FIRST, FAULTS, Fault, Limited
from tests.delivery.slack.methods import no


class Served(Protocol):
    """What the handler serves."""

    hang_seconds: float
    late_seconds: float

    def allows(self, method: str, authorization: str) -> bool:
        """Whether this token may call that method."""

    def arrived(self, method: str, body: dict[str, Any]) -> Fault:
        """Note the call; what befalls it."""

    def act(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked."""


def handler_of(slack: Served) -> type[BaseHTTPRequestHandler]:
    """The handler of a server of *slack*."""

    class Handler(_Handler):
        served: ClassVar[Served] = slack

    return Handler


class _Handler(BaseHTTPRequestHandler):
    served: ClassVar[Served]
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        method, body = self._asked()
        fault = self.served.arrived(method, body)
        if not self.served.allows(method, str(self.headers.get("Authorization"))):
            self._reply(200, json.dumps(no("invalid_auth")))
        elif isinstance(fault, Limited):
            self._reply(429, json.dumps(no("ratelimited")), {"Retry-After": str(fault.retry_after)})
        elif fault in ("ok", "late"):
            time.sleep(self.served.late_seconds if fault == "late" else 0)
            self._reply(200, json.dumps(self.served.act(method, body)))
        elif fault in FAULTS:
            self._fail(fault, method, body)
        else:
            self._reply(200, json.dumps(no(fault)))

    def _asked(self) -> tuple[str, dict[str, Any]]:
        """The method and its arguments; the other addresses are "upload" and "response_url"."""
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        if len(raw) < length:
            raise ConnectionResetError("The client was killed half-way through its request.")
        address = urlsplit(self.path)
        place, _, name = address.path.strip("/").partition("/")
        if place == "upload":
            return "upload", {"file": name, "content": raw}
        if place == "response":
            return "response_url", {**json.loads(raw or b"{}"), "envelope_id": name}
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        if "json" in str(self.headers.get("Content-Type")):
            return name, {**query, **json.loads(raw or b"{}")}
        return name, {**query, **{key: values[0] for key, values in parse_qs(raw.decode()).items()}}

    def _fail(self, fault: str, method: str, body: dict[str, Any]) -> None:
        answer = self.served.act(method, body) if fault in ACCEPTED_FIRST else {}
        if fault in ("500", "500_after"):
            self._reply(500, "Server error")
        elif fault == "html":
            self._reply(200, "<html><body>Down for maintenance</body></html>", {"Content-Type": "text/html"})
        elif fault == "internal_error":
            self._reply(200, json.dumps(no("internal_error")))
        elif fault == "no_ts":
            self._reply(200, json.dumps({key: value for key, value in answer.items() if key != "ts"}))
        elif fault == "truncated":
            self._truncate(json.dumps(answer))
        else:
            if fault == "hang":
                time.sleep(self.served.hang_seconds)
            self._drop()

    def _truncate(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode()[: len(text) // 2])
        self._drop()

    def _drop(self) -> None:
        """Close with a reset, not with an answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _reply(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | dict(headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the client was killed, or we dropped it
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            return

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""
