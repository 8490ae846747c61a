"""One evaluation: bring the profiles of a window up to date, then let each check measure it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from checks.contract import Artifact, CannotMeasure, Check, Measurement, Past, Window
from checks.parts import parts_of
from checks.profile import Layout, Profile
from monitor.history.records import DayRecord
from monitor.schedule.daily import days_to_measure, length_of_day, measured_days
from monitor.schedule.merging import Buckets, Merges
from monitor.schedule.plan import Plan, tile_start, tiles

if TYPE_CHECKING:
    from monitor.data.feed import BucketCount, Feed
    from monitor.settings import ModelSettings

Key = tuple[str, str, str]
"""Metric, column and segment of a measurement."""


@dataclass(frozen=True, slots=True)
class StoredBucket:
    """A bucket as the history knows it: its counts, and its profile where the window needs it."""

    rows: int
    outcomes: int
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Everything a worker process needs for one evaluation; it goes through a pipe."""

    model: ModelSettings
    base: Path
    checks_dir: Path | None
    confidence: float
    plan: str
    start: datetime
    end: datetime
    as_of: datetime
    survey: bool
    """Whether the source is asked which buckets changed; a revision measures what a survey has already read."""
    layout: bytes | None = None
    reference: bytes | None = None
    stored: Mapping[datetime, StoredBucket] = field(default_factory=dict)
    past: Mapping[Key, tuple[Past, ...]] = field(default_factory=dict)
    """What the plan measured in windows whole weeks before."""
    skip: frozenset[int] = frozenset()
    """Places in the plan of checks that need no measuring: already done, or they killed the worker before."""
    instead: Check | None = None
    """The one check to measure in place of the plan's: the report on an incident."""
    by_days: frozenset[str] = frozenset()
    """The metrics whose days are measured too: those of bounds that page."""


@dataclass(frozen=True, slots=True)
class NewBucket:
    """A bucket that was read: its counts, its profile, and how many of its outcomes took how long."""

    rows: int
    outcomes: int
    data: bytes
    lags: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BaselineTaken:
    """The layout and reference profile of a model version, taken now because the history had none."""

    layout: bytes
    reference: bytes | None
    outcome_delay: timedelta | None


@dataclass(frozen=True, slots=True)
class BucketsRead:
    """The buckets of the window (and late ones before it) that were new or had changed."""

    buckets: Mapping[datetime, NewBucket]


@dataclass(frozen=True, slots=True)
class CheckStarted:
    """From here on, time and memory are the check's own."""

    place: int
    kind: str


