"""How often drift is reported where nothing changed, and seen where much did; side by side with Evidently and NannyML.

Runs ``python -m benchmarks.drift_false_alarms [--runs N] [--nannyml PYTHON] [--write]``; with ``--write`` the tables in
docs/checks/drift.md are replaced. *PYTHON* is an interpreter that has NannyML 0.13 and statsmodels; without one its
column says "not run". A run is 30 columns: 7 normal, 7 lognormal (σ = 1.5), 6 of 20 categories (Zipf), 2 of these with
2 % nulls, 4 binary (10 %), 4 of 1000 categories (Zipf). The cells of quantile bins are distribution-free: whatever the
numbers, the shares of the bins between the quantiles of m rows are Dirichlet distributed. So counts are drawn and not
rows, except in the two outer cells, whose rows make the means; a million rows cost nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtri

from checks.contract import Measurement, Window
from checks.drift import MEASURES, Drift
from checks.profile import ALL, Categories, Distribution, Layout, Numbers, Profile, Slice

REFERENCES = (1_000, 10_000, 100_000)
WINDOWS = (50, 100, 200, 500, 1_000, 10_000, 1_000_000)
BOUNDS = {"drift": 0.2, "jensen_shannon": 0.1}
OF_COUNTS = ("drift", "jensen_shannon", "hellinger", "total_variation", "chi_square")
OTHERS = tuple(name for name in MEASURES if name not in OF_COUNTS)
EDGES = 40
NOT_RUN = "not run"
DOCUMENT = Path(__file__).parent.parent / "docs" / "checks" / "drift.md"
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)

Column = tuple[Numbers | Categories, Distribution, Distribution]
Draw = Callable[[np.random.Generator, int, int], Column]
Quantile = Callable[[np.ndarray], np.ndarray]


def zipf(values: int) -> np.ndarray:
    """Shares proportional to 1/rank."""
    weights = 1 / np.arange(1, values + 1)
    return np.asarray(weights / weights.sum())


def numbers(quantile: Quantile) -> Draw:
    """A numeric column: bins between the quantiles of the reference."""

    def draw(random: np.random.Generator, before: int, now: int) -> Column:
        held = np.diff(np.linspace(0, before, EDGES + 2).astype(int))
        shares = random.dirichlet(held)
        edges = quantile(np.cumsum(shares)[:-1])
        old = _filled(random, quantile, edges, shares, held)
        new = _filled(random, quantile, edges, shares, random.multinomial(now, shares))
        return Numbers(tuple(map(float, edges))), old, new

    return draw


def _filled(
    random: np.random.Generator, quantile: Quantile, edges: np.ndarray, shares: np.ndarray, counts: np.ndarray
) -> Distribution:
    """Counts with their sums: rows of the outer cells one by one, those of the others in the middle of their cell."""
    middles = (edges[1:] + edges[:-1]) / 2
    low = quantile(shares[0] * random.random(counts[0]))
    high = quantile(1 - shares[-1] * random.random(counts[-1]))
    total = float(low.sum() + high.sum() + counts[1:-1] @ middles)
    squares = float((low**2).sum() + (high**2).sum() + counts[1:-1] @ middles**2)
    ends = (float(low.min(initial=edges[0])), float(high.max(initial=edges[-1])))
    return Distribution(tuple(map(int, counts)), 0, 0, 0, 0, total, squares, *ends)


def normal(probability: np.ndarray) -> np.ndarray:
    """Quantiles of the standard normal distribution."""
    return np.asarray(ndtri(probability))


def lognormal(probability: np.ndarray) -> np.ndarray:
    """Quantiles of a lognormal distribution with a heavy tail."""
    return np.asarray(np.exp(1.5 * ndtri(probability)))


def holed(draw: Draw, share: float) -> Draw:
    """The same column with this share of nulls, before and now."""

    def drawn(random: np.random.Generator, before: int, now: int) -> Column:
        cells, old, new = draw(random, before, now)
        return cells, _with_nulls(old, random, share), _with_nulls(new, random, share)

    return drawn


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
    *[numbers(normal)] * 7,
    *[numbers(lognormal)] * 7,
    *[categories(zipf(20))] * 6,
    *[holed(categories(zipf(20)), 0.02)] * 2,
    *[categories(np.array([0.9, 0.1]))] * 4,
    *[categories(zipf(1000))] * 4,
)


def measured(columns: list[Column]) -> dict[str, list[Measurement]]:
    """What the drift check says of these columns: metric -> measurement per column that has one."""
    named = {f"c{place}": column for place, column in enumerate(columns)}
    layout = Layout({name: cells for name, (cells, _, _) in named.items()})
    before = _profile(layout, {name: old for name, (_, old, _) in named.items()})
    now = _profile(layout, {name: new for name, (_, _, new) in named.items()})
    values: dict[str, list[Measurement]] = {metric: [] for metric in (*MEASURES, "drift_impact")}
    for measurement in Drift().measure(Window(START, END, "binary", (now,), before)):
        values[measurement.metric].append(measurement)
    return values


def beyond(one: Measurement, bound: float) -> bool:
    """Whether a threshold alarms: the whole interval beyond ±bound, or a value without one beyond it."""
    low = one.value if one.low is None else one.low
    high = one.value if one.high is None else one.high
    return (low or 0.0) > bound or (high or 0.0) < -bound


def _profile(layout: Layout, columns: dict[str, Distribution]) -> Profile:
    return Profile(layout, {ALL: Slice(next(iter(columns.values())).rows, columns=columns)})


def false_alarms(
    runs: int, references: tuple[int, ...] = REFERENCES, windows: tuple[int, ...] = WINDOWS
) -> Iterator[tuple[int, int, dict[str, float]]]:
    """Per reference and window: the share of runs in which any of 30 columns alarms, by what it is held to."""
    random = np.random.default_rng(20130101)
    for before in references:
        for now in windows:
            runs_of = [_alarms(measured([draw(random, before, now) for draw in COLUMNS])) for _ in range(runs)]
            yield before, now, {name: sum(one[name] for one in runs_of) / runs for name in runs_of[0]}


def _alarms(found: dict[str, list[Measurement]]) -> dict[str, bool]:
    usual = {f"`{name}` > {bound}": any(beyond(one, bound) for one in found[name]) for name, bound in BOUNDS.items()}
    above = {name: any(beyond(one, 0.0) for one in found[name]) for name in (*OF_COUNTS, *OTHERS)}
    counts = {"any distance of counts > 0": any(above[name] for name in OF_COUNTS)}
    others = {f"`{name}`": above[name] for name in OTHERS}
    return usual | counts | others | {"anything": any(above.values())}


def nulled(column: Column, random: np.random.Generator, share: float) -> Column:
    """The same column with this share of the window's rows set to null."""
    cells, before, now = column
    return cells, before, _with_nulls(now, random, share)


