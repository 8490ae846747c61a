"""What is being evaluated now can be looked at: which window, at which check, and nothing once it is over."""

from __future__ import annotations

from dataclasses import replace

from monitor.schedule.vitals import UnderWay, Vitals
from tests.web.filled import DAY, START


def test_a_model_is_at_one_evaluation_at_a_time() -> None:
    vitals = Vitals(stale_after=60)
    first = UnderWay("flights", "1d", START, START + DAY, 3, 0.0)
    second = replace(first, check="drift", done=1)
    other = UnderWay("demand", "1d", START, START + DAY, 1, 0.0)
    for one in (first, second, other):
        vitals.at_work(one)
    assert vitals.under_way() == [other, second]
    vitals.at_rest("flights")
    vitals.at_rest("flights")
    assert vitals.under_way() == [other]
