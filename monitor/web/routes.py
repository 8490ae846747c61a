"""Everything the port answers besides the daemon's probes."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from monitor.web.reader import Reader


def routes(reader: Reader) -> list[ControllerRouterHandler]:
    """The API for programs and the pages for people, over *reader*."""
    del reader
    return []
