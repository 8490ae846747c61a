"""How often drift is reported where nothing changed, and seen where much did; side by side with Evidently and NannyML.

Runs ``python -m benchmarks.drift_false_alarms [--runs N] [--nannyml PYTHON] [--write]``; with ``--write`` the tables in
docs/checks/drift.md are replaced. *PYTHON* is an interpreter that has NannyML 0.13 and statsmodels; without one its
column says "not run".
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.drift_columns import COLUMNS, Column, beyond, measured, nulled, profiled, zipf
from checks.contract import Measurement
from checks.drift import MEASURES

REFERENCES = (1_000, 10_000, 100_000)
WINDOWS = (50, 100, 200, 500, 1_000, 10_000, 1_000_000)
BOUNDS = {"drift": 0.2, "jensen_shannon": 0.1}
OF_COUNTS = ("drift", "jensen_shannon", "hellinger", "total_variation", "chi_square")
OTHERS = tuple(name for name in MEASURES if name not in OF_COUNTS)
NOT_RUN = "not run"
DOCUMENT = Path(__file__).parent.parent / "docs" / "checks" / "drift.md"


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


def moved(random: np.random.Generator, before: int, now: int) -> Column:
    """A normal column whose window has moved by half a standard deviation."""
    old, new = random.normal(0, 1, before), random.normal(0.5, 1, now)
    return profiled(pd.Series(old), pd.Series(new), "num")


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
            ours = [measured([profiled(old, new, kind)] * 30)["drift"][0] for old, new in pairs]
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
