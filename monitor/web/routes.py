"""Everything the port answers besides the daemon's probes."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from monitor.web import api, pages
from monitor.web.pages import login
from monitor.web.reader import Reader


def routes(reader: Reader) -> list[ControllerRouterHandler]:
    """Signing in, the API for programs and the pages for people, over *reader*."""
    return [*login.handlers(reader), api.router(reader), pages.router(reader)]
