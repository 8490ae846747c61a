"""The instants at which the daemon is killed, by name: how each is reached, and why it matters."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from functools import partial

import alembic.command

from monitor import service
from monitor.delivery.outbox import SqlOutbox
from monitor.delivery.slack import SlackReceiver
from monitor.history.recording import Recording
from monitor.history.store import Store
from monitor.schedule import recording, work
from monitor.schedule.pool import Result
from monitor.schedule.runner import Runner
from monitor.web.server import Server
from tests.faults.traps import Act, after, at_commit, before, request_half_sent, request_sent

Lay = Callable[[Act], None]

POST, UPDATE, HISTORY = "/chat.postMessage", "/chat.update", "/conversations.history"


def _stopping(owner: type, name: str, act: Act) -> None:
    """At the first claim the daemon is told to stop; while it stops, at *name*, it is hit again."""
    told = threading.Event()

    def tell() -> None:
        if not told.is_set():  # a second time, at another claim, would end the process before it comes to *name*
            told.set()
            os.kill(os.getpid(), signal.SIGTERM)

    after(SqlOutbox, "claim", tell, when=bool)
    before(owner, name, act)


POINTS: dict[str, Lay] = {
    # The tables are made and not committed: a half-made schema would stop every later start.
    "migrating": partial(after, alembic.command, "upgrade"),
    # The schema is there, the contract is not: a release that is never recorded leaves verdicts nobody can explain.
    "starting": partial(before, service, "record_releases"),
    # The dead hold the model's lease: until it ends nobody evaluates, after it somebody must.
    "model leased": partial(after, Store, "claim", when=bool),
    # The baseline is frozen without a window measured on it: the next start must take it, not freeze another.
    "baseline frozen": partial(after, Store, "save_baseline"),
    # A worker process is at work: it must die with its daemon and leave nothing behind.
    "measuring": partial(after, Result, "take"),
    # A breach is known and nothing of it is written: it must be found again.
    "judged": partial(after, recording, "verdicts_of", when=lambda found: any(one.state == "breach" for one in found)),
    # Half of a transaction: an incident without the notification that tells of it would stay silent for ever.
    "incident opened": partial(after, Recording, "open_new_incident"),
    # Everything of the transaction but its commit: all of it must be gone, or the alert is recorded as told.
    "notification written": partial(after, Recording, "enqueue"),
    # Committed, and nobody knows yet: here the promise begins.
    "recorded": partial(after, work, "record_result", when=lambda recorded: recorded.opened is not None),
    # All is done but the lease: it must end by itself.
    "model done": partial(before, Store, "give_back"),
    # The dead hold the notification: another must take it once the lease is over, and not before.
    "claimed": partial(after, SqlOutbox, "claim", when=bool),
    # Between the claim and the last look at the lease.
    "before the lease is extended": partial(before, SqlOutbox, "extend"),
    # The lease is as long as it gets, and nothing is sent: the longest wait for the next relay.
    "lease extended": partial(after, SqlOutbox, "extend"),
    # Marked as attempted and never sent: whoever took the mark for the deed would lose it.
    "before the post": partial(before, SlackReceiver, "post_parent"),
    # Slack has half of a request: nothing was posted, and the sender cannot know.
    "half of the post sent": partial(request_half_sent, SlackReceiver, "post_parent", POST),
    # Slack has the whole request and posts: who sends again without looking doubles it.
    "post sent": partial(request_sent, SlackReceiver, "post_parent", POST),
    # The answer was read and is nowhere written: the classic double.
    "post answered": partial(after, SlackReceiver, "post_parent"),
    # Written as sent, not committed: the thread's address is lost with it and must be found again.
    "before sent commits": partial(at_commit, SqlOutbox, "sent"),
    # All is well; the next one must go into the thread that was found.
    "sent": partial(after, SqlOutbox, "sent"),
    # The parent still shows what was; the reply must not come without the edit.
    "before the edit": partial(before, SlackReceiver, "update_parent"),
    # Edited, perhaps: doing it again must do no harm.
    "edit sent": partial(request_sent, SlackReceiver, "update_parent", UPDATE),
    # The parent is new and the thread is not: the reply must still come.
    "edited": partial(after, SlackReceiver, "update_parent"),
    # As for the parent, in a thread: it is searched among the replies, not in the channel.
    "before the reply": partial(before, SlackReceiver, "post_reply"),
    "reply sent": partial(request_sent, SlackReceiver, "post_reply", POST),
    "reply answered": partial(after, SlackReceiver, "post_reply"),
    # Slack said 500, and that nobody knows what came of it is not written: the next must not take it for untried.
    "before it is put back": partial(before, SqlOutbox, "put_back"),
    "before put back commits": partial(at_commit, SqlOutbox, "put_back"),
    # Given back with a time to come again: the time must hold over a restart.
    "put back": partial(after, SqlOutbox, "put_back"),
    # The answer was lost and the search for the message is cut off: before it, on a page of it, with what it found.
    "before the search": partial(before, SlackReceiver, "find"),
    "history asked": partial(request_sent, SlackReceiver, "find", HISTORY),
    "found": partial(after, SlackReceiver, "find"),
    # Hit while it stops: with evaluations to give back, and with a delivery under way.
    "stopping the work": partial(_stopping, Runner, "stop"),
    "stopping the port": partial(_stopping, Server, "stop"),
}

# What befalls the first post, so that the point is reached at all.
SCRIPTED = {
    "before it is put back": "500",
    "before put back commits": "500",
    "put back": "500",
    "before the search": "lost",
    "history asked": "lost",
    "found": "lost",
}

# Here the first message waits on its way, and may be one with what came meanwhile.
GATHERING = {"claimed", *(point for point, fault in SCRIPTED.items() if fault == "500")}
