"""Releases: the contract of each model version, when it was released, and what was measured of it then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select, update

from monitor.history.engine import reading
from monitor.history.tables import releases
from monitor.history.values import insert_new


@dataclass(frozen=True, slots=True)
class Frozen:
    """A number measured of the rows that a release was decided on; *check* is a fingerprint of what measured it."""

    check: str
    metric: str
    value: float
    column: str = ""
    segment: str = ""
    low: float | None = None
    high: float | None = None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a release was decided on: where the *reference* came from, its rows, and a hash of its *profile*."""

    reference: str
    rows: int
    outcomes: int
    profile: str
    measured: tuple[Frozen, ...] = ()


@dataclass(frozen=True, slots=True)
class Release:
    """A contract of a model version, *recorded_at* in the time of the clock, which may be played.

    It is *released_at* in wall time by ``model-monitor release``; None where a daemon saw it and no more.
    """

    model: str
    version: str
    contract_hash: str
    contract: Mapping[str, Any] = field(hash=False)
    recorded_at: datetime
    released_at: datetime | None = None
    evidence: Evidence | None = None


def see(engine: Engine, release: Release) -> None:
    """Remember a contract as it was when first seen; one that is there already stays as it is."""
    with engine.begin() as connection:
        insert_new(connection, releases, [_row(release)])


def record(engine: Engine, release: Release) -> None:
    """Remember a contract as released; one that was only seen becomes released, one that is released stays."""
    mine = [releases.c[name] == getattr(release, name) for name in ("model", "version", "contract_hash")]
    row = _row(release)
    with engine.begin() as connection:
        insert_new(connection, releases, [row])
        changed = {"released_at": release.released_at, "evidence": row["evidence"], "contract": row["contract"]}
        connection.execute(update(releases).where(*mine, releases.c.released_at.is_(None)).values(changed))


def listed(engine: Engine, model: str | None = None, version: str | None = None) -> list[Release]:
    """Every contract there was, in the order in which they were recorded."""
    asked = select(releases).order_by(releases.c.model, releases.c.recorded_at, releases.c.id)
    if model is not None:
        asked = asked.where(releases.c.model == model)
    if version is not None:
        asked = asked.where(releases.c.version == version)
    with reading(engine) as connection:
        return [
            Release(
                model=row.model,
                version=row.version,
                contract_hash=row.contract_hash,
                contract=row.contract,
                recorded_at=row.recorded_at,
                released_at=row.released_at,
                evidence=_evidence(row.evidence),
            )
            for row in connection.execute(asked)
        ]


def evidence_of(engine: Engine, model: str, version: str) -> Evidence | None:
    """What a version was released on; None where it was never released. It is the same for all its contracts."""
    released = (one.evidence for one in listed(engine, model, version) if one.released_at is not None)
    return next(released, None)


def _row(release: Release) -> dict[str, Any]:
    return {
        "model": release.model,
        "version": release.version,
        "contract_hash": release.contract_hash,
        "contract": dict(release.contract),
        "recorded_at": release.recorded_at,
        "released_at": release.released_at,
        "evidence": {} if release.evidence is None else _data(release.evidence),
    }


def _data(evidence: Evidence) -> dict[str, Any]:
    names = ("check", "metric", "column", "segment", "value", "low", "high", "rows")
    measured = [{name: getattr(one, name) for name in names} for one in evidence.measured]
    known = {name: getattr(evidence, name) for name in ("reference", "rows", "outcomes", "profile")}
    return {**known, "measured": measured}


def _evidence(data: Mapping[str, Any]) -> Evidence | None:
    if not data:
        return None
    return Evidence(**{**data, "measured": tuple(Frozen(**one) for one in data["measured"])})
