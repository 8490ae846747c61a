"""The first page: how every model stands, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.alerts.words import comparison, span
from monitor.history.overview import Passed, Subject
from monitor.history.queries import WORST_FIRST
from monitor.history.rows import HistoryRow, IncidentRow
from monitor.release.contract import side_of
from monitor.release.words import display_name, rows
from monitor.settings import ModelSettings
from monitor.web.pages.sparkline import Spark, spark
from monitor.web.pages.templating import shown_interval
from monitor.web.standing import NOWHERE, Stand, place

PER_PAGE = 50
STALE_EVALUATIONS = 3
"""As many as alerts.blind_after by itself."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands in the address of the page: words of a name or owner, a verdict or "trouble", the page from 1."""

    text: str = ""
    verdict: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """A remark beside a model."""

    kind: str
    words: str
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """A model in a line."""

    model: str
    version: str
    owner: str
    verdict: str
    worst: HistoryRow | None
    metric: str
    compared: str
    detail: str
    evaluated_at: datetime | None
    incidents: tuple[IncidentRow, ...]
    marks: tuple[Mark, ...]
    spark: Spark | None = None

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, where that is to be seen."""
        return "inconclusive" if any(mark.kind == "inconclusive" for mark in self.marks) else ""

    @property
    def tone(self) -> str:
        """What its line is coloured by: the gravest incident that is open, or else the verdict."""
        return min((incident.severity for incident in self.incidents), default=self.verdict)

    @property
    def subject(self) -> Subject | None:
        """The promise whose course is shown."""
        one = self.worst
        return None if one is None else (one.model, one.metric, one.column, one.segment, one.side or "")


@dataclass(frozen=True, slots=True)
class FleetPage:
    """The lines of one page, and how many models there are of each kind."""

    lines: tuple[Line, ...]
    counts: Mapping[str, int]
    pages: int
    headline: str
    note: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """What the history knows: how models stand, what is open, and what cannot be judged; each by model."""

    stands: Mapping[str, Stand]
    incidents: Mapping[str, Sequence[IncidentRow]]
    blind: Mapping[str, Sequence[str]]


def lines_of(models: Iterable[ModelSettings], found: Fleet, units: Mapping[str, str], now: datetime) -> list[Line]:
    """A line for each model that config.toml watches, the worst first."""
    lines = [_line(model, found, units, now) for model in models if not model.retired]
    return sorted(lines, key=_gravest)


def by_model(found: Iterable[IncidentRow]) -> dict[str, list[IncidentRow]]:
    """The incidents of each model."""
    sorted_out: dict[str, list[IncidentRow]] = {}
    for incident in found:
        sorted_out.setdefault(incident.model, []).append(incident)
    return sorted_out


def page_of(lines: Sequence[Line], asked: Asked) -> FleetPage:
    """Those lines that were asked for."""
    named = [line for line in lines if _fits(line, asked.text)]
    shown = [line for line in named if _is(line, asked.verdict)]
    first = (asked.page - 1) * PER_PAGE
    kinds = (*WORST_FIRST, "trouble")
    counts = {"all": len(named), **{kind: sum(_is(line, kind) for line in named) for kind in kinds}}
    return FleetPage(
        tuple(shown[first : first + PER_PAGE]), counts, -(-len(shown) // PER_PAGE), _headline(lines), _note(lines)
    )


def with_courses(page: FleetPage, courses: Mapping[Subject, Sequence[Passed]], now: datetime) -> FleetPage:
    """The page with the sparkline of each model's worst promise."""
    return replace(page, lines=tuple(_with_course(line, courses, now) for line in page.lines))


def stale_by(model: ModelSettings, evaluated_at: datetime | None, now: datetime) -> timedelta | None:
    """How long ago a model was evaluated last, where three evaluations and more were due since; else None."""
    if evaluated_at is None:
        return None
    every = min([model.every or model.bucket, *(one.every for one in model.release.values() if one.every)])
    silent = now - evaluated_at
    return silent if silent > STALE_EVALUATIONS * every else None


