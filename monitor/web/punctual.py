"""uvicorn's HTTP protocol with an end to every wait: a request that does not arrive in time ends its connection.

uvicorn itself waits for ever for the rest of a request, so that a few hundred slow callers would use up every socket.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS = 15.0
"""From the first byte of a request, or the start of a connection, to its last; more than the guard waits for a body."""


class PunctualProtocol(H11Protocol):
    """Closes a connection that is late with a request; one whose request is being answered is never late."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request."""
        super().connection_made(transport)  # type: ignore[arg-type]  # uvicorn's own signature is narrower than asyncio's
        self._wait()

    def data_received(self, data: bytes) -> None:
        """A part of a request: the clock runs from its first part to its last."""
        if self._late is None:
            self._wait()
        super().data_received(data)
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
