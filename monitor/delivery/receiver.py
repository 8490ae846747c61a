"""What a receiver of messages can do, and how an attempt can end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from monitor.alerts.message import Message

OutcomeKind = Literal[
    "sent",  # it is there, and we know where
    "absent",  # only of a search: it is not there
    "limited",  # certainly not sent: too many requests, come back later
    "not_sent",  # certainly not sent: nobody answered the door
    "ambiguous",  # it may or may not be there
    "refused",  # certainly not sent, and no other message would be either: token, channel, permission
    "rejected",  # certainly not sent, this message is the trouble
    "gone",  # the parent message is not there any more
]


@dataclass(frozen=True, slots=True)
class Thread:
    """Where an incident lives at a receiver: its parent message."""

    channel_id: str
    provider_id: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended. *provider_id* (Slack's ts) and *channel_id* are set where it is ``sent``."""

    kind: OutcomeKind
    error: str = ""
    channel_id: str = ""
    provider_id: str = ""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way to one receiver.

    *identity* is what the receiver keeps beside it, so that :meth:`Receiver.find` recognises it; *note* is a last
    remark, such as how late it is.
    """

    message: Message
    identity: str
    incident_id: int | None
    note: str = ""


class Receiver(Protocol):
    """Somebody who is told. *name* is what the outbox calls it, *pace* the least time between two messages."""

    @property
    def name(self) -> str:
        """``console``, ``slack:#channel``."""

    @property
    def pace(self) -> timedelta:
        """The least time between two messages."""

    def post_parent(self, letter: Letter) -> Outcome:
        """Post the parent message of an incident."""

    def update_parent(self, thread: Thread, letter: Letter) -> Outcome:
        """Bring the parent up to date. Doing it twice does no harm."""

    def post_reply(self, thread: Thread, letter: Letter) -> Outcome:
        """Post the message's line under the parent."""

    def find(self, identity: str, thread: Thread | None, since: datetime) -> Outcome:
        """Look for a message posted after *since*: in the thread, or in the channel where there is none."""
