"""How incidents and silences look in a terminal, and as JSON and CSV."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from monitor.alerts.words import moment
from monitor.history.answers import incident_answer, json_lines, mutes, said_of, silence_answer, story_answer
from monitor.history.records import Silence
from monitor.history.rows import IncidentRow, IncidentStory
from monitor.release.words import number
from monitor.screen import print_plain, table_of

_TOLD = {
    "told": "[green]told[/]",
    "waiting": "[yellow]waiting[/]",
    "blocked": "[bold red]blocked[/]",
    "muted": "[magenta]muted[/]",
    "nobody": "nobody",
}
_STATE = {
    "sent": "[green]told[/]",
    "superseded": "[green]told[/]",
    "pending": "[yellow]waiting[/]",
    "blocked": "[bold red]blocked[/]",
    "suppressed": "[magenta]not told[/]",
}


def print_list(out: Console, found: Sequence[IncidentRow], form: str) -> None:
    """Incidents, a line each."""
    if form != "table":
        print_plain([incident_answer(row) for row in found], form)
        return
    if not found:
        out.print("There is no such incident.")
        return
    table = table_of("Id", "Opened (UTC)", "Ended (UTC)", "Model", "Severity", "Alerts", "Told", "Acknowledged")
    for row in found:
        ended = f"{moment(row.resolved_at)}{_unusual(row)}" if row.resolved_at else "[bold red]open[/]"
        seen = "" if row.acknowledged is None or row.resolved_at else _seen(row)
        table.add_row(
            str(row.id),
            moment(row.opened_at) + (f"\nagain {moment(row.since)}" if row.relapses else ""),
            ended,
            escape(row.model),
            row.severity,
            escape(_few(row.alerts)),
            _TOLD[row.told],
            escape(seen),
        )
    out.print(table)
    out.print("[dim]All of one of them, and who was told:[/] model-monitor incidents ID")


def print_story(out: Console, story: IncidentStory, silences: Sequence[Silence], form: str) -> None:
    """Everything about one incident; as CSV its notifications."""
    if form == "csv":
        print_plain(story.notifications, form)
        return
    if form == "json":
        sys.stdout.write(json_lines(story_answer(story, silences)))
        return
    incident = story.incident
    ended = moment(incident.resolved_at) + " UTC" if incident.resolved_at else "[bold red]still open[/]"
    who = [f"{incident.model} {incident.version}", incident.severity, story.owner or ""]
    out.print(f"[bold]Incident {incident.id}[/] · {escape(' · '.join(filter(None, who)))}")
    again = f", again {moment(incident.since)} UTC" if incident.relapses else ""
    out.print(f"{moment(incident.opened_at)} UTC{again} → {ended}{_unusual(incident)}")
    _print_alerts(out, story)
    _print_transitions(out, story)
    _print_notifications(out, story)
    _print_acknowledgements(out, story)
    if silences:
        _section(out, "Silences that fit it", "times of the clock", _silence_table(silences))


def print_silences(out: Console, found: Sequence[Silence], now: datetime, form: str) -> None:
    """Silences, a line each."""
    if form != "table":
        print_plain([silence_answer(each, now) for each in found], form)
        return
    if not found:
        out.print("Nothing is silenced.")
        return
    out.print(_silence_table(found))


def _print_alerts(out: Console, story: IncidentStory) -> None:
    table = table_of("Metric", "Segment", "Severity", "Opened (UTC)", "Ended (UTC)", "Value", "Threshold")
    for each in story.alerts:
        ended = moment(each.resolved_at) if each.resolved_at else "[bold red]open[/]"
        name = (escape(each.metric), escape(each.segment), each.severity)
        table.add_row(*name, moment(each.opened_at), ended, _value(each.value), _value(each.threshold))
    _section(out, "Alerts", "times of windows", table)


def _print_transitions(out: Console, story: IncidentStory) -> None:
    if not story.transitions:
        return
    table = table_of("Window end (UTC)", "Metric", "Segment", "From", "To", "Reason", "Value")
    for each in story.transitions:
        name = (escape(each.metric), escape(each.segment))
        change = (each.before, each.after, each.reason.replace("_", " "))
        table.add_row(moment(each.window_end), *name, *change, _value(each.value))
    _section(out, "What happened", "times of windows", table)


def _print_notifications(out: Console, story: IncidentStory) -> None:
    if not story.notifications:
        out.print("\nNobody was told: the incident fits no receiver.")
        return
    table = table_of("When (UTC)", "Reason", "Receiver", "", "What, or why not")
    for each in story.notifications:
        reason = each.reason.replace("_", " ")
        at = f"{each.sent_at or each.created_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(at, reason, escape(each.receiver), _STATE[each.state], escape(said_of(each)))
    _section(out, "Who was told", "times of the clock", table)


def _print_acknowledgements(out: Console, story: IncidentStory) -> None:
    if not story.acknowledgements:
        return
    table = table_of("Given (UTC)", "Until (UTC)", "Of a", "Author", "Comment")
    for each in story.acknowledgements:
        given = (moment(each.created_at), moment(each.expires_at), each.severity)
        table.add_row(*given, escape(each.author), escape(each.comment))
    _section(out, "Acknowledgements", "times of the clock", table)


def _section(out: Console, title: str, times: str, table: Table) -> None:
    table.show_edge = False
    out.print(f"\n[bold]{title}[/] [dim]({times})[/]")
    out.print(table)


def _silence_table(found: Sequence[Silence]) -> Table:
    table = table_of("Id", "Mutes", "From (UTC)", "Until (UTC)", "Author", "Comment")
    for each in found:
        period = (moment(each.starts_at), moment(each.ends_at))
        table.add_row(str(each.id), escape(mutes(each.matchers)), *period, escape(each.author), escape(each.comment))
    return table


def _unusual(row: IncidentRow) -> str:
    """How it ended, where it was not resolved."""
    return "" if row.end_reason in ("", "resolved") else f" ({row.end_reason.replace('_', ' ')})"


def _seen(row: IncidentRow) -> str:
    given = row.acknowledged
    return "" if given is None else f"{given.author} until {moment(given.expires_at)}"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _value(value: float | None) -> str:
    return "–" if value is None else number(value)
