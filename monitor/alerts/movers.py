"""What moved: the segments and columns that a person would look at first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from checks.contract import Measurement
from monitor.alerts.alert import Alert
from monitor.alerts.words import digits_apart
from monitor.release.words import measured

DRIFT = "drift"
"""The distance of a column from the reference that people know best: the population stability index."""
MOST = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """What was measured in the window beside the verdicts, by any plan; *released* are the release's own values and
    *thresholds* the bounds, both by metric, column and segment. *rows* and *outcomes* count the predictions of the
    window and those whose outcome is in; None where nobody waited for outcomes."""

    measurements: tuple[Measurement, ...] = ()
    released: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    thresholds: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    rows: int | None = None
    outcomes: int | None = None


NOTHING_SEEN = Seen()


def movers(lead: Alert, seen: Seen) -> str:
    """Two short lines at most: the segments that are worst, and the columns that moved most; "" where none did."""
    return "\n".join(line for line in (_segments(lead, seen), _columns(lead, seen)) if line)


def _segments(lead: Alert, seen: Seen) -> str:
    """Where the lead is about the whole: what lies clearly on the wrong side of its release value, worst first."""
    if lead.segment:
        return ""
    found = sorted(_worse(lead, seen), key=lambda pair: (-pair[0], pair[1].segment))
    told = [_segment(lead, one, seen) for _, one in found[:MOST]]
    return f"Worst segments: {', '.join(told)}{_more(len(found))}" if told else ""


def _worse(lead: Alert, seen: Seen) -> Iterator[tuple[float, Measurement]]:
    """Each segment with how far it lies beyond; one whose interval still reaches the release value may be chance."""
    for one in seen.measurements:
        against = _against(lead, one, seen)[0]
        if (one.metric, one.column) != (lead.metric, lead.column) or not one.segment:
            continue
        if one.value is None or against is None:
            continue
        if lead.side == "min":
            nearest = one.value if one.high is None else one.high
            beyond = against - nearest
        else:
            nearest = one.value if one.low is None else one.low
            beyond = nearest - against
        if beyond > 0:
            yield abs(one.value - against), one


def _against(lead: Alert, one: Measurement, seen: Seen) -> tuple[float | None, str]:
    released = seen.released.get((one.metric, one.column, one.segment))
    return (lead.threshold, "promised") if released is None else (released, "release")


def _segment(lead: Alert, one: Measurement, seen: Seen) -> str:
    against, kind = _against(lead, one, seen)
    digits = digits_apart(one.value, against)
    return f"{one.segment} {measured(one.value, lead.unit, digits)} ({kind} {measured(against, lead.unit, digits)})"


def _columns(lead: Alert, seen: Seen) -> str:
    """Of the rows that the lead is about: beyond its own bound before within, then by distance."""
    found = [one for one in seen.measurements if one.metric == DRIFT and one.segment == lead.segment and one.value]
    others = [one for one in found if (lead.metric, lead.column) != (DRIFT, one.column)]
    ranked = sorted(others, key=lambda one: (not _beyond(one, seen), -(one.value or 0.0), one.column))
    told = [_column(one, seen) for one in ranked[:MOST]]
    return f"Moved most: {', '.join(told)}{_more(len(ranked))}" if told else ""


def _beyond(one: Measurement, seen: Seen) -> bool:
    threshold = seen.thresholds.get((one.metric, one.column, one.segment))
    return threshold is not None and one.value is not None and one.value > threshold


def _column(one: Measurement, seen: Seen) -> str:
    threshold = seen.thresholds.get((one.metric, one.column, one.segment))
    digits = digits_apart(one.value, threshold)
    bound = "" if threshold is None else f" (at most {measured(threshold, digits=digits)})"
    return f"{one.column} PSI {measured(one.value, digits=digits)}{bound}"


def _more(found: int) -> str:
    return f" and {found - MOST} more" if found > MOST else ""
