"""How the gate's answer looks: a table for people, JSON, Markdown for a merge request, JUnit for the page of a CI."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.markup import escape

from monitor.alerts.words import at_bound
from monitor.history.answers import json_lines
from monitor.release.contract import Bound
from monitor.release.gate import Answer, Line, ruling
from monitor.release.words import display_name, interval, measured, rows, told_apart
from monitor.screen import table_of

ANSWERS: dict[Answer, str] = {"holds": "holds", "falls_below": "falls below", "cannot_tell": "cannot tell"}
STYLES: dict[Answer, str] = {"holds": "green", "falls_below": "bold red", "cannot_tell": "yellow"}
MARKS: dict[Answer, str] = {"holds": "✅", "falls_below": "❌", "cannot_tell": "❔"}


@dataclass(frozen=True, slots=True)
class GateResult:
    """Everything that is told of a candidate. *against* says what the champion's values are of; None without one."""

    model: str
    version: str
    contract_hash: str
    candidate: str
    start: datetime
    end: datetime
    rows: int
    outcomes: int
    lines: tuple[Line, ...]
    left_out: tuple[Bound, ...]
    against: str | None = None

    @property
    def answer(self) -> Answer:
        return ruling(self.lines)


def print_gate(out: Console, result: GateResult, form: str) -> None:
    """The answer in one of the forms of ``gate --format``."""
    written = {"json": as_json, "markdown": as_markdown, "junit": as_junit}.get(form)
    if written is not None:
        out.file.write(written(result))
        return
    out.print(f"[bold]{escape(result.candidate)}[/]  {_extent(result)}")
    out.print(f"held to the contract of {escape(result.model)} {escape(result.version)}")
    if result.against:
        out.print(f"and to {escape(result.against)}")
    champion = ("Champion", "Difference") if result.against else ()
    table = table_of("Metric", "Segment", "Promised", "Value", "Interval", "Rows", *champion, "Answer")
    for line in result.lines:
        cells = _cells(line, with_champion=result.against is not None)
        style = STYLES[line.answer] if line.decides else "dim"
        table.add_row(*map(escape, cells[:-1]), f"[{style}]{cells[-1]}[/]")
    out.print(table)
    for sentence in _remarks(result):
        out.print(escape(sentence))
    out.print(f"[{STYLES[result.answer]}]{escape(_summary(result))}[/]")


def as_json(result: GateResult) -> str:
    """One object, for programs."""
    data = {
        "model": result.model,
        "version": result.version,
        "contract_hash": result.contract_hash,
        "candidate": result.candidate,
        "against": result.against,
        "window_start": result.start,
        "window_end": result.end,
        "rows": result.rows,
        "outcomes": result.outcomes,
        "answer": result.answer,
        "bounds": [_data(line) for line in result.lines],
        "left_out": sorted({bound.name for bound in result.left_out}),
    }
    return json_lines(data)


def as_markdown(result: GateResult) -> str:
    """A heading, a table and sentences, to be put under a merge request."""
    with_champion = result.against is not None
    headers = ["Metric", "Segment", "Promised", "Value", "Interval", "Rows"]
    headers += ["Champion", "Difference", "Answer"] if with_champion else ["Answer"]
    numeric = {"Promised", "Value", "Rows", "Champion"}
    held = f"the contract of {_plain(result.model)} {_plain(result.version)}"
    held += f" and to {_plain(result.against)}" if result.against else ""
    lines = [
        f"### {MARKS[result.answer]} {_plain(result.model)}: {_plain(_summary(result))}",
        "",
        f"`{result.candidate.replace('`', '')}` ({_extent(result)}), held to {held}.",
        "",
        f"| {' | '.join(headers)} |",
        f"|{'|'.join('---:' if name in numeric else '---' for name in headers)}|",
    ]
    for line in result.lines:
        cells = _cells(line, with_champion=with_champion)
        lines.append(f"| {' | '.join(map(_plain, cells[:-1]))} | {MARKS[line.answer]} {cells[-1]} |")
    lines += ["", *(f"* {_plain(sentence)}" for sentence in _remarks(result))]
    return "\n".join(lines).rstrip() + "\n"


def as_junit(result: GateResult) -> str:
    """A test suite with a test case a bound; of one that only warns, a failure is told and counts as passed."""
    failing = [line for line in result.lines if line.decides and (line.answer == "falls_below" or line.is_worse)]
    telling = [line for line in result.lines if line.decides and line.answer == "cannot_tell" and not line.is_worse]
    counts = {"tests": len(result.lines), "failures": len(failing), "errors": len(telling)}
    numbers = {name: str(count) for name, count in counts.items()}
    root = ET.Element("testsuites", numbers)
    suite = ET.SubElement(root, "testsuite", {"name": f"model-monitor gate {result.model}", **numbers})
    for line in result.lines:
        case = ET.SubElement(suite, "testcase", {"classname": f"{result.model}.{result.version}", "name": _name(line)})
        sentence = " ".join(_sentences(line))
        if line in failing or line in telling:
            kind = "failure" if line in failing else "error"
            reason = "worse_than_champion" if line.answer == "holds" else line.verdict.reason
            ET.SubElement(case, kind, {"message": _xml(sentence), "type": reason})
        else:
            ET.SubElement(case, "system-out").text = _xml(sentence)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _extent(result: GateResult) -> str:
    outcomes = f", {result.outcomes:,} with outcome" if result.outcomes != result.rows else ""
    return f"{rows(result.rows)}{outcomes}, {result.start:%Y-%m-%d %H:%M} to {result.end:%Y-%m-%d %H:%M} UTC"


