"""Leases: of all daemons on one history exactly one evaluates a model, and only its result counts."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from monitor.history.records import EvaluationRecord
from monitor.history.store import AlreadyEvaluated, LeaseLost, Store
from monitor.history.tables import evaluations

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def window(day: int = 1, revision: int = 0) -> EvaluationRecord:
    end = NOW + day * DAY
    return EvaluationRecord("v1", "1d each 1d", end - DAY, end, end, revision)


def test_a_lease_is_held_by_one_owner_until_it_ends(store: Store) -> None:
    assert store.claim("m", "one", NOW, MINUTE) == 1
    # Nobody gets it while it is held, not even its holder a second time.
    assert store.claim("m", "two", NOW + 59 * timedelta(seconds=1), MINUTE) is None
    assert store.claim("m", "one", NOW, MINUTE) is None
    # Another model is another lease.
    assert store.claim("other", "two", NOW, MINUTE) == 1
    # At its very end it is free, and the token is a new one.
    assert store.claim("m", "two", NOW + MINUTE, MINUTE) == 2


def test_a_renewed_lease_lasts_longer(store: Store) -> None:
    token = store.claim("m", "one", NOW, MINUTE)
    assert token is not None

    assert store.renew("m", token, NOW + MINUTE / 2, MINUTE)
    assert store.claim("m", "two", NOW + MINUTE, MINUTE) is None
    # One that has ended cannot be renewed, nor one that is another's by now.
    assert not store.renew("m", token, NOW + 2 * MINUTE, MINUTE)
    assert store.claim("m", "two", NOW + 2 * MINUTE, MINUTE) == token + 1
    assert not store.renew("m", token, NOW + 2 * MINUTE, MINUTE)


def test_a_lease_given_back_is_free_at_once(store: Store) -> None:
    token = store.claim("m", "one", NOW, MINUTE)
    assert token is not None
    store.give_back("m", token)

    assert store.claim("m", "two", NOW, MINUTE) == token + 1
    # Giving back what is another's by now changes nothing.
    store.give_back("m", token)
    assert store.claim("m", "three", NOW, MINUTE) is None


def test_a_late_result_is_refused_and_leaves_nothing(store: Store, engine: Engine) -> None:
    late = store.claim("m", "one", NOW, MINUTE)
    assert late is not None
    assert store.claim("m", "two", NOW + MINUTE, MINUTE) == late + 1

    with pytest.raises(LeaseLost) as problem, store.recording("m", late, NOW + MINUTE) as recording:
        recording.evaluation(window())

    assert str(problem.value) == (
        "The result for m came too late: its lease (token 1) is over. "
        "Whoever holds the lease now evaluates the window; nothing was written."
    )
    assert _evaluations(engine) == 0


@pytest.mark.parametrize("what", ["ended", "given back", "never taken"])
def test_only_a_lease_that_runs_may_write(store: Store, engine: Engine, what: str) -> None:
    token = store.claim("m", "one", NOW, MINUTE) if what != "never taken" else 7
    assert token is not None
    if what == "given back":
        store.give_back("m", token)

    with pytest.raises(LeaseLost), store.recording("m", token, NOW + (MINUTE if what == "ended" else 0 * MINUTE)):
        pass
    assert _evaluations(engine) == 0


def test_a_window_is_accepted_once_per_revision(store: Store, engine: Engine) -> None:
    token = store.claim("m", "one", NOW, MINUTE)
    assert token is not None
    with store.recording("m", token, NOW) as recording:
        recording.evaluation(window())

    with pytest.raises(AlreadyEvaluated) as problem:  # noqa: PT012, SIM117  # what comes before it must be undone
        with store.recording("m", token, NOW) as recording:
            recording.evaluation(window(2))
            recording.evaluation(window())

    assert str(problem.value) == (
        "m: 1d each 1d over 2026-01-01 00:00 to 2026-01-02 00:00 UTC is recorded in revision 0 already; "
        "nothing was written."
    )
    assert _evaluations(engine) == 1
    with store.recording("m", token, NOW) as recording:
        recording.evaluation(window(revision=1))
    assert _evaluations(engine) == 2


RACE = """
import sys, time
from datetime import UTC, datetime, timedelta
from monitor.history.engine import open_engine
from monitor.history.records import EvaluationRecord
from monitor.history.store import AlreadyEvaluated, LeaseLost, Store

store, me = Store(open_engine(sys.argv[1])), sys.argv[2]
day, start = timedelta(days=1), datetime(2026, 1, 1, tzinfo=UTC)
accepted = 0
until = time.monotonic() + 60
while time.monotonic() < until:
    token = store.claim("m", me, datetime.now(UTC), timedelta(milliseconds=60))  # short, so that some are lost
    if token is None:
        continue
    newest = store.newest_window_end("m", "p") or start
    if newest >= start + 40 * day:
        break
    time.sleep(0.1 if newest.day % 7 == 0 and me == "0" else 0)  # a pause longer than the lease makes a zombie
    try:
        with store.recording("m", token, datetime.now(UTC)) as recording:
            recording.evaluation(EvaluationRecord("v1", "p", newest, newest + day, newest + day))
        accepted += 1
    except (LeaseLost, AlreadyEvaluated):
        pass
    store.give_back("m", token)
print(accepted)
"""


def test_racing_replicas_accept_each_window_exactly_once(engine: Engine, database_url: str) -> None:
    root = Path(__file__).parents[2]
    replicas = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, database_url, str(me)],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for me in range(3)
    ]
    answers = [replica.communicate(timeout=120) for replica in replicas]

    assert [errors for _, errors in answers] == ["", "", ""]
    assert sum(int(accepted) for accepted, _ in answers) == 40
    assert _evaluations(engine) == 40


def _evaluations(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(evaluations)).scalar_one()
