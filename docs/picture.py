"""Draws docs/run.svg: what ``make run`` shows by the end of July, from a real replay of the example.

python docs/picture.py
"""

from __future__ import annotations

import io
import os
import re
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from monitor.alerts.routing import Route, Routing
from monitor.app import FOREVER, build_app, open_store
from monitor.clock import wall_now
from monitor.delivery.console import ConsoleReceiver
from monitor.delivery.outbox import SqlOutbox
from monitor.delivery.relay import Relay
from monitor.history import queries
from monitor.logs import configure_logs
from monitor.schedule.replay import replay
from monitor.schedule.runner import Runner
from monitor.schedule.vitals import Vitals
from monitor.schedule.work import Desk
from monitor.screen import promises_table
from monitor.settings import load_settings

ROOT = Path(__file__).parents[1]
START, END = datetime(2013, 6, 10, tzinfo=UTC), datetime(2013, 7, 15, tzinfo=UTC)


def main() -> None:
    """Replay five weeks, deliver what was due to a recorded console, and save it."""
    configure_logs(level="WARNING")
    app = build_app(load_settings(ROOT / "config.toml", os.environ), ROOT)
    out = Console(record=True, width=112, force_terminal=True, highlight=False, file=io.StringIO())
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(app.settings, ROOT, f"sqlite:///{folder}/history.db")
        desk = Desk(
            store,
            Routing((Route("console"),)),
            Vitals(stale_after=1e9),
            FOREVER,
            threading.Event(),
            0,
            report=False,
            played_from=START,
        )
        runner = Runner(desk, app.watches, app.settings.schedule)
        replay(runner, START, END, lambda _: None)
        runner.stop(grace=0.0)
        relay = Relay(SqlOutbox(store.engine), [ConsoleReceiver(out)])
        while relay.do_one(wall_now() + timedelta(seconds=1)):
            pass
        out.print()
        out.print("[dim]...[/]\n")
        out.print(promises_table(queries.latest_verdicts(store.engine)))
        store.engine.dispose()
    picture = out.export_svg(title="make run")
    # Rich would fetch a font from elsewhere each time somebody looks.
    (ROOT / "docs" / "run.svg").write_text(re.sub(r"@font-face\s*\{[^}]*\}", "", picture))


if __name__ == "__main__":
    main()
