"""Signing in with a token, so that a browser need not be told it at each request, and signing out."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from monitor.web.pages.templating import html
from monitor.web.reader import Reader
from monitor.web.security import COOKIE, LOGIN, LOGOUT, SIGNED_IN_FOR, cookie_for, token_of

_ASK = "Sign in with a token of [[web.tokens]]."
_WRONG = "Nobody knows this token. Ask whoever runs model-monitor for one of [[web.tokens]]."

Form = URLEncodedBody[dict[str, str]]


def handlers(reader: Reader) -> list[ControllerRouterHandler]:
    """/login and /logout."""
    web = reader.settings.web
    # Not strict: who follows a link out of Slack would have to sign in anew. What changes anything is held to our own
    # pages by monitor.web.security all the same.
    flags: dict[str, Any] = {"httponly": True, "samesite": "lax", "secure": (web.url or "").startswith("https:")}

    @get(LOGIN, sync_to_thread=False, include_in_schema=False)
    def form(target: Annotated[str, QueryParameter(name="next")] = "/") -> Response[str]:
        return html("login.html", sentence=_ASK, target=inside(target))

    @post(LOGIN, sync_to_thread=False, include_in_schema=False)
    def sign_in(data: Form) -> Response[str]:
        target = inside(data.get("next", "/"))
        token = token_of(data.get("token", "").strip(), web)
        if token is None:
            return html("login.html", 401, sentence=_WRONG, target=target)
        age = int(SIGNED_IN_FOR.total_seconds())
        value = cookie_for(token, reader.wall_now())
        kept = Cookie(COOKIE, value=value, max_age=age, **flags)
        return Redirect(target, status_code=303, cookies=[kept])

    @post(LOGOUT, sync_to_thread=False, include_in_schema=False)
    def sign_out() -> Response[str]:
        gone = Cookie(COOKIE, value="", max_age=0, **flags)
        return Redirect(LOGIN, status_code=303, cookies=[gone])

    return [form, sign_in, sign_out]


def inside(target: str) -> str:
    """The path to go to, where it is one of ours; else the first page. Browsers take a backslash for a slash."""
    parts = urlsplit(target) if target.startswith("/") and "\\" not in target and target.isprintable() else None
    return target if parts is not None and not parts.netloc and not parts.scheme else "/"
