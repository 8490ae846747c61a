"""Quantiles of counts in cells."""

from __future__ import annotations

from collections.abc import Sequence


def quantile(counts: Sequence[int], edges: Sequence[float], share: float, least: float = 0.0) -> float | None:
    """The value that *share* of the counts stay below; None where there are none.

    Cells are ``[least, e0), [e0, e1), ... [en, inf)``. Inside a cell the counts are taken as spread evenly, so the
    answer is right to within a cell; in the last, open one it is the last edge.
    """
    rows = sum(counts)
    if not rows:
        return None
    ends = [least, *edges]
    wanted, below = share * rows, 0
    for cell, count in enumerate(counts):
        if count and below + count >= wanted:
            if cell >= len(edges):
                break
            inside = max(wanted - below, 0.0) / count
            return ends[cell] + inside * (ends[cell + 1] - ends[cell])
        below += count
    return ends[-1]