def _with_nulls(one: Distribution, random: np.random.Generator, share: float) -> Distribution:
    lost = [int(random.binomial(count, share)) for count in one.counts]
    kept = tuple(count - gone for count, gone in zip(one.counts, lost, strict=True))
    left = sum(kept) / max(sum(one.counts), 1)
    return replace(one, counts=kept, null=sum(lost), total=one.total * left, squares=one.squares * left)


def moved(random: np.random.Generator, before: int, now: int) -> Column:
    """A normal column whose window has moved by half a standard deviation."""
    old, new = random.normal(0, 1, before), random.normal(0.5, 1, now)
    return _profiled(pd.Series(old), pd.Series(new), "num")


POWER: dict[str, Callable[[dict[str, list[Measurement]]], bool]] = {
    "`drift` > 0.2, 95 % nulls in a number": lambda found: beyond(found["drift"][0], 0.2),
    "`drift` > 0.2, 60 % nulls in a category": lambda found: beyond(found["drift"][14], 0.2),
    "`null_change` > 0.05, both": lambda found: all(beyond(found["null_change"][place], 0.05) for place in (0, 14)),
    "`drift` > 0, half a deviation": lambda found: beyond(found["drift"][1], 0.0),
    "`kolmogorov_smirnov` > 0, half a deviation": lambda found: beyond(found["kolmogorov_smirnov"][1], 0.0),
    "`wasserstein` > 0, half a deviation": lambda found: beyond(found["wasserstein"][1], 0.0),
}
"""What is seen: the first column and the fifteenth have nulls, the second has moved."""


def power(runs: int) -> Iterator[tuple[int, dict[str, float]]]:
    """Per window: the share of runs that see each change."""
    random = np.random.default_rng(20130102)
    for now in WINDOWS[:6]:
        seen = dict.fromkeys(POWER, 0)
        for _ in range(runs):
            columns = [draw(random, 10_000, now) for draw in COLUMNS]
            columns[0] = nulled(columns[0], random, 0.95)
            columns[1] = moved(random, 10_000, now)
            columns[14] = nulled(columns[14], random, 0.60)
            found = measured(columns)
            for name, sees in POWER.items():
                seen[name] += sees(found)
        yield now, {name: count / runs for name, count in seen.items()}


def beside_others(runs: int, nannyml: Path | None) -> Iterator[tuple[str, int, float, str, float]]:
    """Per column and window, on the same rows: how often Evidently's and NannyML's defaults and our bound say drift."""
    random = np.random.default_rng(20130103)
    for name, kind, rows in _rows():
        for now in (50, 100, 200, 1_000):
            pairs = [(rows(random, 10_000), rows(random, now)) for _ in range(runs)]
            evidently = sum(_evidently(old, new, kind) for old, new in pairs) / runs
            theirs = f"{_nannyml(pairs, kind, nannyml):.0%}" if nannyml else NOT_RUN
            ours = [measured([_profiled(old, new, kind)] * 30)["drift"][0] for old, new in pairs]
            yield name, now, evidently, theirs, sum(beyond(one, BOUNDS["drift"]) for one in ours) / runs


