"""Who is not told, and why: a message is muted where a silence or a calendar covers every alert it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.alerts.maintenance import Occurrence, covers, ended, running
from monitor.alerts.message import About, Message
from monitor.alerts.silence import matches, named
from monitor.alerts.words import moment
from monitor.history.records import Silence
from monitor.settings import Maintenance


@dataclass(frozen=True, slots=True)
class Mute:
    """A silence or an occurrence of a calendar, as people know it, and its end in wall time."""

    name: str
    ends_at: datetime


def muted(message: Message, silences: Sequence[Silence], calendars: Sequence[Maintenance], now: datetime) -> str | None:
    """The sentence that says why nobody is told of *message* at *now*; None where people are told.

    A message that is about no alert, such as a digest, is never muted.
    """
    found = [_mute(message, about, silences, calendars, now) for about in message.about]
    mutes = [mute for mute in found if mute is not None]
    if not mutes or len(mutes) < len(found):
        return None
    return " ".join(dict.fromkeys(f"{mute.name} holds until {moment(mute.ends_at)} UTC." for mute in mutes))


def lifted(
    message: Message, silences: Sequence[Silence], calendars: Sequence[Maintenance], since: datetime, now: datetime
) -> Mute | None:
    """The last mute of an alert that *message* is about which ended in ``(since, now]``."""
    ends = [mute for mute in _over(message, silences, calendars, now) if since < mute.ends_at <= now]
    return max(ends, key=lambda mute: mute.ends_at, default=None)


def _mute(
    message: Message, about: About, silences: Iterable[Silence], calendars: Iterable[Maintenance], now: datetime
) -> Mute | None:
    for calendar in calendars:
        occurrence = running(calendar, now) if covers(calendar, message.model) else None
        if occurrence is not None:
            return _maintenance(occurrence)
    for silence in silences:
        if silence.starts_at <= now < silence.ends_at and matches(silence, about, message.model, message.owner):
            return Mute(named(silence), silence.ends_at)
    return None


def _over(
    message: Message, silences: Iterable[Silence], calendars: Iterable[Maintenance], now: datetime
) -> Iterator[Mute]:
    for calendar in calendars:
        occurrence = ended(calendar, now) if covers(calendar, message.model) else None
        if occurrence is not None:
            yield _maintenance(occurrence)
    for silence in silences:
        if silence.starts_at < silence.ends_at and any(
            matches(silence, about, message.model, message.owner) for about in message.about
        ):
            yield Mute(named(silence), silence.ends_at)


def _maintenance(occurrence: Occurrence) -> Mute:
    return Mute(f"Maintenance '{occurrence.name}'", occurrence.ends)
