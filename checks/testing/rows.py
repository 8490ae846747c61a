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
        scores=_scores([(row["score"], row["outcome"]) for row in labelled if _usable(row.get("score"))]),
        errors=_errors([(row["number"], row["outcome"]) for row in labelled if _usable(row.get("number"))]),
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


def _scores(pairs: Iterable[tuple[object, object]]) -> Scores | None:
    scored = [(float(str(score)), str(outcome) == "1") for score, outcome in pairs]
    if not scored:
        return None
    held = Counter((min(int(score * SCORE_BINS), SCORE_BINS - 1), came) for score, came in scored)
    return Scores(
        negatives=tuple(held[place, False] for place in range(SCORE_BINS)),
        positives=tuple(held[place, True] for place in range(SCORE_BINS)),
        log_loss=sum(-math.log(max(score if came else 1 - score, 1e-15)) for score, came in scored),
        squared_error=sum((score - came) ** 2 for score, came in scored),
    )


def _errors(pairs: Iterable[tuple[object, object]]) -> Errors | None:
    known = [(float(str(said)), float(str(came))) for said, came in pairs]
    if not known:
        return None
    relative = [abs(said - came) / abs(came) for said, came in known if came]
    return Errors(
        rows=len(known),
        error=sum(said - came for said, came in known),
        absolute=sum(abs(said - came) for said, came in known),
        squared=sum((said - came) ** 2 for said, came in known),
        outcome=sum(came for _, came in known),
        outcome_squared=sum(came**2 for _, came in known),
        relative=sum(relative),
        relative_rows=len(relative),
    )
