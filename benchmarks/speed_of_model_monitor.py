"""One process of the speed benchmark: model-monitor's own evaluation, as a worker process runs it.

``python -m benchmarks.speed_of_model_monitor FOLDER ROWS [BUCKETS]`` prints one line of JSON: seconds and processor
seconds of the imports, of the first evaluation (which takes the baseline), and of one with the baseline stored; the
peak of memory. With BUCKETS, the window is as many hours, all but the newest of which are stored already.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

BEGAN = time.perf_counter(), time.process_time()

from benchmarks.workload import CATEGORIES, COPIED, NUMBERS, peak_mb  # noqa: E402  # the imports are what is measured
from checks.discovery import discover  # noqa: E402
from monitor.data.feed import Feed  # noqa: E402
from monitor.release.contract import build_contract  # noqa: E402
from monitor.schedule.evaluation import (  # noqa: E402
    BaselineTaken,
    BucketsRead,
    CheckFailed,
    CheckMeasured,
    Event,
    Job,
    StoredBucket,
    evaluate,
)
from monitor.schedule.merging import Merges  # noqa: E402
from monitor.schedule.plan import Plan, plans_of  # noqa: E402
from monitor.settings import (  # noqa: E402
    CheckSettings,
    ModelSettings,
    Outcomes,
    Population,
    Predictions,
    Reference,
    Threshold,
)

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Seen:
    """What an evaluation left: the baseline, buckets, and how many numbers were measured."""

    baseline: BaselineTaken | None = None
    buckets: dict[datetime, StoredBucket] = field(default_factory=dict)
    measured: int = 0

    def take(self, event: Event) -> None:
        match event:
            case BaselineTaken():
                self.baseline = event
            case BucketsRead(buckets):
                self.buckets |= {at: StoredBucket(new.rows, new.outcomes, new.data) for at, new in buckets.items()}
            case CheckMeasured():
                self.measured += len(event.measurements)
            case CheckFailed():
                raise RuntimeError(event.sentence)


def model(rows: int, buckets: int) -> ModelSettings:
    """Accuracy, its estimate, drift and quality of every column, coverage and freshness."""
    bucket, window = (HOUR, buckets * HOUR) if buckets else (timedelta(days=1), timedelta(days=1))
    live = f"live_{rows}_{buckets}*.parquet"
    return ModelSettings(
        name="benchmark",
        version="1",
        task="binary",
        bucket=bucket,
        window=window,
        every=bucket,
        predictions=Predictions(
            source=live,
            id="id",
            time="at",
            entity="entity",
            score="score",
            prediction="said",
            features=(*NUMBERS, *CATEGORIES),
        ),
        outcomes=Outcomes(source=live, id="id", value="truth"),
        reference=Reference(source=f"reference_{min(rows, COPIED)}.parquet"),
        population=Population(source="population.parquet", entity="entity"),
        release={"accuracy": Threshold(min=0.7), "coverage": Threshold(min=0.9), "drift.*": Threshold(max=0.2)},
        checks=tuple(CheckSettings(check=kind) for kind in ("quality", "freshness", "estimated_accuracy")),
    )


def evaluated(
    settings: ModelSettings, folder: Path, feed: Feed, plan: Plan, end: datetime, known: Seen, merges: Merges
) -> Seen:
    """One evaluation of the window that ends at *end*, with what is *known* of it."""
    seen = Seen(known.baseline)
    baseline: Mapping[str, bytes | None] = (
        {} if known.baseline is None else {"layout": known.baseline.layout, "reference": known.baseline.reference}
    )
    job = Job(
        model=settings,
        base=folder,
        checks_dir=None,
        confidence=0.95,
        plan=plan.name,
        start=end - plan.window,
        end=end,
        as_of=end,
        survey=True,
        stored=known.buckets,
        **baseline,  # type: ignore[arg-type]  # both are bytes
    )
    evaluate(job, plan, feed, seen.take, merges=merges)
    return seen


def main(folder: Path, rows: int, buckets: int) -> None:
    """Measure and print."""
    imports = _since(BEGAN)
    settings = model(rows, buckets)
    plans = plans_of(build_contract(settings, discover(None), 0.95))
    feed = Feed(settings, folder)
    end = START + plans[0].window

    def window(known: Seen, end: datetime, merges: Merges) -> Seen:
        one, other = plans
        first = evaluated(settings, folder, feed, one, end, known, merges)
        both = Seen(first.baseline, known.buckets | first.buckets)
        second = evaluated(settings, folder, feed, other, end, both, merges)
        return Seen(first.baseline, first.buckets, first.measured + second.measured)

    cold, seen = _timed(lambda: window(Seen(), end, Merges()))
    without_newest = {at: bucket for at, bucket in seen.buckets.items() if at != end - settings.bucket}
    known = Seen(seen.baseline, without_newest if buckets else {})

    def next_window() -> tuple[tuple[float, float], Seen]:
        """The newest window, by a worker that has just evaluated the one of a bucket before."""
        merges = Merges()
        if buckets:
            window(known, end - settings.bucket, merges)
        return _timed(lambda: window(known, end, merges))

    warm, again = min((next_window() for _ in range(3)), key=lambda one: one[0])
    print(
        json.dumps(
            {
                "imports": imports,
                "cold": cold,
                "warm": warm,
                "measured": again.measured,
                "read": len(again.buckets),
                "peak_mb": peak_mb(),
            }
        )
    )


def _timed(work: Callable[[], Seen]) -> tuple[tuple[float, float], Seen]:
    began = time.perf_counter(), time.process_time()
    found = work()
    return _since(began), found


def _since(began: tuple[float, float]) -> tuple[float, float]:
    """Seconds on the wall, and of the processor."""
    return time.perf_counter() - began[0], time.process_time() - began[1]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