def marks_of(model: ModelSettings, stand: Stand, blind: Sequence[str], now: datetime) -> tuple[Mark, ...]:
    """What is to be known besides the verdict: blind, stale, inconclusive, watch."""
    marks = []
    if blind:
        marks.append(Mark("blind", "blind", f"Cannot be judged: {', '.join(blind)}."))
    if silent := stale_by(model, stand.evaluated_at, now):
        marks.append(Mark("stale", "stale", f"Nothing was evaluated for {span(silent)}."))
    if stand.doubtful:
        told = f"Beyond the bound, but within the interval: {', '.join(stand.doubtful)}."
        marks.append(Mark("inconclusive", "inconclusive", told))
    if stand.watched:
        marks.append(Mark("watch", "watch", f"Suspicious, and nobody is paged for it: {', '.join(stand.watched)}."))
    return tuple(marks)


def _line(model: ModelSettings, found: Fleet, units: Mapping[str, str], now: datetime) -> Line:
    stand = found.stands.get(model.name, NOWHERE)
    worst = stand.worst
    unit = "" if worst is None else units.get(worst.metric, "")
    return Line(
        model.name,
        model.version,
        model.owner or "",
        stand.verdict,
        worst,
        "" if worst is None else display_name(worst.metric, worst.column, worst.segment),
        "" if worst is None else comparison(side_of(worst.side), worst.value, worst.threshold, unit),
        "" if worst is None else _detail(worst, unit),
        stand.evaluated_at,
        tuple(found.incidents.get(model.name, ())),
        marks_of(model, stand, found.blind.get(model.name, ()), now),
    )


def _detail(row: HistoryRow, unit: str) -> str:
    if row.value is None:
        return row.sentence or ""
    return " · ".join(filter(None, (shown_interval(row.low, row.high, unit), rows(row.rows) if row.rows else "")))


def _with_course(line: Line, courses: Mapping[Subject, Sequence[Passed]], now: datetime) -> Line:
    if line.subject is None or line.worst is None:
        return line
    passed = list(courses.get(line.subject, ()))
    newest = Passed(line.worst.window_end, line.worst.value, line.worst.verdict or "")
    if not passed or passed[-1].at < newest.at:
        passed.append(newest)
    return replace(line, spark=spark(passed, line.worst.threshold, now))


def _gravest(line: Line) -> tuple[bool, bool, int, bool, str]:
    """Open pages, open warnings, then by verdict; those with remarks before those without."""
    pages = any(incident.severity == "page" for incident in line.incidents)
    return not pages, not line.incidents, place(line.verdict), not line.marks, line.model


def _fits(line: Line, text: str) -> bool:
    looked_at = f"{line.model} {line.version} {line.owner}".casefold()
    return all(word in looked_at for word in text.casefold().split())


def _is(line: Line, kind: str) -> bool:
    if kind == "trouble":
        return any(mark.kind in {"blind", "stale"} for mark in line.marks)
    return kind in {"", line.verdict}


def _headline(lines: Sequence[Line]) -> str:
    """What is worst comes first: an incident stays open while its verdicts are unknown or inconclusive."""
    total = f"{len(lines):,} {'model' if len(lines) == 1 else 'models'}"
    open_now = sum(bool(line.incidents) for line in lines)
    breaches, unjudged = (sum(line.verdict in kinds for line in lines) for kinds in (("breach",), ("error", "unknown")))
    if open_now:
        return f"{open_now:,} of {total} {'has' if open_now == 1 else 'have'} an open incident"
    if breaches:
        return f"{breaches:,} of {total} in breach"
    if unjudged:
        return f"{unjudged:,} of {total} cannot be judged"
    return f"{total} {'keeps its' if len(lines) == 1 else 'keep their'} promises"


def _note(lines: Sequence[Line]) -> str:
    open_now = [incident for line in lines for incident in line.incidents]
    if not open_now:
        return "No incident is open."
    told = f"{len(open_now):,} {'incident is' if len(open_now) == 1 else 'incidents are'} open"
    unseen = sum(incident.acknowledged is None for incident in open_now)
    if not unseen:
        return f"{told}, acknowledged."
    return f"{told}, seen by nobody." if unseen == len(open_now) else f"{told}, {unseen:,} of them seen by nobody."
