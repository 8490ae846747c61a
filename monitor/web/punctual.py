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
        """A part of a request: the clock runs from the first one on."""
        if self._late is None:
            self._wait()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for."""
        if self._late is not None:
            self._late.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(SECONDS, self._end_if_late)

    def _end_if_late(self) -> None:
        self._late = None
        answering = self.cycle is not None and not self.cycle.response_complete
        if self.conn.their_state in {h11.IDLE, h11.SEND_BODY} and not (answering and not self.cycle.more_body):
            self.transport.close()
