"""A history that stays away: nothing can be judged or put into the outbox, so Slack is told straight from memory."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import structlog

from monitor.alerts.escape import mrkdwn
from monitor.alerts.words import moment, span
from monitor.delivery.slack import SlackReceiver

log = structlog.get_logger(__name__)

AFTER = timedelta(minutes=5)
_NAMESPACE = uuid.UUID("0d9d1d54-0c51-5b7a-9f6c-5f8d7c6a2b10")


class Outage:
    """From the first question the history did not answer to the first it did, and what Slack was told of it."""

    def __init__(self, channel: SlackReceiver | None, host: str) -> None:
        self._channel = channel
        self._host = host
        self._since: datetime | None = None
        self._told = False
        self._uncertain: set[str] = set()

    def see(self, problem: str, now: datetime) -> None:
        """The history does not work at *now*, as *problem* says, or does where it is empty."""
        if problem and self._since is None:
            self._since = now
        if self._since is None:
            return
        if problem and not self._told and now - self._since >= AFTER:
            self._told = self._say("away", self._away(problem, self._since), self._since)
        if not problem and (not self._told or self._say("back", self._back(now - self._since), self._since)):
            self._since, self._told, self._uncertain = None, False, set()

    def _away(self, problem: str, since: datetime) -> str:
        return (
            f"🔴 model-monitor on {self._host} cannot use its history since {moment(since)} UTC; until it can, nothing "
            f"is judged and nobody is told of anything. {problem}"
        )

    def _back(self, lasted: timedelta) -> str:
        return (
            f"🟢 model-monitor on {self._host} uses its history again, after {span(lasted)}. What fell due meanwhile "
            "is caught up with."
        )

    def _say(self, what: str, text: str, since: datetime) -> bool:
        """Whether it is said, by now or by an attempt before whose answer was lost."""
        if self._channel is None:
            return True
        identity = str(uuid.uuid5(_NAMESPACE, f"{self._host}|{since.isoformat()}|{what}"))
        if identity in self._uncertain and self._channel.find(identity, None, since).kind == "sent":
            return True
        outcome = self._channel.post_notice(mrkdwn(text, 2000), identity)
        if outcome.kind == "ambiguous":
            self._uncertain.add(identity)
        if outcome.kind != "sent":
            log.warning("outage_not_told", message=f"Slack was not told of the history's outage: {outcome.error}")
        return outcome.kind == "sent"
