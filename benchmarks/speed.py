"""How long a window takes, next to the peers and to just reading it; with ``--write`` the tables of docs/benchmarks.md.

Each figure is a process of its own on the same Parquet files. Evidently is left out above a million rows (it holds
gigabytes), NannyML where ``--nannyml`` does not name the Python of an environment that has it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.workload import COPIED, write, write_population

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
SIZES = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
HOURS = 28 * 24
PER_HOUR = 10_000

Row = Sequence[str]


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print and, where asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=SIZES)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "model-monitor-benchmark")
    parser.add_argument("--nannyml", default="", help="the Python of an environment with NannyML")
    parser.add_argument("--write", action="store_true", help="replace the tables of docs/benchmarks.md")
    given = parser.parse_args(words)
    given.folder.mkdir(exist_ok=True, parents=True)
    write_population(given.folder / "population.parquet")
    tables = {"speed": _sizes(given.folder, given.rows, given.nannyml), "hourly": _hourly(given.folder)}
    for name, table in tables.items():
        print(f"\n{table}")
        if given.write:
            replace_table(name, table)


def _sizes(folder: Path, sizes: Sequence[int], nannyml: str) -> str:
    header = (
        *("rows", "plain read", "model-monitor: window", "first window, baseline taken", "its peak MB"),
        *("Evidently", "its peak MB", "NannyML", "Evidently / model-monitor"),
    )
    return _table(header, [_size(folder, rows, nannyml) for rows in sizes])


def _size(folder: Path, rows: int, nannyml: str) -> Row:
    live = write(folder / f"live_{rows}_0.parquet", rows, seed=0.1)
    reference = write(folder / f"reference_{min(rows, COPIED)}.parquet", min(rows, COPIED), seed=0.2)
    own = _run(sys.executable, "speed_of_model_monitor", str(folder), str(rows))
    scan = _run(sys.executable, "speed_of_peers", "scan", str(folder / f"live_{rows}_0*.parquet"), "")
    peers = rows <= COPIED
    evidently = _run(sys.executable, "speed_of_peers", "evidently", str(live), str(reference)) if peers else None
    other = _run(nannyml, "speed_of_peers", "nannyml", str(live), str(reference)) if peers and nannyml else None
    print(f"{rows:,} rows: {own} {scan} {evidently} {other}", flush=True)
    return (
        f"{rows:,}",
        _seconds(scan["all"]),
        _seconds(own["warm"]),
        _seconds(own["cold"]),
        f"{own['peak_mb']:.0f}",
        "-" if evidently is None else _seconds(evidently["all"]),
        "-" if evidently is None else f"{evidently['peak_mb']:.0f}",
        "-" if other is None else _seconds(other["all"]),
        "-" if evidently is None else f"{evidently['all'][0] / own['warm'][0]:.0f}",
    )


def _hourly(folder: Path) -> str:
    """A window of 28 days each hour, all but the newest hour stored, next to that hour alone and to all of it."""
    rows = HOURS * PER_HOUR
    write(folder / f"live_{rows}_{HOURS}.parquet", rows, seed=0.1, days=28)
    write(folder / f"live_{PER_HOUR}_1.parquet", PER_HOUR, seed=0.1)
    write(folder / f"reference_{COPIED}.parquet", COPIED, seed=0.2)
    write(folder / f"reference_{PER_HOUR}.parquet", PER_HOUR, seed=0.2)
    many = _run(sys.executable, "speed_of_model_monitor", str(folder), str(rows), str(HOURS))
    one = _run(sys.executable, "speed_of_model_monitor", str(folder), str(PER_HOUR), "1")
    print(f"hourly: {many} {one}", flush=True)
    header = ("window", "rows", "buckets read", "seconds (processor)")
    return _table(
        header,
        [
            ("one hour", f"{PER_HOUR:,}", str(one["read"]), _seconds(one["warm"])),
            ("28 days, 671 hours stored", f"{rows:,}", str(many["read"]), _seconds(many["warm"])),
            ("28 days, nothing stored", f"{rows:,}", str(HOURS), _seconds(many["cold"])),
        ],
    )


def _run(python: str, module: str, *words: str) -> dict[str, Any]:
    """What the last line of a process says."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [python, "-m", f"benchmarks.{module}", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _seconds(spent: Sequence[float]) -> str:
    """``1.44 (2.70)``: on the wall, and of the processor."""
    return f"{spent[0]:.2f} ({spent[1]:.2f})"


def _table(header: Row, rows: Sequence[Row]) -> str:
    lines = [header, ["---:"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def replace_table(name: str, table: str) -> None:
    """Put *table* between its marks in the page, with the machine it was measured on."""
    text = PAGE.read_text()
    head, _, rest = text.partition(f"<!-- {name} -->")
    _, _, tail = rest.partition(f"<!-- /{name} -->")
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    PAGE.write_text(f"{head}<!-- {name} -->\n{machine}:\n\n{table}\n<!-- /{name} -->{tail}")


if __name__ == "__main__":
    main()
