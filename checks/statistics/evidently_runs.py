"""Running Evidently 0.7: metrics by name, data definitions by role, one HTML file that needs no network.

Evidently is imported inside these functions alone: it takes 4 to 8 seconds and 270 MB.
"""

from __future__ import annotations

import html
import inspect
import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from checks.contract import CannotMeasure
from checks.statistics.evidently_frames import BESIDE, LABEL, NUMBER, Given
from checks.statistics.evidently_numbers import numbers

Item = tuple[str, Mapping[str, Any]]

OF_OUTCOMES = re.compile(
    r"(Classification|Regression|Recsys|Dummy).*|(F1|Precision|Recall|RocAuc)(Score|ByLabel|TopK)?|FBetaTopK"
    r"|Accuracy|LogLoss|TPR|TNR|FPR|FNR|MAE|MAPE|RMSE|R2Score|MeanError|AbsMaxError"
    r"|NDCG|MRR|MAP|HitRate|Diversity|Novelty|Personalization|PopularityBiasMetric|RecCasesTable|ScoreDistribution"
    r"|Serendipity|ItemBias|UserBias"
)


def needs_outcomes(name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether the metric compares predictions with what came true, told by its name alone."""
    return bool(OF_OUTCOMES.fullmatch(name)) or any(needs_outcomes(*inner) for inner in _inner(arguments))


def needs_reference(name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether the metric is a comparison with the reference, told by its name alone."""
    return "Drift" in name or any(needs_reference(*inner) for inner in _inner(arguments))


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a run of Evidently."""

    rows: int
    numbers: Sequence[tuple[str, float | None]]
    snapshot: Any


def run(asked: Sequence[Item], given: Given, *, outcomes: bool) -> Run:
    """Run Evidently's metrics and presets on both samples. Raises CannotMeasure."""
    with _quietly():
        import evidently

        metrics = [_metric(name, arguments) for name, arguments in asked]
        definition = _definition(given, outcomes=outcomes)
        live = evidently.Dataset.from_pandas(given.live, definition)
        before = None if given.before is None else evidently.Dataset.from_pandas(given.before, definition)
        try:
            snapshot = evidently.Report(metrics).run(live, before)
            return Run(len(given.live), tuple(numbers(snapshot)), snapshot)
        except Exception as problem:  # Evidently raises anything on columns without a single value
            names, said = " and ".join(name for name, _ in asked), f"{type(problem).__name__}: {problem}".rstrip(".")
            raise CannotMeasure(f"Evidently could not compute {names} on these rows ({said[:300]}).") from problem


def document(done: Sequence[Run], title: str) -> bytes:
    """The reports one after another in one HTML file that needs no network: scripts, fonts and data are inside."""
    with _quietly():
        from evidently.core.report import Snapshot

        models = [one.snapshot.to_snapshot_model() for one in done]
        widgets = [widget for model in models for widget in model.widgets]
        text = str(Snapshot.load_model(models[0].copy(update={"widgets": widgets})).get_html_str(as_iframe=False))
    said = html.escape(title)
    text = text.replace("<head>", f"<head>\n<title>{said}</title>", 1)
    return text.replace("<body>", f"<body>\n<h3 style='margin: 24px; font-family: sans-serif'>{said}</h3>", 1).encode()


@contextmanager
def _quietly() -> Iterator[None]:
    """Without telemetry, and deaf to the deprecation warnings of Evidently and what it brings."""
    os.environ["DO_NOT_TRACK"] = "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _inner(arguments: Mapping[str, Any]) -> Iterator[Item]:
    """Metrics that are arguments of a metric: tables with a name of their own, and ``metric_type``."""
    for key, value in arguments.items():
        if isinstance(value, Mapping) and "name" in value:
            yield value["name"], {inner: own for inner, own in value.items() if inner != "name"}
        elif key == "metric_type" and isinstance(value, str):
            yield value, {}


def _known() -> dict[str, Any]:
    from evidently import generators, metrics, presets

    modules = (metrics, presets, generators)
    return {name: value for module in modules for name, value in vars(module).items() if isinstance(value, type)}


def _metric(name: str, arguments: Mapping[str, Any]) -> Any:
    known = _known()
    if name not in known:
        close = get_close_matches(name, known, n=3) or sorted(one for one in known if one.endswith("Preset"))
        raise CannotMeasure(f"Evidently has no metric or preset '{name}'; there is {', '.join(close)}.")
    taken = {*known[name].__fields__, *inspect.signature(known[name].__init__).parameters} - {"self", "type", "data"}
    strange = [key for key in arguments if key not in taken]
    if strange:  # Evidently itself would pass over them
        takes = f"it takes {', '.join(sorted(taken))}" if taken else "it takes none"
        raise CannotMeasure(f"Evidently's {name} has no argument '{strange[0]}'; {takes}.")
    made = {key: _argument(key, value, known) for key, value in arguments.items()}
    try:
        return known[name](**made)
    except (TypeError, ValueError) as problem:  # pydantic's ValidationError is a ValueError
        said = " ".join(str(problem).split())[:300].rstrip(".")
        raise CannotMeasure(f"Evidently's {name} does not take these arguments ({said}); see its documentation.") from (
            problem
        )


def _argument(key: str, value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping) and "name" in value:
        return _metric(value["name"], {inner: own for inner, own in value.items() if inner != "name"})
    return known.get(value, value) if key == "metric_type" else value


def _definition(given: Given, *, outcomes: bool) -> Any:
    """Every kind of column is said, so that Evidently guesses none."""
    from evidently import DataDefinition

    tasks = {"binary": _binary, "multiclass": _multiclass, "regression": _regression, "ranking": _ranking}
    return DataDefinition(
        numerical_columns=given.of_kind(NUMBER),
        categorical_columns=given.of_kind(LABEL),
        unknown_columns=given.of_kind(BESIDE),
        text_columns=[],
        datetime_columns=[],
        list_columns=[],
        **(tasks[given.task](given) if outcomes else {}),
    )


def _present(given: Given, *names: str | None) -> str | None:
    return next((name for name in names if name in given.kinds), None)


def _binary(given: Given) -> dict[str, Any]:
    from evidently import BinaryClassification

    said, score = _present(given, given.roles.prediction), _present(given, given.roles.score)
    if said is None and score is None:
        return {}
    one = BinaryClassification(
        target=given.roles.outcome, prediction_labels=said, prediction_probas=score, pos_label=given.positive
    )
    return {"classification": [one]}


def _multiclass(given: Given) -> dict[str, Any]:
    from evidently import MulticlassClassification

    said = _present(given, given.roles.prediction)
    scores = [name for name in given.roles.classes if given.kinds.get(name) == NUMBER]
    scored = scores if scores and len(scores) == len(given.roles.scores) else None
    if said is None and scored is None:
        return {}
    one = MulticlassClassification(target=given.roles.outcome, prediction_labels=said, prediction_probas=scored)
    return {"classification": [one]}


def _regression(given: Given) -> dict[str, Any]:
    from evidently import Regression

    said = _present(given, given.roles.prediction, given.roles.score)
    return {} if said is None else {"regression": [Regression(target=given.roles.outcome, prediction=said)]}


def _ranking(given: Given) -> dict[str, Any]:
    from evidently import Recsys

    roles = given.roles
    by = _present(given, roles.score, roles.position, roles.prediction)
    if by is None or roles.request not in given.kinds or roles.item not in given.kinds:
        return {}
    kind = "rank" if by == roles.position else "score"
    one = Recsys(
        user_id=roles.request, item_id=roles.item, target=roles.outcome, prediction=by, recommendations_type=kind
    )
    return {"ranking": [one]}
