"""Outcome lag: how late outcomes come, against the lag the release was used to, and how many have come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from checks.contract import Check, Measurement, Metric, Needs, Window
from checks.profile import LAG_EDGES, Profile
from checks.statistics.histograms import quantile


class OutcomeLag(Check):
    """Quantile of the lag from prediction to outcome, its ratio to the reference's, and labelled rows / rows.

    ``outcome_lag`` is in seconds and from counts between fixed edges (1 minute ... 1 year), so right to within a cell;
    *quantile* 0.5 is the median. ``outcome_lag_change`` is it / that of the reference, which must hold outcomes with
    times. ``label_share`` is the share of rows with an outcome, for the whole and per segment. All are a census of the
    outcomes known when the window is judged, so they have no interval, and an outcome that is not in has no lag.
    """

    kind: ClassVar[str] = "outcome_lag"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("outcome_lag", "time from prediction to outcome", "low", "seconds"),
        Metric("outcome_lag_change", "time from prediction to outcome / that of the reference", "low"),
        Metric("label_share", "share of the rows with an outcome", "high"),
    )

    quantile: Annotated[float, Field(gt=0, lt=1)] = 0.5

    def needs(self) -> Needs:
        return Needs(outcomes=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        known, lag = sum(window.live.lags), self._lag(window.live)
        before = None if window.baseline is None else self._lag(window.baseline)
        detail: dict[str, object] = {"quantile": self.quantile, "reference": before}
        if lag is None:
            detail["reason"] = "No outcome of this window tells when it became known."
        yield Measurement("outcome_lag", lag, rows=known, detail=detail)
        change = lag / before if lag is not None and before else None
        if lag is not None and change is None:
            told = "No outcome of a reference tells how late outcomes came when the model was released."
            detail = detail | {"reason": told}
        yield Measurement("outcome_lag_change", change, rows=known, detail=detail)
        for segment, part in window.live.slices.items():
            share = part.labelled / part.rows if part.rows else None
            reason = {} if part.rows else {"reason": "There is no row."}
            yield Measurement("label_share", share, rows=part.rows, segment=segment, detail=reason)

    def _lag(self, profile: Profile) -> float | None:
        return quantile(profile.lags, LAG_EDGES, self.quantile)
