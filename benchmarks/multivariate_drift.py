"""How often a domain classifier sees what is not there, and how often it sees a correlation that broke.

Runs ``python -m benchmarks.multivariate_drift [--runs N] [--write]``; with ``--write`` the tables in
docs/checks/multivariate_drift.md are replaced. Rows have 8 numbers and 2 categories. *By day*: every day moves each
number by half a standard deviation of its own, on either side alike, as weather does. *Broken*: x0 and x1 are
correlated by 0.8 in the reference and by 0 in the window, and every single column is as before.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from checks.contract import Measurement, Roles, Window
from checks.multivariate_drift import MultivariateDrift
from checks.profile import Layout, Profile

START = datetime(2024, 3, 4, tzinfo=UTC)
DOCUMENT = Path(__file__).parent.parent / "docs" / "checks" / "multivariate_drift.md"
BEGIN, END = "<!-- multivariate-drift -->", "<!-- /multivariate-drift -->"
NUMBERS = 8


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn: rows of a window of so many days, of a reference of 28."""

    name: str
    rows: int
    days: int
    day_effect: float = 0.0
    correlation: float = 0.8


QUIET = tuple(
    Scene(f"{'by day' if effect else 'independent'}, {days} d", rows, days, effect)
    for effect in (0.0, 0.5)
    for days, rows in ((1, 500), (7, 1_000), (7, 5_000), (28, 5_000))
    if not (effect and days == 1)
)
BROKEN = tuple(
    Scene(f"correlation 0.8 to {correlation}, {days} d", rows, days, effect, correlation)
    for correlation, effect in ((0.0, 0.0), (0.0, 0.5), (0.5, 0.5))
    for days, rows in ((7, 1_000), (7, 5_000))
)


def drawn(random: np.random.Generator, rows: int, days: int, effect: float, correlation: float) -> pd.DataFrame:
    """Rows of *days* days, with nulls in one column."""
    day = random.integers(0, days, rows)
    numbers = random.normal(size=(rows, NUMBERS))
    numbers[:, 1] = correlation * numbers[:, 0] + np.sqrt(1 - correlation**2) * numbers[:, 1]
    numbers += effect * random.normal(size=(days, NUMBERS))[day]
    frame = pd.DataFrame(numbers, columns=[f"x{place}" for place in range(NUMBERS)])
    frame.loc[random.random(rows) < 0.1, "x2"] = np.nan
    frame["colour"] = np.array(["red", "green", "blue", None], dtype=object)[random.integers(0, 4, rows)]
    frame["shop"] = [f"s{number}" for number in random.integers(0, 50, rows)]
    frame["at"] = pd.to_datetime("2024-03-04") + pd.to_timedelta(day, unit="D")
    return frame


def measured(random: np.random.Generator, scene: Scene) -> Measurement:
    """What the check says of one window."""
    before = drawn(random, 5_000, 28, scene.day_effect, 0.8)
    now = drawn(random, scene.rows, scene.days, scene.day_effect, scene.correlation)
    profile = Profile(Layout({}))
    window = Window(
        *(START, START + timedelta(days=scene.days), "binary", (profile,), profile, Roles(time="at")),
        load_sample=lambda _: now,
        load_reference_sample=lambda _: before,
    )
    (found,) = MultivariateDrift().measure(window)
    assert isinstance(found, Measurement)
    return found


def share_seen(scene: Scene, runs: int) -> tuple[float, float, float]:
    """Of *runs* windows, the share whose low end is above 0.5; their mean AUC; seconds for each."""
    random = np.random.default_rng(7)
    began = time.perf_counter()
    found = [measured(random, scene) for _ in range(runs)]
    seen = sum(one.low is not None and one.low > 0.5 for one in found)
    return seen / runs, float(np.mean([one.value or 0.0 for one in found])), (time.perf_counter() - began) / runs


def table(runs: int) -> Iterator[str]:
    """The lines of the table."""
    few = max(runs // 4, 1)
    yield f"{runs} windows per row without change, {few} with; reference 5,000 rows of 28 days, 10 columns:"
    yield ""
    yield "| what changed | window rows | mean `domain_auc` | low end above 0.5 | seconds each |"
    yield "|---|---:|---:|---:|---:|"
    for scene in (*QUIET, *BROKEN):
        name = f"nothing; {scene.name}" if scene in QUIET else scene.name + (", by day" if scene.day_effect else "")
        seen, auc, seconds = share_seen(scene, runs if scene in QUIET else few)
        yield f"| {name} | {scene.rows:,} | {auc:.3f} | {seen:.1%} | {seconds:.1f} |"


def main(arguments: list[str] | None = None) -> None:
    """Print the table; with --write put it into the document."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    lines = []
    for line in table(given.runs):
        print(line, flush=True)
        lines.append(line)
    if given.write:
        before, _, rest = DOCUMENT.read_text().partition(BEGIN)
        after = rest.partition(END)[2]
        DOCUMENT.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}")


if __name__ == "__main__":
    main()
