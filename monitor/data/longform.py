"""The long form of the pushed-down aggregation: what its parts, cells and columns are called."""

from __future__ import annotations

from monitor.data.shape import Shape

NULL, NAN, INFINITE = -3, -1, -2
KNOWN, OTHER = 0, 1
WHOLE, LAGS, CHANCES = -1, -2, -3
"""Parts of the long form that are no column of the layout; segment *j* is part ``SEGMENTS - j``."""
SEGMENTS, CHANCES_OF_SEGMENTS = -10, -10_000
RIGHT, WRONG = "1", "0"

KEYS = ("part", "bucket", "one", "two", "three", "cell", "rows")

Sums = tuple[str, ...]


def sum_names(shape: Shape) -> Sums:
    """As many sums as any arm of the shape has."""
    count = 12 if shape.task == "regression" else 2 if shape.engine == "duckdb" else 4
    return tuple(f"v{place}" for place in range(count))
