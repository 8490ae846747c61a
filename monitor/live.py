"""``run`` on a terminal: messages scroll by above a live table of models, verdicts and progress."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from monitor.app import App
from monitor.history import queries
from monitor.history.problems import HistoryUnavailable
from monitor.history.queries import HistoryRow
from monitor.release.words import duration
from monitor.screen import promises_table
from monitor.service import Service
from monitor.settings import ClockSettings

MOST_PROMISES = 24


def run_on_screen(app: App, stop: threading.Event, out: Console) -> None:
    """Run the daemon until stopped, or until a played clock has come to its end."""
    service = Service(app, stop, out)
    for line in greeting(service):
        out.print(line)
    if out.is_terminal:
        view = LiveView(service)
        with Live(view.draw(), console=out, refresh_per_second=4, transient=True) as live:
            service.run(lambda: live.update(view.draw()))
        out.print(view.draw())
    else:
        service.run()
    for line in farewell(service):
        out.print(line)


def greeting(service: Service) -> list[str]:
    """What runs, who is told, and where to look."""
    settings = service.app.settings
    count = len(service.app.watches)
    lines = [f"[bold]model-monitor[/] watches {count} {'model' if count == 1 else 'models'}."]
    if settings.slack.token is None:
        lines.append("Slack is not told, so every alert is shown here as the Slack message would read.")
    else:
        lines.append(f"Alerts go to Slack, {settings.slack.channel}.")
    if settings.clock is not None:
        lines.append(_played(settings.clock, service.clock.now()))
    lines.append(
        f"Look at http://{settings.web.host}:{service.port}/   health: /healthz   metrics: /metrics   stop: Ctrl-C"
    )
    return [*lines, ""]


def farewell(service: Service) -> list[str]:
    """What to do next, once a played clock has ended."""
    if not service.clock.finished():
        return []
    again = service.store.engine.url.database
    return [
        "The recording has been played to its end. See what is kept:  model-monitor history --verdict breach",
        f"To play it again, delete {again} first." if again else "",
    ]


def _played(clock: ClockSettings, now: datetime) -> str:
    goes_on = f" It goes on at {now:%d %b %Y}." if now - clock.start > clock.speed * 5 else ""
    until = f" to {clock.end:%d %b %Y}" if clock.end else ""
    return (
        f"The clock is played back: {clock.start:%d %b %Y}{until}, {duration(clock.speed)} a second.{goes_on} "
        r"Without \[clock] in config.toml it is the real one."
    )


class LiveView:
    """The table under the messages."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._rows: list[HistoryRow] = []

    def draw(self) -> RenderableType:
        """The present state; the last one known while the database is away."""
        trouble = ""
        try:
            self._rows = queries.latest_verdicts(self._service.store.engine)
        except HistoryUnavailable as problem:
            trouble = str(problem)
        parts: list[RenderableType] = [Text(""), promises_table(_worst_first(self._rows)[:MOST_PROMISES])]
        hidden = len(self._rows) - MOST_PROMISES
        if hidden > 0:
            parts.append(Text(f"and {hidden} more promises; model-monitor models shows the fleet", style="dim"))
        if trouble:
            parts.append(Text(trouble, style="magenta"))
        return Group(*parts, self._progress())

    def _progress(self) -> RenderableType:
        now = self._service.clock.now()
        clock = self._service.app.settings.clock
        if clock is None or clock.end is None:
            return Text(f"{now:%Y-%m-%d %H:%M:%S} UTC", style="dim")
        grid = Table.grid(padding=(0, 1))
        total = (clock.end - clock.start).total_seconds()
        bar = ProgressBar(total=total, completed=(now - clock.start).total_seconds(), width=48)
        grid.add_row(Text(f"{now:%d %b %Y}", style="bold"), bar, Text(f"to {clock.end:%d %b %Y}", style="dim"))
        return grid


def _worst_first(rows: Sequence[HistoryRow]) -> list[HistoryRow]:
    order = {"breach": 0, "error": 1, "unknown": 2, "ok": 3}
    return sorted(rows, key=lambda row: (order.get(row.verdict or "", 4), row.model, row.segment != "", row.name))
