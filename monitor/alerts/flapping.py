"""Flapping: an alert that fires and is resolved again and again is told once, and then not until it is stable."""

from __future__ import annotations

from dataclasses import replace

from monitor.alerts.alert import Alert

CYCLES = 3
"""So many times it fired and was resolved ..."""
WITHIN = 24
"""... within so many decided windows, and it flaps;"""
STABLE = 12
"""until it has stayed as it is for so many."""


def observed(before: Alert, after: Alert) -> Alert:
    """*after*, one decided window later than *before*, with what that says of flapping."""
    window = before.decided + 1
    fires = after.is_open and not before.is_open
    ends = before.is_open and not after.is_open
    fired_in = (*before.fired_in, window)[-CYCLES:] if fires else before.fired_in
    flipped_in = window if fires or ends else before.flipped_in
    flapping = before.flapping or (ends and len(fired_in) == CYCLES and window - fired_in[0] < WITHIN)
    if flapping and window - flipped_in >= STABLE:
        flapping, fired_in = False, ()
    return replace(after, decided=window, fired_in=fired_in, flipped_in=flipped_in, flapping=flapping)
