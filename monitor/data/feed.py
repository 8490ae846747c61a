"""One model's data: what the evaluation asks of predictions, outcomes, reference and population."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.contract import CannotMeasure, Roles, Window
from checks.profile import Layout, Profile
from monitor.data.baseline import Baseline, layout_of
from monitor.data.connections import Connections
from monitor.data.errors import reading
from monitor.data.folding import Counted, Health, fold
from monitor.data.profiler import outcome_column, profile_statement
from monitor.data.reference import reference_rows
from monitor.data.rows import (
    ACTUAL,
    EARLY,
    KEY,
    LAG,
    SAID,
    SCORE,
    TIME,
    Log,
    bucket_number,
    bucket_start,
    joined,
    predictions,
)
from monitor.data.sources import demand_columns, utc
from monitor.data.survey import count_statement, health_statement
from monitor.settings import ModelSettings, Source

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas

Bounds = tuple[datetime, datetime, datetime]
"""Start, end and as_of."""

DELAY_SHARE = 0.99
"""An outcome delay learned from the reference: this share of its outcomes came sooner."""


@dataclass(frozen=True, slots=True)
class BucketCount:
    """The cheap count of one bucket: distinct predictions, and those with a known outcome."""

    rows: int
    outcomes: int


class Feed:
    """One model's data, opened at first use and kept open; statements are compiled once and asked again."""

    def __init__(self, model: ModelSettings, base: Path) -> None:
        self.model = model
        self._connections = Connections(model, base)
        self._statements: dict[object, str] = {}

    def close(self) -> None:
        """Close what was opened."""
        self._connections.close()
        self._statements.clear()

    def baseline(self, as_of: datetime) -> Baseline:  # noqa: ARG002  # a reference is frozen: nothing in it is to come
        """The layout and profile of the reference. Raises SourceProblem."""
        model = self.model
        with self._reading("reference", model.reference):
            engine, raw = self._connections.reference()
            rows = reference_rows(model, raw)
            layout = layout_of(engine, model, rows)
            answer = engine.ask(engine.compile(profile_statement(model, layout, rows, None)), {})
            profile = self._fold(layout, [0], answer, {})[0]
            late = rows.filter(rows[LAG].notnull())
            delay = engine.ask(engine.compile(late.aggregate(q=late[LAG].quantile(DELAY_SHARE))), {})[0][0]
        return Baseline(layout, profile, None if delay is None else timedelta(seconds=float(delay)))

    def layout_from_bucket(self, start: datetime, end: datetime, as_of: datetime) -> Layout | None:
        """Where there is no reference: the layout that the live rows of ``[start, end)`` suggest; None without rows."""
        if not self.counts(start, end, as_of):
            return None
        with self._reading("predictions", self.model.predictions):
            log = self._log(start, end, as_of)  # the bounds that counts() has set are still set
            return layout_of(log.engine, self.model, predictions(log, distinct=False))

    def counts(self, start: datetime, end: datetime, as_of: datetime) -> dict[datetime, BucketCount]:
        """Rows and known outcomes of each bucket in ``[start, end)`` that has any."""
        with self._reading("predictions", self.model.predictions):
            log = self._log(start, end, as_of)
            answer = self._ask("counts", log, (start, end, as_of), lambda: count_statement(log))
        length = self.model.bucket
        return {bucket_start(int(bucket), length): BucketCount(rows, known) for bucket, rows, known in answer}

    def profiles(
        self, layout: Layout, buckets: Sequence[datetime], as_of: datetime, *, late_after: timedelta | None = None
    ) -> dict[datetime, Profile]:
        """The profile of each bucket; one scan for each unbroken run of buckets."""
        found: dict[datetime, Profile] = {}
        length = self.model.bucket
        for first, last in _runs(sorted(buckets), length):
            with self._reading("predictions", self.model.predictions):
                found |= self._profile_run(layout, (first, last + length, as_of), late_after)
        return found

    def window(
        self,
        start: datetime,
        end: datetime,
        as_of: datetime,
        buckets: tuple[Profile, ...],
        baseline: Profile | None,
    ) -> Window:
        """The window as checks see it; its rows, population and samples are asked for only when a check wants them."""
        said = self.model.predictions
        roles = Roles(
            id=KEY,
            time=TIME,
            entity=said.entity,
            prediction=SAID if self._predicts() else None,
            score=SCORE if isinstance(said.score, str) else None,
            fallback=said.fallback,
            outcome=ACTUAL,
            segments=said.segments,
        )
        bounds = (start, end, as_of)
        return Window(
            start,
            end,
            self.model.task,
            buckets,
            baseline,
            roles,
            load_table=lambda: self._rows(bounds),
            load_population=lambda: self._population(bounds),
            load_sample=lambda rows: self._sample(bounds, rows),
        )

    def _predicts(self) -> bool:
        said = self.model.predictions
        return said.prediction is not None or said.score is not None

    def _rows(self, bounds: Bounds) -> ir.Table:
        """The joined rows of the window: an expression whose bounds are written into it, so checks can run it."""
        log = self._log(*bounds)
        self._set(log, bounds)
        return joined(log, distinct_predictions=True, distinct_outcomes=True)

    def _population(self, bounds: Bounds) -> ir.Table:
        source = self.model.population
        if source is None:
            raise CannotMeasure(f"{self.model.name} has no [models.population], so nobody knows whom it should serve.")
        with self._reading("population", source):
            table = self._connections.population(bounds[0], bounds[1])
            where = f"{self.model.name}: population"
            demand_columns(table, (source.entity, source.time), where)
            if source.time is not None:
                at = utc(table[source.time], source.timezone, where)
                start, end = (bound.astimezone(UTC).replace(tzinfo=None) for bound in bounds[:2])
                table = table.filter(at >= start, at < end)
            return table.mutate(entity=table[source.entity])

    def _sample(self, bounds: Bounds, rows: int) -> pandas.DataFrame:
        """The rows with the smallest hash of their id: the same each time, whatever the order of the source."""
        table = self._rows(bounds)
        drawn = table.mutate(mm_hash=table[KEY].cast("string").hash()).order_by("mm_hash", KEY).limit(rows)
        frame: pandas.DataFrame = drawn.drop("mm_hash").to_pandas()
        return frame

    def _profile_run(self, layout: Layout, bounds: Bounds, late_after: timedelta | None) -> dict[datetime, Profile]:
        length = self.model.bucket
        numbers = range(bucket_number(bounds[0], length), bucket_number(bounds[1], length))
        log = self._log(*bounds)
        health = self._health(log, bounds)
        twice = any(one.duplicate_predictions for one in health.values())
        came_twice = any(one.duplicate_outcomes for one in health.values())

        def statement() -> ir.Table:
            rows = joined(log, distinct_predictions=twice, distinct_outcomes=came_twice)
            return profile_statement(self.model, layout, rows, late_after)

        answer = self._ask(("profile", layout_key(layout), twice, came_twice, late_after), log, bounds, statement)
        folded = self._fold(layout, numbers, answer, health)
        return {bucket_start(number, length): profile for number, profile in folded.items()}

    def _health(self, log: Log, bounds: Bounds) -> dict[int, Health]:
        found: dict[int, Health] = {}
        answer = self._ask("health", log, bounds, lambda: health_statement(log))
        for what, bucket, count in answer:
            setattr(found.setdefault(int(bucket), Health()), what, int(count))
        return found

    def _fold(
        self, layout: Layout, buckets: Sequence[int], answer: list[tuple[Any, ...]], health: Mapping[int, Health]
    ) -> dict[int, Profile]:
        counted = [Counted(*row) for row in answer]
        return fold(layout, buckets, counted, health, without=outcome_column(self.model))

    def _log(self, start: datetime, end: datetime, as_of: datetime) -> Log:
        return self._connections.log(start, end, start - EARLY, as_of)

    def _ask(self, what: object, log: Log, bounds: Bounds, statement: Callable[[], ir.Table]) -> list[tuple[Any, ...]]:
        """Ask a statement, compiled at the first time; it stays right while the columns keep their types."""
        shape = (what, log.predictions.schema(), None if log.outcomes is None else log.outcomes.schema())
        if shape not in self._statements:
            self._statements[shape] = log.engine.compile(statement())
        return log.engine.ask(self._statements[shape], self._bounds(bounds))

    def _set(self, log: Log, bounds: Bounds) -> None:
        log.engine.ask("SELECT 1", self._bounds(bounds))

    def _bounds(self, bounds: Bounds) -> dict[str, datetime]:
        start, end, as_of = bounds
        return {
            "start": start,
            "end": min(end, as_of),
            "since": start - EARLY,
            "as_of": as_of,
            "asked_before": start - self.model.revise_for,
        }

    @contextmanager
    def _reading(self, role: str, source: Source | None) -> Iterator[None]:
        with reading(f"{self.model.name}: {role}", source.source if source else ""):
            yield


def _runs(starts: Sequence[datetime], length: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """The first and last of each unbroken run."""
    first = last = None
    for start in starts:
        if last is not None and first is not None and start != last + length:
            yield first, last
            first = start
        first = start if first is None else first
        last = start
    if first is not None and last is not None:
        yield first, last


def layout_key(layout: Layout) -> int:
    """What tells layouts apart within this process."""
    return hash(layout.to_bytes())
