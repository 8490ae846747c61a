"""A silence: alerts that somebody muted on purpose until a time, by patterns on what they are about."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from fnmatch import fnmatchcase

from monitor.alerts.message import About
from monitor.alerts.words import moment
from monitor.history.records import Silence
from monitor.history.rows import IncidentStory

__all__ = ["LONGEST", "MATCHERS", "Silence", "fits_nobody", "fitting", "matches", "named", "problems"]

MATCHERS = ("model", "metric", "segment", "severity", "owner")
LONGEST = timedelta(days=30)


def problems(silence: Silence) -> tuple[str, ...]:
    """Everything that is wrong with a silence to be made, as sentences; none where it is right."""
    found = [
        f"A silence cannot match by {name!r}; it matches by {', '.join(MATCHERS[:-1])} and {MATCHERS[-1]}."
        for name in silence.matchers
        if name not in MATCHERS
    ]
    if not silence.matchers:
        found.append(f"A silence names what it mutes; give a pattern for at least one of {', '.join(MATCHERS)}.")
    severity = silence.matchers.get("severity", "*")
    if not any(fnmatchcase(known, severity) for known in ("page", "warn")):
        found.append(f"No alert is of severity {severity!r}; there is page and warn.")
    if not silence.author.strip():
        found.append("A silence has an author; name whom others can ask about it.")
    if not silence.comment.strip():
        found.append("A silence has a comment; say in a few words why nobody is to be told.")
    if silence.ends_at <= silence.starts_at:
        found.append(f"The silence ends at {moment(silence.ends_at)} UTC, before it has begun; let it end later.")
    if silence.ends_at - silence.starts_at > LONGEST:
        found.append(
            f"A silence lasts {LONGEST.days} days at most; make it shorter, and a new one when it is over. "
            "What is never to be told wants another threshold."
        )
    return tuple(found)


def matches(silence: Silence, about: About, model: str, owner: str | None) -> bool:
    """Whether an alert of a model fits every pattern; a model without owner fits ``*`` alone."""
    facts = {
        "model": model,
        "metric": about.metric,
        "segment": about.segment,
        "severity": about.severity,
        "owner": owner or "",
    }
    return all(fnmatchcase(facts[name], pattern) for name, pattern in silence.matchers.items())


def fitting(story: IncidentStory, silences: Iterable[Silence]) -> tuple[Silence, ...]:
    """Those that held while people were to be told of the incident, and fit one of its alerts."""
    times = [each.created_at for each in story.notifications]
    over = max(times, default=None) if story.incident.resolved_at else None
    abouts = [About(each.metric, each.segment, each.severity) for each in story.alerts]
    return tuple(
        each
        for each in silences
        if (not times or each.ends_at > min(times))
        and (over is None or each.starts_at <= over)
        and any(matches(each, about, story.incident.model, story.owner) for about in abouts)
    )


def fits_nobody(silence: Silence, models: Collection[str]) -> str:
    """The sentence for a pattern that fits no model: a slip of the pen would mute nothing. Empty where it fits one."""
    pattern = silence.matchers.get("model", "*")
    if any(fnmatchcase(name, pattern) for name in models):
        return ""
    return f"No model fits {pattern!r}; there is {', '.join(sorted(models))}."


def named(silence: Silence) -> str:
    """``Silence 3 of anna (deploying)``."""
    return f"Silence {silence.id} of {silence.author} ({silence.comment})"
