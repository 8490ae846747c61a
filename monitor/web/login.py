"""Signing in with a token, so that a browser need not be told it at each request, and signing out."""

from __future__ import annotations

from html import escape
from typing import Annotated, Any
from urllib.parse import urlsplit

from litestar import MediaType, Response, get, post
from litestar.datastructures import Cookie
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from monitor.web.reader import Reader
from monitor.web.security import COOKIE, LOGIN, LOGOUT, SIGNED_IN_FOR, cookie_for, token_of

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Sign in · model-monitor</title></head>
<body><main><h1>model-monitor</h1><p role="status">{sentence}</p>
<form method="post" action="/login"><p><label for="token">Token</label></p>
<p><input id="token" name="token" type="password" required autofocus autocomplete="current-password"></p>
<input type="hidden" name="next" value="{target}"><p><button>Sign in</button></p></form></main></body></html>
"""
_ASK = "Sign in with a token of [[web.tokens]]."
_WRONG = "Nobody knows this token. Ask whoever runs model-monitor for one of [[web.tokens]]."

Form = URLEncodedBody[dict[str, str]]


def handlers(reader: Reader) -> list[ControllerRouterHandler]:
    """/login and /logout."""
    web = reader.settings.web
    # Not strict: who follows a link out of Slack would have to sign in anew. What changes anything is held to our own
    # pages by monitor.web.security all the same.
    flags: dict[str, Any] = {"httponly": True, "samesite": "lax", "secure": (web.url or "").startswith("https:")}

    @get(LOGIN, media_type=MediaType.HTML, sync_to_thread=False, include_in_schema=False)
    def form(target: Annotated[str, QueryParameter(name="next")] = "/") -> str:
        return _PAGE.format(sentence=_ASK, target=escape(inside(target)))

    @post(LOGIN, sync_to_thread=False, include_in_schema=False)
    def sign_in(data: Form) -> Response[str]:
        target = inside(data.get("next", "/"))
        token = token_of(data.get("token", "").strip(), web)
        if token is None:
            page = _PAGE.format(sentence=_WRONG, target=escape(target))
            return Response(page, status_code=401, media_type=MediaType.HTML)
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
