"""A replay on a terminal: one line of time per bound, when people would have been told, and how often."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from monitor.alerts.message import WORD
from monitor.alerts.words import at_bound, moment
from monitor.history.answers import json_lines
from monitor.history.rows import HistoryRow
from monitor.release.words import display_name, number
from monitor.replaying import Replayed, Strip, Told, as_data
from monitor.screen import print_plain, table_of

WIDEST, NARROWEST = 100, 20
MARKS = {"breach": "█", "error": "×", "unknown": "?", "suspicious": "▒", "ok": "·", "": " "}
STYLES = {"█": "bold red", "×": "magenta", "?": "yellow", "▒": "yellow", "·": "green", "▲": "bold red", "△": "yellow"}
LEGEND = "█ breach  ▒ beyond, within chance  · holds  ? unknown  × error   ▲ page  △ warning  ▽ over"


def print_replay(out: Console, runs: Sequence[Replayed], form: str) -> None:
    """What each contract would have done: the present one, and the changed one where there is one."""
    if form == "csv":
        print_plain([{"contract": _name(run), **asdict(row)} for run in runs for row in run.incidents], form)
        return
    if form == "json":
        out.file.write(json_lines(replay_data(runs)))
        return
    for model in sorted({strip.model for run in runs for strip in run.strips}):
        _print_model(out, model, runs)
    out.print(f"[dim]{LEGEND}[/]")
    for run in runs:
        _print_told(out, run, alone=len(runs) == 1)
    for run in runs:
        out.print(_summary(run, alone=len(runs) == 1))


def replay_data(runs: Sequence[Replayed]) -> dict[str, object]:
    """One object, for programs."""
    contracts = [{"contract": _name(run), **as_data(run), "incidents": run.incidents} for run in runs]
    return {"since": runs[0].since, "until": runs[0].until, "contracts": contracts}


def marks_of(windows: Sequence[HistoryRow], since: datetime, until: datetime, width: int) -> str:
    """The windows as *width* signs from *since* to *until*, each the worst of the windows that end in its time."""
    worst = [""] * width
    order = list(MARKS)
    for row in windows:
        place = place_of(row.window_end, since, until, width)
        state = "suspicious" if row.verdict == "ok" and row.reason not in ("holds", "not_clear") else row.verdict or ""
        worst[place] = min(worst[place], state, key=order.index)
    return "".join(MARKS[state] for state in worst)


def place_of(at: datetime, since: datetime, until: datetime, width: int) -> int:
    """Where a moment stands among *width* signs."""
    return min(max(int((at - since) / ((until - since) / width)), 0), width - 1)


def _print_model(out: Console, model: str, runs: Sequence[Replayed]) -> None:
    since, until = runs[0].since, runs[0].until
    out.print(f"[bold]{escape(model)}[/]  {since:%Y-%m-%d} to {until:%Y-%m-%d}")
    lines = list(_lines(model, runs))
    label = max(len(text) for text, _, _ in lines)
    tail = max(len(count) for _, _, count in lines)
    fits = out.width - label - tail - 6
    width = min(max(fits, NARROWEST), WIDEST, max((until - since) // timedelta(days=1), NARROWEST))
    table = Table.grid(padding=(0, 2))
    table.add_row("", f"[dim]{_axis(since, until, width)}[/]", "")
    for text, draw, count in lines:
        table.add_row(escape(text), _coloured(draw(width)), escape(count))
    out.print(table)


def _lines(model: str, runs: Sequence[Replayed]) -> Iterator[tuple[str, Callable[[int], str], str]]:
    """A label, what draws the signs, and what stands after them: each bound, once where the contracts agree on it, and
    then what was told."""
    keys = dict.fromkeys(strip.key for run in runs for strip in run.strips if strip.model == model)
    for key in keys:
        same = [(run, strip) for run in runs for strip in run.strips if strip.key == key]
        for run, strip in {(strip.threshold, strip.verdicts): (run, strip) for run, strip in same}.values():
            count = f"{strip.breaches:,} of {len(strip.windows):,} in breach" if strip.breaches else ""
            yield _promise(strip), partial(marks_of, strip.windows, run.since, run.until), count
    for run in runs:
        told = [one for one in run.told if one.message.model == model]
        label = "told" if len(runs) == 1 else f"told by the {_name(run)} contract"
        yield label, partial(_told_marks, told, run.since, run.until), ""


def _promise(strip: Strip) -> str:
    return f"{display_name(strip.metric, '', strip.segment)} {at_bound(strip.side, strip.threshold)}"


def _told_marks(told: Sequence[Told], since: datetime, until: datetime, width: int) -> str:
    signs = [" "] * width
    order = "▲△▽ "
    for one in told:
        sign = "▲" if one.pages else "△" if one.warns else "▽" if one.message.state == "resolved" else " "
        place = place_of(one.at, since, until, width)
        signs[place] = min(signs[place], sign, key=order.index)
    return "".join(signs)


def _coloured(signs: str) -> str:
    return "".join(f"[{STYLES[sign]}]{sign}[/]" if sign in STYLES else sign for sign in signs)


def _axis(since: datetime, until: datetime, width: int) -> str:
    """The names of months where they begin, as far as there is room."""
    signs = [" "] * width
    free = 0
    for place in range(width):
        at = since + (until - since) * place / width
        before = since + (until - since) * (place - 1) / width
        if (place == 0 or at.month != before.month) and place >= free and place + 3 <= width:
            signs[place : place + 3] = list(f"{at:%b}")
            free = place + 5
    return "".join(signs)


def _print_told(out: Console, run: Replayed, *, alone: bool) -> None:
    if not run.told:
        return
    table = table_of("Window end (UTC)", "Model", "Told", "What")
    for one in run.told:
        state = one.message.state
        word = WORD[state] if one.pages or one.warns or state == "resolved" else "in the thread"
        style = "bold red" if one.pages else "yellow" if one.warns else "green" if state == "resolved" else "dim"
        told = f"[{style}]{word}[/]"
        table.add_row(moment(one.at), escape(one.message.model), told, escape(one.message.changed))
    if not alone:
        out.print(f"\n[bold]Told by the {_name(run)} contract[/]")
    out.print(table)


def _summary(run: Replayed, *, alone: bool) -> str:
    pages, warnings = f"{run.pages} {_many(run.pages, 'page')}", f"{run.warnings} {_many(run.warnings, 'warning')}"
    which = "" if alone else f"{_name(run)} contract{_changes(run)}: "
    return f"{which}[bold]{pages}[/] ({number(run.pages_a_month, 2)} per 30 days), {warnings}."


def _changes(run: Replayed) -> str:
    return f" ({escape(', '.join(run.changes))})" if run.changes else ""


def _many(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def _name(run: Replayed) -> str:
    return "changed" if run.changes else "present"
