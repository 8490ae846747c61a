"""Once a minute: whether people would be told if something were wrong, and so whether the heartbeat goes out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from monitor.delivery.http import Address
from monitor.delivery.outage import Outage
from monitor.history.deliveries import note_receiver
from monitor.history.problems import HistoryUnavailable
from monitor.history.store import Store
from monitor.receivers import HEARTBEAT

log = structlog.get_logger(__name__)


class Pulse:
    """Tries the history with a write, and asks the heartbeat's address where *problems* knows of none.

    What keeps the heartbeat back is logged once, and so is its coming back.
    """

    def __init__(
        self, store: Store, address: Address | None, outage: Outage, problems: Callable[[], list[str]]
    ) -> None:
        self._store = store
        self._address = address
        self._outage = outage
        self._problems = problems
        self._reached_at: datetime | None = None
        self._error = ""
        self._said = ""

    def beat(self, now: datetime) -> None:
        """Do it once. Raises nothing but what nobody foresaw."""
        away = self._history_problem()
        self._outage.see(away, now)
        if self._address is None:
            return
        problems = [away] if away else self._problems_of_others()
        if not problems:
            self._error = self._address.get().error
            self._reached_at = self._reached_at if self._error else now
            problems = [f"The address of alerts.heartbeat was not reached. {self._error}"] if self._error else []
        self._say(" ".join(problems))

    def _problems_of_others(self) -> list[str]:
        try:
            return self._problems()
        except HistoryUnavailable as problem:
            return [str(problem)]

    def _history_problem(self) -> str:
        """Why the history takes no write; what it is given is how the heartbeat did last."""
        try:
            note_receiver(self._store.engine, HEARTBEAT, self._reached_at, self._error, healthy=not self._error)
        except HistoryUnavailable as problem:
            return str(problem)
        return ""

    def _say(self, problem: str) -> None:
        if problem and not self._said:
            log.warning("heartbeat_held_back", message=f"No heartbeat goes out: {problem}")
        if self._said and not problem:
            log.info("heartbeat_goes_on", message="The heartbeat goes out again.")
        self._said = problem
