"""The relay: takes one notification at a time from the outbox to its receiver, at least once and hardly ever twice."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from monitor import traces
from monitor.alerts.message import Message
from monitor.clock import monotonic
from monitor.delivery.coalescing import Waiting, lateness
from monitor.delivery.outbox import SqlOutbox
from monitor.delivery.receiver import Letter, Outcome, Receiver, Thread
from monitor.delivery.retry import Claim, RelayRules, decide_retry

log = structlog.get_logger(__name__)

_CLOCK_SKEW = timedelta(minutes=10)  # between this machine and the receiver's, when searching


Gate = Callable[[Message, datetime], str | None]
"""Why nobody is told of a message at that time, as a sentence that names the silence or calendar; None: tell them."""

Count = Callable[[str, str], None]
"""Told the receiver and the result of each attempt."""


def tell_everybody(_message: Message, _now: datetime) -> str | None:
    """The gate that is open to everything."""
    return None


_NEWS_OF_THE_TOLD = ("resolved", "closed", "acknowledged")
_NOTHING_TOLD = "Nothing of this incident was told here, so there is nothing to take back."
_PERHAPS_TOLD = "An earlier attempt may have been delivered; it could not be looked for."


@dataclass(slots=True)
class _Work:
    """One claim on its way: what is said, and the time as it goes by."""

    claim: Claim
    receiver: Receiver
    message: Message
    at: Callable[[], datetime]
    thread: Thread | None
    note: str = ""
    behind: Sequence[Waiting] = ()
    uncertain: bool = False

    @property
    def letter(self) -> Letter:
        return Letter(self.message, self.claim.identity, self.claim.incident_id, self.note)


class Relay:
    """Delivers what is in the outbox. Any number of them may run on one database."""

    def __init__(
        self,
        outbox: SqlOutbox,
        receivers: Sequence[Receiver],
        rules: RelayRules | None = None,
        gate: Gate = tell_everybody,
        count: Count = lambda _receiver, _result: None,
    ) -> None:
        self._outbox = outbox
        self._receivers = {receiver.name: receiver for receiver in receivers}
        self._paces = {receiver.name: receiver.pace for receiver in receivers}
        self._rules = rules or RelayRules()
        self._gate = gate
        self._count = count
        self._owner = str(uuid.uuid4())

    def do_one(self, now: datetime) -> bool:
        """Try to deliver one notification at the wall time *now*; True when there may be more.

        Never sleeps. What the database raises is raised; what a receiver raises is an attempt that ended ambiguous.
        """
        began = monotonic()  # before the claim, so that our idea of the lease ends before the database's
        claim = self._outbox.claim(now, self._paces, self._owner, self._rules)
        if claim is None:
            return False
        receiver = self._receivers[claim.receiver]

        def at() -> datetime:
            return now + timedelta(seconds=monotonic() - began)

        message = _read(claim.message)
        if message is None:
            self._put_back(claim, at(), Outcome("rejected", "The stored message cannot be read."))
            return True
        with traces.span("delivery", receiver=claim.receiver, reason=message.reason, incident=claim.incident_id or 0):
            self._deliver(_Work(claim, receiver, message, at, claim.thread))
        return True

    def _deliver(self, work: _Work) -> None:
        if work.claim.uncertain_since is not None and not self._settled(work, work.claim.uncertain_since):
            return
        why = self._muted(work)
        if work.thread is not None and not self._updated(work, work.thread):
            return
        if why is not None:
            self._suppress(work, why)
            return
        self._coalesce(work)
        if not self._still_ours(work):
            log.warning(
                "delivery_dropped",
                message="The lease ran out before the message was posted; another relay has it now.",
                key=work.claim.key,
            )
            return
        self._finish(work, self._post(work))

    def _settled(self, work: _Work, since: datetime) -> bool:
        """Whether the message must still be posted, after looking for it where it might have landed."""
        claim, now = work.claim, work.at()
        earliest = min(since, now) - _CLOCK_SKEW
        found = _attempt(lambda: work.receiver.find(claim.identity, work.thread, earliest))
        if found.kind == "sent":
            self._sent(work, found, adopted=True)
            return False
        if found.kind in ("absent", "gone"):
            return True
        if found.kind in ("refused", "rejected") or abs(now - since) > self._rules.fail_open_after:
            work.uncertain = True
            return True
        self._put_back(claim, work.at(), found, untried=True)
        return False

    def _muted(self, work: _Work) -> str | None:
        """Why nobody is told of it, if so."""
        why = self._gate(work.message, work.at())
        if why is None and work.thread is None and work.message.reason in _NEWS_OF_THE_TOLD:
            why = None if self._outbox.told(work.claim) else _NOTHING_TOLD
        return why

    def _suppress(self, work: _Work, why: str) -> None:
        sentence = f"{why} {_PERHAPS_TOLD}" if work.uncertain else why
        self._outbox.suppressed(work.claim, sentence, uncertain=work.uncertain)
        self._count(work.claim.receiver, "suppressed")
        traces.note(result="suppressed")
        log.info(
            "notification_suppressed",
            message=f"Nobody was told: {sentence}",
            key=work.claim.key,
            receiver=work.claim.receiver,
        )

    def _updated(self, work: _Work, thread: Thread) -> bool:
        """Whether the parent shows the present state, or is gone and will be posted anew."""
        outcome = _attempt(lambda: work.receiver.update_parent(thread, work.letter))
        if outcome.kind == "sent":
            return True
        if outcome.kind == "gone":
            self._outbox.forget_thread(work.claim)
            work.thread = None
            return True
        self._put_back(work.claim, work.at(), outcome, untried=True)
        return False

    def _coalesce(self, work: _Work) -> None:
        """The first message of an incident tells how things stand by now, and stands for those that wait behind it."""
        behind = () if work.thread is not None else self._outbox.successors(work.claim)
        newest = _read(behind[-1].message) if behind else None
        late = work.at() - work.claim.created_at - self._rules.group_wait
        if newest is not None:
            work.behind = behind
        if late > self._rules.late_after:
            work.note = lateness(work.message.reason, work.claim.created_at, work.behind, late)
        work.message = newest or work.message

    def _still_ours(self, work: _Work) -> bool:
        asked = work.at()
        if not self._outbox.extend(work.claim, asked, self._rules.lease):
            return False
        left = self._rules.lease - (work.at() - asked)
        return left >= 2 * self._rules.timeout + self._rules.settle / 2

    def _post(self, work: _Work) -> Outcome:
        thread = work.thread
        if thread is None:
            return _attempt(lambda: work.receiver.post_parent(work.letter))
        return _attempt(lambda: work.receiver.post_reply(thread, work.letter))

    def _finish(self, work: _Work, outcome: Outcome) -> None:
        if outcome.kind == "sent":
            self._sent(work, outcome, adopted=False)
            return
        if outcome.kind == "gone":
            self._outbox.forget_thread(work.claim)
        self._put_back(work.claim, work.at(), outcome)

    def _sent(self, work: _Work, outcome: Outcome, *, adopted: bool) -> None:
        thread = work.thread or Thread(outcome.channel_id, outcome.provider_id)
        superseded = [later.id for later in work.behind]
        at = work.at()
        self._outbox.sent(work.claim, at, thread, outcome.provider_id, superseded, at - self._rules.settle)
        self._count(work.claim.receiver, "sent")
        traces.note(result="sent")
        log.info(
            "notification_adopted" if adopted else "notification_sent",
            message="An earlier attempt had landed." if adopted else "A notification was delivered.",
            key=work.claim.key,
            receiver=work.claim.receiver,
            attempts=work.claim.attempts,
            superseded=len(superseded),
        )

    def _put_back(self, claim: Claim, at: datetime, outcome: Outcome, *, untried: bool = False) -> None:
        retry = decide_retry(claim, at, outcome, self._rules, untried=untried)
        self._outbox.put_back(claim, retry)
        self._count(claim.receiver, outcome.kind)
        traces.note(result=outcome.kind, error=outcome.error)
        log.warning(
            "notification_blocked" if retry.blocked else "notification_put_back",
            message=f"A notification was not delivered: {outcome.error}",
            key=claim.key,
            receiver=claim.receiver,
            outcome=outcome.kind,
            attempts=claim.attempts,
            next_at=retry.next_at.isoformat(),
        )


def _read(data: Mapping[str, Any]) -> Message | None:
    try:
        return Message.from_data(data)
    except (KeyError, TypeError, ValueError):
        log.exception("message_unreadable", message="A stored message cannot be read.")
        return None


def _attempt(call: Callable[[], Outcome]) -> Outcome:
    try:
        return call()
    except Exception as error:  # noqa: BLE001  # whatever a receiver raises, the message may have gone out
        return Outcome("ambiguous", f"{type(error).__name__}: {error}")
