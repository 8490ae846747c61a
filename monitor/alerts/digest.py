"""The digest: how the whole fleet stands, in one message a day or a week. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from monitor.alerts.message import EMOJI, AlertLine, Field, Message, MessageState
from monitor.alerts.words import at_bound, digits_apart, moment
from monitor.release.contract import Severity, Side
from monitor.release.words import measured
from monitor.settings import Digest

GRACE = timedelta(hours=6)
"""A digest that is later than this is left out: the next one tells more."""
MOST_MARGINS = 3
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A model with an open incident; *seen_by* is who has acknowledged it."""

    name: str
    incident_id: int
    severity: Severity
    since: datetime
    seen_by: str = ""


@dataclass(frozen=True, slots=True)
class Margin:
    """How a promise that holds stands to its bound."""

    model: str
    metric: str  # as people write it
    side: Side
    value: float
    threshold: float
    unit: str = ""

    @property
    def share(self) -> float:
        """The distance to the bound, as a share of the bound; of a bound of zero, the distance itself."""
        distance = self.value - self.threshold if self.side == "min" else self.threshold - self.value
        return distance / (abs(self.threshold) or 1.0)


@dataclass(frozen=True, slots=True)
class Fleet:
    """All there is to tell; *unjudged* are models without a verdict, *blind* alerts that say so, *suspicious* what is
    beyond its bound by more than chance often explains and too little for an alert, *silences* what is muted now."""

    models: int
    open: tuple[OpenModel, ...] = ()
    unjudged: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()
    margins: tuple[Margin, ...] = ()
    suspicious: tuple[Margin, ...] = ()
    silences: tuple[str, ...] = ()


def due_on(digest: Digest, now: datetime) -> date | None:
    """The local day whose digest is due at *now*, if one is; each day has one, also where the clocks change."""
    zone = ZoneInfo(digest.timezone)
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        # In the hour that is left out in spring this is an hour later, and of the one there twice in autumn the first.
        begins = datetime.combine(day, time.fromisoformat(digest.at), zone)
        wanted = digest.every == "day" or _DAYS[day.weekday()] == digest.weekday
        if wanted and timedelta(0) <= now - begins.astimezone(now.tzinfo) < GRACE:
            return day
    return None


def tell_fleet(fleet: Fleet, day: date, now: datetime, every: Literal["day", "week"]) -> Message:
    """The digest as a message that is about no incident."""
    pages = any(one.severity == "page" for one in fleet.open)
    state: MessageState = "page" if pages else "warn" if fleet.open or fleet.blind or fleet.unjudged else "resolved"
    lines = [AlertLine(one.severity, _open(one)) for one in sorted(fleet.open, key=_gravest)]
    lines += [AlertLine("warn", f"cannot be judged · {name}") for name in fleet.blind]
    lines += [AlertLine("warn", f"not evaluated yet · {name}") for name in fleet.unjudged]
    title = f"{EMOJI[state]} {_headline(fleet)} · {'week up to ' if every == 'week' else ''}{day:%a %d %b %Y}"
    return Message(
        reason="digest",
        state=state,
        model="",
        version="",
        title=title,
        fields=_fields(fleet),
        changed=_margins(fleet.margins),
        others=tuple(lines),
        more=0,
        owner=None,
        runbook=None,
        thread_line=title,
        opened_at=now,
        window_end=now,
    )


def _headline(fleet: Fleet) -> str:
    broken = len({one.name for one in fleet.open})
    models = "1 model" if fleet.models == 1 else f"{fleet.models:,} models"
    if broken:
        return f"{broken:,} of {models} {'has' if broken == 1 else 'have'} an open incident"
    return f"No incident is open; {models} watched"


def _fields(fleet: Fleet) -> tuple[Field, ...]:
    counts = {
        "Models": fleet.models,
        "With an open incident": len({one.name for one in fleet.open}),
        "Cannot be judged": len(fleet.blind) + len(fleet.unjudged),
    }
    seen = ", ".join(f"{one.name} by {one.seen_by}" for one in fleet.open if one.seen_by)
    suspicious = "; ".join(_margin(one) for one in fleet.suspicious)
    told = {"Acknowledged": seen, "Suspicious, not paged": suspicious, "Silenced": "; ".join(fleet.silences)}
    return (
        *(Field(label, f"{count:,}") for label, count in counts.items()),
        *(Field(label, text) for label, text in told.items() if text),
    )


def _open(one: OpenModel) -> str:
    seen = f" · acknowledged by {one.seen_by}" if one.seen_by else ""
    return f"{one.severity.upper()} · {one.name} · incident {one.incident_id} since {moment(one.since)} UTC{seen}"


def _gravest(one: OpenModel) -> tuple[bool, datetime, str]:
    return one.severity != "page", one.since, one.name


def _margins(margins: Sequence[Margin]) -> str:
    nearest = sorted(margins, key=lambda one: (one.share, one.model, one.metric))[:MOST_MARGINS]
    told = [_margin(one) for one in nearest]
    return f"Closest to their bounds: {'; '.join(told)}." if told else ""


def _margin(one: Margin) -> str:
    digits = digits_apart(one.value, one.threshold)
    value = measured(one.value, one.unit, digits)
    return f"{one.model} {one.metric} {value} ({at_bound(one.side, one.threshold, one.unit, digits)})"
