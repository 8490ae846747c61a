"""What a policy was worth on logs whose truth is known: false pages, decays found, and how late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median

from benchmarks.alarm_quality.judging import Told
from benchmarks.alarm_quality.logs import Episode, Log
from benchmarks.alarm_quality.policies import Policy, openings


@dataclass(frozen=True, slots=True)
class Found:
    """A decay and the days from its start until an incident was open; None where none was before its end.

    *since_change* counts from the day the decay is estimated to have begun, where that lies in the episode.
    """

    log: str
    episode: Episode
    delay: int | None
    since_change: int | None = None


@dataclass(slots=True)
class Score:
    """Sums over logs; days are those of the calendar."""

    quiet_days: int = 0
    days_open: int = 0
    days_seen: int = 0
    pages: int = 0
    relapses: int = 0
    decays: list[Found] = field(default_factory=list)

    @property
    def pages_a_year(self) -> float:
        return self.pages / (self.quiet_days / 365) if self.quiet_days else 0.0

    @property
    def relapses_a_year(self) -> float:
        return self.relapses / (self.quiet_days / 365) if self.quiet_days else 0.0

    @property
    def share_open(self) -> float:
        """Of the quiet days with rows, how many lay in an open incident."""
        return self.days_open / self.days_seen if self.days_seen else 0.0

    @property
    def delays(self) -> list[int]:
        return [one.delay for one in self.decays if one.delay is not None]

    @property
    def median_delay(self) -> float | None:
        return median(self.delays) if self.delays else None


def score(logs: Iterable[Log], policy: Policy) -> Score:
    """The policy on all logs, pooled. A page counts as false where it comes in a quiet stretch; uncertain ones are not
    scored, but what was opened in one is open in the next."""
    total = Score()
    for log in logs:
        days = [day.start.date() for day in log.live.days]
        told = policy(log)
        for episode in log.episodes:
            places = [place for place, day in enumerate(days) if episode.start <= day <= episode.end]
            if episode.kind == "quiet":
                _count_quiet(total, episode, [told[place] for place in places])
            if episode.kind == "decay":
                total.decays.append(_found(log, episode, days, [place for place in places if told[place].open]))
    return total


def _count_quiet(total: Score, episode: Episode, told: Sequence[Told]) -> None:
    total.quiet_days += episode.days
    total.days_seen += len(told)
    total.days_open += sum(one.open for one in told)
    total.pages += sum(one.paged for one in told)
    total.relapses += sum(one.relapsed for one in told)


def _found(log: Log, episode: Episode, days: Sequence[date], open_at: Sequence[int]) -> Found:
    if not open_at:
        return Found(log.name, episode, None)
    first = days[open_at[0]]
    changed = episode.changed
    inside = changed is not None and episode.start <= changed <= episode.end
    since = (first - changed).days if changed is not None and inside else None
    return Found(log.name, episode, (first - episode.start).days, since)


def first_open(told: Sequence[Told], since: int) -> int | None:
    """Days from *since* until an incident opened; None where none did."""
    return next((place - since for place in openings(told) if place >= since), None)


def by_log(logs: Sequence[Log], policy: Policy) -> Iterator[tuple[str, Score]]:
    """The same, log by log."""
    for log in logs:
        yield log.name, score([log], policy)
