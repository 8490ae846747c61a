"""Carry the flights over and derive their timetable: python examples/flights/make.py FOLDER, the one of the files."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import duckdb

HERE = Path(__file__).parent
FILES = ("predictions.parquet", "outcomes.parquet", "reference.parquet")


def make(source: Path, target: Path) -> None:
    """Copy the files of *source* to *target* and write schedule.parquet: every scheduled flight once."""
    for name in FILES:
        shutil.copyfile(source / name, target / name)
    predictions = duckdb.read_parquet(str(target / "predictions.parquet"))
    flights = predictions.project("entity_id, timestamp, origin").distinct().order("timestamp, entity_id")
    flights.write_parquet(str(target / "schedule.parquet"), compression="zstd")


if __name__ == "__main__":
    make(Path(sys.argv[1]), HERE)
