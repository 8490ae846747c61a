"""Evidently: any metric or preset of Evidently 0.7 on a bounded sample, each of its numbers and its HTML report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from checks.contract import Artifact, Check, Measurement, Metric, Needs, Window
from checks.statistics import evidently_frames as frames
from checks.statistics import evidently_runs as runs

if TYPE_CHECKING:
    import pandas

A_NAME = 'must name one of Evidently\'s metrics or presets, such as "DataDriftPreset"'


class Asked(BaseModel):
    """One of Evidently's metrics or presets by *name*; further keys are its arguments."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str

    @property
    def arguments(self) -> dict[str, Any]:
        """What the metric is made with."""
        return dict(self.model_extra or {})


def _asked(value: object) -> object:
    given = {"name": value} if isinstance(value, str) else value
    name = given.get("name") if isinstance(given, dict) else None
    if not isinstance(given, Asked) and not (isinstance(name, str) and re.fullmatch("[A-Z][A-Za-z0-9]+", name)):
        raise ValueError(A_NAME)
    return given


class Evidently(Check):
    """Every number that Evidently's metrics and presets in *run* yield, computed by Evidently itself.

    *rows* of the window and of the reference at most, the same ones each time, are handed to it, with the features in
    *columns* (else all that are profiled); *positive* is the class a binary model's score is the probability of, and
    *html* says whether the report is kept. Units, formulas and
    defaults are Evidently's own (https://docs.evidentlyai.com, version 0.7); it gives no intervals.
    """

    kind: ClassVar[str] = "evidently"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("evidently", "a number of Evidently's report", "low", per="name", pages=False),
    )

    run: tuple[Annotated[Asked, BeforeValidator(_asked)], ...] = (
        Asked(name="DataDriftPreset"),
        Asked(name="DataSummaryPreset"),
    )
    rows: int = Field(default=10_000, ge=1, le=1_000_000)
    columns: tuple[str, ...] = ()
    html: bool = True
    positive: str = "1"

    def needs(self) -> Needs:
        return Needs(
            outcomes=any(runs.needs_outcomes(one.name, one.arguments) for one in self.run),
            reference=any(runs.needs_reference(one.name, one.arguments) for one in self.run),
            sample_rows=self.rows,
        )

    def measure(self, window: Window) -> Iterator[Measurement | Artifact]:
        if self.needs().reference and window.baseline is None:
            return
        live = window.sample(self.rows)
        before = None if window.baseline is None else window.reference_sample(self.rows)
        done = [] if live.empty else list(self._runs(window, live, before))
        for one in done:
            for name, value in one.numbers:
                detail = {} if value is not None else {"reason": f"Evidently gives no finite number for {name}."}
                yield Measurement("evidently", value, rows=one.rows, column=name, detail=detail)
        if self.html and done:
            yield Artifact("report.html", "text/html", runs.document(done, _title(window, live, before)))

    def _runs(self, window: Window, live: pandas.DataFrame, before: pandas.DataFrame | None) -> Iterator[runs.Run]:
        """What needs no outcomes on all rows, the rest on those with an outcome, where there are any."""
        for outcomes, prepared in ((False, frames.given), (True, frames.judged)):
            asked = [(one.name, one.arguments) for one in self.run]
            asked = [one for one in asked if runs.needs_outcomes(*one) == outcomes]
            given = prepared(window, live, before, self.columns, self.positive) if asked else None
            if given is not None:
                yield runs.run(asked, given, outcomes=outcomes)


def _title(window: Window, live: pandas.DataFrame, before: pandas.DataFrame | None) -> str:
    compared = "" if before is None else f" against {len(before):,} rows of the reference"
    return f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC, {len(live):,} rows{compared}"
