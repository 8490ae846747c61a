"""Multivariate drift: how well a classifier tells the window from the reference, by all columns together."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from checks.contract import Check, Measurement, Metric, Needs, Roles, Window
from checks.statistics.domain import FOLDS, Side, tell_apart

if TYPE_CHECKING:
    import numpy as np
    import pandas

LEAST_ROWS = 100
"""Of each side; with fewer there is nothing to learn from."""

SEED = 20130416
SHOWN = 5


class MultivariateDrift(Check):
    """ROC AUC of a classifier that tells rows of the window from rows of the reference: 0.5 cannot tell, 1 always can.

    A correlation that broke is seen although each column looks as before. Gradient-boosted trees on at most *rows* rows
    of each side, cross-validated in 5 folds; whole days are held out, so that a day is not recognised by its weather
    (rows, where a side has one day or no times). The interval, of level *confidence*, takes days as the independent
    draws. Features are the model's, or every column without a role; times are left out. Source: D. Lopez-Paz, M. Oquab,
    Revisiting classifier two-sample tests, ICLR 2017.
    """

    kind: ClassVar[str] = "multivariate_drift"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("domain_auc", "ROC AUC of telling the window from the reference; 0.5 cannot tell", "low", pages=False),
    )

    rows: Annotated[int, Field(ge=LEAST_ROWS, le=100_000)] = 5_000
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95

    def needs(self) -> Needs:
        return Needs(reference=True, sample_rows=self.rows)

    def measure(self, window: Window) -> Iterator[Measurement]:
        if window.baseline is None:
            return
        now, before = window.sample(self.rows), window.reference_sample(self.rows)
        detail: dict[str, object] = {"window_rows": len(now), "reference_rows": len(before)}
        names = _features(window.roles, before, now)
        reason = _lacking(before, now, names)
        if reason is not None:
            yield Measurement("domain_auc", None, rows=len(now), detail=detail | {"reason": reason})
            return
        then, here = (Side(_plain(frame[names]), _days(frame, window.roles.time)) for frame in (before, now))
        told = tell_apart(then, here, SEED, self.confidence)
        worth = sorted(told.importance.items(), key=lambda item: -item[1])[:SHOWN]
        detail |= {"importance": dict(worth), "features": len(names), "folds": FOLDS}
        detail |= {"interval": told.method, "confidence": self.confidence}
        yield Measurement("domain_auc", told.auc, told.low, told.high, len(now), detail=detail)


def _features(roles: Roles, before: pandas.DataFrame, now: pandas.DataFrame) -> list[str]:
    """The features that both sides have, as the same kind: numbers or categories."""
    taken = {roles.id, roles.time, roles.entity, roles.prediction, roles.score, roles.fallback, roles.outcome}
    taken |= {*roles.scores, *(roles.interval or ()), roles.request, roles.item, roles.position}
    wanted = roles.features or [name for name in now.columns if name not in taken]
    shared = [name for name in wanted if name in before.columns and name in now.columns]
    return [name for name in shared if _kind(before[name]) == _kind(now[name]) != "time"]


def _kind(column: pandas.Series) -> str:
    from pandas.api import types

    if types.is_datetime64_any_dtype(column.dtype):
        return "time"
    number = types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)
    return "number" if number or _holds_decimals(column) else "category"


def _lacking(before: pandas.DataFrame, now: pandas.DataFrame, names: list[str]) -> str | None:
    if min(len(before), len(now)) < LEAST_ROWS:
        return f"The window has {len(now)} rows and the reference {len(before)}; {LEAST_ROWS} of each are needed."
    return None if names else "The window and the reference have no feature in common."


def _plain(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Decimals as numbers, which some engines hand over as objects."""
    return frame.assign(**{name: frame[name].astype(float) for name in frame.columns if _holds_decimals(frame[name])})


def _holds_decimals(column: pandas.Series) -> bool:
    return column.dtype == object and any(isinstance(value, Decimal) for value in column)


def _days(frame: pandas.DataFrame, time: str | None) -> np.ndarray | None:
    """The day (UTC) of each row as a number; None where there are no two."""
    import numpy as np
    import pandas as pd

    if time is None or time not in frame.columns:
        return None
    days = pd.to_datetime(frame[time], utc=True, errors="coerce").dt.floor("D").astype("int64").to_numpy()
    return days if len(np.unique(days)) > 1 else None
