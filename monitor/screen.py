"""What a person sees in the terminal: tables, progress, and the live table of ``run``."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from monitor.app import App
from monitor.by_hand import Evaluated
from monitor.history.answers import ModelAnswer, flat, json_lines, model_answers
from monitor.history.deliveries import ReceiverRow
from monitor.history.queries import ArtifactRow, HistoryRow, ModelRow
from monitor.inspection import Finding
from monitor.receivers import well
from monitor.release.words import number

SHOWN_REASONS = {"watch": "watch", "not_back": "not back yet", "inconclusive": "may be chance"}
VERDICT_STYLE = {"ok": "green", "breach": "bold red", "unknown": "yellow", "error": "magenta"}


def console() -> Console:
    """Standard output: coloured and fitted on a terminal, plain and wide in a pipe."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, width=160, no_color=True)


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """A spinner on a terminal's standard error; silence in a pipe."""
    err = Console(stderr=True)
    if not err.is_terminal:
        yield lambda _: None
        return
    with err.status(what) as status:
        yield lambda detail: status.update(f"{what}: {detail}")


@contextmanager
def replay_progress(begin: datetime, end: datetime) -> Iterator[Callable[[datetime], None]]:
    """A bar from *begin* to *end* on a terminal's standard error; silence in a pipe."""
    err = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("Replaying {task.fields[at]}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("replay", total=(end - begin).total_seconds(), at=f"{begin:%Y-%m-%d}")

        def tell(now: datetime) -> None:
            bar.update(task, completed=(now - begin).total_seconds(), at=f"{now:%Y-%m-%d}")

        yield tell


def print_findings(out: Console, findings: Sequence[Finding]) -> None:
    """What ``check`` found, a line each."""
    table = table_of("", "What", "Where", "Found")
    for finding in findings:
        mark = "[green]✓[/]" if finding.ok else "[bold red]✗[/]"
        table.add_row(mark, *map(escape, (finding.what, finding.where, finding.found)))
    out.print(table)
    wrong = sum(not finding.ok for finding in findings)
    out.print(f"[bold red]{wrong} of {len(findings)} need mending.[/]" if wrong else "[green]Everything answers.[/]")


def print_evaluation(out: Console, done: Sequence[Evaluated], form: str) -> None:
    """Measurements with their verdicts."""
    rows = [row for evaluated in done for row in _evaluation_rows(evaluated)]
    if form != "table":
        print_plain(rows, form)
        return
    for evaluated in done:
        due = evaluated.due
        rows_read = f"{evaluated.result.rows:,} rows, {evaluated.result.outcomes:,} with outcome"
        out.print(
            f"[bold]{due.start:%Y-%m-%d %H:%M} to {due.end:%Y-%m-%d %H:%M} UTC[/]  {evaluated.plan.name}  {rows_read}"
        )
        if evaluated.result.source_failure:
            out.print(f"[magenta]{escape(evaluated.result.source_failure)}[/]")
        if evaluated.remark:
            out.print(f"[yellow]{escape(evaluated.remark)}[/]")
        table = table_of("Metric", "Segment", "Value", "Interval", "Rows", "Verdict", "Why")
        for row in sorted(_evaluation_rows(evaluated), key=lambda row: not row["verdict"]):  # what is promised first
            table.add_row(
                escape(str(row["metric"])),
                escape(str(row["segment"])),
                _number(row["value"]),
                _interval(row["low"], row["high"]),
                f"{row['rows']:,}",
                _verdict(str(row["verdict"]), str(row["reason"])),
                escape(str(row["sentence"])),
            )
        out.print(table)


def print_history(out: Console, rows: Sequence[HistoryRow], form: str) -> None:
    """Measurements of the past with their verdicts."""
    if form != "table":
        print_plain(rows, form)
        return
    if not rows:
        out.print("Nothing in the history matches.")
        return
    table = table_of("Window end (UTC)", "Model", "Metric", "Segment", "Value", "Interval", "Bound", "Rows", "Verdict")
    for row in rows:
        table.add_row(
            f"{row.window_end:%Y-%m-%d %H:%M}",
            escape(row.model),
            escape(row.name),
            escape(row.segment),
            _number(row.value),
            _interval(row.low, row.high),
            _bound(row),
            f"{row.rows:,}",
            _verdict(row.verdict or "", row.reason or ""),
        )
    out.print(table)


def print_models(out: Console, app: App, rows: Sequence[ModelRow], form: str) -> None:
    """The fleet: every configured model with what the history knows of it."""
    merged = model_answers([watch.model for watch in app.watches], rows)
    if form != "table":
        print_plain(merged, form)
        return
    out.print(models_table(merged))


def models_table(merged: Sequence[ModelAnswer]) -> Table:
    """The fleet as a table."""
    table = table_of("Model", "Version", "Verdict", "Newest window (UTC)", "Incident since", "Owner")
    for row in merged:
        table.add_row(
            escape(row.model),
            escape(row.version),
            _verdict(row.verdict, "watch" if row.watch else ""),
            f"{row.window_end:%Y-%m-%d %H:%M}" if row.window_end else "none yet",
            f"{row.incident_since:%Y-%m-%d}" if row.incident_since else "",
            escape(row.owner or ""),
        )
    return table


def promises_table(rows: Sequence[HistoryRow]) -> Table:
    """Each promise with its newest verdict."""
    table = table_of("Model", "Metric", "Segment", "Promised", "Value", "Interval", "Window end (UTC)", "Verdict")
    for row in rows:
        table.add_row(
            escape(row.model),
            escape(row.name),
            escape(row.segment),
            _bound(row),
            _number(row.value),
            _interval(row.low, row.high),
            f"{row.window_end:%Y-%m-%d}",
            _verdict(row.verdict or "", row.reason or ""),
        )
    return table


def print_artifacts(out: Console, rows: Sequence[ArtifactRow], form: str) -> None:
    """The documents that checks left, a line each."""
    if form != "table":
        print_plain(rows, form)
        return
    if not rows:
        out.print("No check has left a document, or none is kept any more.")
        return
    table = table_of("Id", "Window end (UTC)", "Model", "Check", "Name", "Incident", "Size", "Made (UTC)")
    for row in rows:
        table.add_row(
            str(row.id),
            f"{row.window_end:%Y-%m-%d %H:%M}",
            row.model,
            row.check,
            row.name,
            "" if row.incident_id is None else str(row.incident_id),
            f"{row.size / 1e6:,.1f} MB" if row.size >= 1e5 else f"{row.size / 1e3:,.1f} kB",
            f"{row.created_at:%Y-%m-%d %H:%M}",
        )
    out.print(table)


def print_receivers(out: Console, rows: Sequence[ReceiverRow], form: str) -> None:
    """Who is told, a line each."""
    if form != "table":
        print_plain(rows, form)
        return
    table = table_of(
        "", "Receiver", "Last told (UTC)", "Waiting", "Blocked", "Suppressed", "Paused until", "What is wrong"
    )
    for row in rows:
        mark = "[green]✓[/]" if well(row) else "[bold red]✗[/]"
        told, paused = (f"{at:%Y-%m-%d %H:%M}" if at else "" for at in (row.sent_at, row.blocked_until))
        counts = map(str, (row.waiting, row.blocked, row.suppressed))
        table.add_row(mark, escape(row.receiver), told, *counts, paused, escape(row.error))
    out.print(table)


def table_of(*headers: str) -> Table:
    """An empty table; numbers stand on the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    for header in headers:
        numeric = header in {
            "Value",
            "Rows",
            "Threshold",
            "Bound",
            "Promised",
            "Id",
            "Size",
            "Waiting",
            "Blocked",
            "Suppressed",
        }
        table.add_column(header, justify="right" if numeric else "left", overflow="fold")
    return table


def _evaluation_rows(evaluated: Evaluated) -> Iterator[dict[str, object]]:
    judged = {(v.bound.metric, v.column, v.segment): v for v in evaluated.verdicts}
    for event in evaluated.result.measured.values():
        for measured in event.measurements:
            verdict = judged.pop((measured.metric, measured.column, measured.segment), None)
            yield {
                "metric": ".".join(filter(None, (measured.metric, measured.column))),
                "segment": measured.segment,
                "value": measured.value,
                "low": measured.low,
                "high": measured.high,
                "rows": measured.rows,
                "verdict": verdict.state if verdict else "",
                "reason": verdict.reason if verdict else "",
                "sentence": verdict.sentence if verdict else "",
            }
    for (metric, column, segment), verdict in judged.items():
        yield {
            "metric": ".".join(filter(None, (metric, column))),
            "segment": segment,
            "value": None,
            "low": None,
            "high": None,
            "rows": verdict.rows,
            "verdict": verdict.state,
            "reason": verdict.reason,
            "sentence": verdict.sentence,
        }


def print_plain(answers: Sequence[Any], form: str) -> None:
    """JSON or CSV on standard output, never wrapped or coloured."""
    if form == "json":
        sys.stdout.write(json_lines(answers))
        return
    if answers:
        cells = [flat(answer) for answer in answers]
        writer = csv.DictWriter(sys.stdout, fieldnames=list(cells[0]))
        writer.writeheader()
        writer.writerows(cells)


def _verdict(state: str, reason: str = "") -> str:
    """The verdict, with its reason where days are not what they should be and nobody is paged."""
    more = f"[yellow], {SHOWN_REASONS[reason]}[/]" if state == "ok" and reason in SHOWN_REASONS else ""
    return f"[{VERDICT_STYLE[state]}]{state}[/]{more}" if state in VERDICT_STYLE else ""


def _bound(row: HistoryRow) -> str:
    if row.threshold is None:
        return ""
    return f"{'≥' if row.side == 'min' else '≤'} {number(row.threshold)}"


def _number(value: object) -> str:
    return number(value) if isinstance(value, float | int) else "–"


def _interval(low: object, high: object) -> str:
    if not isinstance(low, float | int) or not isinstance(high, float | int):
        return ""
    return f"\\[{number(low)}, {number(high)}]"
