"""An incident judged again, on a terminal: recorded and now side by side in all their digits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape

from monitor.alerts.words import moment
from monitor.history.judged import RecordedVerdict
from monitor.release.words import display_name
from monitor.reproducing import Reproduced
from monitor.screen import print_plain, table_of


def print_reproduced(out: Console, found: Sequence[Reproduced], form: str) -> None:
    """Whether each window of an incident was judged again as it was recorded, and what differs."""
    if form != "table":
        print_plain([row for one in found for row in _rows(one)], form)
        return
    for one in found:
        window = one.recorded.story.evaluation
        revision = f", revision {window.revision}" if window.revision else ""
        extent = f"{moment(window.window_start)} to {moment(window.window_end)} UTC"
        out.print(f"[bold]{extent}[/]  {escape(window.plan)}{revision}")
        table = table_of("Metric", "Segment", "Recorded", "Now", "Verdict", "")
        for pair in one.pairs:
            then, now = pair.then, pair.now
            mark = "[green]equal[/]" if pair.equal else "[bold red]differs[/]"
            name = display_name(then.metric, then.column)
            verdict = (
                then.verdict if now and now.verdict == then.verdict else f"{then.verdict}, now {now and now.verdict}"
            )
            table.add_row(escape(name), escape(then.segment), _exact(then), _exact(now), verdict, mark)
        out.print(table)
        for cause in one.causes:
            out.print(escape(cause))
    equal = sum(one.equal for one in found)
    style = "green" if equal == len(found) else "bold red"
    out.print(f"[{style}]{equal} of {len(found)} windows are judged again as recorded, to the digit.[/]")


def _exact(verdict: RecordedVerdict | None) -> str:
    """Value, interval and limit in all their digits."""
    if verdict is None:
        return "no verdict"
    if verdict.value is None:
        return "no value"
    ends = "" if verdict.low is None and verdict.high is None else f" \\[{verdict.low!r}, {verdict.high!r}]"
    return f"{verdict.value!r}{ends}, held to {verdict.limit!r}"


def _rows(one: Reproduced) -> Iterator[dict[str, object]]:
    window = one.recorded.story.evaluation
    for pair in one.pairs:
        then, now = asdict(pair.then), asdict(pair.now) if pair.now else {}
        about = {name: then.pop(name) for name in ("metric", "column", "segment", "side")}
        yield {
            "model": window.model,
            "window_start": window.window_start,
            "window_end": window.window_end,
            "revision": window.revision,
            **about,
            "equal": pair.equal,
            **{f"recorded_{name}": value for name, value in then.items()},
            **{f"now_{name}": now.get(name) for name in then},
            "causes": " ".join(one.causes),
        }
