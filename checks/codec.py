"""Profiles and layouts as bytes: JSON, compressed with zlib; counts that are mostly zero are written sparsely."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from checks.profile import (
    LAG_EDGES,
    SCORE_BINS,
    Categories,
    Distribution,
    Errors,
    Layout,
    Numbers,
    Profile,
    Scores,
    Slice,
)

FORMAT = 2
"""The first element of each document; raised when its shape changes."""

_HEALTH = (
    *("duplicate_predictions", "duplicate_outcomes", "orphan_outcomes"),
    *("early_outcomes", "future_outcomes", "late_outcomes"),
)

_SPEED = 1  # zlib level: 3 times faster than the default, a tenth larger


def encode_layout(layout: Layout) -> bytes:
    """The layout as ``[FORMAT, columns, segments, importance]``."""
    columns = {name: _cells_out(cells) for name, cells in layout.columns.items()}
    segments = {name: list(values) for name, values in layout.segments.items()}
    return _write([FORMAT, columns, segments, dict(layout.importance)])


def decode_layout(data: bytes) -> Layout:
    """The layout in *data*. Raises ValueError where it is not one."""
    try:
        _, columns, segments, importance = _read(data)
        return Layout(
            columns={name: _cells_in(cells) for name, cells in columns.items()},
            segments={name: tuple(values) for name, values in segments.items()},
            importance=dict(importance),
        )
    except (zlib.error, AttributeError, KeyError, TypeError, ValueError) as problem:
        raise ValueError(f"These bytes are not a stored layout of this version ({problem}).") from problem


def encode_profile(profile: Profile) -> bytes:
    """The profile as ``[FORMAT, cells per column, slices, health of the log, lags]``, columns by their place."""
    places = {name: place for place, name in enumerate(profile.layout.columns)}
    health = [getattr(profile, name) for name in _HEALTH]
    slices = {segment: _slice_out(part, places) for segment, part in profile.slices.items()}
    return _write([FORMAT, _shape(profile.layout), slices, health, _counts_out(profile.lags)])


def decode_profile(data: bytes, layout: Layout) -> Profile:
    """The profile in *data*, taken on *layout*. Raises ValueError where it is not one."""
    try:
        _, shape, slices, health, lags = _read(data)
        _demand("cells", shape, _shape(layout))
        columns = tuple((name, cells.cells) for name, cells in layout.columns.items())
        parts = {segment: _slice_in(part, columns) for segment, part in slices.items()}
        known = dict(zip(_HEALTH, health, strict=True))
        return Profile(layout, parts, lags=_counts_in(lags, len(LAG_EDGES) + 1), **known)
    except (zlib.error, AttributeError, IndexError, KeyError, TypeError, ValueError) as problem:
        raise ValueError(f"These bytes are not a stored profile of this layout ({problem}).") from problem


def _shape(layout: Layout) -> list[int]:
    return [cells.cells for cells in layout.columns.values()]


def _write(document: list[Any]) -> bytes:
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), _SPEED)


def _read(data: bytes) -> list[Any]:
    document: list[Any] = json.loads(zlib.decompress(data))
    _demand("format", document[0], FORMAT)
    return document


def _demand(what: str, found: object, right: object) -> None:
    if found != right:
        raise ValueError(f"{what} {found} instead of {right}")


def _cells_out(cells: Numbers | Categories) -> dict[str, Any]:
    if isinstance(cells, Numbers):
        return {"edges": list(cells.edges), "centre": cells.centre}
    return {"values": list(cells.values)}


def _cells_in(cells: dict[str, Any]) -> Numbers | Categories:
    if "values" in cells:
        return Categories(tuple(cells["values"]))
    return Numbers(tuple(cells["edges"]), cells["centre"])


def _slice_out(part: Slice, places: dict[str, int]) -> list[Any]:
    return [
        part.rows,
        part.labelled,
        [[places[name], *_distribution_out(distribution)] for name, distribution in part.columns.items()],
        [[predicted, actual, rows] for (predicted, actual), rows in part.confusion.items()],
        part.scores and _scores_out(part.scores),
        part.errors and list(astuple(part.errors)),
    ]


def _slice_in(part: list[Any], columns: Sequence[tuple[str, int]]) -> Slice:
    rows, labelled, distributions, confusion, scores, errors = part
    return Slice(
        rows=rows,
        labelled=labelled,
        columns={
            columns[place][0]: Distribution(_counts_in(counts, columns[place][1]), *rest)
            for place, counts, *rest in distributions
        },
        confusion={(predicted, actual): count for predicted, actual, count in confusion},
        scores=_scores_in(scores) if scores else None,
        errors=Errors(*errors) if errors else None,
    )


def _distribution_out(one: Distribution) -> list[Any]:
    sums = [one.null, one.nan, one.infinite, one.absent, one.total, one.squares, one.low, one.high]
    return [_counts_out(one.counts), *sums]


def _scores_out(scores: Scores) -> list[Any]:
    counts = (scores.negatives, scores.positives, scores.rejected, scores.accepted)
    return [*map(_counts_out, counts), scores.log_loss, scores.squared_error]


def _scores_in(scores: list[Any]) -> Scores:
    *counts, log_loss, squared_error = scores
    negatives, positives, rejected, accepted = (_counts_in(one, SCORE_BINS) for one in counts)
    return Scores(negatives, positives, log_loss, squared_error, rejected, accepted)


def _counts_out(counts: tuple[int, ...]) -> list[Any]:
    filled = [place for place, count in enumerate(counts) if count]
    if 2 * len(filled) >= len(counts):
        return list(counts)
    return [filled, [counts[place] for place in filled]]


def _counts_in(counts: list[Any], cells: int) -> tuple[int, ...]:
    if not counts or not isinstance(counts[0], list):
        dense = tuple(counts)
    else:
        values = [0] * cells
        for place, count in zip(*counts, strict=True):
            values[place] = count
        dense = tuple(values)
    if len(dense) != cells:
        raise ValueError(f"{len(dense)} cells instead of {cells}")
    return dense
