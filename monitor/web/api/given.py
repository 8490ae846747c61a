"""What each handler is given beside what was asked."""

from __future__ import annotations

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from monitor.web.reader import Reader

Given = NamedDependency[SkipValidation[Reader]]
"""The reader, which the router provides."""
