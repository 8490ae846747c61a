"""How often drift is reported where nothing changed, and seen where much did; side by side with Evidently's defaults.

Runs ``python -m benchmarks.drift_false_alarms [--runs N] [--write]``; with ``--write`` the tables in docs/checks/drift.md are
replaced. A run is 30 columns: 14 numeric, 8 of 20 categories (Zipf), 4 binary (10 %), 4 of 1000 categories (Zipf).
The cells of quantile bins are distribution-free: whatever the numbers' distribution, the shares of the bins between
the quantiles of m rows are Dirichlet distributed. So counts are drawn, not rows, and a million rows cost nothing.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from checks.contract import Window
from checks.drift import Drift
from checks.profile import ALL, Categories, Distribution, Layout, Numbers, Profile, Slice

REFERENCES = (1_000, 10_000, 100_000)
WINDOWS = (50, 100, 200, 500, 1_000, 10_000, 1_000_000)
BOUNDS = {"drift": 0.2, "jensen_shannon": 0.1}
EDGES = 40
DOCUMENT = Path(__file__).parent.parent / "docs" / "checks" / "drift.md"
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)

Column = tuple[Numbers | Categories, Distribution, Distribution]
Draw = Callable[[np.random.Generator, int, int], Column]


def zipf(values: int) -> np.ndarray:
    """Shares proportional to 1/rank."""
    weights = 1 / np.arange(1, values + 1)
    return np.asarray(weights / weights.sum())


def numbers(random: np.random.Generator, before: int, now: int) -> Column:
    """A numeric column: bins between the quantiles of the reference."""
    held = np.diff(np.linspace(0, before, EDGES + 2).astype(int))
    shares = random.dirichlet(held)
    return Numbers(tuple(map(float, range(EDGES)))), _counts(held), _counts(random.multinomial(now, shares))


def categories(shares: np.ndarray) -> Draw:
    """A categorical column: the values seen in the reference, most frequent first, and one cell for all others."""

    def draw(random: np.random.Generator, before: int, now: int) -> Column:
        return _known(random.multinomial(before, shares), random.multinomial(now, shares))

    return draw


def _known(before: np.ndarray, now: np.ndarray) -> Column:
    order = [place for place in np.argsort(-before, kind="stable") if before[place]]
    other = int(now.sum() - now[order].sum())
    cells = Categories(tuple(f"v{place}" for place in order))
    return cells, _counts([*before[order], 0]), _counts([*now[order], other])


def _counts(counts: object) -> Distribution:
    return Distribution(tuple(int(count) for count in np.asarray(counts)))


COLUMNS: tuple[Draw, ...] = (
    *[numbers] * 14,
    *[categories(zipf(20))] * 8,
    *[categories(np.array([0.9, 0.1]))] * 4,
    *[categories(zipf(1000))] * 4,
)


def measured(columns: list[Column]) -> dict[str, list[float]]:
    """What the drift check says of these columns: metric -> value per column."""
    named = {f"c{place}": column for place, column in enumerate(columns)}
    layout = Layout({name: cells for name, (cells, _, _) in named.items()})
    before = _profile(layout, {name: old for name, (_, old, _) in named.items()})
    now = _profile(layout, {name: new for name, (_, _, new) in named.items()})
    values: dict[str, list[float]] = {metric: [] for metric in BOUNDS}
    for measurement in Drift().measure(Window(START, END, "binary", (now,), before)):
        values[measurement.metric].append(measurement.value or 0.0)
    return values


def _profile(layout: Layout, columns: dict[str, Distribution]) -> Profile:
    return Profile(layout, {ALL: Slice(next(iter(columns.values())).rows, columns=columns)})


def false_alarms(
    runs: int, references: tuple[int, ...] = REFERENCES, windows: tuple[int, ...] = WINDOWS
) -> Iterator[tuple[int, int, dict[str, float]]]:
    """Per reference and window: the share of runs in which any of 30 columns is beyond its bound, and above zero."""
    random = np.random.default_rng(20130101)
    for before in references:
        for now in windows:
            hits = dict.fromkeys((*BOUNDS, "above zero"), 0)
            for _ in range(runs):
                values = measured([draw(random, before, now) for draw in COLUMNS])
                for metric, bound in BOUNDS.items():
                    hits[metric] += max(values[metric]) > bound
                hits["above zero"] += max(values["drift"]) > 0
            yield before, now, {name: count / runs for name, count in hits.items()}


def nulled(column: Column, random: np.random.Generator, share: float) -> Column:
    """The same column with this share of the window's rows set to null."""
    cells, before, now = column
    lost = [int(random.binomial(count, share)) for count in now.counts]
    kept = tuple(count - gone for count, gone in zip(now.counts, lost, strict=True))
    return cells, before, Distribution(kept, null=sum(lost))


