"""Makes schedule.parquet, the population of the example, out of predictions.parquet: every flight in the timetable.

    python examples/flights/make.py examples/flights
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb


def make_schedule(folder: Path) -> None:
    """Write ``(entity_id, timestamp, origin)`` of each scheduled flight, in order of time."""
    source, target = folder / "predictions.parquet", folder / "schedule.parquet"
    duckdb.sql(
        f"COPY (SELECT DISTINCT entity_id, timestamp, origin FROM '{source}' ORDER BY timestamp, entity_id, origin) "
        f"TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
    )


if __name__ == "__main__":
    make_schedule(Path(sys.argv[1]))
