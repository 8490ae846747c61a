"""The digest: when it is due, in local time whatever the clocks do, and what it tells."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts import blocks as layout
from monitor.alerts.digest import GRACE, Fleet, Margin, OpenModel, due_on, tell_fleet
from monitor.settings import Digest
from tests.delivery.fake_slack import invalid

DAY = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
NEW_YORK = Digest(at="02:30", timezone="America/New_York")
FLEET = Fleet(
    models=14,
    open=(
        OpenModel("churn", 8, "warn", AT - timedelta(days=3), "anna"),
        OpenModel("flight-delay", 7, "page", AT - timedelta(days=1)),
    ),
    unjudged=("newborn",),
    blind=("flight-delay coverage",),
    margins=(
        Margin("churn", "coverage", "min", 0.953, 0.95),
        Margin("prices", "training_time", "max", 14_000, 14_400, "seconds"),
        Margin("prices", "drift.temp", "max", 0.05, 0.2),
        Margin("ads", "uplift", "min", 0.01, 0.0),
    ),
    suspicious=(Margin("ads", "accuracy", "min", 0.748, 0.75),),
    silences=("Silence 3 of ben (deploying)",),
)


@pytest.mark.parametrize(
    ("digest", "now", "day"),
    [
        # a moment before it, at it, within the grace, after that
        (Digest(), AT - timedelta(seconds=1), None),
        (Digest(), AT, DAY),
        (Digest(), AT + GRACE - timedelta(seconds=1), DAY),
        (Digest(), AT + GRACE, None),
        # 2 March 2026 is a Monday
        (Digest(every="week"), AT, DAY),
        (Digest(every="week", weekday="tue"), AT, None),
        # late in the evening the grace reaches into the next day
        (Digest(at="23:00"), AT + timedelta(hours=18), DAY),
        # the day is the local one: 8 in Auckland is the evening before in UTC
        (Digest(timezone="Pacific/Auckland"), datetime(2026, 3, 1, 19, tzinfo=UTC), DAY),
        # 02:30 does not exist on the day that clocks go forward, and is there twice when they go back
        (NEW_YORK, datetime(2026, 3, 8, 7, 29, tzinfo=UTC), None),
        (NEW_YORK, datetime(2026, 3, 8, 7, 30, tzinfo=UTC), date(2026, 3, 8)),
        (Digest(at="01:30", timezone="America/New_York"), datetime(2026, 11, 1, 5, 30, tzinfo=UTC), date(2026, 11, 1)),
        (Digest(at="01:30", timezone="America/New_York"), datetime(2026, 11, 1, 6, 30, tzinfo=UTC), date(2026, 11, 1)),
    ],
)
def test_a_digest_is_due_at_its_local_time(digest: Digest, now: datetime, day: date | None) -> None:
    assert due_on(digest, now) == day


@given(
    st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
    st.sampled_from(["00:00", "01:30", "02:30", "08:00", "23:59"]),
    st.integers(2024, 2027),
)
def test_every_day_of_a_year_has_exactly_one_digest(zone: str, at: str, year: int) -> None:
    digest = Digest(at=at, timezone=zone)
    now = datetime(year, 1, 1, tzinfo=UTC)
    found = [due_on(digest, now + timedelta(hours=5) * step) for step in range(365 * 24 // 5)]
    days = sorted({day for day in found if day is not None})
    assert {later - earlier for earlier, later in pairwise(days)} == {timedelta(days=1)}


def test_the_digest_tells_of_the_whole_fleet() -> None:
    told = tell_fleet(FLEET, DAY, AT, "day")
    assert told.title == "🔴 2 of 14 models have an open incident · Mon 02 Mar 2026"
    assert {field.label: field.text for field in told.fields} == {
        "Models": "14",
        "With an open incident": "2",
        "Cannot be judged": "2",
        "Acknowledged": "churn by anna",
        "Suspicious, not paged": "ads accuracy 0.748 (at least 0.75)",
        "Silenced": "Silence 3 of ben (deploying)",
    }
    assert told.changed == (
        "Closest to their bounds: churn coverage 0.953 (at least 0.95); ads uplift 0.01 (at least 0); "
        "prices training_time 3h 53m 20s (at most 4h)."
    )
    assert [line.text for line in told.others] == [
        "PAGE · flight-delay · incident 7 since 2026-03-01 08:00 UTC",
        "WARN · churn · incident 8 since 2026-02-27 08:00 UTC · acknowledged by anna",
        "cannot be judged · flight-delay coverage",
        "not evaluated yet · newborn",
    ]


@pytest.mark.parametrize(
    ("fleet", "title"),
    [
        (Fleet(1), "🟢 No incident is open; 1 model watched · Mon 02 Mar 2026"),
        (Fleet(3, blind=("churn accuracy",)), "🟡 No incident is open; 3 models watched · Mon 02 Mar 2026"),
        (Fleet(1, open=FLEET.open[:1]), "🟡 1 of 1 model has an open incident · Mon 02 Mar 2026"),
    ],
)
def test_the_first_line_says_how_things_stand(fleet: Fleet, title: str) -> None:
    assert tell_fleet(fleet, DAY, AT, "day").title == title


def test_a_weekly_digest_says_so() -> None:
    assert tell_fleet(Fleet(1), DAY, AT, "week").title.endswith(" · week up to Mon 02 Mar 2026")


def test_a_digest_is_about_no_incident_and_calls_nobody() -> None:
    message = tell_fleet(FLEET, DAY, AT, "day")
    blocks = layout.parent_blocks(message, layout.Frame(calls=True))
    assert message.about == ()
    assert blocks[-1]["elements"][0]["text"] == "model-monitor"
    assert invalid({"channel": "C1", "text": layout.fallback_text(message), "blocks": blocks}) == []


def test_a_fleet_of_thousands_fits() -> None:
    crowd = tuple(OpenModel(f"model-{place:04}", place, "page", AT) for place in range(3000))
    message = tell_fleet(Fleet(5000, open=crowd, unjudged=tuple(f"m{place}" for place in range(2000))), DAY, AT, "day")
    blocks = layout.parent_blocks(message)
    assert invalid({"channel": "C1", "text": layout.fallback_text(message), "blocks": blocks}) == []
    assert blocks[-2]["text"]["text"].endswith("and 4,990 more")
