"""Whether enough outcomes are in, against what is usual."""

from __future__ import annotations

import pytest

from monitor.release.maturity import LEAST, is_provisional, usual_share

USUAL = [(100, 90)] * LEAST


@pytest.mark.parametrize(
    ("windows", "share"),
    [
        (USUAL, 0.9),
        ([*USUAL, (0, 0)], 0.9),  # a window without rows says nothing
        ([*USUAL, (100, 0), (1000, 1)], 0.9),  # a few whose outcomes are late change nothing
        (USUAL[1:], None),  # one too few
        ([], None),
    ],
)
def test_what_is_usual_is_the_median_of_enough_windows(windows: list[tuple[int, int]], share: float | None) -> None:
    assert usual_share(windows) == share


@pytest.mark.parametrize(
    ("rows", "outcomes", "usual"),
    [
        (100, 50, 1.0),  # just enough
        (0, 0, 0.9),  # no rows, and nothing to wait for
        (None, None, 0.9),
        (100, 0, None),
        (100, 0, 0.0),  # no outcome ever comes
    ],
)
def test_nothing_is_waited_for_where_enough_is_there_or_nothing_is_known(
    rows: int | None, outcomes: int | None, usual: float | None
) -> None:
    assert not is_provisional(rows, outcomes, usual)
