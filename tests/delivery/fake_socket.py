"""A fake of Slack's Socket Mode: hands out a WebSocket, sends envelopes over it and notes what is acknowledged.

with FakeSocket() as socket:
    slack.socket_url = socket.url
    socket.send(envelope)
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve


class FakeSocket:
    """The server; *acknowledged* are the envelopes, in order."""

    def __init__(self) -> None:
        self.acknowledged: list[str] = []
        self.connections: list[ServerConnection] = []
        self._arrived: queue.Queue[str] = queue.Queue()
        self._server = serve(self._serve, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/link"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(5)

    def send(self, envelope: dict[str, Any], seconds: float = 5) -> None:
        """Send it over the newest connection, once there is one."""
        until = time.monotonic() + seconds
        while not self.connections and time.monotonic() < until:
            time.sleep(0.02)
        self.connections[-1].send(json.dumps(envelope))

    def await_acknowledgement(self, seconds: float = 5) -> str:
        """The next envelope that is acknowledged."""
        return self._arrived.get(timeout=seconds)

    def drop(self) -> None:
        """Close every connection, as Slack does now and then."""
        for connection in self.connections:
            connection.close()
        self.connections.clear()

    def _serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        connection.send(json.dumps({"type": "hello", "num_connections": 1}))
        with contextlib.suppress(ConnectionClosed):
            for text in connection:
                identity = json.loads(text)["envelope_id"]
                self.acknowledged.append(identity)
                self._arrived.put(identity)
