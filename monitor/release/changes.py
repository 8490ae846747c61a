"""Changes of a contract as people write them on a command line: ``accuracy.min=0.75``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence

from monitor.settings import Laid, Threshold
from monitor.settings.schema import keys_of

KEYS = tuple(keys_of(Threshold))
_CHANGE = re.compile(rf"(?P<name>.+)\.(?P<key>{'|'.join(KEYS)})\s*=\s*(?P<value>.+)", re.DOTALL)


class NoChange(ValueError):
    """A text that changes nothing, as a sentence with a way out."""


def laid_of(changes: Sequence[str], models: Sequence[int]) -> Iterator[Laid]:
    """Each change as a value laid over the contract of the models at these places in config.toml. Raises NoChange.

    The last key of a threshold counts, for columns may be called ``max``.
    """
    for text in changes:
        found = _CHANGE.fullmatch(text.strip())
        if found is None:
            raise NoChange(
                f"--set {text!r} is no change of a threshold; write a metric, a key and a value, such as "
                f"'accuracy.min=0.75' or 'drift.temp.max=0.3'. Keys are {', '.join(KEYS)}."
            )
        name, key, value = found["name"].strip(), found["key"], _value(found["value"].strip())
        for index in models:
            place = ("models", index, "release", name.replace('"', ""), key)
            yield Laid(place, value, f"--set {text}")


def _value(text: str) -> object:
    """A value as TOML has it; what is none is text, for nobody quotes ``4h`` or ``page`` on a command line."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
