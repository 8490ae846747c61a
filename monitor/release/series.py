"""Series of values in short: ``0.80x30 0.62±0.02x3 _x2 !``, a value for each window."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_TOKEN = re.compile(
    r"(?P<value>[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?|_|!)(?:(?:±|\+-)(?P<half>\d+(?:\.\d+)?))?(?:x(?P<count>[1-9]\d{0,4}))?"
)

Kind = Literal["measured", "untold", "failed"]


@dataclass(frozen=True, slots=True)
class Value:
    """What a window measured, with half of its interval; or that it could not tell, or that the check failed."""

    kind: Kind
    value: float = 0.0
    half: float | None = None


def series_of(text: str, half: float | None = None) -> list[Value]:
    """The values in order; *half* is that of those which say none. Raises ValueError with a sentence."""
    found: list[Value] = []
    for token in text.split():
        read = _TOKEN.fullmatch(token)
        if read is None or (read["half"] and read["value"] in {"_", "!"}):
            raise ValueError(
                f"{token!r} is no value; write 0.8, 0.8x7 (seven windows), 0.8±0.02 (an interval), "
                "_ (it could not tell) or ! (the check failed)"
            )
        found += [_value(read["value"], float(read["half"]) if read["half"] else half)] * int(read["count"] or 1)
    return found


def _value(text: str, half: float | None) -> Value:
    if text == "_":
        return Value("untold")
    return Value("failed") if text == "!" else Value("measured", float(text), half)
