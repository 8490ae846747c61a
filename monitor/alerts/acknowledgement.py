"""An acknowledgement: somebody has seen the incident, so nobody is reminded of it for a while."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from monitor.alerts.message import Message
from monitor.alerts.words import moment
from monitor.history.records import Acknowledgement

__all__ = ["Acknowledgement", "acknowledged", "holding", "remark"]


def holding(
    acknowledgements: Iterable[Acknowledgement], severity: str, now: datetime, since: datetime | None = None
) -> Acknowledgement | None:
    """The newest that holds at *now* for an incident of *severity*: one of a warning does not hold for a page.

    *since* is when the incident was opened again after it had been resolved; what was seen before does not count.
    """
    held = [
        each
        for each in acknowledgements
        if each.created_at <= now < each.expires_at
        and (each.severity == "page" or severity == "warn")
        and (since is None or each.created_at >= since)
    ]
    return max(held, key=lambda each: each.created_at, default=None)


def remark(acknowledgement: Acknowledgement | None) -> str:
    """What stands by the incident as long as it holds."""
    if acknowledgement is None:
        return ""
    return f"Acknowledged by {acknowledgement.author} until {moment(acknowledgement.expires_at)} UTC"


def acknowledged(present: Message, acknowledgement: Acknowledgement) -> Message:
    """The notification that says so: a line in the thread, a remark by the incident."""
    said = remark(acknowledgement)
    line = f"👀 {said}: {acknowledgement.comment}" if acknowledgement.comment else f"👀 {said}."
    return replace(present, reason="acknowledged", thread_line=line, remark=said, mention=None)
