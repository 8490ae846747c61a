"""Parameters for checks that measure nothing, or little, with their defaults; the contract suite tries these, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

EXAMPLES: Mapping[str, Sequence[Mapping[str, object]]] = {}
"""By the kind of the check: parameters as in ``[[models.checks]]``. The windows are those of checks.testing.scenes."""
