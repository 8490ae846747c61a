"""One process of the speed benchmark: a peer on the same files, from start to result; prints one line of JSON.

``python -m benchmarks.speed_of_peers scan|evidently|nannyml LIVE REFERENCE``: a plain read of all columns with min and
max on DuckDB (the limit), Evidently's DataDriftPreset, or NannyML's univariate drift, with their default settings.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping


def peak_mb() -> float:
    """The most memory this process has held; not what its parent did, as getrusage tells."""
    with open("/proc/self/status") as status:  # noqa: PTH123  # NannyML's environment has nothing of ours
        return next(float(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


BEGAN = time.perf_counter(), time.process_time()
NUMBERS = [f"x{place}" for place in range(20)]
CATEGORIES = [f"k{place}" for place in range(10)]


def scan(live: str, _: str) -> None:
    """Every column once."""
    import duckdb

    names = ["id", "at", "entity", *NUMBERS, *CATEGORIES, "score", "said", "truth"]
    asked = ", ".join(f'min("{name}"), max("{name}")' for name in names)
    with duckdb.connect() as engine:
        engine.execute("SET threads = 2; SET enable_progress_bar = false")
        engine.execute(f"SELECT {asked} FROM read_parquet('{live}')").fetchall()


def evidently(live: str, reference: str) -> None:
    """DataDriftPreset on features, score and prediction."""
    os.environ["DO_NOT_TRACK"] = "1"
    warnings.simplefilter("ignore")
    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset

    names = [*NUMBERS, *CATEGORIES, "score", "said"]
    now, before = (pd.read_parquet(path, columns=names) for path in (live, reference))
    Report([DataDriftPreset()]).run(now, before)


def nannyml(live: str, reference: str) -> None:
    """Univariate drift with its default methods, the window as one chunk."""
    warnings.simplefilter("ignore")
    import nannyml as nml  # type: ignore[import-not-found, unused-ignore]  # in an environment of its own
    import pandas as pd

    names = [*NUMBERS, *CATEGORIES]
    now, before = (pd.read_parquet(path, columns=names) for path in (live, reference))
    calculator = nml.UnivariateDriftCalculator(column_names=names, chunk_number=10)
    calculator.fit(before)
    calculator.calculate(now)


PEERS: Mapping[str, Callable[[str, str], None]] = {"scan": scan, "evidently": evidently, "nannyml": nannyml}

if __name__ == "__main__":
    PEERS[sys.argv[1]](sys.argv[2], sys.argv[3])
    spent = time.perf_counter() - BEGAN[0], time.process_time() - BEGAN[1]
    print(json.dumps({"all": spent, "peak_mb": peak_mb()}))
