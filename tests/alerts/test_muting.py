"""Silences and maintenance: what they cover, until when, and what may not be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.maintenance import ended, running
from monitor.alerts.message import About, Message
from monitor.alerts.muting import lifted, muted
from monitor.alerts.silence import Silence, matches, problems
from monitor.settings import Maintenance
from tests.alerts.scenes import Model, drift, verdict

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ACCURACY = About("accuracy", "", "page")
DRIFT = About("drift.temp", "origin=EWR", "warn")
OPENED = Model().see(1, verdict("breach")).notifications[0].message


def silence(matchers: Mapping[str, str], *, lasts: timedelta = HOUR, starts: datetime = NOW) -> Silence:
    return Silence(3, matchers, starts, starts + lasts, "anna", "deploying")


def message(*about: About) -> Message:
    return replace(OPENED, about=about)


@pytest.mark.parametrize(
    ("matchers", "about", "owner", "fits"),
    [
        # A name, exactly.
        ({"model": "flight-delay"}, ACCURACY, "@flights", True),
        # A pattern.
        ({"model": "flight-*"}, ACCURACY, "@flights", True),
        # Another model.
        ({"model": "churn*"}, ACCURACY, "@flights", False),
        # Upper case is another name: names are told apart by case everywhere.
        ({"model": "FLIGHT-*"}, ACCURACY, "@flights", False),
        # A metric of one column, and of all its columns.
        ({"metric": "drift.temp"}, DRIFT, "@flights", True),
        ({"metric": "drift.*"}, DRIFT, "@flights", True),
        ({"metric": "drift"}, DRIFT, "@flights", False),
        # A segment; the whole is the empty one.
        ({"segment": "origin=*"}, DRIFT, "@flights", True),
        ({"segment": "origin=*"}, ACCURACY, "@flights", False),
        ({"segment": ""}, ACCURACY, "@flights", True),
        # A severity.
        ({"severity": "warn"}, DRIFT, "@flights", True),
        ({"severity": "warn"}, ACCURACY, "@flights", False),
        # An owner; a model without one fits every owner, and no name.
        ({"owner": "@flights"}, ACCURACY, "@flights", True),
        ({"owner": "*"}, ACCURACY, None, True),
        ({"owner": "@flights"}, ACCURACY, None, False),
        # Several patterns: all of them.
        ({"model": "flight-*", "severity": "page"}, ACCURACY, None, True),
        ({"model": "flight-*", "severity": "page"}, DRIFT, None, False),
    ],
)
def test_a_silence_matches_by_patterns_that_all_fit(
    matchers: dict[str, str], about: About, owner: str | None, fits: bool
) -> None:
    assert matches(silence(matchers), about, "flight-delay", owner) is fits


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (silence({}), "A silence names what it mutes; give a pattern for at least one of model, metric"),
        (silence({"modle": "x"}), "cannot match by 'modle'; it matches by model, metric, segment, severity and owner."),
        (silence({"severity": "pgae"}), "No alert is of severity 'pgae'; there is page and warn."),
        (replace(silence({"model": "x"}), author=" "), "A silence has an author; name whom others can ask about it."),
        (replace(silence({"model": "x"}), comment=""), "A silence has a comment; say in a few words why"),
        # One that ends as it begins would mute nothing.
        (silence({"model": "x"}, lasts=timedelta(0)), "ends at 2026-03-04 12:00 UTC, before it has begun"),
        (silence({"model": "x"}, lasts=timedelta(days=30, seconds=1)), "A silence lasts 30 days at most"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused_with_a_way_out(wrong: Silence, sentence: str) -> None:
    told = problems(wrong)

    assert len(told) == 1
    assert sentence in told[0]


def test_everything_wrong_with_a_silence_is_told_at_once_and_nothing_of_a_right_one() -> None:
    assert len(problems(Silence(0, {}, NOW, NOW, "", ""))) == 4
    assert problems(silence({"model": "x"}, lasts=timedelta(days=30))) == ()


@pytest.mark.parametrize(
    ("at", "is_muted"),
    [
        (NOW - timedelta(seconds=1), False),  # not begun
        (NOW, True),  # the first moment
        (NOW + HOUR - timedelta(seconds=1), True),  # the last
        (NOW + HOUR, False),  # over
    ],
)
def test_a_silence_mutes_from_its_start_up_to_its_end(at: datetime, is_muted: bool) -> None:
    why = muted(message(ACCURACY), [silence({"model": "flight-*"})], (), at)

    assert (why is not None) is is_muted


def test_the_sentence_names_the_silence_its_author_its_comment_and_its_end() -> None:
    why = muted(message(ACCURACY), [silence({"metric": "accuracy"})], (), NOW)

    assert why == "Silence 3 of anna (deploying) holds until 2026-03-04 13:00 UTC."


def test_two_alerts_may_be_muted_by_two_silences_and_both_are_named() -> None:
    both = [silence({"metric": "accuracy"}), replace(silence({"metric": "drift.*"}), id=4, author="ben")]

    why = muted(message(ACCURACY, DRIFT), both, (), NOW)

    assert why is not None
    assert why.startswith("Silence 3 of anna (deploying) holds until")
    assert "Silence 4 of ben" in why
    assert muted(message(ACCURACY, DRIFT), both[:1], (), NOW) is None, "drift is not covered"


def test_a_message_about_no_alert_is_never_muted() -> None:
    everything = Maintenance(name="always", begins="00:00", ends="00:00")

    assert muted(message(), [silence({"model": "*"})], [everything], NOW) is None


abouts = st.builds(
    About, st.sampled_from(["accuracy", "drift.temp"]), st.sampled_from(["", "origin=EWR"]), st.just("page")
)
silences = st.builds(
    silence,
    st.dictionaries(
        st.sampled_from(["metric", "segment"]), st.sampled_from(["*", "accuracy", "drift.*", "origin=*", ""])
    ),
    lasts=st.sampled_from([timedelta(0), HOUR]),
    starts=st.sampled_from([NOW, NOW + HOUR]),
)


@given(st.lists(abouts, min_size=1, max_size=4), st.lists(silences, max_size=4))
def test_a_message_is_muted_exactly_where_each_alert_would_be_alone(about: list[About], made: list[Silence]) -> None:
    alone = [muted(message(each), made, (), NOW) is not None for each in about]

    assert (muted(message(*about), made, (), NOW) is not None) is all(alone)


NIGHT = Maintenance(name="night", days=("sat",), begins="22:00", ends="06:00", timezone="Europe/Berlin")
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("calendar", "at", "until"),
    [
        # Saturday 22:00 in winter is 21:00 UTC, and it lasts over midnight to Sunday 06:00.
        (NIGHT, "2026-01-10T20:59", None),
        (NIGHT, "2026-01-10T21:00", "2026-01-11T05:00"),
        (NIGHT, "2026-01-11T04:59", "2026-01-11T05:00"),
        (NIGHT, "2026-01-11T05:00", None),
        # Sunday evening is another day.
        (NIGHT, "2026-01-11T21:00", None),
        # In summer everything is an hour earlier in UTC.
        (NIGHT, "2026-07-04T20:00", "2026-07-05T04:00"),
        # The night to 29 March 2026 is an hour short: 22:00 is still winter, 06:00 summer.
        (NIGHT, "2026-03-28T21:00", "2026-03-29T04:00"),
        (NIGHT, "2026-03-29T04:00", None),
        # The night to 25 October 2026 is an hour long.
        (NIGHT, "2026-10-24T20:00", "2026-10-25T05:00"),
        (NIGHT, "2026-10-25T04:30", "2026-10-25T05:00"),
        # 02:15 to 02:45 happens twice on that night: from the first time to the last.
        (NIGHT.model_copy(update={"days": ("sun",), "begins": "02:15", "ends": "02:45"}), "2026-10-25T00:14", None),
        (
            NIGHT.model_copy(update={"days": ("sun",), "begins": "02:15", "ends": "02:45"}),
            "2026-10-25T01:30",
            "2026-10-25T01:45",
        ),
        # ... and never on 29 March: it is held an hour later, when the clock shows 03:15 to 03:45.
        (
            NIGHT.model_copy(update={"days": ("sun",), "begins": "02:15", "ends": "02:45"}),
            "2026-03-29T01:15",
            "2026-03-29T01:45",
        ),
        # From midnight to midnight is the whole day.
        (Maintenance(name="day", days=("wed",), begins="00:00", ends="00:00"), "2026-03-04T23:59", "2026-03-05T00:00"),
    ],
)
def test_maintenance_runs_by_the_clock_on_the_wall(calendar: Maintenance, at: str, until: str | None) -> None:
    found = running(calendar, _utc(at))

    assert (None if found is None else found.ends) == (None if until is None else _utc(until))


@given(st.integers(0, 365 * 24 * 60), st.sampled_from([BERLIN, "UTC", "Asia/Kathmandu"]))
def test_what_ran_last_has_ended_and_nothing_that_runs_has(minute: int, zone: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    calendar = NIGHT.model_copy(update={"timezone": zone})
    last, current = ended(calendar, now), running(calendar, now)

    assert last is not None
    assert timedelta(0) <= now - last.ends <= timedelta(days=7, hours=1)
    assert current is None or last.ends < current.begins <= now < current.ends


def test_maintenance_mutes_its_models_alone_and_is_named() -> None:
    calendar = Maintenance(name="weekly retraining", models=("flight-*",), begins="11:00", ends="13:00")
    churn = replace(message(ACCURACY), model="churn")

    assert (
        muted(message(ACCURACY), (), [calendar], NOW)
        == "Maintenance 'weekly retraining' holds until 2026-03-04 13:00 UTC."
    )
    assert muted(churn, (), [calendar], NOW) is None


@pytest.mark.parametrize(
    ("since", "now", "over"),
    [
        (NOW, NOW + HOUR - timedelta(seconds=1), False),  # it still holds
        (NOW, NOW + HOUR, True),  # it has just ended
        (NOW + HOUR, NOW + 2 * HOUR, False),  # people were told when it ended
        (NOW - HOUR, NOW + timedelta(days=9), True),  # however long ago
    ],
)
def test_a_mute_is_lifted_when_it_ended_since(since: datetime, now: datetime, over: bool) -> None:
    found = lifted(message(ACCURACY, DRIFT), [silence({"metric": "accuracy"})], (), since, now)

    assert (found is not None) is over


def test_the_last_mute_to_end_is_the_one_that_is_named_and_one_of_others_is_not() -> None:
    calendar = Maintenance(name="noon", begins="12:00", ends="13:30")
    made = [silence({"metric": "accuracy"}), silence({"metric": "coverage"}, lasts=2 * HOUR)]

    found = lifted(message(ACCURACY), made, [calendar], NOW, NOW + 3 * HOUR)

    assert found is not None
    assert (found.name, found.ends_at) == ("Maintenance 'noon'", NOW + 1.5 * HOUR)


def test_the_alerts_of_a_message_are_those_that_changed() -> None:
    model = Model()
    model.see(1, drift("breach"))
    joined = model.see(2, verdict("breach")).notifications[0].message

    assert muted(joined, [silence({"metric": "accuracy"})], (), NOW) is not None, "drift was told before"


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
