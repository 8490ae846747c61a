"""What holds for every check that is found, whoever wrote it; the rules stand in checks.testing."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.contract import CannotMeasure, Check, Window
from checks.discovery import discover
from checks.testing import LOGS, RULES, Rule, explained
from tests.checks.examples import CHEAPER, EXAMPLES

PAGES = Path(__file__).parents[2] / "docs" / "checks"
CHECKS = discover()
WITH_DEFAULTS = {kind: check() for kind, check in CHECKS.items()}
INSTANCES = {
    **{kind: CHECKS[kind].model_validate(CHEAPER.get(kind, {})) for kind in CHECKS},
    **{
        f"{kind}[{place}]": CHECKS[kind].model_validate(parameters)
        for kind, examples in EXAMPLES.items()
        for place, parameters in enumerate(examples)
    },
}
CASES = [
    pytest.param(check, rule, id=f"{kind}:{name}") for kind, check in INSTANCES.items() for name, rule in RULES.items()
]


@pytest.mark.parametrize(("check", "rule"), CASES)
def test_every_check_keeps_the_contract(check: Check, rule: Rule) -> None:
    rule(check)


@pytest.mark.parametrize("kind", CHECKS)
def test_every_check_is_explained(kind: str) -> None:
    explained(WITH_DEFAULTS[kind], (PAGES / f"{kind}.md").read_text())


@pytest.mark.parametrize("kind", CHECKS)
def test_every_check_measures_something_somewhere(kind: str) -> None:
    """So that no rule holds of a check only because it is silent."""
    own = [check for check in INSTANCES.values() if check.kind == kind]
    found = [
        one
        for check in own
        for task in {task for metric in check.metrics for task in metric.tasks}
        for one in _measured(check, LOGS["usual"].window(task))
    ]
    assert any(getattr(one, "value", None) is not None for one in found)


@pytest.mark.parametrize("kind", [kind for kind, check in WITH_DEFAULTS.items() if check.needs().reference])
def test_a_check_that_needs_a_reference_has_no_value_without(kind: str) -> None:
    found = _measured(WITH_DEFAULTS[kind], LOGS["reference missing"].window("binary"))
    assert [one for one in found if getattr(one, "value", None) is not None] == []


@pytest.mark.parametrize("kind", [kind for kind, check in WITH_DEFAULTS.items() if check.needs().population])
def test_a_check_that_needs_rows_says_so_without(kind: str) -> None:
    full = LOGS["usual"].window("binary")
    bare = Window(full.start, full.end, full.task, full.buckets, full.baseline, full.roles)
    with pytest.raises(CannotMeasure, match=r"^This window was built without its rows; only profiles can be measured"):
        list(WITH_DEFAULTS[kind].measure(bare))


def _measured(check: Check, window: Window) -> list[object]:
    try:
        return list(check.measure(window))
    except CannotMeasure:
        return []
