"""What NannyML's defaults say of columns without change; run by an interpreter that has NannyML 0.13 (not this one).

``python nannyml_drift.py FOLDER``: reads ``reference.parquet`` and ``window.parquet``, whose columns are independent
trials, and prints per column whether the window, taken as one chunk, alerts: as JSON. Chunks are as long as the window.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import pandas as pd


def alerts(reference: pd.DataFrame, window: pd.DataFrame) -> list[bool]:
    """Whether the one chunk of *window* alerts, per column."""
    from nannyml import UnivariateDriftCalculator  # type: ignore[import-not-found]  # another interpreter has it

    columns = list(reference.columns)
    texts = [name for name in columns if not pd.api.types.is_numeric_dtype(reference[name])]
    calculator = UnivariateDriftCalculator(
        column_names=columns, treat_as_categorical=texts or None, chunk_size=len(window)
    )
    found = calculator.fit(reference).calculate(window).filter(period="analysis").to_df()
    return [_alerts(found, name) for name in columns]


def _alerts(found: pd.DataFrame, name: str) -> bool:
    return bool(found[name, "jensen_shannon", "alert"].any())


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sides = [pd.read_parquet(folder / f"{side}.parquet") for side in ("reference", "window")]
        print(json.dumps(alerts(*sides)))
