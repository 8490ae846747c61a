"""Flights of 2013 played until an incident is open, and the port over what the history keeps of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from monitor.app import build_app, present
from monitor.clock import wall_now
from monitor.delivery.drawing import Drawing
from monitor.errands import units_of
from monitor.schedule.vitals import Vitals
from monitor.settings import Settings, load_settings
from monitor.web.guard import Guard
from monitor.web.metrics import HistoryMetrics, VitalMetrics
from monitor.web.pages.showing import problems
from monitor.web.reader import Reader
from monitor.web.routes import routes
from monitor.web.server import Probes, Readiness, Server, create_app
from tests.world import command, environment

ROOT = Path(__file__).parents[2]
START, END = "2013-06-20", "2013-07-05"


def play(folder: Path) -> Settings:
    """Run the daemon in *folder* until the clock has played to its end."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    text = (ROOT / "config.toml").read_text()
    text = re.sub(r"(?m)^start = .*$", f"start = {START}T00:00:00Z", text)
    text = re.sub(r"(?m)^end = .*$", f"end = {END}T00:00:00Z", text)
    (folder / "config.toml").write_text(re.sub(r"(?m)^port = .*$", "port = 0", text))
    done = subprocess.run(
        command("run"), cwd=folder, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return load_settings(folder / "config.toml", {})


@contextmanager
def served(engine: Engine, settings: Settings, folder: Path) -> Iterator[str]:
    """The address of the port over a played history; monitor time stands at its end."""
    drawing, vitals, now = Drawing(), Vitals(stale_after=1e9), present(settings)
    metrics = HistoryMetrics(list, list, wall_now)
    probes = Probes(vitals.tick_age, vitals.stale, Readiness, VitalMetrics(vitals), metrics)
    units = units_of(build_app(settings, folder))
    reader = Reader(lambda: engine, settings, lambda: now, wall_now, units, drawing, vitals.under_way)
    server = Server(Guard(create_app(probes, routes(reader), problems(reader)), settings.web, wall_now), "127.0.0.1", 0)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()
    drawing.close()
