"""A model under watch: its settings with what follows from them, worked out once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from checks.codec import FORMAT
from checks.contract import Check
from monitor.alerts.incident import ModelFacts
from monitor.alerts.rule import Rule
from monitor.release.contract import Bound, ReleaseContract, build_contract
from monitor.schedule.plan import Plan, plans_of
from monitor.settings import ModelSettings, Settings
from monitor.settings.terms import measures, split_segments

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Watch:
    """Everything the scheduler needs to know of a model."""

    model: ModelSettings
    contract: ReleaseContract
    plans: tuple[Plan, ...]
    rule: Rule
    confidence: float
    base: Path
    checks_dir: Path | None
    fingerprint: str
    """Of all that a profile depends on: with another, buckets are read anew."""

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def facts(self) -> ModelFacts:
        """What messages say of the model."""
        return ModelFacts(self.model.name, self.model.version, self.model.owner, self.model.runbook)

    @property
    def outcome_delay(self) -> timedelta | None:
        """How long outcomes are waited for, where the settings say so."""
        return self.model.outcomes.delay if self.model.outcomes else None

    def by_days(self, plan: Plan) -> frozenset[str]:
        """The metrics of *plan* whose days are judged together."""
        return frozenset(bound.metric for bound in self.bounds(plan) if bound.pages_by_days)

    def bounds(self, plan: Plan) -> tuple[Bound, ...]:
        """The bounds on what *plan* measures."""
        return tuple(
            bound
            for bound in self.contract.bounds
            if (bound.window, bound.every) == (plan.window, plan.every)
            and any(measures(planned.check, bound.metric, bound.column) for planned in plan.checks)
        )


def watches_of(settings: Settings, checks: Mapping[str, type[Check]], base: Path) -> tuple[Watch, ...]:
    """Every model of the settings that is not retired, under watch."""
    alerts = settings.alerts
    rule = Rule(
        pending_for=alerts.pending_for,
        keep_firing_for=alerts.keep_firing_for,
        reopen_for=DAY if alerts.reopen_for is None else alerts.reopen_for,
        relapse_for=alerts.false_pages if alerts.reopen_for is None else alerts.reopen_for,
        blind_after=alerts.blind_after,
        blind_severity=alerts.blind_severity,
        group_by=alerts.group_by,
    )
    checks_dir = None if settings.checks_dir is None else base / settings.checks_dir
    return tuple(
        _watch(model, checks, rule, alerts.confidence, alerts.false_pages, base, checks_dir)
        for model in settings.models
        if not model.retired
    )


def _watch(
    model: ModelSettings,
    checks: Mapping[str, type[Check]],
    rule: Rule,
    confidence: float,
    false_pages: timedelta,
    base: Path,
    checks_dir: Path | None,
) -> Watch:
    contract = build_contract(model, checks, confidence, false_pages)
    return Watch(model, contract, plans_of(contract), rule, confidence, base, checks_dir, _fingerprint(model))


def _fingerprint(model: ModelSettings) -> str:
    text = model.model_dump_json(include={"task", "bucket", "predictions", "outcomes", "reference"})
    split = ",".join(sorted(split_segments(model)))
    return hashlib.sha256(f"{FORMAT} {split} {text}".encode()).hexdigest()[:32]
