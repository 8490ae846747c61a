"""A stateful fake of the part of Slack that the monitor uses: over HTTP and websocket, with scripted and random faults.

    with FakeSlack() as slack:
        slack.script("chat.postMessage", "lost", Limited(3))   # the next two posts; later ones are answered well
        WebClient(token=slack.token, base_url=slack.url)

``tests.delivery.slack.process`` runs it as a process of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any, Self

from tests.delivery.slack.faults import FAULTS, Chaos, Fault, Faults, Limited
from tests.delivery.slack.methods import Methods
from tests.delivery.slack.record import Click, Posted, Record
from tests.delivery.slack.sockets import Sockets
from tests.delivery.slack.validity import active_tokens, invalid, texts
from tests.delivery.slack.web import handler_of

__all__ = ["FAULTS", "Chaos", "FakeSlack", "Limited", "Posted", "Record", "active_tokens", "invalid", "texts"]


class FakeSlack:
    """The server, its channels and what was said in them. *clock* stamps messages and measures limits.

    With *socket_url*, Socket Mode is told to connect there instead.
    """

    token = "xoxb-fake-token"
    app_token = "xapp-fake-token"

    def __init__(self, *, page_size: int = 200, port: int = 0, clock: Callable[[], float] = time.time) -> None:
        self.lock = threading.RLock()
        self.record = Record()
        self.hang_seconds = 1.0
        self.late_seconds = 0.5
        self.faults = Faults(self.record, clock)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        address = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self.url = f"{address}api/"
        self.sockets = Sockets(self.record, clock, address)
        self.socket_url = ""
        self._methods = Methods(
            self.record, clock, f"{address}upload/", lambda: self.socket_url or self.sockets.new_url()
        )
        self._methods.page_size = page_size

    def __enter__(self) -> Self:
        self._thread.start()
        self.sockets.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.sockets.stop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def channels(self) -> dict[str, str]:
        """The id of each channel, by its name."""
        return self._methods.channels

    @property
    def messages(self) -> list[Posted]:
        """What was posted, in order."""
        return self.record.messages

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Every call, in order."""
        return self.record.calls

    @property
    def invalid(self) -> list[str]:
        """What was wrong with messages."""
        return self.record.invalid

    def parents(self) -> list[Posted]:
        """The messages that are not in a thread."""
        return self.record.parents()

    def replies(self, parent: Posted) -> list[Posted]:
        """The messages under *parent*, in order."""
        return self.record.replies(parent)

    def called(self, method: str) -> int:
        """How often *method* was called."""
        return self.record.called(method)

    def script(self, method: str, *faults: Fault) -> None:
        """What befalls the next calls of *method*: one of FAULTS, Limited, "ok", "late" or the name of a Slack error.

        *method* is also "upload" (the bytes of a file) and "response_url".
        """
        with self.lock:
            self.faults.script(method, *faults)

    def unleash(self, chaos: Chaos | None) -> None:
        """Start (or stop) random faults."""
        with self.lock:
            self.faults.unleash(chaos)

    def click(self, message: Posted, action_id: str, value: str, user: str = "U0ANNA") -> Click:
        """Somebody presses a button under *message*."""
        return self.sockets.click(message, action_id, value, user)

    def delete(self, message: Posted) -> None:
        """Somebody deletes a message."""
        with self.lock:
            self.messages.remove(message)

    def answer(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do what *method* asks and answer as Slack would, past all faults."""
        with self.lock:
            return self._methods.answer(method, body)

    def allows(self, method: str, authorization: str) -> bool:
        """Whether this token may call that method."""
        if method in ("upload", "response_url"):
            return True  # who knows the address is allowed
        token = self.app_token if method == "apps.connections.open" else self.token
        return authorization == f"Bearer {token}"

    def arrived(self, method: str, body: dict[str, Any]) -> Fault:
        """Note the call; what befalls it."""
        with self.lock:
            shown = body if method != "upload" else {"file": body["file"], "bytes": len(body["content"])}
            self.calls.append((method, shown))
            return self.faults.next(method, str(body.get("channel")))

    def act(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked, whatever the address."""
        with self.lock:
            if method == "upload":
                return {"ok": self._methods.receive(body["file"], body["content"])}
            if method == "response_url":
                self.record.responses.append(body)
                return {"ok": True}
            return self._methods.answer(method, body)
