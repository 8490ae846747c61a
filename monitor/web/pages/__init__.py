"""The pages people open from Slack: server-rendered HTML over the history, readable without any script."""

from __future__ import annotations

from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router

from monitor.web.pages import actions, views
from monitor.web.pages.showing import problems
from monitor.web.pages.templating import STATIC
from monitor.web.reader import Reader

__all__ = ["router"]

FOR_GOOD = CacheControlHeader(max_age=365 * 24 * 3600, public=True, immutable=True)


def router(reader: Reader) -> Router:
    """Every page, at the root of the port, with style, script and icon, whose addresses change with their content."""
    files = create_static_files_router("/static", [STATIC], cache_control=FOR_GOOD, include_in_schema=False)
    handlers = [*views.handlers(reader), *actions.handlers(reader), files]
    return Router("/", route_handlers=handlers, exception_handlers=problems(reader), include_in_schema=False)
