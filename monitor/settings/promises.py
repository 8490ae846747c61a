"""Reviewing [models.release] and [[models.checks]]: does a check measure what is promised, and can it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from pydantic import ValidationError

from checks.contract import Check, Metric, Needs
from monitor.settings import CheckSettings, ModelSettings, Threshold
from monitor.settings.bounds import review_bounds, review_durations
from monitor.settings.problems import File, problems_of, suggestion
from monitor.settings.remarks import Remark
from monitor.settings.schema import Place
from monitor.settings.terms import (
    EVERY_COLUMN,
    Subject,
    cadence,
    measures,
    parameters_for,
    split_name,
)


def review_release(
    model: ModelSettings, place: Place, checks: Mapping[str, type[Check]], file: File
) -> Iterator[Remark]:
    """Everything about a model's thresholds and checks that cannot be."""
    if not model.release and not model.checks:
        what, instead = "promises nothing and measures nothing", "add [models.release] with a threshold"
        yield Remark.of(file, place, what, instead, also=((*place, "release"), (*place, "checks")))
    if model.checks or model.release:
        yield from _task(model, place, checks, file)
    for name, threshold in model.release.items():
        here: Place = (*place, "release", name)
        yield from review_bounds(threshold, here, file)
        yield from _segments(threshold, model, here, place, file)
        yield from _one_segment(name, threshold, model, here, place, file)
        yield from _metric(name, threshold, model, place, checks, file)
    for index, settings in enumerate(model.checks):
        yield from _check(settings, model, place, index, checks, file)
    yield from _twice(model, place, checks, file)


def _task(model: ModelSettings, place: Place, checks: Mapping[str, type[Check]], file: File) -> Iterator[Remark]:
    if not any(model.task in metric.tasks for check in checks.values() for metric in check.metrics):
        yield Remark.of(file, (*place, "task"), f"no check measures {model.task} models", "add such a check")


def _segments(threshold: Threshold, model: ModelSettings, here: Place, place: Place, file: File) -> Iterator[Remark]:
    known: Place = (*place, "predictions", "segments")
    for index, segment in enumerate(threshold.segments):
        if segment not in model.predictions.segments:
            at: Place = (*here, "segments", index)
            instead = suggestion(segment, model.predictions.segments) or "there are none yet"
            what = f"{file.quoted(at) or 'this'} is not among predictions.segments"
            yield Remark.of(file, at, what, instead, also=(known, (*here, "segments")))


def _one_segment(
    name: str, threshold: Threshold, model: ModelSettings, here: Place, place: Place, file: File
) -> Iterator[Remark]:
    """A threshold of one segment: ``accuracy[origin=JFK]``."""
    segment, known = split_name(name, model.predictions.segments).segment, model.predictions.segments
    if not segment:
        return
    column = segment.partition("=")[0]
    if not any(segment.startswith(f"{one}=") for one in known):
        instead = suggestion(column, known) or f'set predictions.segments = ["{column}"]'
        what = f"is about a segment of '{column}', which is not among predictions.segments"
        yield Remark.of(file, here, what, instead, also=((*place, "predictions", "segments"),))
    if threshold.segments:
        what = f"is about the segment {segment} alone"
        yield Remark.of(file, (*here, "segments"), what, "leave segments out here")


def _metric(
    name: str, threshold: Threshold, model: ModelSettings, place: Place, checks: Mapping[str, type[Check]], file: File
) -> Iterator[Remark]:
    here: Place = (*place, "release", name)
    base = split_name(name, model.predictions.segments).metric
    found = [(check, metric) for check in checks.values() for metric in check.metrics if metric.name == base]
    if not found:
        order = 'write metric, column and segment in this order: "drift.temp[origin=JFK]"'
        yield Remark.of(
            file, here, f"no check measures '{base}'", order if "[" in name else _similar(base, model, checks)
        )
        return
    check, metric = found[0]
    if model.task not in metric.tasks:
        what = f"'{base}' is measured of {_listed(metric.tasks)} models, and this one is {model.task}"
        yield Remark.of(file, here, what, _similar("", model, checks), also=((*place, "task"),))
        return
    yield from _column(name, metric, model, place, file)
    yield from review_durations(threshold, metric, here, file)
    if threshold.min_rows is not None and not metric.of_rows:
        what = f"'{base}' is told however few rows there are"
        yield Remark.of(file, (*here, "min_rows"), what, "leave it out")
    needs = _needs_of(check, model, split_name(name, model.predictions.segments).column)
    if needs is None:
        if not any(
            settings.check == check.kind and _says(check, settings, split_name(name, model.predictions.segments))
            for settings in model.checks
        ):
            what = f"no [[models.checks]] says what '{name}' is"
            yield Remark.of(file, here, what, f'add [[models.checks]] with check = "{check.kind}" and its parameters')
        return
    yield from _tables(f"'{base}'", here, needs, model, place, file)
    yield from _relative(threshold, here, needs, model, place, file)


def _similar(wrong: str, model: ModelSettings, checks: Mapping[str, type[Check]]) -> str:
    metrics = [metric for check in checks.values() for metric in check.metrics if model.task in metric.tasks]
    return suggestion(wrong, (metric.name for metric in metrics))