def _summary(result: GateResult) -> str:
    """The answer in a line, with what it is about."""
    deciding = [line for line in result.lines if line.decides]
    below = [_name(line) for line in deciding if line.answer == "falls_below"]
    worse = [_name(line) for line in deciding if line.is_worse]
    untold = [_name(line) for line in deciding if line.answer == "cannot_tell"]
    if below or worse:
        parts = [f"Falls below: {', '.join(below)}."] if below else []
        return " ".join([*parts, *([f"Worse than the champion: {', '.join(worse)}."] if worse else [])])
    if not deciding:
        return "Cannot tell: no bound that pages can be judged on these rows."
    if untold:
        return f"Cannot tell: {', '.join(untold)}."
    close = [_name(line) for line in deciding if line.is_close]
    barely = f" By its value alone, for its interval reaches beyond the bound: {', '.join(close)}." if close else ""
    return (
        f"Holds: {'the bound that pages' if len(deciding) == 1 else f'all {len(deciding)} bounds that page'}.{barely}"
    )


def _remarks(result: GateResult) -> Iterator[str]:
    """What is to be known beside the table."""
    for line in result.lines:
        if line.answer != "holds" or line.is_close or line.is_worse:
            yield from _sentences(line)
    if names := sorted({bound.name for bound in result.left_out}):
        yield f"Not judged: {', '.join(names)}. Only the running model can show that."


def _sentences(line: Line) -> Iterator[str]:
    warns = "" if line.decides else " It warns only, and decides nothing here."
    shown = ""
    if line.verdict.reason == "inconclusive":
        shown = " A candidate has to show that it holds: give more rows."
    if line.is_close:
        shown = " Its interval reaches beyond the promise all the same: on other rows it may fall below."
    yield f"{line.verdict.sentence}{shown}{warns}"
    if line.is_worse and line.comparison is not None:
        champion, difference = _number(line, line.comparison.champion), _difference(line)
        yield f"{_name(line)} is worse than the champion's {champion}: {difference}.{warns}"


def _cells(line: Line, *, with_champion: bool) -> list[str]:
    found, bound = line.verdict, line.verdict.bound
    own = line.comparison
    champion = [_number(line, own.champion), _difference(line)] if own else ["–", ""]
    answer = ANSWERS[line.answer] if not line.is_worse else f"{ANSWERS[line.answer]}, worse than the champion"
    return [
        display_name(bound.metric, found.column),
        found.segment,
        at_bound(bound.side, found.threshold, bound.unit, _digits(line)),
        _number(line, found.value) if found.value is not None else "–",
        interval(found.low, found.high, bound.unit, _digits(line)),
        f"{found.rows:,}",
        *(champion if with_champion else []),
        answer if line.decides else f"{answer} (warns)",
    ]


def _difference(line: Line) -> str:
    """``-0.012 [-0.03, 0.006]``."""
    own, unit = line.comparison, line.verdict.bound.unit
    if own is None:
        return ""
    sign = "+" if own.difference > 0 else ""
    return f"{sign}{measured(own.difference, unit)} {interval(own.low, own.high, unit)}".strip()


def _digits(line: Line) -> int:
    value, threshold = line.verdict.value, line.verdict.threshold
    return 3 if value is None or threshold is None else told_apart(value, threshold)


def _number(line: Line, value: float) -> str:
    return measured(value, line.verdict.bound.unit, _digits(line))


def _name(line: Line) -> str:
    return display_name(line.verdict.bound.metric, line.verdict.column, line.verdict.segment)


def _data(line: Line) -> dict[str, object]:
    found, own = line.verdict, line.comparison
    return {
        "metric": display_name(found.bound.metric, found.column),
        "segment": found.segment,
        "side": found.bound.side,
        "severity": found.bound.severity,
        "threshold": found.threshold,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "rows": found.rows,
        "verdict": found.state,
        "reason": found.reason,
        "sentence": found.sentence,
        "answer": line.answer,
        "champion": own and own.champion,
        "difference": own and own.difference,
        "difference_low": own and own.low,
        "difference_high": own and own.high,
        "standing": own and own.standing,
    }


def _plain(text: str) -> str:
    """Text as it came from data, so that Markdown shows it and does not obey it."""
    for sign in "\\`*_[]<>|#":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def _xml(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(sign for sign in text if sign >= " " or sign in "\t\n")
