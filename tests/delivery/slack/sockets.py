"""Slack's Socket Mode: a websocket over which clicks come, to be acknowledged within three seconds."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from tests.delivery.slack.record import Click, Posted, Record

ATTEMPTS = 4
"""The first and three more; Slack documents that of events, and nothing of clicks."""


class Sockets:
    """The server of websockets. *patience*: seconds until an envelope nobody acknowledged goes out again."""

    def __init__(self, record: Record, clock: Callable[[], float], web_url: str) -> None:
        self.patience = 3.0
        self._record = record
        self._clock = clock
        self._web_url = web_url
        self._tickets: set[str] = set()
        self._connections: list[ServerConnection] = []
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._server = serve(self._talk, "127.0.0.1", 0)
        self._address = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/link/?ticket="
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._server.serve_forever, self._send_again)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._server.shutdown()
        for connection in self.connections():
            connection.close()
        for thread in self._threads:
            thread.join()

    def new_url(self) -> str:
        """The address of one connection, good for one use."""
        ticket = uuid.uuid4().hex
        self._tickets.add(ticket)
        return self._address + ticket

    def connections(self) -> list[ServerConnection]:
        """The connections that are open, oldest first."""
        with self._lock:
            return list(self._connections)

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every client to connect anew, as Slack does every few hours; on "warning" the connection stays open."""
        told = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-fake"}}
        for connection in self.connections():
            _send(connection, told)
            if reason != "warning":
                connection.close()

    def click(self, message: Posted, action_id: str, value: str, user: str = "U0ANNA") -> Click:
        """Somebody presses a button under a message."""
        envelope_id = str(uuid.uuid4())
        click = Click(envelope_id, self._payload(message, action_id, value, user, envelope_id))
        with self._lock:
            self._record.clicks.append(click)
            self._deliver(click)
        return click

    def _payload(self, message: Posted, action_id: str, value: str, user: str, envelope_id: str) -> dict[str, Any]:
        now = f"{self._clock():.6f}"
        container = {"type": "message", "message_ts": message.ts, "channel_id": message.channel, "is_ephemeral": False}
        action = {"type": "button", "action_id": action_id, "block_id": "actions", "value": value, "action_ts": now}
        return {
            "type": "block_actions",
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": "T0ACME"},
            "api_app_id": "A0MONITOR",
            "team": {"id": "T0ACME", "domain": "acme"},
            "channel": {"id": message.channel, "name": "alerts"},
            "container": container,
            "message": {"type": "message", "ts": message.ts, **message.now},
            "trigger_id": f"{now}.{envelope_id}",
            "response_url": f"{self._web_url}response/{envelope_id}",
            "actions": [action],
        }

    def _talk(self, connection: ServerConnection) -> None:
        ticket = str(connection.request.path).rpartition("ticket=")[2] if connection.request else ""
        with self._lock:
            if ticket not in self._tickets:
                connection.close(4001, "unknown ticket")
                return
            self._tickets.remove(ticket)
            self._connections.append(connection)
        hello = {
            "type": "hello",
            "num_connections": len(self.connections()),
            "connection_info": {"app_id": "A0MONITOR"},
        }
        _send(connection, hello)
        try:
            for said in connection:
                self._hear(str(said))
        except ConnectionClosed:
            return  # the client was killed
        finally:
            with self._lock:
                self._connections.remove(connection)

    def _hear(self, said: str) -> None:
        heard = json.loads(said)
        with self._lock:
            for click in self._record.clicks:
                if click.envelope_id == heard.get("envelope_id") and click.acknowledged_at is None:
                    click.acknowledged_at = self._clock()
                    click.answer = heard.get("payload")

    def _send_again(self) -> None:
        while not self._ended.wait(0.05):
            with self._lock:
                for click in self._record.clicks:
                    if click.acknowledged_at is None and self._is_due(click):
                        self._deliver(click)

    def _is_due(self, click: Click) -> bool:
        waited = not click.sent_at or self._clock() - click.sent_at[-1] >= self.patience
        return waited and len(click.sent_at) < ATTEMPTS

    def _deliver(self, click: Click) -> None:
        """Send the envelope over the newest connection; it waits where there is none."""
        if not self._connections:
            return
        attempt = len(click.sent_at)
        retry = {"retry_attempt": attempt, "retry_reason": "timeout"} if attempt else {}
        envelope = {"envelope_id": click.envelope_id, "type": "interactive", "accepts_response_payload": False, **retry}
        click.sent_at.append(self._clock())
        _send(self._connections[-1], {**envelope, "payload": click.payload})


def _send(connection: ServerConnection, told: dict[str, Any]) -> None:
    try:
        connection.send(json.dumps(told))
    except ConnectionClosed:
        return  # the client was killed; what it did not acknowledge goes out again
