"""Evaluations as people ask for them: which there were, everything about one, and what is being evaluated now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import eq, ge, lt
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from monitor.history.engine import Readable, reading
from monitor.history.queries import artifacts_of_evaluation
from monitor.history.rows import EvaluationRow, EvaluationStory, FailureRow, MaturityRow
from monitor.history.search import newest, results_of, within
from monitor.history.tables import evaluations, models, releases, transitions

COLUMNS = (
    *("id", "model", "version", "plan", "window_start", "window_end", "revision", "state", "reason", "evaluated_at"),
    *("seconds", "rows", "outcomes"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: behind *evaluation*, whose window ends at *window_end*; later than *upto* is none."""

    upto: int
    window_end: datetime
    evaluation: int


@dataclass(frozen=True, slots=True)
class Page:
    """Evaluations, newest window first; *after* is where the next page begins, None where there is nothing more."""

    rows: tuple[EvaluationRow, ...]
    after: Place | None


def page(
    engine: Readable,
    limit: int,
    after: Place | None = None,
    *,
    model: str | None = None,
    state: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page:
    """The newest *limit* evaluations from *after* on, in every revision; *since* and *until* bound the window's end."""
    table = evaluations.c
    bounds = (
        (model, table.model, eq),
        (state, table.state, eq),
        (since, table.window_end, ge),
        (until, table.window_end, lt),
    )
    asked = select(*(table[name] for name in COLUMNS)).where(*within(bounds))
    if after is not None:
        same = and_(table.window_end == after.window_end, table.id < after.evaluation)
        asked = asked.where(table.window_end <= after.window_end, or_(table.window_end < after.window_end, same))
    with reading(engine) as connection:
        upto = newest(connection) if after is None else after.upto
        # A sum, so that the database does not walk by the id instead of by time.
        asked = asked.where(table.id + 0 <= upto).order_by(table.window_end.desc(), table.id.desc())
        found = [EvaluationRow(*row) for row in connection.execute(asked.limit(limit + 1))]
    rows = tuple(found[:limit])
    return Page(rows, Place(upto, rows[-1].window_end, rows[-1].id) if len(found) > limit else None)


def story(engine: Readable, evaluation_id: int) -> EvaluationStory | None:
    """Everything about one evaluation; None where there is none of that id, or no more."""
    with reading(engine) as connection:
        found = connection.execute(select(evaluations).where(evaluations.c.id == evaluation_id)).first()
        if found is None:
            return None
        detail: Mapping[str, Any] = found.detail
        return EvaluationStory(
            _row(found),
            str(detail.get("why", "")),
            str(detail.get("as_of", "")),
            found.contract_hash,
            _contract(connection, found),
            tuple(FailureRow(check, each["sentence"], each["detail"]) for check, each in _failures(detail)),
            tuple(detail.get("dropped", ())),
            _maturity(detail.get("maturity")),
            tuple(results_of(connection, evaluation_id)),
            _revisions(connection, found),
            tuple(artifacts_of_evaluation(connection, evaluation_id)),
            _incidents(connection, evaluation_id),
        )


def under_way(engine: Readable, now: datetime) -> list[str]:
    """The models that some daemon holds the lease of at *now*, wall time: they are being evaluated."""
    asked = select(models.c.name).where(models.c.lease_owner.is_not(None), models.c.lease_until > now)
    with reading(engine) as connection:
        return list(connection.scalars(asked.order_by(models.c.name)))


def _row(found: Row[Any]) -> EvaluationRow:
    return EvaluationRow(*(getattr(found, name) for name in COLUMNS))


def _failures(detail: Mapping[str, Any]) -> list[tuple[str, Mapping[str, str]]]:
    return sorted(detail.get("failures", {}).items())


def _maturity(said: Mapping[str, Any] | None) -> MaturityRow | None:
    if not said:
        return None
    return MaturityRow(**{**said, "waiting": tuple(map(datetime.fromisoformat, said.get("waiting", ())))})


def _contract(connection: Connection, found: Row[Any]) -> Mapping[str, Any] | None:
    key = {"model": found.model, "version": found.version, "contract_hash": found.contract_hash}
    asked = select(releases.c.contract).where(*(releases.c[name] == value for name, value in key.items()))
    return connection.execute(asked).scalar_one_or_none()


def _revisions(connection: Connection, found: Row[Any]) -> tuple[EvaluationRow, ...]:
    same = [evaluations.c[name] == getattr(found, name) for name in ("model", "plan", "window_start", "window_end")]
    asked = select(*(evaluations.c[name] for name in COLUMNS)).where(*same, evaluations.c.id != found.id)
    return tuple(EvaluationRow(*row) for row in connection.execute(asked.order_by(evaluations.c.revision)))


def _incidents(connection: Connection, evaluation_id: int) -> tuple[int, ...]:
    mine = (transitions.c.evaluation_id == evaluation_id, transitions.c.incident_id.is_not(None))
    asked = select(transitions.c.incident_id).where(*mine).distinct().order_by(transitions.c.incident_id)
    return tuple(connection.scalars(asked))
