"""The API for programs, /api/v1: the questions of the commands, answered with the same words."""

from __future__ import annotations

from litestar import Router
from litestar.di import Provide

from monitor.web.api import evaluating, measuring, telling
from monitor.web.api.parameters import each_once
from monitor.web.etag import with_etag
from monitor.web.problem import answer_problem
from monitor.web.reader import Reader

PREFIX = "/api/v1"


def router(reader: Reader) -> Router:
    """Everything below /api/v1 but its own description."""
    return Router(
        PREFIX,
        route_handlers=[*measuring.HANDLERS, *evaluating.HANDLERS, *telling.HANDLERS],
        before_request=each_once,
        middleware=[with_etag],
        exception_handlers={Exception: answer_problem},
        dependencies={"reader": Provide(lambda: reader, sync_to_thread=False)},
    )
