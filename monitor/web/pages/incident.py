"""The page of one incident: its story, and the evidence with the commands that reproduce it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection

from monitor.alerts.silence import Silence, fitting
from monitor.history import charts, evaluations, incidents, queries, silences
from monitor.history.engine import reading
from monitor.history.rows import ArtifactRow, EvaluationStory, HistoryRow, IncidentStory
from monitor.history.stored_profiles import ColumnDistribution, Counts, profile_of_evaluation
from monitor.history.strips import ended, stretches
from monitor.web.pages.charts import MOST_NUMBERS, Figure, figure
from monitor.web.pages.period import Period
from monitor.web.reader import Reader

AROUND = timedelta(days=14)
"""Before an incident opened (last), and after it ended."""
MOST_BARS = 24
MOST_COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Bar:
    """One cell of a column, in hundredths of a drawing: its share before and now."""

    left: float
    width: float
    before: float | None
    now: float
    label: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column before and now; *moved* is the share of rows that lie elsewhere."""

    name: str
    bars: tuple[Bar, ...]
    moved: float | None
    words: str


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """Everything on it. *opened_by* is the evaluation that opened it (last), *lead* the verdict in it that did."""

    story: IncidentStory
    silences: Sequence[Silence]
    figure: Figure | None
    opened_by: EvaluationStory | None
    lead: HistoryRow | None
    columns: Sequence[Column]
    commands: Sequence[tuple[str, str]]
    artifacts: Sequence[ArtifactRow]


def incident_page(reader: Reader, incident_id: int, now: datetime) -> IncidentPage | None:
    """The page; None where there is no such incident, or no more."""
    with reading(reader.engine()) as history:
        story = incidents.story(history, incident_id, reader.wall_now())
        if story is None:
            return None
        found_in = incidents.evidence(history, incident_id, story.incident.since)
        opened_by = next(filter(None, (evaluations.story(history, one) for one in found_in)), None)
        return IncidentPage(
            story,
            fitting(story, silences.kept(history)),
            _figure(reader, history, story, now),
            opened_by,
            None if opened_by is None else _lead(story, opened_by),
            () if opened_by is None else _columns(history, opened_by.evaluation.id),
            () if opened_by is None else commands(story, opened_by),
            queries.artifacts(history, incident=incident_id),
        )


def commands(story: IncidentStory, opened_by: EvaluationStory) -> list[tuple[str, str]]:
    """What to type to see the same: each with what it answers."""
    incident, seen = story.incident, opened_by.evaluation
    model = shlex.quote(incident.model)
    begin, end = (f"{at:%Y-%m-%dT%H:%M:%S}" for at in (seen.window_start, seen.window_end))
    since = f"{seen.window_end - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    until = f"{max(seen.evaluated_at, seen.window_end):%Y-%m-%dT%H:%M:%S}"
    return [
        (
            "Judge again what this incident was judged by, and compare",
            f"model-monitor replay --incident {incident.id}",
        ),
        ("Measure that window again, now", f"model-monitor evaluate --model {model} --window {begin} {end}"),
        (
            "Play the day it opened, and list the incidents there would have been",
            f"model-monitor replay --model {model} --since {since} --until {until}",
        ),
        ("This page in a terminal", f"model-monitor incidents {incident.id}"),
    ]


def columns_of(found: Sequence[ColumnDistribution], most: int = MOST_COLUMNS) -> tuple[Column, ...]:
    """What moved most first."""
    columns = [_column(one) for one in found]
    return tuple(sorted(columns, key=lambda one: (-(one.moved or 0.0), one.name))[:most])


def _figure(reader: Reader, history: Connection, story: IncidentStory, now: datetime) -> Figure | None:
    incident = story.incident
    until = now if incident.resolved_at is None else min(now, incident.resolved_at + AROUND)
    since = incident.since - AROUND
    key = charts.gravest_of(history, incident.id)
    if key is None:
        return None
    period = Period(since, max(until, incident.since), "", "")
    windows = ended(history, incident.model, period.since, period.until)
    stretch = stretches(history, windows, MOST_NUMBERS, key[0]).get(key)
    if stretch is None:
        return None
    return figure(incident.model, key, stretch, reader.units.get(key[0], ""), period)


def _lead(story: IncidentStory, opened_by: EvaluationStory) -> HistoryRow | None:
    """The verdict that opened it, or opened it again: on the alert that opened first."""
    names = [(each.metric, each.segment) for each in story.alerts if each.opened_at >= story.incident.since]
    rows = [row for row in opened_by.results if (row.name, row.segment) in names and row.verdict]
    return min(rows, key=lambda row: (row.verdict != "breach", names.index((row.name, row.segment))), default=None)


def _columns(history: Connection, evaluation_id: int) -> tuple[Column, ...]:
    found = profile_of_evaluation(history, evaluation_id)
    return () if found is None else columns_of(found.columns)


def _column(one: ColumnDistribution) -> Column:
    now, before = _shares(one.window), None if one.reference is None else _shares(one.reference)
    labels = _labels(one)
    groups = _grouped(len(now))
    width = 100 / max(len(groups), 1)
    bars = tuple(
        Bar(
            round(place * width, 2),
            round(width, 2),
            None if before is None else sum(before[cell] for cell in cells),
            sum(now[cell] for cell in cells),
            labels[cells[0]] if len(cells) == 1 else f"{labels[cells[0]]} … {labels[cells[-1]]}",
        )
        for place, cells in enumerate(groups)
    )
    moved = None if before is None else sum(abs(old - new) for old, new in zip(before, now, strict=True)) / 2
    return Column(one.column, bars, moved, _words(one))


def _shares(counts: Counts) -> list[float]:
    """Of all rows, those without a usable value last."""
    cells = [*counts.counts, counts.null + counts.nan + counts.infinite + counts.absent]
    return [count / counts.rows if counts.rows else 0.0 for count in cells]


def _labels(one: ColumnDistribution) -> list[str]:
    if one.kind == "categories":
        return [*one.values, "every other value", "no value"]
    edges = [f"{edge:.4g}" for edge in one.edges]
    inner = [f"{low} to {high}" for low, high in pairwise(edges)]
    return [f"below {edges[0]}", *inner, f"{edges[-1]} and more", "no value"] if edges else ["all", "no value"]


def _grouped(cells: int) -> list[range]:
    """Neighbours together, so that there are not too many bars."""
    each = max(-(-cells // MOST_BARS), 1)
    return [range(first, min(first + each, cells)) for first in range(0, cells, each)]


def _words(one: ColumnDistribution) -> str:
    now, before = one.window, one.reference
    missing = now.null + now.nan + now.infinite + now.absent
    told = [f"{missing / now.rows:.1%} without a value"] if missing and now.rows else []
    if now.mean is not None:
        told.insert(
            0, f"mean {now.mean:.4g}" + ("" if before is None or before.mean is None else f", was {before.mean:.4g}")
        )
    return " · ".join(told)
