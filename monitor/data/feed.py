"""One model's data: what the daemon, the gate and the notebook ask of its sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from checks.contract import Window
from checks.profile import Layout, Profile
from monitor.data import times
from monitor.data.baseline import Baseline
from monitor.data.errors import SourceProblem
from monitor.data.inspection import Inspection, inspect
from monitor.data.log import Log, open_log, profiles_of
from monitor.data.reference import Reference, take_baseline, usual_delay
from monitor.data.sources import Engines, where_of
from monitor.data.survey import count_orphans, glance, survey
from monitor.data.tally import Health
from monitor.data.trainings import trainings_of
from monitor.data.window import (
    layout_of_window,
    newest_of,
    reference_sample,
    reference_table,
    repeats_of,
    roles_of,
    sample_of,
    window_catalogue,
    window_population,
    window_table,
)
from monitor.settings import ModelSettings

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True, slots=True)
class BucketCount:
    """Predictions of a bucket (each id once), and how many of them have an outcome; its health if it was looked at."""

    rows: int
    outcomes: int
    health: Health | None = field(default=None, compare=False, repr=False)


class Feed:
    """The data of one model, opened when first asked for and reused.

    Sources are looked at anew in each call, so new files, new rows and changed columns are seen. Every method raises
    SourceProblem, with a sentence for people, where a source cannot be read.
    """

    def __init__(self, model: ModelSettings, base: Path) -> None:
        self._model = model
        self._engines = Engines(base)
        self._usual: timedelta | None = None

    def baseline(self, as_of: datetime) -> Baseline:  # noqa: ARG002  # the reference was decided on before any clock
        """The layout and profile of the reference. Raises SourceProblem also where the model has none."""
        return take_baseline(self._reference())

    def layout_from_bucket(self, start: datetime, end: datetime, as_of: datetime) -> Layout | None:
        """A layout of the rows in ``[start, end)``, for a model without reference; None where there are none yet."""
        with_rows = times.spans_of_window(start, end, as_of)
        log = open_log(self._model, self._engines)
        if not any(health.rows for health in survey(log, with_rows, as_of).values()):
            return None
        return layout_of_window(log, with_rows[0], as_of)

    def counts(
        self,
        start: datetime,
        end: datetime,
        as_of: datetime,
        known: Mapping[datetime, BucketCount] | None = None,
        *,
        outcomes: bool = True,
    ) -> dict[datetime, BucketCount]:
        """Rows and known outcomes per bucket start in ``[start, end)``; buckets without rows are left out.

        Buckets that a glance at the times finds as they are *known* are not looked at closer: ids are compared, and
        outcomes found, in the others alone. Without *outcomes* only new or vanished rows make a bucket another one;
        with them a glance tells only where outcomes stand in the rows of their predictions.
        """
        self._engines.forget_brought()
        log = open_log(self._model, self._engines)
        spans = times.spans_of_window(start, end, as_of)
        same: dict[int, BucketCount] = {}
        if known and (not outcomes or log.in_place):
            same, other = self._same(glance(log, spans, as_of, outcomes=outcomes), known, outcomes=outcomes)
            spans = times.spans_of([self._starts(number) for number in other], self._model.bucket, min(end, as_of))
        found = {
            n: BucketCount(health.rows, health.outcomes, health) for n, health in survey(log, spans, as_of).items()
        }
        return {self._starts(number): count for number, count in sorted((same | found).items())}

    def _same(
        self, seen: Mapping[int, tuple[int, int]], known: Mapping[datetime, BucketCount], *, outcomes: bool
    ) -> tuple[dict[int, BucketCount], list[int]]:
        """Buckets that are as they were, and those that are not."""
        before = {times.number_of(at, self._model.bucket): count for at, count in known.items()}
        same = {
            number: before[number]
            for number, (rows, used) in seen.items()
            if number in before and before[number].rows == rows and (not outcomes or before[number].outcomes == used)
        }
        return same, [number for number in seen if number not in same]

    def _starts(self, number: int) -> datetime:
        return times.ANCHOR + self._model.bucket * number

    def profiles(
        self,
        layout: Layout,
        bucket_starts: Sequence[datetime],
        as_of: datetime,
        counted: Mapping[datetime, BucketCount] | None = None,
    ) -> dict[datetime, Profile]:
        """The profile of each bucket as known at *as_of*; one without rows has a profile of zeros.

        *counted* is what ``counts`` has just said of these buckets at the same time; left out, they are counted here.
        """
        self._engines.forget_brought()
        step = self._model.bucket
        numbers = {times.number_of(start, step): start for start in sorted(bucket_starts)}
        spans = times.spans_of(bucket_starts, step, as_of)
        log = open_log(self._model, self._engines)
        health = self._health(log, spans, as_of, _looked_at(numbers, counted))
        filled = [number for number in numbers if number in health and health[number].rows]
        wanted = times.spans_of([numbers[number] for number in filled], step, as_of)
        found = profiles_of(log, layout, list(numbers), wanted, health, as_of, self._late_after())
        return {numbers[number]: profile for number, profile in found.items()}

    def window(
        self,
        start: datetime,
        end: datetime,
        as_of: datetime,
        buckets: Sequence[Profile],
        baseline: Profile | None,
        merged: tuple[Profile, ...] = (),
    ) -> Window:
        """The window a check is given; its rows and population are read only when it asks for them.

        *merged* are the profiles of its parts, where they are at hand.
        """
        self._engines.forget_brought()
        closed = min(as_of, end)
        repeats = repeats_of(merged or buckets) if buckets else None

        def table() -> ir.Table:
            return window_table(self._model, self._engines, start, end, as_of, repeats)

        return Window(
            start=start,
            end=end,
            task=self._model.task,
            buckets=buckets,
            merged=merged,
            baseline=baseline,
            roles=roles_of(self._model),
            load_table=table,
            load_population=lambda: window_population(self._model, self._engines, start, end, as_of),
            load_sample=lambda size: sample_of(self._model, table(), size),
            load_reference_sample=lambda size: reference_sample(self._model, self._engines, size),
            load_catalogue=lambda: window_catalogue(self._model, self._engines),
            load_newest=lambda: newest_of(self._model, self._engines, start, closed),
            load_trainings=lambda: trainings_of(self._model, self._engines, closed),
            as_of=as_of,
            version=self._model.version,
        )

    def release_window(self, window: Window, reference: Profile) -> Window:
        """The rows the release was decided on as a window of one bucket, for the release's own values.

        It has no length, for nobody says what time the rows span: what adds up over time is not told of it.
        """
        return Window(
            start=window.end,
            end=window.end,
            task=window.task,
            buckets=(reference,),
            roles=window.roles,
            load_table=lambda: reference_table(self._model, self._engines, window.end),
            load_sample=lambda size: reference_sample(self._model, self._engines, size),
        )

    def inspect(self, now: datetime) -> Inspection:
        """What is found at each source, problems as sentences; raises nothing for what is wrong with a source."""
        return inspect(self._model, self._engines, now)

    def close(self) -> None:
        """Let go of every connection."""
        self._engines.close()

    def _reference(self) -> Reference:
        settings = self._model.reference
        if settings is None:
            raise SourceProblem(f"{self._model.name}: there is no reference; add [models.reference] with its source.")
        opened = self._engines.open(settings, where_of(self._model.name, "reference", settings))
        return Reference(self._model, opened, settings.timezone)

    def _health(
        self, log: Log, spans: Sequence[times.Span], as_of: datetime, known: dict[int, Health] | None
    ) -> dict[int, Health]:
        health = survey(log, spans, as_of) if known is None else known
        reach = self._model.revise_for + (self._late_after() or timedelta(0))
        for number, orphans in count_orphans(log, spans, as_of, reach).items():
            health[number] = replace(health.get(number, Health()), orphan_outcomes=orphans)
        return health

    def _late_after(self) -> timedelta | None:
        """After how long an outcome is late: as configured, else as the reference shows."""
        settings = self._model.outcomes
        if settings is None or settings.time is None or settings.delay is not None:
            return settings.delay if settings else None
        if self._usual is None and self._model.reference is not None:
            self._usual = usual_delay(self._reference())
        return self._usual


def _looked_at(
    numbers: Mapping[int, datetime], counted: Mapping[datetime, BucketCount] | None
) -> dict[int, Health] | None:
    """The health of all these buckets, where they were looked at closely; None where one was not."""
    if counted is None:
        return None
    there = {number: counted[at].health for number, at in numbers.items() if at in counted}
    known = {number: health for number, health in there.items() if health is not None}
    return known if len(known) == len(there) else None
