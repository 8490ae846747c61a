"""The metrics of a model of several classes as formulas, and those that a binary model has too."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from checks.contract import Metric, Task
from checks.statistics import classification as by_class
from checks.statistics import scores as by_score
from checks.statistics.classification import F1, PRECISION, RECALL, Counts
from checks.statistics.formula import Formula, Statistic
from checks.statistics.samples import Samples

if TYPE_CHECKING:
    from checks.statistics.samples import Floats

MULTICLASS: tuple[Task, ...] = ("multiclass",)
CLASSES: tuple[Task, ...] = ("binary", "multiclass")

MOST_CLASSES = 50
"""As many classes are measured one by one: those with the most outcomes."""

NO_ROWS = "No row has both a usable prediction and an outcome."
NO_SCORES = "No row has both a score for each class and an outcome."

RATES = (("precision", PRECISION), ("recall", RECALL), ("f1", F1))
LOG_LOSS = Metric("log_loss", "mean of -ln(probability given to what came true)", "low", tasks=CLASSES, averages=True)
BRIER = Metric("brier", "mean squared distance of scores and outcomes", "low", tasks=CLASSES, averages=True)


def judged(of: Samples) -> Floats:
    """Rows with a usable predicted class and an outcome."""
    return of.judged


def log_loss(of: Samples) -> Floats:
    """The mean of -ln(probability given to what came true)."""
    return by_score.mean(of.total(lambda part: part.scores.log_loss if part.scores else 0.0), of)


def brier(of: Samples) -> Floats:
    """The mean of (score - outcome)², over all classes."""
    return by_score.mean(of.total(lambda part: part.scores.squared_error if part.scores else 0.0), of)


ACCURACY = Formula(
    Metric("accuracy", "share of rows whose predicted class came true", "high", tasks=CLASSES, averages=True),
    *(by_class.accuracy, judged, NO_ROWS, 0, 1, judged),
    share=True,
)
SERVED_ACCURACY = Formula(
    Metric(
        "served_accuracy",
        "accuracy where no usable prediction counts as a wrong one",
        "high",
        tasks=CLASSES,
        averages=True,
    ),
    *(by_class.served_accuracy, lambda of: of.labelled, "No row has an outcome.", 0, 1, lambda of: of.labelled),
    share=True,
)


def multiclass(classes: tuple[str, ...]) -> tuple[Formula[Samples], ...]:
    """Everything measured of a model of several classes; these *classes* one by one."""
    return (
        *(ACCURACY, SERVED_ACCURACY),
        *(_micro(name) for name, _ in RATES),
        *(_macro(name, weight) for name, weight in RATES),
        *(_weighted(name, weight) for name, weight in RATES),
        Formula(LOG_LOSS, log_loss, by_score.scored, NO_SCORES, 0, inf),
        Formula(BRIER, brier, by_score.scored, NO_SCORES, 0, 2),
        *(_of_class(name, place, weight) for name in classes for place, weight in RATES),
    )


def most_frequent(of: Samples) -> tuple[str, ...]:
    """The classes with the most outcomes, at most MOST_CLASSES."""
    rows = dict(zip(of.classes, of.margins.was[0].tolist(), strict=True))
    return tuple(sorted(rows, key=lambda name: (-rows[name], name))[:MOST_CLASSES])


def _metric(name: str, summary: str) -> Metric:
    return Metric(name, summary, "high", tasks=MULTICLASS)


def _micro(name: str) -> Formula[Samples]:
    metric = _metric(f"{name}_micro", f"{name} over the rows of all classes together, which is accuracy")
    return Formula(metric, by_class.accuracy, judged, NO_ROWS, 0, 1, judged, share=True)


def _macro(name: str, weight: float) -> Formula[Samples]:
    metric = _metric(f"{name}_macro", f"mean of {name} over the classes")
    value: Statistic = lambda of: by_class.macro(of, weight)  # noqa: E731
    variance: Statistic = lambda of: by_class.macro_variance(of, weight)  # noqa: E731
    return Formula(metric, value, judged, NO_ROWS, 0, 1, judged, variance=variance)


def _weighted(name: str, weight: float) -> Formula[Samples]:
    metric = _metric(f"{name}_weighted", f"mean of {name} over the classes, weighted by outcomes")
    value: Statistic = lambda of: by_class.weighted(of, weight)  # noqa: E731
    variance: Statistic = lambda of: by_class.weighted_variance(of, weight)  # noqa: E731
    return Formula(metric, value, judged, NO_ROWS, 0, 1, judged, variance=variance)


def _of_class(name: str, rate: str, weight: float) -> Formula[Samples]:
    def of(value: Callable[[Counts], Floats]) -> Statistic:
        return lambda of: value(by_class.counts(of, name))

    said, was = f"was predicted as '{name}'", f"came true as '{name}'"
    undefined = {"precision": said, "recall": was, "f1": f"{said} or came true as it"}[rate]
    return Formula(
        Metric(f"class_{rate}", f"{rate} of one class", "high", per="class", tasks=MULTICLASS),
        of(lambda of: by_class.effectiveness(of, weight)),
        *(judged, f"No row with prediction and outcome {undefined}.", 0, 1, of(TRIALS[rate])),
        share=rate != "f1",
        variance=of(lambda of: by_class.effectiveness_variance(of, weight)),
        column=name or "(empty)",
    )


TRIALS: dict[str, Callable[[Counts], Floats]] = {
    "precision": lambda of: of.tp + of.fp,
    "recall": lambda of: of.tp + of.fn,
    "f1": lambda of: of.tp + of.fp + of.fn,
}
