"""The name of a threshold says which metric of which column of which segment it is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.settings import ModelSettings
from monitor.settings.terms import Subject, split_name, split_segments


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", Subject("accuracy")),
        ("drift.temp", Subject("drift", "temp")),
        ("drift.*", Subject("drift", "*")),
        # a column with dots, with brackets, with an equals sign
        ("drift.a.b", Subject("drift", "a.b")),
        ("drift.temp[C]", Subject("drift", "temp[C]")),
        ("drift.origin=JFK", Subject("drift", "origin=JFK")),
        # one segment, and of one column, or of all
        ("accuracy[origin=JFK]", Subject("accuracy", "", "origin=JFK")),
        ("drift.temp[origin=JFK]", Subject("drift", "temp", "origin=JFK")),
        ("drift.*[origin=JFK]", Subject("drift", "*", "origin=JFK")),
        ("drift.temp.x[C][origin=JFK]", Subject("drift", "temp.x[C]", "origin=JFK")),
        # values with dots, brackets and equals signs; none; what is null, and what is other
        ("accuracy[origin=a.b]", Subject("accuracy", "", "origin=a.b")),
        ("accuracy[origin=a[b]]", Subject("accuracy", "", "origin=a[b]")),
        ("accuracy[origin=a=b]", Subject("accuracy", "", "origin=a=b")),
        ("accuracy[origin=]", Subject("accuracy", "", "origin=")),
        ("accuracy[origin=(null)]", Subject("accuracy", "", "origin=(null)")),
        # two columns together
        ("accuracy[origin+carrier=JFK+AA]", Subject("accuracy", "", "origin+carrier=JFK+AA")),
        # a segment column that is known may have brackets, too
        ("drift.temp[gate[3]=B]", Subject("drift", "temp", "gate[3]=B")),
        # not a segment: no equals sign, or something behind it
        ("accuracy[origin]", Subject("accuracy[origin]")),
        ("drift[origin=JFK].temp", Subject("drift[origin=JFK]", "temp")),
    ],
)
def test_a_name_is_split(name: str, expected: Subject) -> None:
    assert split_name(name, ["origin", "gate[3]"]) == expected


text = st.text(st.sampled_from("ab.[]=+* ()"), max_size=8)


@given(text.filter(lambda column: "[origin=" not in column), text)
def test_a_segment_of_a_known_column_is_found_whatever_else_is_in_the_name(column: str, value: str) -> None:
    name = f"drift.{column}[origin={value}]"
    assert split_name(name, ["origin"]) == Subject("drift", column, f"origin={value}")


@pytest.mark.parametrize(
    ("name", "segments", "expected"),
    [
        # a column, of every value of a segment column, or of one value
        ("drift.temp", ["origin"], {"origin"}),
        ("drift.temp[carrier=AA]", [], {"carrier"}),
        ("drift.*[origin+carrier=JFK+AA]", [], {"origin+carrier"}),
        # no column, though there is a dot
        ("accuracy", ["origin"], set()),
        ("accuracy[carrier=A.A]", [], set()),
        # a segment that is none
        ("drift.temp", ["gate"], set()),
    ],
)
def test_columns_are_split_by_the_segments_that_thresholds_of_columns_name(
    name: str, segments: list[str], expected: set[str]
) -> None:
    predictions = {"source": "p", "id": "i", "time": "t", "segments": ["origin", "carrier", "origin+carrier"]}
    model = {"name": "m", "version": "1", "task": "binary", "predictions": predictions}
    release = {name: {"max": 1, "segments": segments}}
    assert split_segments(ModelSettings.model_validate({**model, "release": release})) == expected
