"""What went wrong, as a problem of RFC 9457: a sentence with a way out, and never anything of the inside."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from monitor.history.problems import HistoryUnavailable

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(HTTPException):
    """Something a handler has to refuse; *detail* is the sentence."""


def body_of(status: int, sentence: str) -> dict[str, object]:
    """The problem as data."""
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": sentence}


def answer_problem(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, object]]:
    """The answer to an exception of a handler."""
    status, sentence, headers = _said(request, error)
    body = body_of(status, sentence)
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _said(request: Request[Any, Any, Any], error: Exception) -> tuple[int, str, Mapping[str, str]]:
    if isinstance(error, HistoryUnavailable):
        return 503, str(error), {"retry-after": "10"}
    if isinstance(error, ValidationException):
        return 400, _invalid(error), {}
    if isinstance(error, Problem):
        return error.status_code, error.detail, error.headers or {}
    if isinstance(error, HTTPException):
        return error.status_code, _common(request, error), error.headers or {}
    log.error(
        "request_failed",
        message=f"{request.method} {request.url.path} could not be answered.",
        exc_info=error,
    )
    return 500, "This could not be answered through a fault of model-monitor's own; its log says what it was.", {}


def _common(request: Request[Any, Any, Any], error: HTTPException) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f"There is nothing at {request.url.path[:200]}; /api/v1/openapi.json says what there is."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} cannot be done to {request.url.path[:200]}; /api/v1/openapi.json says what can."
    return f"This cannot be read: {error.detail}. /api/v1/openapi.json says what is right."


def _invalid(error: ValidationException) -> str:
    """What is wrong with each parameter, or with the body."""
    extra = error.extra if isinstance(error.extra, list) else []
    wrong = [f"{_spelled(each)}: {each.get('message', '')}" for each in extra if isinstance(each, dict)]
    return f"{'; '.join(wrong) or error.detail}. /api/v1/openapi.json says what is right."


def _spelled(wrong: Mapping[str, object]) -> str:
    """A parameter as it is asked with; some of these names are Python's own."""
    key = str(wrong.get("key", "the body"))
    return {"form": "format", "in_state": "state", "every": "all", "only_open": "open"}.get(key, key)
