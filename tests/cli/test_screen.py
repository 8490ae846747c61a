"""What a terminal shows of a verdict."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from monitor.history.rows import HistoryRow
from monitor.screen import print_history

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("verdict", "reason", "shown"),
    [
        ("ok", "holds", "ok"),
        ("ok", "watch", "ok, watch"),  # suspicious days, and nobody is paged
        ("ok", "not_back", "ok, not back yet"),  # why the incident is still open
        ("ok", "inconclusive", "ok, may be chance"),  # beyond the bound, which its interval reaches
        ("breach", "falls_below", "breach"),
    ],
)
def test_a_verdict_is_shown_with_its_reason_where_it_is_not_plainly_so(verdict: str, reason: str, shown: str) -> None:
    out = io.StringIO()
    row = HistoryRow(
        *("churn", "7", AT - timedelta(days=7), AT, 0, AT, "accuracy", "accuracy", "", "", 0.74, 0.7, 0.78, 900),
        verdict=verdict,
        reason=reason,
    )
    print_history(Console(file=out, width=160), [row], "table")
    assert [
        line.rstrip(" │|").split("  ")[-1].strip(" │|") for line in out.getvalue().splitlines() if "churn" in line
    ] == [shown]
