"""Real logs as days of a metric, with the stretches in which the model was known to be quiet or to decay."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from monitor.release.days import Day, Days

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"
TRUTH = "ground_truth.json"
EACH, YEAR = 28, 365

Kind = Literal["quiet", "decay", "uncertain"]


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of the log, both days included. *changed* is the day a decay is estimated to have begun on."""

    kind: Kind
    start: date
    end: date
    changed: date | None = None

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


@dataclass(frozen=True, slots=True)
class Log:
    """The days of one model with outcomes; *reference* are those it was released on."""

    name: str
    side: Literal["min", "max"]
    threshold: float
    reference: Days
    live: Days
    episodes: tuple[Episode, ...] = ()
    tolerance: float = 0.2
    """By which share of the reference's value Evidently lets the metric differ by default."""


def read_logs(folder: Path | None) -> Iterator[Log]:
    """Each log under *folder*, or the example; a log is a folder with predictions, outcomes, reference and the truth.

    Raises SystemExit where there is none, or one whose metric is not known here.
    """
    if folder is None:
        yield read_log(FLIGHTS, Path(__file__).parent / "flights.json")
        return
    truths = sorted(folder.rglob(TRUTH))
    if not truths:
        raise SystemExit(f"{folder} holds no {TRUTH}; name a folder of logs, each with its {TRUTH} beside it.")
    for truth in truths:
        yield read_log(truth.parent, truth)


def read_log(folder: Path, truth: Path) -> Log:
    """The log in *folder*; *truth* names its metric, threshold and episodes."""
    told = json.loads(truth.read_text())
    if told["metric"] not in {"accuracy", "MAE"}:
        raise SystemExit(f"{truth}: the metric {told['metric']} is not known; it must be accuracy or MAE.")
    wrong = told["metric"] == "MAE"
    predictions = pd.read_parquet(folder / "predictions.parquet")
    outcomes = pd.read_parquet(folder / "outcomes.parquet", columns=["prediction_id", "y_true"])
    return Log(
        name=told["name"],
        side="max" if wrong else "min",
        threshold=told["release_threshold"],
        reference=_days(pd.read_parquet(folder / "reference.parquet"), errors=wrong),
        live=_days(predictions.merge(outcomes, on="prediction_id"), errors=wrong),
        episodes=tuple(_episode(one) for one in told["episodes"]),
        tolerance=0.1 if wrong else 0.2,
    )


def first_years(log: Log) -> Iterator[Log]:
    """The log as if its model had been released in each fourth week that was quiet, a year of each."""
    for place in range(0, len(log.live), EACH):
        live = log.live.days[place : place + YEAR]
        first, last = live[0].start.date(), live[-1].start.date()
        if any(one.kind == "quiet" and one.start <= first <= one.end for one in log.episodes):
            yield replace(log, live=Days(live), episodes=tuple(_between(first, last, log.episodes)))


def _between(first: date, last: date, episodes: Iterable[Episode]) -> Iterator[Episode]:
    """What lies within these days; a decay only as a whole, for it may take until its end to be found."""
    for one in episodes:
        start, end = max(one.start, first), min(one.end, last)
        if start <= end and (one.kind != "decay" or (start, end) == (one.start, one.end)):
            yield replace(one, start=start, end=end)


def _days(rows: pd.DataFrame, *, errors: bool) -> Days:
    rows = rows.dropna(subset=["y_true", "y_pred"])
    if errors:
        value = (rows["y_pred"] - rows["y_true"]).abs()
    else:
        value = (rows["y_pred"].astype(float) == rows["y_true"].astype(float)).astype(float)
    days = value.groupby(pd.to_datetime(rows["timestamp"]).dt.floor("D")).agg(["mean", "size", "std"])
    error = (days["std"] / np.sqrt(days["size"])).fillna(0.0)
    starts = [datetime(at.year, at.month, at.day, tzinfo=UTC) for at in days.index]
    return Days(map(Day, starts, days["mean"].tolist(), days["size"].tolist(), error.tolist()))


def _episode(told: dict[str, Any]) -> Episode:
    changed = told.get("changepoint", {}).get("day")
    start, end = date.fromisoformat(told["start"]), date.fromisoformat(told["end"])
    return Episode(told["kind"], start, end, date.fromisoformat(changed) if changed else None)
