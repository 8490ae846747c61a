"""The example as a workload: one window cold, a month and the year, with the memory they take."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
WINDOW = ("2013-07-01", "2013-07-08")


def main() -> None:
    """Print a table of seconds and megabytes."""
    rows = [
        ("--help", *_timed("--help")),
        (
            "evaluate one window, cold",
            *_timed("evaluate", "-m", "flight-delay", "--window", *WINDOW, "--format", "json"),
        ),
        ("replay 30 days", *_timed("replay", "--until", "2013-05-16", "--format", "json")),
        ("replay the year", *_timed("replay", "--format", "json")),
    ]
    print("| what | seconds | peak MB of any process |\n|---|---|---|")
    for what, seconds, peak in rows:
        print(f"| {what} | {seconds:.1f} | {peak:.0f} |")


def _timed(*words: str) -> tuple[float, float]:
    """Wall seconds, and the largest resident size among the process and its workers, so far in this run."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if words[-1] == "json":
        json.loads(done.stdout)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return time.monotonic() - began, peak