def _column(name: str, metric: Metric, model: ModelSettings, place: Place, file: File) -> Iterator[Remark]:
    here: Place = (*place, "release", name)
    base, column, segment = split_name(name, model.predictions.segments)
    of = f"[{segment}]" if segment else ""
    if metric.per and not column:
        instead = f'write "{base}.*{of}" for all, or "{base}.<{metric.per}>{of}" for one'
        yield Remark.of(file, here, f"'{base}' is measured of each {metric.per}", instead)
    if column and not metric.per:
        yield Remark.of(file, here, f"'{base}' is not measured of columns", f"write {base}{of}")
    known = _known_columns(model)
    if metric.per == "column" and column not in {"", EVERY_COLUMN} and known and column not in known:
        also = ((*place, "predictions"), (*place, "outcomes"))
        yield Remark.of(file, here, f"the model has no column '{column}'", suggestion(column, known), also=also)


def _known_columns(model: ModelSettings) -> set[str]:
    """The columns there are; empty where predictions.features is left out, so that only the source can tell."""
    said = model.predictions
    if said.features is None:
        return set()
    scores = (said.score,) if isinstance(said.score, str) else said.score or ()
    others = (said.prediction, *scores, model.outcomes.value if model.outcomes else None)
    segments = (column for segment in said.segments for column in (segment, *segment.split("+")))
    return {*said.features, *segments, *(name for name in others if name)}


def _needs_of(check: type[Check], model: ModelSettings, column: str) -> Needs | None:
    """What the check needs as the threshold implies it; nothing where it measures nothing without parameters."""
    try:
        implied = check.model_validate(parameters_for(model, check, {}))
    except ValidationError:
        return None
    return implied.needs() if implied.names(column) else None


def _says(check: type[Check], settings: CheckSettings, about: Subject) -> bool:
    """Whether a configured check is the one that measures this; one that is not valid is told of elsewhere."""
    try:
        return measures(check.model_validate(settings.parameters), about.metric, about.column)
    except ValidationError:
        return True


def _tables(who: str, here: Place, needs: Needs, model: ModelSettings, place: Place, file: File) -> Iterator[Remark]:
    keys = {
        "outcomes": "source and value",
        "outcome_times": "source, value and time",
        "reference": "source",
        "population": "source and entity",
        "catalogue": "source and item",
        "trainings": "source",
    }
    for table, inside in keys.items():
        asked = "outcomes" if table == "outcome_times" else table
        if getattr(needs, table) and getattr(model, asked) is None:
            also: tuple[Place, ...] = ((*place, asked),)
            yield Remark.of(file, here, f"{who} needs {_what(asked)}", f"add [models.{asked}] with {inside}", also)
    if needs.outcome_times and model.outcomes is not None and model.outcomes.time is None:
        also = ((*place, "outcomes", "time"),)
        what = f"{who} needs to know when outcomes became known"
        yield Remark.of(file, here, what, 'add time = "..." to [models.outcomes]', also)


def _what(table: str) -> str:
    return {
        "outcomes": "outcomes",
        "reference": "the reference rows of the release",
        "population": "the population the model is meant to serve",
        "catalogue": "the catalogue of items",
        "trainings": "the trainings of the model",
    }[table]


def _relative(
    threshold: Threshold, here: Place, needs: Needs, model: ModelSettings, place: Place, file: File
) -> Iterator[Remark]:
    for key in ("min_of_release", "max_of_release"):
        at: Place = (*here, key)
        if getattr(threshold, key) is None:
            continue
        if model.reference is None:
            what = "needs the reference rows of the release"
            yield Remark.of(file, at, what, "add [models.reference] with source", also=((*place, "reference"),))
        elif not needs.outcomes:
            what = "is for metrics of outcomes; the reference tells no value of its own for this one"
            yield Remark.of(file, at, what, f"write {key.partition('_')[0]} = with a number")


def _check(
    settings: CheckSettings,
    model: ModelSettings,
    place: Place,
    index: int,
    checks: Mapping[str, type[Check]],
    file: File,
) -> Iterator[Remark]:
    here: Place = (*place, "checks", index)
    kind = checks.get(settings.check)
    if kind is None:
        name: Place = (*here, "check")
        yield Remark.of(file, name, f"there is no check {file.quoted(name)}", suggestion(settings.check, checks))
        return
    given = settings.parameters
    try:
        check = kind.model_validate(parameters_for(model, kind, given))
    except ValidationError as error:
        yield from (Remark((at,), problem) for at, problem in problems_of(error, file, given, here, kind))
        return
    if not check.names(EVERY_COLUMN):
        what = f"the check '{kind.kind}' measures nothing as it is"
        yield Remark.of(file, here, what, f"say what to measure; its parameters are {', '.join(kind.model_fields)}")
    yield from _tables(f"the check '{kind.kind}'", here, check.needs(), model, place, file)


def _name(settings: CheckSettings, check: type[Check] | None) -> str:
    """What tells a check that measures things by name from others of its kind."""
    if check is None or not any(metric.per == "name" for metric in check.metrics):
        return ""
    given = settings.parameters
    return str(given.get("name") if "name" in check.model_fields else sorted(given.items()))


def _twice(model: ModelSettings, place: Place, checks: Mapping[str, type[Check]], file: File) -> Iterator[Remark]:
    first: dict[tuple[str, str, timedelta, timedelta], int] = {}
    for index, settings in enumerate(model.checks):
        name = _name(settings, checks.get(settings.check))
        tile = (settings.check, name, settings.window or model.window, settings.every or cadence(model))
        earlier = first.setdefault(tile, index)
        if earlier != index:
            here: Place = (*place, "checks", index)
            other: Place = (*place, "checks", earlier)
            what = f"measures the same as models[{place[1]}].checks[{earlier}] over the same window"
            yield Remark.of(file, here, what, "keep one of them, or give this one another window", also=(other,))


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
