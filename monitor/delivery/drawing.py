"""Charts as PNG, drawn in a process of their own: the renderer takes 130 MB and reserves more addresses than a
worker may have."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime

from monitor.alerts.chart import Chart, spec

SCALE = 2.5
"""Pixels per point: sharp on a phone."""
TIMEOUT = 60.0


class CannotDraw(Exception):
    """There is no picture; its sentence says why."""


def png(chart: Chart, timeout: float = TIMEOUT) -> bytes:
    """Draw *chart*. Raises CannotDraw."""
    command = [sys.executable, "-m", "monitor.delivery.drawing"]
    asked = json.dumps(chart.to_data(), default=datetime.isoformat).encode()
    try:
        done = subprocess.run(command, input=asked, capture_output=True, timeout=timeout, check=False)  # noqa: S603  # ourselves
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise CannotDraw(f"The chart was not drawn: {problem}.") from problem
    if done.returncode or not done.stdout.startswith(b"\x89PNG"):
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise CannotDraw(f"The chart was not drawn (exit code {done.returncode}): {said[:300]}")
    return done.stdout


def main() -> None:
    """The process itself: a chart as JSON comes in, a PNG goes out."""
    import vl_convert

    drawn = spec(Chart.from_data(json.load(sys.stdin)))
    sys.stdout.buffer.write(vl_convert.vegalite_to_png(drawn, scale=SCALE))


if __name__ == "__main__":
    main()
