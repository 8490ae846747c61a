"""Parameters for checks that measure nothing, or little, with their defaults; the contract suite tries these, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

EXAMPLES: Mapping[str, Sequence[Mapping[str, object]]] = {
    "business_kpi": (
        {"name": "size", "column": "size"},
        {"name": "size", "column": "size", "aggregate": "mean"},
    ),
    "error_cost": ({"costs": {"1": {"0": 5.0}, "0": {"1": 2.0}}},),
    "fairness": ({"min_rows": 10},),
    "experiment": ({"variant": "city", "champion": "Oslo", "challenger": "Ålesund", "kpi": "size"},),
}
"""By the kind of the check: parameters as in ``[[models.checks]]``. The windows are those of checks.testing.scenes."""

CHEAPER: Mapping[str, Mapping[str, object]] = {
    "evidently": {"run": ["DatasetMissingValueCount", {"name": "ValueDrift", "column": "size"}], "html": False},
    "multivariate_drift": {"rows": 100},
}
"""Parameters instead of the defaults, for checks that take seconds with those: the suite runs each a hundred times."""
