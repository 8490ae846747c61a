"""What Prometheus scrapes, and that the dashboard and the rules of examples/ ask for nothing else."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML carries no types
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from monitor.history.deliveries import ReceiverRow
from monitor.history.rows import HistoryRow
from monitor.schedule.vitals import Vitals
from monitor.web.metrics import COUNTERS, HistoryMetrics, VitalMetrics

EXAMPLES = Path(__file__).parents[2] / "examples" / "prometheus"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RECEIVER = ReceiverRow("slack:#alerts", waiting=2, oldest=NOW - timedelta(minutes=5))
VERDICT = HistoryRow(
    *("flights", "v1", NOW, NOW, 0, NOW, "accuracy", "accuracy", "", "", 0.6, 0.5, 0.7, 9, "breach"),
    *("falls_below", "It fell.", "page", "min", 0.7, 0.8, 1, 1),
)


def scraped(vitals: Vitals) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Every sample by its name."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(VitalMetrics(vitals))
    registry.register(HistoryMetrics(lambda: [VERDICT], lambda: [RECEIVER], lambda: NOW))
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


@pytest.fixture
def vitals() -> Vitals:
    """A daemon to which everything has happened once."""
    lived = Vitals(stale_after=60)
    for name, (_, labels) in COUNTERS.items():
        lived.count(name, *(f"some {label}" for label in labels))
    lived.note("lag", "flights", value=12.5)
    return lived


def test_what_happened_is_counted_and_what_stands_is_told(vitals: Vitals) -> None:
    vitals.count("evaluation_seconds", "flights", by=0.25)
    vitals.count("evaluation_seconds", "flights", by=0.5)
    vitals.note("lag", "flights", value=3.0)

    found = scraped(vitals)
    assert ({"model": "flights"}, 0.75) in found["model_monitor_evaluation_seconds_total"]
    assert found["model_monitor_evaluation_lag_seconds"] == [({"model": "flights"}, 3.0)], "the newest alone"
    assert found["model_monitor_outbox_age_seconds"] == [({"receiver": "slack:#alerts"}, 300.0)]
    about = {"model": "flights", "version": "v1", "metric": "accuracy", "segment": ""}
    assert ({**about, "verdict": "breach"}, 1.0) in found["model_monitor_verdict"]
    assert found["model_monitor_threshold"] == [({**about, "side": "min"}, 0.7)]


def _asked(expressions: list[str]) -> list[tuple[str, set[str]]]:
    """Each metric of ours that an expression names, with the labels it is narrowed by."""
    found = []
    for expression in expressions:
        for name, labels in re.findall(r"(model_monitor_\w+)(?:\{([^}]*)\})?", expression):
            found.append((name, set(re.findall(r"(\w+)\s*(?:=~|!=|=)", labels))))
        found += [("", set(re.findall(r"\w+", group))) for group in re.findall(r"by \(([^)]*)\)", expression)]
    return found


def _rules() -> list[dict[str, object]]:
    groups = yaml.safe_load((EXAMPLES / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _panels() -> list[dict[str, object]]:
    panels: list[dict[str, object]] = json.loads((EXAMPLES / "dashboard.json").read_text())["panels"]
    return panels


def _expressions(source: str) -> list[str]:
    if source == "alerts.yml":
        return [str(rule["expr"]) for rule in _rules()]
    return [target["expr"] for panel in _panels() for target in panel["targets"]]  # type: ignore[attr-defined]  # JSON


@pytest.mark.parametrize("source", ["alerts.yml", "dashboard.json"])
def test_every_metric_that_is_asked_for_exists_with_its_labels(vitals: Vitals, source: str) -> None:
    found = scraped(vitals)
    labels = {name: set().union(*(set(one) for one, _ in samples)) for name, samples in found.items()}
    every = set().union(*labels.values())
    asked = _asked(_expressions(source))
    assert len(asked) > 10
    assert [
        (name, narrowed) for name, narrowed in asked if not narrowed <= labels.get(name, every if not name else set())
    ] == []
    assert [name for name, _ in asked if name and name not in found] == []


def test_every_metric_is_on_the_dashboard(vitals: Vitals) -> None:
    shown = " ".join(_expressions("dashboard.json"))
    assert [name for name in scraped(vitals) if name.endswith("_created") is False and name not in shown] == []


def test_the_panels_of_the_dashboard_stand_side_by_side() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in _panels():
        at: dict[str, int] = panel["gridPos"]  # type: ignore[assignment]  # JSON
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_rule_says_what_is_wrong_and_what_to_do() -> None:
    for rule in _rules():
        assert {"alert", "expr", "labels", "annotations"} <= rule.keys()
        annotations: dict[str, str] = rule["annotations"]  # type: ignore[assignment]  # YAML
        assert set(annotations) == {"summary", "description"}, rule["alert"]
