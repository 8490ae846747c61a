"""Recording a release: its contract, its baseline and what was measured of its reference, frozen in the history."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path

from checks.profile import Layout, Profile
from monitor.app import App, seen_release
from monitor.by_hand import past
from monitor.candidates import Judged, judge_rows
from monitor.history.records import BaselineRecord
from monitor.history.releases import Evidence, Frozen, Release, evidence_of, listed, record
from monitor.history.store import Store
from monitor.release.written import PROMISE
from monitor.schedule.daily import fingerprint_of
from monitor.schedule.evaluation import BaselineTaken
from monitor.schedule.watch import Watch
from monitor.settings import Laid, ModelSettings, Settings, Source


class NotReleased(Exception):
    """Why a version cannot be recorded, as a sentence with a way out."""


@dataclass(frozen=True, slots=True)
class Released:
    """A release as it was recorded; *already* since when, where it was there before. *judged* is its own reference."""

    release: Release
    judged: Judged
    already: datetime | None = None


def release(app: App, watch: Watch, store: Store, now: datetime, tell: Callable[[str], None]) -> Released:
    """Record the version of *watch*. Raises NotReleased, SourceProblem and HistoryUnavailable."""
    from monitor.data.errors import SourceUnreadable, shown

    reference = watch.model.reference
    if reference is None:
        raise NotReleased(f"{watch.name} has no rows that its release was decided on; add [models.reference].")
    judged = judge_rows(app, watch, reference, "reference", tell)
    if judged.source_failure is not None:
        raise SourceUnreadable(judged.source_failure)
    taken = next(each.result.baseline for each in judged.evaluated if each.result.baseline is not None)
    evidence = Evidence(
        _place(reference, shown), judged.rows, judged.outcomes, digest_of(taken), tuple(_measured(judged))
    )
    known = evidence_of(store.engine, watch.name, watch.model.version)
    if known is not None and known.profile != evidence.profile:
        raise NotReleased(_other(watch, known, evidence))
    _freeze(store, watch, taken, evidence, now)
    before = next((one for one in listed(store.engine, watch.name, watch.model.version) if _same(one, watch)), None)
    made = seen_release(watch, now, released_at=now, evidence=known or evidence)
    record(store.engine, made)
    return Released(made, judged, before.released_at if before else None)


def recorded_promises(settings: Settings, base: Path) -> list[Laid]:
    """For each model that promises nothing in config.toml what its version was released with, to be laid over it."""
    laid: list[Laid] = []
    with past(settings, base) as store:
        for index, model in enumerate(settings.models):
            if store is None or model.release or model.checks:
                continue
            released = [one for one in listed(store.engine, model.name, model.version) if one.released_at is not None]
            if released:
                laid += _laid(index, model, released[-1])
    return laid


def _laid(index: int, model: ModelSettings, release: Release) -> Iterator[Laid]:
    for name in PROMISE:
        if name in release.contract and name not in model.model_fields_set:
            origin = f"models[{index}].{name}, as recorded of version {release.version} in the history"
            yield Laid(("models", index, name), release.contract[name], origin)


def digest_of(taken: BaselineTaken) -> str:
    """A hash of what was counted in the reference; sums are left out, whose last digits depend on the order of rows."""
    if taken.reference is None:
        return ""
    whole = Profile.from_bytes(taken.reference, Layout.from_bytes(taken.layout)).whole
    counted = {
        name: (each.counts, each.null, each.nan, each.infinite, each.absent) for name, each in whole.columns.items()
    }
    confusion = sorted((*cell, rows) for cell, rows in whole.confusion.items())
    data = json.dumps([whole.rows, whole.labelled, counted, confusion], sort_keys=True)
    return hashlib.sha256(data.encode()).hexdigest()


def _freeze(store: Store, watch: Watch, taken: BaselineTaken, evidence: Evidence, now: datetime) -> None:
    """Keep the baseline; one that the daemon took before must be of the same rows. Raises NotReleased."""
    key = (watch.name, watch.model.version, watch.fingerprint)
    store.save_baseline(BaselineRecord(*key, taken.layout, now, taken.reference, taken.outcome_delay))
    kept = store.baseline(*key)
    if kept is not None and digest_of(BaselineTaken(kept.layout, kept.profile, None)) != evidence.profile:
        raise NotReleased(
            f"{watch.name} {watch.model.version} is watched since {kept.recorded_at:%Y-%m-%d %H:%M} UTC against other "
            "rows than the reference holds now; bring those rows back, or give these a version of their own."
        )


def _same(release: Release, watch: Watch) -> bool:
    return release.contract_hash == watch.contract.hash and release.released_at is not None


def _other(watch: Watch, known: Evidence, found: Evidence) -> str:
    return (
        f"{watch.name} {watch.model.version} was released on other rows ({known.rows:,} of {known.reference}, profile "
        f"{known.profile[:8]}; now {found.rows:,} of {found.reference}, profile {found.profile[:8]}). "
        "A release stays as it is: give these rows a version of their own."
    )


def _place(source: Source, shown: Callable[[str], str]) -> str:
    return f"{shown(source.source)}{f', table {source.table}' if source.table else ''}"


def _measured(judged: Judged) -> Iterator[Frozen]:
    """Each number of the reference with its interval; its value as bounds relative to the release take it."""
    for each in judged.evaluated:
        for place, event in each.result.measured.items():
            check = fingerprint_of(each.plan.checks[place].check)
            for one in event.measurements:
                about = (one.metric, one.column, one.segment)
                value = event.released.get(about)
                if value is None or not isfinite(value):
                    continue
                low, high = (end if end is not None and isfinite(end) else None for end in (one.low, one.high))
                yield Frozen(check, one.metric, value, one.column, one.segment, low, high, one.rows)
