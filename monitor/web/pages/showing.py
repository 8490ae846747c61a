"""How a page is answered: with whoever asks, what was just done, and the time; and what is said where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

import structlog
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from monitor.delivery.drawing import CannotDraw
from monitor.history.problems import HistoryUnavailable
from monitor.web.pages.templating import html
from monitor.web.problem import answer_problem
from monitor.web.reader import Reader

log = structlog.get_logger(__name__)

Asked = Request[Any, Any, Any]
SAID = "model_monitor_said"
_SAID_FOR = 60
_FLAGS: Mapping[str, Any] = {"httponly": True, "samesite": "lax"}


def show(request: Asked, reader: Reader, template: str, **values: object) -> Response[str]:
    """A page, which tells once what was just done."""
    tone, _, sentence = unquote(request.cookies.get(SAID, "")).partition(":")
    said = {"tone": "ok" if tone == "ok" else "unknown", "sentence": sentence} if sentence else None
    around = _around(reader) | {"said": said, "author": author_of(request), "writes": _writes(request)}
    answer = html(template, 200, **(around | values))
    if said:
        answer.set_cookie(Cookie(SAID, value="", max_age=0, **_FLAGS))
    return answer


def done(back: str, sentence: str, *, well: bool = True) -> Redirect:
    """Back to where it was asked for, where the sentence is told once; loading that page again does nothing again."""
    told = quote(f"{'ok' if well else 'no'}:{sentence[:800]}")
    return Redirect(back, status_code=303, cookies=[Cookie(SAID, value=told, max_age=_SAID_FOR, **_FLAGS)])


def author_of(request: Asked) -> str:
    """The name of whoever asks, as the token or the proxy says; empty on this machine, where they are asked for it."""
    return str(getattr(request.scope.get("user"), "name", ""))


def _writes(request: Asked) -> bool:
    """Whether whoever asks may do anything; to others no form is shown."""
    return getattr(request.scope.get("user"), "scope", "") == "write"


def problems(reader: Reader) -> ExceptionHandlersMap:
    """The pages for what cannot be shown; programs are told it as the API tells it."""

    def answer(request: Asked, error: Exception) -> Response[Any]:
        if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
            return answer_problem(request, error)
        status, title, sentence = _told(request, error)
        values = {"title": title, "sentence": sentence, "tone": "error" if status >= 500 else "unknown"}
        return html("problem.html", status, **(_around(reader) | values))

    return {Exception: answer}


def _around(reader: Reader) -> dict[str, object]:
    """What every page shows; a page says so too where the clock is still to be read from the history."""
    try:
        now = reader.now()
    except HistoryUnavailable:
        now = None
    return {"here": "", "now": now, "played": reader.settings.clock is not None, "units": reader.units}


def _told(request: Asked, error: Exception) -> tuple[int, str, str]:
    if isinstance(error, HistoryUnavailable):
        return 503, "The history does not answer", str(error)
    if isinstance(error, CannotDraw):
        return 503, "No chart", str(error)
    if isinstance(error, ValidationException):
        return 400, "This address makes no sense", f"{error.detail}. Go on from the fleet."
    if isinstance(error, HTTPException):
        if error.status_code == HTTPStatus.NOT_FOUND:
            known = error.detail != HTTPStatus.NOT_FOUND.phrase and error.detail
            return 404, "Nothing is here", known or "There is no such page. Go on from the fleet."
        return error.status_code, HTTPStatus(error.status_code).phrase, error.detail
    log.error("page_failed", message=f"{request.method} {request.url.path} could not be shown.", exc_info=error)
    return 500, "This page failed", "That is a fault of model-monitor's own; its log says what it was."
