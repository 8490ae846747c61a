"""The documentation names what there is, and its example runs as it stands."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from checks.contract import Measurement, Roles, Window
from checks.discovery import discover
from checks.profile import Layout, Profile

DOCS = Path(__file__).parents[2] / "docs"
OVERVIEW = (DOCS / "checks.md").read_text()


def test_every_check_is_in_the_overview_and_has_a_page_of_its_own() -> None:
    for kind in discover():
        assert f"| [`{kind}`](checks/{kind}.md) |" in OVERVIEW, kind
        assert (DOCS / "checks" / f"{kind}.md").read_text().startswith(f"# {kind}\n")


def test_every_metric_and_parameter_is_on_the_page_of_its_check() -> None:
    for kind, check in discover().items():
        page = (DOCS / "checks" / f"{kind}.md").read_text()
        for metric in check.metrics:
            name = f"{metric.name}.<{metric.per}>" if metric.per else metric.name
            assert f"`{name}`" in page, f"{kind}: {name}"
        for name in check.model_fields:
            assert f"| `{name}` |" in page, f"{kind}: {name}"


def test_the_example_of_ones_own_check_runs(tmp_path: Path) -> None:
    import ibis

    example, _ = re.findall(r"```python\n(.*?)```", OVERVIEW, re.DOTALL)  # the check, and its test
    (tmp_path / "undecided.py").write_text(example)
    check = discover(tmp_path)["undecided"](margin=0.1)  # type: ignore[call-arg]  # the field is the example's own
    rows = ibis.memtable({"y_score": [0.1, 0.45, 0.5, 0.9, None]})
    start, end = datetime(2024, 3, 4, tzinfo=UTC), datetime(2024, 3, 5, tzinfo=UTC)
    roles = Roles(score="y_score")
    window = Window(start, end, "binary", (Profile(Layout({})),), None, roles, load_table=lambda: rows)
    (found,) = [one for one in check.measure(window) if isinstance(one, Measurement)]
    assert (found.metric, found.value, found.rows) == ("undecided", 0.5, 4)


def test_the_false_alarm_tables_are_filled() -> None:
    table = (
        (DOCS / "checks" / "drift.md")
        .read_text()
        .partition("<!-- drift-false-alarms -->")[2]
        .partition("<!-- /drift-false-alarms -->")[0]
    )
    assert table.count("\n|") > 40
