"""``model-monitor new-check``: a check that works as it is written, with its test, to be made one's own."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from checks.contract import Check

CHECK = Template('''\
"""What $words measures, and who should care: in a sentence."""

from collections.abc import Iterator
from typing import ClassVar

from checks.contract import CannotMeasure, Check, Measurement, Metric, Needs, Window


class $name(Check):
    """Rows whose score is within *margin* of 0.5 / rows with a score; a share, between 0 and 1.

    *margin* is how close to 0.5 a score says nothing. There is no value where no row has a score.
    """

    kind: ClassVar[str] = "$kind"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("$kind", "share of the scores that say nothing", better="low", pages=False),
    )

    margin: float = 0.05

    def needs(self) -> Needs:
        return Needs()

    def measure(self, window: Window) -> Iterator[Measurement]:
        if window.roles.score is None:
            raise CannotMeasure("$kind needs a score; set predictions.score.")
        score = window.table[window.roles.score].cast("float64")
        known = window.table.filter(score.notnull() & ~score.isnan())
        close = (score >= 0.5 - self.margin) & (score <= 0.5 + self.margin)
        asked = known.aggregate(rows=known.count(), close=close.ifelse(1, 0).sum())  # runs where the rows live
        found = asked.to_pyarrow().to_pylist()[0]
        rows, detail = found["rows"], {"close": found["close"] or 0}
        if not rows:
            yield Measurement("$kind", None, detail={**detail, "reason": "No row has a score."})
            return
        yield Measurement("$kind", detail["close"] / rows, rows=rows, detail=detail)
''')
TEST = Template('''\
"""What $words measures, by hand; and that it keeps the contract of every check."""

from dataclasses import replace
from pathlib import Path

import ibis
import pytest

from checks.discovery import discover
from checks.testing import LOGS, RULES, explained

$name = discover(Path(__file__).parent)["$kind"]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_it_keeps_the_contract(rule):
    rule($name())


def test_it_says_what_it_is():
    explained($name())


@pytest.mark.parametrize(
    ("scores", "value", "rows"),
    [
        # two of four are close to 0.5; a row without a score is no row
        ([0.1, 0.45, 0.5, 0.9, None], 0.5, 4),
        # none is
        ([0.1, 0.9], 0.0, 2),
        # no row has a score
        ([None, None], None, 0),
    ],
)
def test_it_measures(scores, value, rows):
    table = ibis.memtable({"score": scores}, schema={"score": "float64"})
    window = replace(LOGS["usual"].window("binary"), load_table=lambda: table)
    (found,) = $name().measure(window)
    assert (found.value, found.rows) == (value, rows)
''')


class NewCheckProblem(Exception):
    """The check cannot be written; the sentence says why, and what would be right."""


@dataclass(frozen=True, slots=True)
class Written:
    """The two files of a new check."""

    check: Path
    test: Path


def write_check(kind: str, folder: Path, known: Mapping[str, type[Check]]) -> Written:
    """Write a check called *kind* and its test into *folder*. Raises NewCheckProblem; nothing is written then."""
    _demand_good(kind, known)
    written = Written(folder / f"{kind}.py", folder / f"test_{kind}.py")
    there = next((path for path in (written.check, written.test) if path.exists()), None)
    if there is not None:
        raise NewCheckProblem(f"'{there}' is there already and stays as it is; choose another name.")
    name = "".join(part.capitalize() for part in kind.split("_"))
    names = {"kind": kind, "name": name, "words": kind.replace("_", " ")}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written.check.write_text(CHECK.substitute(names), encoding="utf-8")
        written.test.write_text(TEST.substitute(names), encoding="utf-8")
    except OSError as problem:
        raise NewCheckProblem(f"'{folder}' cannot be written to: {problem.strerror}; choose another --dir.") from None
    return written


def _demand_good(kind: str, known: Mapping[str, type[Check]]) -> None:
    if not (kind.isascii() and kind.isidentifier() and kind.islower()) or keyword.iskeyword(kind):
        example = "'late_orders'"
        raise NewCheckProblem(f"'{kind}' is no name for a check; write small letters, digits and _, such as {example}.")
    if kind.startswith(("_", "test_")) or kind == "conftest":
        raise NewCheckProblem(f"'{kind}.py' would not be taken for a check; choose a name that begins otherwise.")
    if kind in known:
        raise NewCheckProblem(f"There is a check '{kind}' already; see model-monitor checks {kind}.")
    owner = next((check.kind for check in known.values() for one in check.metrics if one.name == kind), None)
    if owner is not None:
        raise NewCheckProblem(f"'{kind}' is a metric of the check '{owner}' already; choose another name.")
