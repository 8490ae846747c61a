"""Thresholds for a model from the days of its reference and, where there are more of them, those of its history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from checks.contract import Metric, Task
from checks.discovery import discover
from monitor.app import App, build_app, checks_dir
from monitor.by_hand import past
from monitor.candidates import judge_rows
from monitor.history.records import DayRecord
from monitor.history.store import Store
from monitor.release.contract import Side, owner_of
from monitor.release.days import Days
from monitor.release.suggestion import Seen, Suggestion, seen, suggest
from monitor.release.variation import ENOUGH
from monitor.schedule.daybook import days_before
from monitor.schedule.due import DueWindow
from monitor.schedule.watch import Watch
from monitor.settings import Threshold
from monitor.settings.terms import EVERY_COLUMN, split_name

HEADLINES: dict[Task, str] = {"binary": "accuracy", "multiclass": "accuracy", "regression": "mae", "ranking": "ndcg"}
"""What is suggested where nothing is promised yet."""

POINTS = (0.01, 0.02, 0.05)
"""Drops whose delay is told: in points of a share, else as shares of the level."""


class NoSuggestion(Exception):
    """Why nothing can be suggested, as a sentence with a way out."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of [models.release]: with a suggestion, or as it is and *why*."""

    name: str
    threshold: Threshold | None
    side: Side = "min"
    unit: str = ""
    known: Seen | None = None
    suggestion: Suggestion | None = None
    why: str = ""


def suggested(app: App, watch: Watch, period: timedelta, tell: Callable[[str], None]) -> list[Line]:
    """A line for each bound of the model, or for its task's headline. Raises NoSuggestion and SourceProblem."""
    reference = watch.model.reference
    if reference is None:
        raise NoSuggestion(f"{watch.name} has no rows that tell how good it was; add [models.reference].")
    metrics = dict(_metrics(app, watch))
    probe = _probe(app, watch, metrics)
    judged = judge_rows(app, probe, reference, "reference", tell)
    if judged.source_failure is not None:
        raise NoSuggestion(judged.source_failure)
    known = [day for each in judged.evaluated for day in each.result.days]
    with past(app.settings, app.base) as store:
        live = [] if store is None else _lived(store, watch, probe)
    kept = [name for name in watch.model.release if name not in metrics]
    lines = []
    for name, metric in metrics.items():
        tell(name)
        lines.append(_line(watch, name, metric, (known, live), period, len(metrics)))
    why = "left as it is; only a mean of days can be simulated"
    return [*lines, *(Line(name, watch.model.release[name], why=why) for name in kept)]


def _metrics(app: App, watch: Watch) -> Iterator[tuple[str, Metric]]:
    """The names of bounds that can be judged by days, or the headline."""
    found = discover(checks_dir(app.settings, app.base))
    names = list(watch.model.release) or [HEADLINES[watch.model.task]]
    for name in names:
        about = split_name(name, watch.model.predictions.segments)
        _, metric = owner_of(found, about.metric)
        if metric.averages and about.column != EVERY_COLUMN:
            yield name, metric


def _probe(app: App, watch: Watch, metrics: dict[str, Metric]) -> Watch:
    """The model with bounds that page on these metrics, so that their days are measured, whatever they hold it to."""
    release = {name: Threshold(min=0.0, severity="page") for name in metrics}
    model = watch.model.model_copy(update={"release": release})
    return build_app(app.settings.model_copy(update={"models": (model,)}), app.base).watches[0]


def _lived(store: Store, watch: Watch, probe: Watch) -> list[DayRecord]:
    """The days of the last year of windows that the history knows."""
    baseline = store.baseline(watch.name, watch.model.version, watch.fingerprint)
    found: list[DayRecord] = []
    for plan in probe.plans:
        end = store.newest_window_end(watch.name, plan.name)
        if end is not None and baseline is not None:
            found += days_before(store, baseline.id, probe, DueWindow(plan, end - plan.window, end, 0, "new", end))
    return found


def _line(
    watch: Watch,
    name: str,
    metric: Metric,
    days: tuple[list[DayRecord], list[DayRecord]],
    period: timedelta,
    comparisons: int,
) -> Line:
    threshold = watch.model.release.get(name)
    about = split_name(name, watch.model.predictions.segments)
    reference, live = (Days(day for day in some if (day.metric, day.column, day.segment) == about) for some in days)
    side: Side = "min" if metric.better == "high" else "max"
    known = seen(reference, live)
    if known is None:
        count = max(len(reference), len(live))
        why = f"{count} days are known, and it takes {ENOUGH} to tell how much they stray"
        return Line(name, threshold, side, metric.unit, why=why)
    share = not metric.unit and 0 <= known.level <= 1
    drops = [point if share else point * abs(known.level) for point in POINTS]
    found = suggest(known, side, period, comparisons, drops)
    return Line(name, threshold, side, metric.unit, known, found)
