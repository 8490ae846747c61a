"""Releases in the history: what was first seen stays, what is released is released once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from monitor.history.releases import Evidence, Frozen, Release, evidence_of, listed, record, see

DAY = timedelta(days=1)
START = datetime(2026, 3, 2, tzinfo=UTC)
SEEN = Release("churn", "7", "hash", {"release": {"accuracy": {"min": 0.73}}}, START)
EVIDENCE = Evidence("reference.parquet", 100, 90, "abc", (Frozen("f", "accuracy", 0.8, low=0.7, high=0.9, rows=90),))


def test_a_contract_is_remembered_as_first_seen(engine: Engine) -> None:
    see(engine, SEEN)
    see(engine, replace(SEEN, recorded_at=START + DAY))
    see(engine, replace(SEEN, contract_hash="another", recorded_at=START + DAY))

    assert [(one.contract_hash, one.recorded_at) for one in listed(engine)] == [
        ("hash", START),
        ("another", START + DAY),
    ]
    assert listed(engine, "churn", "8") == listed(engine, "other") == []


def test_what_was_only_seen_becomes_released_and_what_is_released_stays(engine: Engine) -> None:
    see(engine, SEEN)
    assert evidence_of(engine, "churn", "7") is None

    record(engine, replace(SEEN, recorded_at=START + DAY, released_at=START + DAY, evidence=EVIDENCE))
    record(engine, replace(SEEN, released_at=START + 2 * DAY, evidence=replace(EVIDENCE, rows=1)))
    see(engine, replace(SEEN, recorded_at=START + 3 * DAY))

    assert listed(engine) == [replace(SEEN, released_at=START + DAY, evidence=EVIDENCE)]
    assert evidence_of(engine, "churn", "7") == EVIDENCE
