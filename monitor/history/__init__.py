"""What is remembered. For notebooks: ``from monitor.history import History``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.history.frames import History

__all__ = ["History"]


def __getattr__(name: str) -> object:
    """Commands import parts of this package all the time, and must not wait for what only notebooks need."""
    if name == "History":
        from monitor.history.frames import History

        return History
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
