"""Quality: what is wrong with the rows themselves, whatever the model makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from checks.contract import CannotMeasure, Check, Measurement, Metric, Needs, Window
from checks.profile import ALL, Categories, Numbers
from checks.statistics import quality as rules
from checks.statistics.columns import Column, ask, columns_of
from checks.statistics.quality import Limits, Rule
from checks.statistics.shares import Share, interval, total


def _pairs(given: object) -> object:
    """A table as pairs, which can be hashed and are the same in any order."""
    return tuple(sorted(given.items())) if isinstance(given, Mapping) else given


def _ascending(given: tuple[tuple[str, Limits], ...]) -> tuple[tuple[str, Limits], ...]:
    for column, (low, high) in given:
        if not low <= high:
            raise ValueError(f"the range of '{column}' holds nothing: {low:g} is above {high:g}")
    return given


Ranges = Annotated[tuple[tuple[str, Limits], ...], BeforeValidator(_pairs), AfterValidator(_ascending)]
Allowed = Annotated[tuple[tuple[str, tuple[str, ...]], ...], BeforeValidator(_pairs)]

UNTOLD = "The profile cannot tell how many, and the rows are not there to be asked."


class Quality(Check):
    """Per column, the share of rows that are null, out of range, unknown or invalid; constant and changed columns.

    All are shares of rows (or of values), 0 to 1, from the profiles: no row is read again, unless a cell holds numbers
    on both sides of a limit; then one aggregate on the engine counts. *ranges* and *allowed* replace what the reference
    teaches. The outcome is left out: a missing one is late. Intervals, of level *confidence*:
    delete-one-day jackknife, at least Wilson's.
    """

    kind: ClassVar[str] = "quality"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("null_share", "share of rows that are null, NaN or absent", "low", per="column", pages=False),
        Metric("out_of_range", "share of numbers outside the range", "low", per="column", pages=False),
        Metric("unseen_categories", "share of values that are not known or allowed", "low", per="column", pages=False),
        Metric("invalid_predictions", "share of predictions that are no answer", "low", per="column", pages=False),
        Metric("type_changed", "1 where the column vanished or changed its type", "low", per="column", pages=False),
        Metric("constant", "1 where a column that varied has a single value", "low", per="column", pages=False),
        Metric("duplicate_predictions", "share of predictions that repeat an id", "low", pages=False),
        Metric("orphan_outcomes", "share of outcomes without their prediction", "low", pages=False),
    )

    ranges: Ranges = ()
    allowed: Allowed = ()
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95

    def needs(self) -> Needs:
        return Needs(distributions=True)

    def measure(self, window: Window) -> Iterator[Measurement]:
        self._demand_known(window)
        untold: list[tuple[Rule, Column]] = []
        for column in columns_of(window):
            for rule in self._rules(column, window):
                told = [rule.count(part) for part in column.parts]
                shares = [share for share in told if share is not None]
                if len(shares) == len(told):
                    yield self._measured(rule, column, shares, window, "profiles")
                else:
                    untold.append((rule, column))
            yield from (*_constant(column), *_type_changed(column))
        for (rule, column), found in zip(untold, ask(window, untold), strict=True):
            yield self._measured(rule, column, found, window, "rows")
        yield from _health(window)

    def _demand_known(self, window: Window) -> None:
        columns = window.live.layout.columns
        for key, given, kind in (("ranges", self.ranges, Numbers), ("allowed", self.allowed, Categories)):
            for name, _ in given:
                if not isinstance(columns.get(name), kind):
                    what = "numbers" if kind is Numbers else "categories"
                    fit = ", ".join(other for other, cells in columns.items() if isinstance(cells, kind)) or "none"
                    raise CannotMeasure(f"{key} names '{name}', which is no column of {what}; there are: {fit}.")

    def _rules(self, column: Column, window: Window) -> Iterator[Rule]:
        roles = window.roles
        yield rules.null_rule(column.name)
        values = self._values(column, is_share=column.name in {roles.score, *roles.scores} and _classifies(window))
        if column.name in {roles.prediction, roles.score, *roles.scores}:
            yield rules.prediction_rule(column.name, values)
        elif values is not None:
            yield values

    def _values(self, column: Column, *, is_share: bool) -> Rule | None:
        """What the values should be: as set, else as the reference has them."""
        name, cells, before = column.name, column.cells, column.learned
        if isinstance(cells, Numbers):
            limits = dict(self.ranges).get(name, (0.0, 1.0) if is_share else rules.learned_limits(before))
            return None if limits is None else rules.range_rule(name, cells, limits)
        allowed = dict(self.allowed).get(name)
        if allowed is not None:
            return rules.allowed_rule(name, cells, frozenset(allowed))
        return rules.unseen_rule(name, before) if before is not None and rules.present(before) else None

    def _measured(
        self, rule: Rule, column: Column, parts: list[Share] | None, window: Window, source: str
    ) -> Measurement:
        whole, segment, name = total(parts or ()), column.segment, rule.column
        if parts is None or whole.value is None:
            reason = rule.undefined if parts is not None or rule.wrong is None else UNTOLD
            return Measurement(rule.metric, None, None, None, whole.rows, segment, name, {"reason": reason})
        low, high, method = interval(parts, len(window.buckets), self.confidence)
        detail = {"hits": whole.hits, "counted_from": source, "confidence": self.confidence, "interval": method}
        if rule.expected:
            detail["expected"] = list(rule.expected[:20])
        return Measurement(rule.metric, whole.value, low, high, whole.rows, segment, name, detail)


def _classifies(window: Window) -> bool:
    return window.task in {"binary", "multiclass"}


def _constant(column: Column) -> Iterator[Measurement]:
    """1 or 0, for columns that varied in the reference (of this segment)."""
    if column.before is None or not rules.varied(column.before):
        return
    rows, cell = rules.present(column.now), rules.single(column.cells, column.now)
    chance = None if cell is None else rules.by_chance(column.before, cell, rows)
    detail: dict[str, object] = {} if chance is None else {"chance": chance}
    reason = rules.constant_untold(column.name, column.cells, column.now, chance)
    value = float(cell is not None) if reason is None else None
    detail |= {} if reason is None else {"reason": reason}
    yield Measurement("constant", value, rows=rows, segment=column.segment, column=column.name, detail=detail)


def _type_changed(column: Column) -> Iterator[Measurement]:
    """1 or 0, for the whole: a column changes for every segment at once."""
    if column.segment != ALL:
        return
    rows, absent = column.now.rows, column.now.absent
    detail: dict[str, object] = {"absent": absent, "was": "number" if isinstance(column.cells, Numbers) else "text"}
    detail |= {} if rows else {"reason": rules.NO_ROWS.format(column.name)}
    value = float(absent > 0) if rows else None
    yield Measurement("type_changed", value, rows=rows, column=column.name, detail=detail)


def _health(window: Window) -> Iterator[Measurement]:
    """Censuses of the log itself, so without intervals."""
    live = window.live
    counted = {
        "duplicate_predictions": (live.duplicate_predictions, live.whole.rows, "The window holds no prediction."),
        "orphan_outcomes": (live.orphan_outcomes, live.whole.labelled, "No outcome came in this window."),
    }
    for metric, (hits, others, reason) in counted.items():
        share = Share(hits, hits + others)
        detail = {"hits": hits} if share.rows else {"hits": hits, "reason": reason}
        yield Measurement(metric, share.value, rows=share.rows, detail=detail)
