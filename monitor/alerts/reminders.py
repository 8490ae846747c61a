"""Who is told again of an incident that is still open, and why: when it was muted, not acknowledged, or goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from monitor.alerts.acknowledgement import holding, remark
from monitor.alerts.alert import Alert
from monitor.alerts.message import EMOJI, About, Message
from monitor.alerts.muting import lifted, muted
from monitor.alerts.story import about, briefly
from monitor.alerts.words import span
from monitor.history.records import Acknowledgement, Silence
from monitor.settings import AlertSettings, Escalation

_WHOLE = ("opened", "reopened", "repeat", "escalated", "unmuted")  # about all that is open, not only what changed


@dataclass(frozen=True, slots=True)
class Told:
    """One notification of the incident and what became of it, in wall time.

    *at* is when people were told, or when it was made where it waits or was suppressed.
    """

    reason: str
    severity: str
    outcome: Literal["told", "waiting", "suppressed"]
    made_at: datetime
    at: datetime
    about: tuple[About, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """An open incident as it stands: its newest message brought up to date, its open alerts, what was told of it."""

    message: Message
    alerts: tuple[Alert, ...]
    told: tuple[Told, ...]
    acknowledgements: tuple[Acknowledgement, ...] = ()

    @property
    def reopened_at(self) -> datetime | None:
        """When it last went on after it had been resolved."""
        return max((each.made_at for each in self.told if each.reason == "reopened"), default=None)

    def acknowledgement(self, now: datetime) -> Acknowledgement | None:
        """The one that holds now."""
        return holding(self.acknowledgements, self.message.state, now, self.reopened_at)


@dataclass(frozen=True, slots=True)
class Reminder:
    """A message due to all who were told before, and to a further *channel*."""

    message: Message
    channel: str | None = None


def present(newest: Message, alerts: Sequence[Alert]) -> Message:
    """The newest message of an incident, about all its open alerts."""
    return replace(newest, about=about(alerts), mention=None)


def due(standing: Standing, silences: Sequence[Silence], settings: AlertSettings, now: datetime) -> Reminder | None:
    """The one reminder that is due at *now*, wall time; None where there is none, as for all that is resolved or muted.

    What was muted comes first, then escalation, then repeats.
    """
    message, calendars = standing.message, settings.maintenance
    if message.state == "resolved" or not standing.alerts or not standing.told:
        return None
    if muted(message, silences, calendars, now) is not None:
        return None
    said = replace(message, remark=remark(standing.acknowledgement(now)))
    return (
        _unmuted(standing, said, silences, settings, now)
        or _escalated(standing, said, silences, settings, now)
        or _repeat(standing, said, settings, now)
    )


def _unmuted(
    standing: Standing, said: Message, silences: Sequence[Silence], settings: AlertSettings, now: datetime
) -> Reminder | None:
    """Once after a mute, whether or not anything was kept back meanwhile."""
    heard = [now if each.outcome == "waiting" else each.at for each in _whole(standing)]
    since = max(heard, default=standing.told[0].made_at)
    over = lifted(said, silences, settings.maintenance, since, now)
    if over is None and not _kept_back(standing, heard):
        return None
    what = "What muted this" if over is None else over.name
    line = f"{EMOJI[said.state]} {what} is over, and this is still open: {briefly(standing.alerts)}."
    return Reminder(replace(said, reason="unmuted", thread_line=line))


def _whole(standing: Standing) -> Iterator[Told]:
    return (each for each in standing.told if each.reason in _WHOLE and each.outcome != "suppressed")


def _kept_back(standing: Standing, heard: Sequence[datetime]) -> bool:
    """Whether an alert that is open was kept back and not told since."""
    since = max(heard, default=None)
    return any(
        each.outcome == "suppressed"
        and (since is None or each.made_at > since)
        and bool({(one.metric, one.segment) for one in each.about} & _subjects(standing.message))
        for each in standing.told
    )


def _subjects(message: Message) -> set[tuple[str, str]]:
    return {(about.metric, about.segment) for about in message.about}


def _escalated(
    standing: Standing, said: Message, silences: Sequence[Silence], settings: AlertSettings, now: datetime
) -> Reminder | None:
    """The next tier, counted from when people were first told that it pages, or could last be expected to look."""
    tier = _next_tier(standing, settings)
    if said.state != "page" or tier is None or standing.acknowledgement(now) is not None:
        return None
    reopened = standing.reopened_at
    paged = [each.at for each in standing.told if each.severity == "page" and each.outcome == "told"]
    paged = [at for at in paged if reopened is None or at >= reopened]
    if not paged:
        return None
    over = lifted(said, silences, settings.maintenance, min(paged), now)
    expired = [each.expires_at for each in standing.acknowledgements if each.expires_at <= now]
    began = max([min(paged), *expired, *([] if over is None else [over.ends_at])])
    if now - began < tier.after:
        return None
    line = f"{EMOJI['page']} Nobody has acknowledged this for {span(now - began)}: {briefly(standing.alerts)}."
    told = replace(said, reason="escalated", thread_line=line, mention=tier.mention)
    return Reminder(told, tier.channel)


def _next_tier(standing: Standing, settings: AlertSettings) -> Escalation | None:
    """Each tier once in an incident: only pages escalate, so once at this severity."""
    used = sum(each.reason == "escalated" and each.outcome != "suppressed" for each in standing.told)
    tiers = sorted(settings.escalation, key=lambda tier: tier.after)
    return tiers[used] if used < len(tiers) else None


def _repeat(standing: Standing, said: Message, settings: AlertSettings, now: datetime) -> Reminder | None:
    every = settings.repeat_page if said.state == "page" else settings.repeat
    newest = [each for each in standing.told if each.outcome != "suppressed"]
    if not newest or newest[-1].outcome == "waiting" or standing.acknowledgement(now) is not None:
        return None
    if now - max(each.at for each in newest) < every:
        return None
    age = span(now - standing.told[0].made_at)
    line = f"{EMOJI[said.state]} Still open after {age}: {briefly(standing.alerts)}."
    return Reminder(replace(said, reason="repeat", thread_line=line))
