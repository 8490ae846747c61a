"""What moved: the segments and columns that a person would look at first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.contract import Measurement


@dataclass(frozen=True, slots=True)
class Seen:
    """What was measured in the window beside the verdicts; *released* are the release's own values by metric, column
    and segment."""

    measurements: tuple[Measurement, ...] = ()
    released: Mapping[tuple[str, str, str], float] = field(default_factory=dict)


NOTHING_SEEN = Seen()