@dataclass(frozen=True, slots=True)
class CheckMeasured:
    """What a check measured on the window with what it left beside, and the same metrics of the release's own rows."""

    place: int
    kind: str
    measurements: tuple[Measurement, ...]
    released: Mapping[Key, float]
    artifacts: tuple[Artifact, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckFailed:
    """A check did not get to an answer; the sentence says why."""

    place: int
    kind: str
    sentence: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DaysMeasured:
    """What some metrics were in single days (or buckets, where those are longer)."""

    values: tuple[DayRecord, ...]


@dataclass(frozen=True, slots=True)
class SourceFailed:
    """The rows could not be read, so nothing was measured."""

    sentence: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """The evaluation is complete."""

    rows: int
    outcomes: int


Event = (
    BaselineTaken | BucketsRead | CheckStarted | CheckMeasured | CheckFailed | DaysMeasured | SourceFailed | Finished
)
Emit = Callable[[Event], None]


Released = dict[int, dict[Key, float]]
"""The release's own values by the place of their check in the plan; they do not change from window to window."""


def evaluate(
    job: Job, plan: Plan, feed: Feed, emit: Emit, released: Released | None = None, merges: Merges | None = None
) -> None:
    """Run one evaluation, telling *emit* what happens as it happens. Raises what the source raises.

    *released* keeps the release's own values of the plan, *merges* those of buckets from one evaluation to the next.
    """
    layout, reference = _baseline(job, feed, emit)
    if layout is None:
        _measure_without_rows(job, plan, feed, emit)
        return
    stored = {at: bucket for at, bucket in job.stored.items() if job.layout is not None}
    data, read = _profiles(job, plan, feed, layout, stored, emit)
    inside = [data[at] for at in tiles(job.start, job.end, job.model.bucket)]
    merged = (merges or Merges()).parts(job.plan, layout, parts_of(job.start, job.end, inside))
    buckets = Buckets(layout, inside)
    window = replace(feed.window(job.start, job.end, job.as_of, buckets, reference, merged), past=job.past)
    release = None if reference is None else feed.release_window(window, reference)
    days = _days(job, plan, feed, layout, data, read)
    _measure(job, plan, window, release, {} if released is None else released, emit, days)
    emit(Finished(window.live.whole.rows, window.live.whole.labelled))


def _baseline(job: Job, feed: Feed, emit: Emit) -> tuple[Layout | None, Profile | None]:
    if job.layout is not None:
        layout = Layout.from_bytes(job.layout)
        return layout, None if job.reference is None else Profile.from_bytes(job.reference, layout)
    if job.model.reference is not None:
        taken = feed.baseline(job.as_of)
        reference = None if taken.profile is None else taken.profile.to_bytes()
        emit(BaselineTaken(taken.layout.to_bytes(), reference, taken.delay))
        return taken.layout, taken.profile
    first = feed.layout_from_bucket(job.start, job.end, job.as_of)
    if first is not None:
        emit(BaselineTaken(first.to_bytes(), None, None))
    return first, None


def _profiles(
    job: Job, plan: Plan, feed: Feed, layout: Layout, stored: Mapping[datetime, StoredBucket], emit: Emit
) -> tuple[dict[datetime, bytes], frozenset[datetime]]:
    """The stored profile of each bucket, and which were read: what is new or changed is, and told."""
    inside = tiles(job.start, job.end, job.model.bucket)
    counted = _counted(job, plan, feed, stored, inside) if job.survey else None
    stale = {at for at in inside if at not in stored or stored[at].data is None}
    stale |= _changed(job, counted, stored, inside) if counted is not None else set()
    fresh = feed.profiles(layout, sorted(stale), job.as_of, counted) if stale else {}
    read = {at: NewBucket(one.whole.rows, one.whole.labelled, one.to_bytes(), one.lags) for at, one in fresh.items()}
    emit(BucketsRead(read))
    held = {at: stored[at].data for at in inside if at not in read} | {at: one.data for at, one in read.items()}
    return {at: data for at, data in held.items() if data is not None}, frozenset(read)


def _since(job: Job, inside: Sequence[datetime]) -> datetime:
    """How far back buckets are looked at: rows and outcomes may come late."""
    return min([*inside, tile_start(job.end - job.model.revise_for, job.model.bucket)])


def _counted(
    job: Job, plan: Plan, feed: Feed, stored: Mapping[datetime, StoredBucket], inside: Sequence[datetime]
) -> dict[datetime, BucketCount]:
    from monitor.data.feed import BucketCount

    known = {at: BucketCount(bucket.rows, bucket.outcomes) for at, bucket in stored.items()}
    return feed.counts(_since(job, inside), job.end, job.as_of, known, outcomes=plan.awaits_outcomes)


def _changed(
    job: Job,
    counted: Mapping[datetime, BucketCount],
    stored: Mapping[datetime, StoredBucket],
    inside: Sequence[datetime],
) -> set[datetime]:
    """Buckets whose counts differ from the history's: those of the window, and those the history has before it."""
    since = _since(job, inside)
    looked_at = {*inside, *(at for at in stored if since <= at < job.end)}
    return {at for at in looked_at if _counts(counted.get(at)) != _counts(stored.get(at)) or at not in stored}


def _counts(bucket: BucketCount | StoredBucket | None) -> tuple[int, int]:
    return (0, 0) if bucket is None else (bucket.rows, bucket.outcomes)


def _measure(
    job: Job,
    plan: Plan,
    window: Window,
    release: Window | None,
    released: Released,
    emit: Emit,
    days: Sequence[Window] = (),
) -> None:
    for place, planned in enumerate(plan.checks):
        if place in job.skip:
            continue
        emit(CheckStarted(place, planned.check.kind))
        measured = _measured(place, planned.check, window, release, released)
        emit(measured)
        if isinstance(measured, CheckMeasured) and any(one.metric in job.by_days for one in measured.measurements):
            emit(CheckStarted(place, planned.check.kind))
            emit(DaysMeasured(tuple(measured_days(planned.check, days, job.by_days, job.confidence))))


def _days(
    job: Job, plan: Plan, feed: Feed, layout: Layout, data: Mapping[datetime, bytes], read: Collection[datetime]
) -> tuple[Window, ...]:
    """The days to be measured beside the window, each with nothing but its own rows."""
    if not job.by_days or job.instead is not None:
        return ()
    length = length_of_day(job.model.bucket)
    days = days_to_measure(job.start, job.end, job.model.bucket, plan.every, read)
    merged = {at: Profile.merge(Buckets(layout, [data[one] for one in buckets])) for at, buckets in days.items()}
    return tuple(feed.window(at, at + length, job.as_of, [merged[at]], None) for at in sorted(days))


def _measured(
    place: int, check: Check, window: Window, release: Window | None, released: Released
) -> CheckMeasured | CheckFailed:
    try:
        yielded = tuple(_valid(check, window))
        if place not in released:
            released[place] = dict(_released(check, release))
    except CannotMeasure as problem:
        return CheckFailed(place, check.kind, str(problem))
    except MemoryError:
        return CheckFailed(place, check.kind, f"The check {check.kind} needed more memory than schedule.memory allows.")
    except Exception as problem:  # noqa: BLE001  # a check is anybody's code; whatever it raises is its own loss only
        sentence = f"The check {check.kind} raised {type(problem).__name__}: {problem}"
        return CheckFailed(place, check.kind, sentence[:500], traceback.format_exc()[-4000:])
    measurements = tuple(one for one in yielded if isinstance(one, Measurement))
    artifacts = tuple(one for one in yielded if isinstance(one, Artifact))
    return CheckMeasured(place, check.kind, measurements, released[place], artifacts)


def _valid(check: Check, window: Window) -> Iterator[Measurement | Artifact]:
    seen: set[Key | str] = set()
    for one in check.measure(window):
        if not isinstance(one, Measurement | Artifact):
            raise TypeError(f"a check yields Measurement or Artifact, not {type(one).__name__}")
        key = one.name if isinstance(one, Artifact) else (one.metric, one.column, one.segment)
        if key in seen:
            what = f"left {key}" if isinstance(key, str) else f"measured {' '.join(key).strip()}"
            raise ValueError(f"it {what} twice in one window")
        seen.add(key)
        yield one


def _released(check: Check, release: Window | None) -> Iterator[tuple[Key, float]]:
    """The release's own values: the same check on the reference; none where the reference cannot tell."""
    if release is None or not check.needs().outcomes:
        return
    try:
        for measurement in check.measure(release):
            if isinstance(measurement, Measurement) and measurement.value is not None:
                yield (measurement.metric, measurement.column, measurement.segment), measurement.value
    except CannotMeasure:
        return


def _measure_without_rows(job: Job, plan: Plan, feed: Feed, emit: Emit) -> None:
    """No reference and no row yet: there is nothing to lay a profile out on, so only what is not of rows is told."""
    buckets = [Profile(Layout({})) for _ in tiles(job.start, job.end, job.model.bucket)]
    window = replace(feed.window(job.start, job.end, job.as_of, buckets, None), past=job.past)
    of_rows = frozenset(
        place for place, one in enumerate(plan.checks) if all(metric.of_rows for metric in one.check.metrics)
    )
    for place in sorted(of_rows - job.skip):
        emit(CheckMeasured(place, plan.checks[place].check.kind, (), {}))
    _measure(replace(job, skip=job.skip | of_rows), plan, window, None, {}, emit)
    emit(Finished(0, 0))
