"""The documentation names what there is, and its example runs as it stands."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from checks.contract import Roles, Window
from checks.discovery import discover
from checks.profile import Layout, Profile

DOCUMENT = (Path(__file__).parents[2] / "docs" / "checks.md").read_text()


def test_every_check_its_metrics_and_parameters_are_documented() -> None:
    for kind, check in discover().items():
        assert f"\n## {kind}\n" in DOCUMENT
        for metric in check.metrics:
            name = f"{metric.name}.<column>" if metric.per_column else metric.name
            assert f"`{name}`" in DOCUMENT, metric.name
        for name, field in check.model_fields.items():
            default = f'"{field.default}"' if isinstance(field.default, str) else field.default
            assert f"`{name}` = `{default}`" in DOCUMENT, name


def test_the_example_of_ones_own_check_runs(tmp_path: Path) -> None:
    import ibis

    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    (tmp_path / "undecided.py").write_text(example)
    check = discover(tmp_path)["undecided"](margin=0.1)  # type: ignore[call-arg]  # the field is the example's own
    rows = ibis.memtable({"y_score": [0.1, 0.45, 0.5, 0.9, None]})
    start, end = datetime(2024, 3, 4, tzinfo=UTC), datetime(2024, 3, 5, tzinfo=UTC)
    roles = Roles(score="y_score")
    window = Window(start, end, "binary", (Profile(Layout({})),), None, roles, load_table=lambda: rows)
    (found,) = check.measure(window)
    assert (found.metric, found.value, found.rows) == ("undecided", 0.5, 4)


def test_the_false_alarm_tables_are_filled() -> None:
    table = DOCUMENT.partition("<!-- drift-false-alarms -->")[2].partition("<!-- /drift-false-alarms -->")[0]
    assert table.count("\n|") > 40
