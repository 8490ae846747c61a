"""Suggested thresholds as a table to be put into config.toml, with a comment for each line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from monitor.release.suggestion import MODELS, PATIENCE, Found, may_be_open
from monitor.release.words import duration, measured, number
from monitor.release.written import plain
from monitor.settings import Threshold
from monitor.suggesting import POINTS, Line


def as_table(model: str, version: str, period: timedelta, lines: Sequence[Line]) -> str:
    """``[models.release]`` with everything that was worked out."""
    share = number(100 * may_be_open(period), 2)
    head = [
        f"# {model} {version}: at most one false page per {duration(period)}, all bounds that page together.",
        f"# Simulated: {MODELS} models a bound, as good as at the release, a year each, watched by the alarm.",
        f"# They page no more often, relapses included, and have an incident open on at most {share} % of days.",
        f"# In brackets: how many of the drops are told within {PATIENCE} days.",
        "[models.release]",
    ]
    return "\n".join([*head, *(text for line in lines for text in _lines(line))]) + "\n"


def _lines(line: Line) -> Iterator[str]:
    key = line.name if re.fullmatch(r"[A-Za-z0-9_-]+", line.name) else json.dumps(line.name, ensure_ascii=False)
    if line.known is None or line.suggestion is None:
        yield f"# {line.name}: {line.why}."
        yield f"{key} = {_inline(_said(line.threshold))}" if line.threshold else f"# {key} = {{ {line.side} = ... }}"
        return
    known, found = line.known, line.suggestion
    level, spread = measured(known.level, line.unit), measured(known.spread, line.unit, 2)
    yield (
        f"# {line.name}: {level} at the release, give or take {measured(known.error, line.unit, 2)}; a day of "
        f"{known.rows:,} rows strays by {spread} ({known.days} days)."
    )
    share = not line.unit and 0 <= known.level <= 1
    told = [_delay(one, point, share=share) for one, point in zip(found.found, POINTS, strict=True)]
    yield f"# False pages: {number(found.false_pages, 2)} a year. A drop is told: {', '.join(told)}."
    bounds = {"min", "max", "min_of_release", "max_of_release"}
    others = {name: value for name, value in _said(line.threshold).items() if name not in bounds}
    bound = int(found.threshold) if found.threshold.is_integer() else found.threshold
    yield f"{key} = {_inline({line.side: bound, **others})}"


def _delay(found: Found, point: float, *, share: bool) -> str:
    size = f"of {point * 100:g} {'point' if point == POINTS[0] else 'points'}" if share else f"of {point * 100:g} %"
    if found.days is None:
        return f"{size} never (0 %)"
    return f"{size} after {found.days:g} {'day' if found.days == 1 else 'days'} ({found.share * 100:.0f} %)"


def _said(threshold: Threshold | None) -> dict[str, Any]:
    return {} if threshold is None else plain(threshold)


def _inline(said: dict[str, Any]) -> str:
    """``{ min = 0.74, segments = ["origin"] }``."""
    return f"{{ {', '.join(f'{name} = {json.dumps(value, ensure_ascii=False)}' for name, value in said.items())} }}"
