"""How a release that was recorded looks, and the list of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape

from monitor.alerts.words import moment
from monitor.history.releases import Frozen, Release
from monitor.release.gate import lines_of
from monitor.release.words import display_name, number, rows
from monitor.releasing import Released
from monitor.screen import print_plain, table_of


def print_release(out: Console, done: Released, deployed: str) -> None:
    """What was recorded, and what is left to be done."""
    made, evidence = done.release, done.release.evidence
    if done.already is not None:
        out.print(f"{escape(made.model)} {escape(made.version)} is released since {moment(done.already)} UTC already.")
    else:
        out.print(f"[green]{escape(made.model)} {escape(made.version)} is released.[/]")
    if evidence is not None:
        out.print(
            f"Its reference: {escape(evidence.reference)}, {rows(evidence.rows)}, profile {evidence.profile[:8]}."
        )
    values = {(one.metric, one.column, one.segment): one for one in evidence.measured} if evidence else {}
    for verdict in done.judged.verdicts:
        own = values.get((verdict.bound.metric, verdict.column, verdict.segment))
        if own is not None:
            out.print(f"  {escape(verdict.sentence)}")
    below = [
        display_name(line.verdict.bound.metric, line.verdict.column, line.verdict.segment)
        for line in lines_of(done.judged.verdicts)
        if line.answer == "falls_below"
    ]
    if below:
        out.print(f"[bold red]Its own reference falls below its contract: {escape(', '.join(below))}.[/]")
    if deployed != made.version:
        out.print(f'config.toml still says version = "{escape(deployed)}": set it once {escape(made.version)} is live.')


def print_releases(out: Console, found: Sequence[Release], form: str) -> None:
    """Contracts, a line each."""
    if form != "table":
        print_plain([_release(one, form) for one in found], form)
        return
    if not found:
        out.print("The history knows no release yet; model-monitor release records one, run whatever config.toml says.")
        return
    table = table_of("Model", "Version", "Released (UTC)", "First seen (UTC)", "Owner", "Contract", "Rows", "Bounds")
    for one in found:
        table.add_row(
            escape(one.model),
            escape(one.version),
            moment(one.released_at) if one.released_at else "[dim]not recorded[/]",
            moment(one.recorded_at),
            escape(str(one.contract.get("owner", ""))),
            one.contract_hash[:8],
            f"{one.evidence.rows:,}" if one.evidence else "",
            escape(", ".join(_promises(one))),
        )
    out.print(table)


def _promises(release: Release) -> list[str]:
    """``accuracy min 0.728 (had 0.781)``."""
    had = {display_name(one.metric, one.column, one.segment): one.value for one in _frozen(release)}
    promised = []
    for name, bounds in release.contract["release"].items():
        said = " ".join(
            f"{key} {bounds[key]}" for key in ("min", "max", "min_of_release", "max_of_release") if key in bounds
        )
        promised.append(f"{name} {said}{f' (had {number(had[name])})' if name in had else ''}")
    return promised


def _frozen(release: Release) -> Sequence[Frozen]:
    return release.evidence.measured if release.evidence else ()


def _release(release: Release, form: str) -> dict[str, object]:
    evidence = release.evidence
    data: dict[str, object] = {
        "model": release.model,
        "version": release.version,
        "released_at": release.released_at,
        "recorded_at": release.recorded_at,
        "owner": release.contract.get("owner"),
        "contract_hash": release.contract_hash,
        "reference": evidence and evidence.reference,
        "rows": evidence and evidence.rows,
        "outcomes": evidence and evidence.outcomes,
        "profile": evidence and evidence.profile,
    }
    if form == "csv":
        return data
    return {**data, "contract": release.contract, "measured": [asdict(one) for one in _frozen(release)]}