def power(runs: int) -> Iterator[tuple[int, float, float]]:
    """Per window: the share of runs that see 95 % nulls in a number, and 60 % in a category, at the bound for drift."""
    random = np.random.default_rng(20130102)
    for now in WINDOWS[:6]:
        seen = [0, 0]
        for _ in range(runs):
            quiet = [draw(random, 10_000, now) for draw in COLUMNS]
            quiet[0] = nulled(quiet[0], random, 0.95)
            quiet[14] = nulled(quiet[14], random, 0.60)
            values = measured(quiet)["drift"]
            seen[0] += values[0] > BOUNDS["drift"]
            seen[1] += values[14] > BOUNDS["drift"]
        yield now, seen[0] / runs, seen[1] / runs


def beside_evidently(runs: int) -> Iterator[tuple[str, int, float, float]]:
    """Per column and window, on the same rows: how often Evidently's default test and our drift bound say drift."""
    os.environ["DO_NOT_TRACK"] = "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Evidently's own dependencies deprecate is not our concern
        from evidently.legacy.calculations.stattests import get_stattest
        from evidently.legacy.core import ColumnType

        random = np.random.default_rng(20130103)
        for name, kind, rows in _rows():
            for now in (50, 100, 200, 1_000):
                theirs = ours = 0
                for _ in range(runs):
                    old, new = rows(random, 10_000), rows(random, now)
                    test = get_stattest(old, new, ColumnType(kind), None)
                    theirs += bool(test(old, new, ColumnType(kind), test.default_threshold).drifted)
                    ours += measured([_profiled(old, new, kind)] * 30)["drift"][0] > BOUNDS["drift"]
                yield name, now, theirs / runs, ours / runs


def _rows() -> Iterator[tuple[str, str, Callable[[np.random.Generator, int], pd.Series]]]:
    def lognormal(random: np.random.Generator, rows: int) -> pd.Series:
        return pd.Series(random.lognormal(0, 1.5, rows))

    def chosen(shares: np.ndarray, random: np.random.Generator, rows: int) -> pd.Series:
        return pd.Series(random.choice(len(shares), rows, p=shares))

    yield "lognormal, σ = 1.5", "num", lognormal
    yield "20 categories (Zipf)", "cat", partial(chosen, zipf(20))
    yield "binary, 10 %", "cat", partial(chosen, np.array([0.9, 0.1]))


def _profiled(old: pd.Series, new: pd.Series, kind: str) -> Column:
    if kind == "cat":
        values = int(max(old.max(), new.max())) + 1
        return _known(np.bincount(old, minlength=values), np.bincount(new, minlength=values))
    edges = np.quantile(old, np.linspace(0, 1, EDGES + 2)[1:-1])
    before, now = (np.bincount(np.searchsorted(edges, side, side="right"), minlength=EDGES + 1) for side in (old, new))
    return Numbers(tuple(map(float, edges))), _counts(before), _counts(now)


def tables(runs: int) -> Iterator[str]:
    """The report, as lines of Markdown."""
    yield f"No change, 30 columns, {runs} runs per row; the share of runs in which any column alarms:"
    yield ""
    yield "| reference rows | window rows | `drift` > 0.2 | `jensen_shannon` > 0.1 | `drift` > 0 |"
    yield "|---:|---:|---:|---:|---:|"
    for before, now, shares in false_alarms(runs):
        yield f"| {before:,} | {now:,} | " + " | ".join(f"{share:.1%}" for share in shares.values()) + " |"
    yield ""
    yield "Nulls where there were none (reference 10,000 rows, 30 columns); the share of runs with `drift` > 0.2:"
    yield ""
    yield "| window rows | 95 % of a number | 60 % of a category |"
    yield "|---:|---:|---:|"
    for now, number, category in power(max(runs // 4, 20)):
        yield f"| {now:,} | {number:.0%} | {category:.0%} |"
    yield ""
    yield "No change, one column, reference 10,000 rows, the same rows for both; the share of runs that say drift:"
    yield ""
    yield "| column | window rows | Evidently 0.7 defaults | `drift` > 0.2 |"
    yield "|---|---:|---:|---:|"
    for name, now, theirs, ours in beside_evidently(max(runs // 4, 20)):
        yield f"| {name} | {now:,} | {theirs:.0%} | {ours:.0%} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the false alarms of the drift check.")
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--write", action="store_true", help="replace the tables in docs/checks/drift.md")
    asked = parser.parse_args()
    lines = []
    for line in tables(asked.runs):
        print(line, flush=True)
        lines.append(line)
    if asked.write:
        begin, end = "<!-- drift-false-alarms -->", "<!-- /drift-false-alarms -->"
        head, _, rest = DOCUMENT.read_text().partition(begin)
        _, _, tail = rest.partition(end)
        DOCUMENT.write_text("\n".join((f"{head}{begin}", *lines, f"{end}{tail}")))


if __name__ == "__main__":
    main()
