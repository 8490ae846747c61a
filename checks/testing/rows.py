"""Profiles of rows in Python, for tests: what the pushed-down profiler of the monitor computes on an engine."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from checks.profile import ALL, SCORE_BINS, Categories, Distribution, Errors, Layout, Numbers, Profile, Scores, Slice

Row = Mapping[str, object]


def profile_of(rows: Sequence[Row], layout: Layout, segment: str | None = None) -> Profile:
    """The profile of rows with the keys prediction, score, outcome, and the columns of the layout."""
    slices = {ALL: _slice(rows, layout)}
    for known in layout.segments.get(segment or "", ()):
        slices[f"{segment}={known}"] = _slice([row for row in rows if row.get(segment or "") == known], Layout({}))
    return Profile(layout, slices)


def _slice(rows: Sequence[Row], layout: Layout) -> Slice:
    labelled = [row for row in rows if row.get("outcome") is not None]
    return Slice(
        rows=len(rows),
        labelled=len(labelled),
        columns={name: distribution([row.get(name) for row in rows], cells) for name, cells in layout.columns.items()},
        confusion=Counter(
            (str(row["prediction"]), str(row["outcome"])) for row in labelled if row.get("prediction") is not None
        ),
        scores=_class_scores(rows) if any("scores" in row for row in rows) else _scores(rows),
        errors=_errors([row for row in labelled if _usable(row.get("number"))]),
    )


def _usable(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def distribution(values: Sequence[object], cells: Numbers | Categories) -> Distribution:
    """The counts of one column."""
    if isinstance(cells, Categories):
        places = {value: place for place, value in enumerate(cells.values)}
        held = Counter(places.get(str(value), len(places)) for value in values if value is not None)
        return Distribution(tuple(held[place] for place in range(cells.cells)), null=values.count(None))
    floats = [float(value) for value in values if isinstance(value, float | int)]
    finite = [value for value in floats if math.isfinite(value)]
    held = Counter(bisect_right(cells.edges, value) for value in finite)
    return Distribution(
        tuple(held[place] for place in range(cells.cells)),
        null=sum(value is None for value in values),
        nan=sum(map(math.isnan, floats)),
        infinite=sum(map(math.isinf, floats)),
        total=sum(value - cells.centre for value in finite),
        squares=sum((value - cells.centre) ** 2 for value in finite),
        low=min(finite, default=None),
        high=max(finite, default=None),
    )


def _scores(rows: Iterable[Row]) -> Scores | None:
    """Of a binary model that looks for the class 1."""
    scored = [row for row in rows if _usable(row.get("score"))]
    labelled = [(_number(row["score"]), str(row["outcome"]) == "1") for row in scored if row.get("outcome") is not None]
    said = [
        (_number(row["score"]), str(row["prediction"]) == "1") for row in scored if row.get("prediction") is not None
    ]
    if not scored:
        return None
    return Scores(
        *_table(labelled),
        log_loss=sum(-math.log(max(score if came else 1 - score, 1e-15)) for score, came in labelled),
        squared_error=sum((score - came) ** 2 for score, came in labelled),
        **dict(zip(("rejected", "accepted"), _table(said), strict=True)),
    )


def _class_scores(rows: Iterable[Row]) -> Scores | None:
    """Of a model of several classes: ``scores`` holds the score of each."""
    scored: list[tuple[Row, dict[object, float]]] = [
        (row, dict(scores)) for row in rows if isinstance(scores := row.get("scores"), Mapping)
    ]
    labelled = [(row, scores) for row, scores in scored if row.get("outcome") is not None]
    if not scored:
        return None
    negatives, positives = _table(
        (scores[row["prediction"]], row["prediction"] == row["outcome"]) for row, scores in labelled
    )
    return Scores(
        negatives,
        positives,
        log_loss=sum(-math.log(max(scores[row["outcome"]], 1e-15)) for row, scores in labelled),
        squared_error=sum(
            (score - float(name == row["outcome"])) ** 2 for row, scores in labelled for name, score in scores.items()
        ),
        accepted=_table((scores[row["prediction"]], True) for row, scores in scored)[1],
    )


def _table(scored: Iterable[tuple[float, bool]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Rows per bin: of those marked False, and of those marked True."""
    held = Counter((min(int(score * SCORE_BINS), SCORE_BINS - 1), mark) for score, mark in scored)
    negatives, positives = (tuple(held[place, mark] for place in range(SCORE_BINS)) for mark in (False, True))
    return negatives, positives


def _errors(rows: Sequence[Row]) -> Errors | None:
    """A row may have a ``tolerance``, and a predicted interval from ``lower`` to ``upper``."""
    known = [(_number(row["number"]), _number(row["outcome"])) for row in rows]
    if not known:
        return None
    relative = [abs(said - came) / abs(came) for said, came in known if came]
    ends = [(_number(row["lower"]), _number(row["outcome"]), _number(row["upper"])) for row in rows if "lower" in row]
    return Errors(
        rows=len(known),
        error=sum(said - came for said, came in known),
        absolute=sum(abs(said - came) for said, came in known),
        squared=sum((said - came) ** 2 for said, came in known),
        outcome=sum(came for _, came in known),
        outcome_squared=sum(came**2 for _, came in known),
        relative=sum(relative),
        relative_rows=len(relative),
        symmetric=sum(2 * abs(said - came) / (abs(said) + abs(came)) for said, came in known if said or came),
        within=sum(
            abs(said - came) <= _number(row.get("tolerance", -1)) for row, (said, came) in zip(rows, known, strict=True)
        ),
        inside=sum(low <= came <= high for low, came, high in ends),
        interval_rows=len(ends),
    )


def _number(value: object) -> float:
    return float(str(value))
