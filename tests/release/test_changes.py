"""Changes of a contract on a command line: what they change, and what is said of one that changes nothing."""

from __future__ import annotations

import pytest

from monitor.release.changes import NoChange, laid_of


@pytest.mark.parametrize(
    ("text", "name", "key", "value"),
    [
        ("accuracy.min=0.75", "accuracy", "min", 0.75),
        (" accuracy.min = 0.75 ", "accuracy", "min", 0.75),
        # a column; one that is called like a key; one with a dot
        ("drift.temp.max=0.3", "drift.temp", "max", 0.3),
        ("drift.max.max=0.3", "drift.max", "max", 0.3),
        ("drift.a.b.max=0.3", "drift.a.b", "max", 0.3),
        # every column, quoted as in TOML
        ('"drift.*".max=0.3', "drift.*", "max", 0.3),
        # a segment, with an equals sign of its own
        ("accuracy[origin=JFK].min=0.7", "accuracy[origin=JFK]", "min", 0.7),
        # what TOML would have in quotes
        ("training_time.max=4h", "training_time", "max", "4h"),
        ('training_time.max="4h"', "training_time", "max", "4h"),
        ("accuracy.severity=warn", "accuracy", "severity", "warn"),
        # a list, and a key that is a word of Python
        ('accuracy.segments=["origin"]', "accuracy", "segments", ["origin"]),
        ("accuracy.for=2d", "accuracy", "for", "2d"),
    ],
)
def test_a_change_names_a_threshold_a_key_and_a_value(text: str, name: str, key: str, value: object) -> None:
    (laid,) = laid_of([text], [1])

    assert (laid.place, laid.value) == (("models", 1, "release", name, key), value)
    assert laid.origin == f"--set {text}"


@pytest.mark.parametrize(
    "text", ["accuracy", "accuracy=0.75", "accuracy.minimum=0.75", "min=0.75", "accuracy.min=", ""]
)
def test_what_changes_nothing_is_a_sentence(text: str) -> None:
    with pytest.raises(NoChange, match=r"is no change of a threshold; write a metric, a key and a value, such as"):
        list(laid_of([text], [0]))
