"""Numbers counted from batches: each in the cell it belongs to, whatever bits it is made of."""

from __future__ import annotations

from itertools import product
from math import inf, isnan, nan, nextafter

import numpy as np
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from checks.profile import Numbers
from monitor.data.columns import HUGE
from monitor.data.counting import SEARCHED, Group, count, ruler

INSIDE = st.floats(-HUGE, HUGE, exclude_min=True, exclude_max=True)
YEARS = tuple(float(year) for year in range(2000, 2041))


@given(st.lists(INSIDE, unique=True, max_size=41), st.lists(st.floats(), min_size=1))
@example([0.0], [-0.0, 0.0, 5e-324, -5e-324])
@example([-5e-324, 0.0, 5e-324], [-0.0, 0.0, 5e-324, -5e-324])
@example(list(YEARS), [1999.0, nextafter(2007.0, 0), 2007.0, 2040.0, inf, -inf, nan])
@example([], [HUGE, -HUGE, nextafter(HUGE, 0), -nextafter(HUGE, 0), nan, -nan])
def test_the_place_of_a_number_is_how_many_cells_begin_at_or_below_it(edges: list[float], values: list[float]) -> None:
    rule = ruler(Numbers(tuple(sorted(edges))))
    near = [nextafter(edge, way) for edge, way in product(edges, (-inf, inf))]
    for value, place in zip([*values, *edges, *near], rule.measure(np.array([*values, *edges, *near])), strict=True):
        if isnan(value) or value >= HUGE:
            assert place == rule.places - 1
        else:
            assert place == (0 if value <= -HUGE else 1 + sum(edge <= value for edge in edges))


def test_nan_of_any_bits_is_outside() -> None:
    bits = np.array([0x7FF00000000007A2, 0x7FF8000000000000, 0xFFF0000000000001, 0xFFFFFFFFFFFFFFFF], dtype=np.uint64)
    rule = ruler(Numbers((0.0, 1.0)))
    assert set(rule.measure(bits.view(np.float64))) <= {0, rule.places - 1}


def test_edges_that_share_their_bits_are_searched_for() -> None:
    assert ruler(Numbers(YEARS)).steps > SEARCHED
    assert ruler(Numbers((-1.0, 0.0, 1.0))).steps <= 1


def test_rows_are_counted_by_bucket_and_by_values_of_segments() -> None:
    columns = [Numbers((0.0, 10.0), centre=1.0), Numbers(())]
    rows = [  # bucket, segment, two columns
        (1, "a", -1.0, 5.0),
        (0, "b", None, nan),
        (1, "a", nan, 1e300),
        (1, "b", 10.0, None),
        (0, "b", 9.0, -inf),
        (1, "a", -3.0, 6.0),
    ]
    batches = [_batch(rows[:2]), _batch(rows[2:5]), _batch(rows[5:])]

    counted = count(batches, columns, [7])

    expected: dict[Group, tuple[int, list[int], list[list[float]]]] = {
        (1, None, ""): (4, [2, 0, 1, 2], [[0, 1], [1, 0], [-2 - 4 + 9, 11], [4 + 16 + 81, 61]]),
        (0, None, ""): (2, [0, 1, 0, 0], [[1, 0], [0, 1], [8, 0], [64, 0]]),
        (1, 7, "a"): (3, [2, 0, 0, 2], [[0, 0], [1, 0], [-2 - 4, 11], [4 + 16, 61]]),
        (1, 7, "b"): (1, [0, 0, 1, 0], [[0, 1], [0, 0], [9, 0], [81, 0]]),
        (0, 7, "b"): (2, [0, 1, 0, 0], [[1, 0], [0, 1], [8, 0], [64, 0]]),
    }
    found = {key: (one.rows, one.cells.tolist(), one.sums.tolist()) for key, one in counted.items()}
    assert found == expected
    assert (counted[1, None, ""].lows.tolist(), counted[1, None, ""].highs.tolist()) == ([-3, 5], [10, 6])
    assert (counted[0, None, ""].lows.tolist(), counted[0, None, ""].highs.tolist()) == ([9, inf], [9, -inf])


def _batch(rows: list[tuple[int, str, float | None, float | None]]) -> pa.RecordBatch:
    kinds = (pa.int64(), pa.string(), pa.float64(), pa.float64())
    given = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
    return pa.record_batch(given, names=["bucket", "s7", "x0", "x1"])


def test_no_rows_are_no_groups() -> None:
    assert count([], [Numbers(())], []) == {}
    empty = pa.record_batch([pa.array([], pa.int64()), pa.array([], pa.float64())], names=["bucket", "x0"])
    assert count([empty], [Numbers(())], []) == {}