def _evidently(old: pd.Series, new: pd.Series, kind: str) -> bool:
    os.environ["DO_NOT_TRACK"] = "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Evidently's own dependencies deprecate is not our concern
        from evidently.legacy.calculations.stattests import get_stattest
        from evidently.legacy.core import ColumnType

        test = get_stattest(old, new, ColumnType(kind), None)
        return bool(test(old, new, ColumnType(kind), test.default_threshold).drifted)


def _nannyml(pairs: Sequence[tuple[pd.Series, pd.Series]], kind: str, python: Path) -> float:
    """The share of pairs that NannyML's default alerts on; each pair is a column, chunks are as long as the window."""
    with tempfile.TemporaryDirectory() as folder:
        for side, name in enumerate(("reference", "window")):
            columns = {f"c{place}": pair[side] for place, pair in enumerate(pairs)}
            frame = pd.DataFrame(columns)
            (frame.astype(str) if kind == "cat" else frame).to_parquet(Path(folder) / f"{name}.parquet")
        script = Path(__file__).parent / "nannyml_drift.py"
        told = subprocess.run([python, script, folder], capture_output=True, text=True, check=True).stdout
    alerts: list[bool] = json.loads(told.splitlines()[-1])
    return sum(alerts) / len(alerts)


def _rows() -> Iterator[tuple[str, str, Callable[[np.random.Generator, int], pd.Series]]]:
    def skewed(random: np.random.Generator, rows: int) -> pd.Series:
        return pd.Series(random.lognormal(0, 1.5, rows))

    def chosen(shares: np.ndarray, random: np.random.Generator, rows: int) -> pd.Series:
        return pd.Series(random.choice(len(shares), rows, p=shares))

    yield "lognormal, σ = 1.5", "num", skewed
    yield "20 categories (Zipf)", "cat", partial(chosen, zipf(20))
    yield "binary, 10 %", "cat", partial(chosen, np.array([0.9, 0.1]))


def _profiled(old: pd.Series, new: pd.Series, kind: str) -> Column:
    if kind == "cat":
        values = int(max(old.max(), new.max())) + 1
        return _known(np.bincount(old, minlength=values), np.bincount(new, minlength=values))
    edges = np.quantile(old, np.linspace(0, 1, EDGES + 2)[1:-1])
    before, now = (np.bincount(np.searchsorted(edges, side, side="right"), minlength=EDGES + 1) for side in (old, new))
    return Numbers(tuple(map(float, edges))), _summed(old, before), _summed(new, now)


def _summed(values: pd.Series, counts: np.ndarray) -> Distribution:
    sums = (float(values.sum()), float((values**2).sum()), float(values.min()), float(values.max()))
    return replace(_counts(counts), total=sums[0], squares=sums[1], low=sums[2], high=sums[3])


def tables(runs: int, nannyml: Path | None) -> Iterator[str]:
    """The report, as lines of Markdown."""
    yield f"No change, 30 columns, {runs} runs per row; the share of runs in which any column alarms:"
    yield ""
    for place, (before, now, shares) in enumerate(false_alarms(runs)):
        if not place:
            yield from _head("reference rows", "window rows", *shares)
        yield f"| {before:,} | {now:,} | " + " | ".join(f"{share:.1%}" for share in shares.values()) + " |"
    yield ""
    fewer = max(runs // 4, 20)
    yield f"Change (reference 10,000 rows, 30 columns, {fewer} runs per row); the share of runs that see it:"
    yield ""
    yield from _head("window rows", *POWER)
    for now, seen in power(fewer):
        yield f"| {now:,} | " + " | ".join(f"{share:.0%}" for share in seen.values()) + " |"
    yield ""
    yield "No change, one column, reference 10,000 rows, the same rows for all; the share of runs that say drift:"
    yield ""
    yield "| column | window rows | Evidently 0.7 defaults | NannyML 0.13 defaults | `drift` > 0.2 |"
    yield "|---|---:|---:|---:|---:|"
    for name, now, evidently, theirs, ours in beside_others(fewer, nannyml):
        yield f"| {name} | {now:,} | {evidently:.0%} | {theirs} | {ours:.0%} |"


def _head(*names: str) -> Iterator[str]:
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---:|" * len(names)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the false alarms of the drift check.")
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--nannyml", type=Path, help="an interpreter that has NannyML 0.13 and statsmodels")
    parser.add_argument("--write", action="store_true", help="replace the tables in docs/checks/drift.md")
    asked = parser.parse_args()
    lines = []
    for line in tables(asked.runs, asked.nannyml):
        print(line, flush=True)
        lines.append(line)
    if asked.write:
        begin, end = "<!-- drift-false-alarms -->", "<!-- /drift-false-alarms -->"
        head, _, rest = DOCUMENT.read_text().partition(begin)
        _, _, tail = rest.partition(end)
        DOCUMENT.write_text("\n".join((f"{head}{begin}", *lines, f"{end}{tail}")))


if __name__ == "__main__":
    main()
