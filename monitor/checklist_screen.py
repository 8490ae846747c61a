"""How ``model-monitor checks`` looks in a terminal: readable from 80 columns on."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table

from checks.contract import EVERY_TASK, Metric
from monitor.checklist import Listed, name_of


def print_list(out: Console, found: Sequence[Listed]) -> None:
    """Each check in short: metrics that are alike share a line."""
    for one in found:
        out.print(_head(one))
        out.print(_prose(one.summary))
        out.print(_indented(_grouped(one.metrics)))
        if one.parameters:
            out.print(_indented(_parameters(one)))
        out.print(Padding(_foot(one), (0, 0, 1, 1), expand=False))
    out.print("[dim]One of them in full:[/] model-monitor checks KIND")


def print_one(out: Console, one: Listed) -> None:
    """A check in full."""
    out.print(_head(one))
    out.print(_prose(one.docstring))
    out.print(_indented(_each(one.metrics)))
    if one.parameters:
        out.print(_indented(_parameters(one)))
    out.print(Padding(_foot(one), (0, 0, 0, 1), expand=False))
    if one.file:
        out.print(f" [dim]file[/]   {escape(one.file)}", soft_wrap=True)


def _head(one: Listed) -> Rule:
    return Rule(f"[bold]{one.kind}[/] [dim]{escape(one.origin)}[/]", align="left", characters="─", style="dim")


def _prose(text: str) -> Padding:
    """A docstring as it is read, line breaks inside of paragraphs left to the terminal."""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    return Padding(escape("\n\n".join(paragraphs)), (0, 1, 0, 1), expand=False)


def _foot(one: Listed) -> str:
    lines = [f"[dim]needs[/]  {', '.join(one.needs) or 'predictions'}"]
    lines += [f"[dim]page[/]   {one.page}"] if one.page else []
    return "\n".join(lines)


def _grouped(metrics: Sequence[Metric]) -> Table:
    alike: dict[tuple[str, ...], list[str]] = {}
    for metric in metrics:
        alike.setdefault(_traits(metric), []).append(name_of(metric))
    return _metrics("metrics", [(escape(", ".join(names)), *traits) for traits, names in alike.items()])


def _each(metrics: Sequence[Metric]) -> Table:
    told = [f"{escape(name_of(metric))}\n[dim]{escape(metric.summary)}[/]" for metric in metrics]
    return _metrics("metric", [(name, *_traits(metric)) for name, metric in zip(told, metrics, strict=True)])


def _traits(metric: Metric) -> tuple[str, ...]:
    tasks = "every task" if set(metric.tasks) == set(EVERY_TASK) else ", ".join(metric.tasks)
    return metric.better, "page" if metric.pages else "warn", tasks, escape(metric.unit)


def _metrics(first: str, rows: Sequence[tuple[str, ...]]) -> Table:
    """Units are a column only where there are some."""
    units = any(unit for *_, unit in rows)
    table = _table(first, "better", "severity", "of models", *(["unit"] if units else []))
    for row in rows:
        table.add_row(*(row if units else row[:-1]))
    return table


def _parameters(one: Listed) -> Table:
    table = _table("parameter", "default", "what it is")
    for each in one.parameters:
        table.add_row(each.name, escape(each.default), escape(each.meaning))
    return table


def _table(*headers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False, header_style="dim")
    for place, header in enumerate(headers):
        narrow = header in {"better", "severity", "parameter"}
        table.add_column(header, overflow="fold", no_wrap=narrow, style="cyan" if place == 0 else "")
    return table


def _indented(table: Table) -> Padding:
    return Padding(table, (0, 0, 0, 1), expand=False)
