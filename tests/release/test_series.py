"""Series in short: what a token stands for, and what is said of one that is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.release.series import Value, series_of


@pytest.mark.parametrize(
    ("text", "half", "expected"),
    [
        ("0.8", None, [Value("measured", 0.8)]),
        ("0.8x2 0.6", None, [Value("measured", 0.8)] * 2 + [Value("measured", 0.6)]),
        # an interval of its own, and one for those that say none
        ("0.8±0.02 0.7", 0.1, [Value("measured", 0.8, 0.02), Value("measured", 0.7, 0.1)]),
        ("0.8+-0.02x2", None, [Value("measured", 0.8, 0.02)] * 2),
        # no answer, a failed check
        ("_ !x2", 0.1, [Value("untold"), Value("failed"), Value("failed")]),
        ("-1.5 1e3", None, [Value("measured", -1.5), Value("measured", 1000.0)]),
        ("", None, []),
    ],
)
def test_a_series_is_a_value_for_each_window(text: str, half: float | None, expected: list[Value]) -> None:
    assert series_of(text, half) == expected


@pytest.mark.parametrize("token", ["0.8x", "0.8x0", "x3", "0,8", "__", "0.8±", "_±0.1", "nan", "0.8*7"])
def test_what_is_no_value_is_a_sentence(token: str) -> None:
    with pytest.raises(ValueError, match=r"is no value; write 0\.8, 0\.8x7 \(seven windows\)"):
        series_of(f"0.8 {token}")


@given(st.lists(st.tuples(st.floats(-1e6, 1e6).map(lambda value: round(value, 6)), st.integers(1, 50)), max_size=8))
def test_a_series_is_as_long_as_its_counts(parts: list[tuple[float, int]]) -> None:
    text = " ".join(f"{value:.6f}x{count}" for value, count in parts)

    assert [one.value for one in series_of(text)] == [value for value, count in parts for _ in range(count)]
