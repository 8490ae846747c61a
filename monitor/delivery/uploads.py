"""Documents into the threads of incidents: at best, after the message they belong to, and never in its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import Engine

from monitor.delivery.receiver import Outcome, Thread
from monitor.history import upload_queue
from monitor.history.charts import Undrawn, told_when
from monitor.history.upload_queue import Upload

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 5
LEASE = timedelta(minutes=2)
"""Longer than an attempt takes; whoever is killed in it leaves it to the next."""


class Shows(Protocol):
    """A receiver that shows documents in a thread."""

    @property
    def name(self) -> str:
        """``slack:#channel``."""

    def show(self, thread: Thread, picture: Picture) -> Outcome:
        """Put it under the parent."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with its name, its title and what it says to who cannot see it."""

    name: str
    title: str
    alt_text: str
    content: bytes


class Uploads:
    """Uploads what waits in the table, one at a time; *describe* says what a picture shows."""

    def __init__(self, engine: Engine, receivers: Sequence[Shows], describe: Callable[[Undrawn], str]) -> None:
        self._engine = engine
        self._describe = describe
        self._receivers: Mapping[str, Shows] = {receiver.name: receiver for receiver in receivers}

    def outstanding(self, now: datetime) -> bool:
        """Whether one was not tried yet. Raises HistoryUnavailable."""
        return upload_queue.untried(self._engine, list(self._receivers), now)

    def do_one(self, now: datetime) -> bool:
        """Try one upload at the wall time *now*; True when there may be more. Raises HistoryUnavailable.

        An upload whose answer is lost is tried again, so a picture may come twice: it wakes nobody.
        """
        due = upload_queue.claim(self._engine, list(self._receivers), now, LEASE)
        if due is None:
            return False
        outcome = self._show(due)
        if outcome.kind == "sent":
            upload_queue.settle(self._engine, due, "sent", now)
            return True
        hopeless = outcome.kind in ("refused", "rejected", "gone") or due.attempts >= MOST_ATTEMPTS
        wait = outcome.retry_after or timedelta(seconds=15) * 2**due.attempts
        upload_queue.settle(
            self._engine, due, "given_up" if hopeless else "pending", now, next_at=now + wait, error=outcome.error
        )
        log.warning(
            "upload_given_up" if hopeless else "upload_put_back",
            message=f"A chart was not shown in its thread: {outcome.error}",
            receiver=due.receiver,
            incident=due.incident.incident_id,
            attempts=due.attempts,
        )
        return True

    def _show(self, due: Upload) -> Outcome:
        about = due.incident
        title = f"{about.model} {about.version}, incident {about.incident_id} {told_when(about.name)}"
        try:
            picture = Picture(about.name, title, self._describe(about), due.content)
            return self._receivers[due.receiver].show(Thread(due.channel_id, due.provider_id), picture)
        except Exception as error:  # noqa: BLE001  # whatever a receiver raises costs this attempt and nothing else
            return Outcome("ambiguous", f"{type(error).__name__}: {error}")
