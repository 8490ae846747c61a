"""The values of buttons: what we wrote is read, everything else is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.buttons import LABELS, VALID_FOR, Pressed, Refused, button_values, read_value, signing_key

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = signing_key("xoxb-1")
VALUE = button_values(KEY, 7, NOW)["acknowledge"]


def test_every_button_means_what_it_says() -> None:
    values = button_values(KEY, 7, NOW)
    assert {action: read_value(KEY, value, NOW) for action, value in values.items()} == {
        action: Pressed(action, 7) for action in LABELS
    }
    assert "xoxb" not in "".join(values.values())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        # another incident, another action, a longer life: signed by nobody
        (VALUE.replace(".7.", ".8.", 1), "forged"),
        (VALUE.replace("acknowledge", "silence_1d"), "forged"),
        (VALUE.replace(VALUE.split(".")[2], "99999999999"), "forged"),
        # signed with another token
        (button_values(signing_key("xoxb-2"), 7, NOW)["acknowledge"], "forged"),
        ("", "forged"),
        ("acknowledge.7", "forged"),
        ("é\ud800.\x00", "forged"),
        # too old
        (button_values(KEY, 7, NOW - VALID_FOR)["acknowledge"], "expired"),
    ],
)
def test_what_we_did_not_write_is_refused(value: str, reason: str) -> None:
    found = read_value(KEY, value, NOW)
    assert isinstance(found, Refused)
    assert found.reason == reason
    assert found.sentence.endswith(".")


def test_a_value_holds_until_its_last_second() -> None:
    last = NOW + VALID_FOR - timedelta(seconds=1)
    assert read_value(KEY, VALUE, last) == Pressed("acknowledge", 7)


@given(st.text())
def test_no_text_is_read_by_accident(text: str) -> None:
    assert isinstance(read_value(KEY, text, NOW), Refused)
