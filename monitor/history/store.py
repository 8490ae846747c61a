"""The store: what the daemon writes into the history and reads back from it. Every time is passed in."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import Engine, func, select

from monitor.history import leases, retention, tables
from monitor.history.engine import ping, reading
from monitor.history.past import Pasts, past_of
from monitor.history.problems import AlreadyEvaluated, HistoryUnavailable, LeaseLost
from monitor.history.recording import Recording, alert_states
from monitor.history.records import (
    BaselineRecord,
    BucketState,
    Counts,
    DayRecord,
    OutboxSummary,
    ProfileRecord,
    WindowRecord,
)
from monitor.history.values import insert_new

__all__ = ["AlreadyEvaluated", "HistoryUnavailable", "LeaseLost", "Recording", "Store"]

FIRING = ("firing", "recovering")


class Store:
    """The history behind one engine; safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ping(self) -> None:
        """Ask the database for an answer. Raises HistoryUnavailable where there is none."""
        ping(self.engine)

    def claim(self, model: str, owner: str, now: datetime, lease: timedelta) -> int | None:
        """Take the lease of *model* and return its fencing token; None while it is held, by whomever."""
        with self.engine.begin() as connection:
            return leases.claim(connection, model, owner, now, lease)

    def renew(self, model: str, token: int, now: datetime, lease: timedelta) -> bool:
        """Hold the lease for longer; False where it is lost."""
        with self.engine.begin() as connection:
            return leases.renew(connection, model, token, now, lease)

    def give_back(self, model: str, token: int) -> None:
        """End the lease before its time; nothing happens where it is lost already."""
        with self.engine.begin() as connection:
            leases.give_back(connection, model, token)

    @contextmanager
    def recording(self, model: str, token: int, now: datetime) -> Iterator[Recording]:
        """One transaction for everything that follows from an evaluation; an exception inside leaves nothing of it.

        Raises LeaseLost where *token* is not the model's current lease at *now*, which is the time on the wall.
        """
        with self.engine.begin() as connection:
            leases.require(connection, model, token, now)
            yield Recording(connection, model)

    @contextmanager
    def closing(self, model: str) -> Iterator[Recording]:
        """One transaction that nobody else's on the model comes between, without its lease: to close what is gone."""
        with self.engine.begin() as connection:
            leases.lock(connection, model)
            yield Recording(connection, model)

    def models_with_alerts_under_way(self) -> list[str]:
        """The models that have an open incident or a pending alert, by name."""
        opened = select(tables.incidents.c.model).where(tables.incidents.c.resolved_at.is_(None))
        pending = select(tables.alerts.c.model).where(tables.alerts.c.condition == "pending")
        with reading(self.engine) as connection:
            return sorted(connection.execute(opened.union(pending)).scalars())

    def baseline(self, model: str, version: str, fingerprint: str) -> BaselineRecord | None:
        """The frozen layout and reference profile of a model version."""
        table = tables.baselines
        with reading(self.engine) as connection:
            found = connection.execute(
                select(table).where(
                    table.c.model == model, table.c.version == version, table.c.fingerprint == fingerprint
                )
            ).first()
        if found is None:
            return None
        delay = None if found.outcome_delay is None else timedelta(seconds=found.outcome_delay)
        known = (found.layout, found.recorded_at, found.profile, delay, found.id, tuple(found.lag_curve))
        return BaselineRecord(model, version, fingerprint, *known)

    def save_baseline(self, baseline: BaselineRecord) -> int:
        """Freeze a baseline and return its id; of two for one version and fingerprint the first stays.

        How late live outcomes come, it takes over from the model's last one: that is no matter of the version.
        """
        table = tables.baselines
        key = {"model": baseline.model, "version": baseline.version, "fingerprint": baseline.fingerprint}
        delay = None if baseline.outcome_delay is None else baseline.outcome_delay.total_seconds()
        row: dict[str, Any] = {"layout": baseline.layout, "profile": baseline.profile, "outcome_delay": delay}
        last = select(table.c.lag_curve).where(table.c.model == baseline.model).order_by(table.c.id.desc()).limit(1)
        with self.engine.begin() as connection:
            row["lag_curve"] = connection.execute(last).scalar_one_or_none() or []
            insert_new(connection, table, [{**key, **row, "recorded_at": baseline.recorded_at}])
            mine = [table.c[name] == value for name, value in key.items()]
            return int(connection.execute(select(table.c.id).where(*mine)).scalar_one())

    def evaluated(self, model: str, plan: str, since: datetime) -> list[WindowRecord]:
        """The newest revision of each window that ends at or after *since*, in order of time."""
        table = tables.evaluations
        newest: dict[tuple[datetime, datetime], WindowRecord] = {}
        with reading(self.engine) as connection:
            found = connection.execute(
                select(*(table.c[name] for name in _WINDOW))
                .where(table.c.model == model, table.c.plan == plan, table.c.window_end >= since)
                .order_by(table.c.window_end, table.c.window_start, table.c.revision)
            )
            for row in found:
                newest[row.window_start, row.window_end] = WindowRecord(*row)
        return list(newest.values())

    def newest_window_end(self, model: str, plan: str) -> datetime | None:
        """The end of the newest window of the plan, evaluated or skipped."""
        table = tables.evaluations
        with reading(self.engine) as connection:
            ends = select(func.max(table.c.window_end)).where(table.c.model == model, table.c.plan == plan)
            return connection.execute(ends).scalar_one_or_none()

    def past(
        self, model: str, plan: str, metrics: Collection[str], start: datetime, end: datetime, reach: timedelta
    ) -> Pasts:
        """What the plan measured in windows whole weeks before ``[start, end)``, oldest first."""
        return past_of(self.engine, model, plan, metrics, start, end, reach)

    def first_judged(self, model: str, plan: str, before: datetime, limit: int) -> list[tuple[int, int]]:
        """Rows and outcomes of the newest windows that ended before *before*, as they were when first evaluated."""
        table = tables.evaluations
        asked = (
            select(table.c.rows, table.c.outcomes)
            .where(table.c.model == model, table.c.plan == plan, table.c.window_end < before)
            .where(table.c.revision == 0, table.c.state == "done")
            .order_by(table.c.window_end.desc())
            .limit(limit)
        )
        with reading(self.engine) as connection:
            return [(row.rows, row.outcomes) for row in connection.execute(asked)]

    def alerts(self, model: str) -> dict[str, dict[str, Any]]:
        """The present state of each alert of *model*, by its key."""
        with reading(self.engine) as connection:
            return alert_states(connection, model)

    def bucket_profiles(self, baseline_id: int, start: datetime, end: datetime) -> dict[datetime, ProfileRecord]:
        """The profiles of the buckets that start in ``[start, end)``, by their start, in order of time."""
        return {row.bucket_start: ProfileRecord(*row[1:]) for row in self._buckets(baseline_id, start, end, _PROFILE)}

    def bucket_states(self, baseline_id: int, start: datetime, end: datetime) -> dict[datetime, BucketState]:
        """The same without reading the profiles themselves."""
        return {row.bucket_start: BucketState(*row[1:]) for row in self._buckets(baseline_id, start, end, _STATE)}

    def bucket_lags(self, baseline_id: int, start: datetime, end: datetime) -> dict[datetime, BucketState]:
        """The same, with how long the outcomes took."""
        return {row.bucket_start: _with_lags(row) for row in self._buckets(baseline_id, start, end, (*_STATE, "lags"))}

    def days(
        self, baseline_id: int, checks: Collection[str], starts: Collection[datetime], upto: int | None = None
    ) -> list[DayRecord]:
        """What the metrics of *checks* (their fingerprints) were in the days that begin at *starts*.

        Of a day that was measured several times the last counts, or the last up to the evaluation *upto*.
        """
        table = tables.bucket_values
        until = [] if upto is None else [table.c.evaluation_id <= upto]
        asked = (
            select(*(table.c[name] for name in _DAY))
            .where(table.c.baseline_id == baseline_id, table.c.check.in_(sorted(checks)))
            .where(table.c.bucket_start.in_(sorted(starts)), *until)
            .order_by(table.c.evaluation_id)
        )
        with reading(self.engine) as connection:
            found = [DayRecord(*row) for row in connection.execute(asked).all()]
        return list({(day.check, day.metric, day.column, day.segment, day.start): day for day in found}.values())

    def prune(
        self, now: datetime, keep: timedelta, batch: int = 100, *, keep_artifacts: timedelta | None = None
    ) -> int:
        """Remove what ended before ``now - keep``, *batch* rows of a table at a time; return how many went.

        Artifacts go once they are older than *keep_artifacts*, and with their evaluation at the latest.
        What stays however old it is: open incidents, undelivered notifications, the newest window of each plan.
        """
        return retention.prune(self.engine, now, keep, keep_artifacts or keep, batch)

    def outbox_summary(self) -> OutboxSummary:
        """Notifications not yet delivered."""
        table = tables.outbox
        with reading(self.engine) as connection:
            found = connection.execute(
                select(table.c.state, func.count(), func.min(table.c.created_at))
                .where(table.c.state.in_(retention.UNDELIVERED))
                .group_by(table.c.state)
            )
            by_state = {state: (count, oldest) for state, count, oldest in found}
        oldest = min((at for _, at in by_state.values()), default=None)
        pending, blocked = (by_state.get(state, (0, None))[0] for state in retention.UNDELIVERED)
        return OutboxSummary(pending=pending, blocked=blocked, oldest=oldest)

    def counts(self) -> Counts:
        """Cheap numbers for metrics."""
        open_incidents = select(func.count()).where(tables.incidents.c.resolved_at.is_(None))
        firing = select(func.count()).where(tables.alerts.c.condition.in_(FIRING))
        with reading(self.engine) as connection:
            return Counts(
                models=connection.execute(select(func.count()).select_from(tables.models)).scalar_one(),
                open_incidents=connection.execute(open_incidents).scalar_one(),
                firing_alerts=connection.execute(firing).scalar_one(),
            )

    def _buckets(self, baseline_id: int, start: datetime, end: datetime, names: tuple[str, ...]) -> list[Any]:
        table = tables.profiles
        inside = (table.c.bucket_start >= start, table.c.bucket_start < end)
        with reading(self.engine) as connection:
            found = connection.execute(
                select(*(table.c[name] for name in names))
                .where(table.c.baseline_id == baseline_id, *inside)
                .order_by(table.c.bucket_start)
            )
            return list(found)


def _with_lags(row: Any) -> BucketState:
    return BucketState(row.revision, row.rows, row.outcomes, row.read_at, tuple(row.lags))


# The columns of a record in the order of its fields.
_WINDOW = ("window_start", "window_end", "revision", "inputs", "state", "evaluated_at", "provisional")
_PROFILE = ("bucket_start", "bucket_end", "rows", "outcomes", "data", "read_at", "revision")
_DAY = ("check", "metric", "column", "segment", "bucket_start", "value", "rows", "error")
_STATE = ("bucket_start", "revision", "rows", "outcomes", "read_at")
