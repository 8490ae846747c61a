"""Traps: ways to catch the daemon at an exact instant, laid around what it calls; the daemon knows nothing of them."""

from __future__ import annotations

import http.client
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

HOLD = 0.3
"""Seconds a thread stays where SIGTERM caught it: the stop is under way by then, and its grace is not over."""

Act = Callable[[], None]


class Spring:
    """Sends this process a signal, once, and leaves a mark in the file system that it did."""

    def __init__(self, sent: signal.Signals, mark: Path) -> None:
        self._sent = sent
        self._mark = mark
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            if self._mark.exists():
                return
            self._mark.touch()
        os.kill(os.getpid(), self._sent)
        time.sleep(HOLD)


def before(owner: Any, name: str, act: Act, *, when: Callable[[], bool] = lambda: True) -> None:
    """Act when *name* is called."""

    def trapped(real: Callable[..., Any], *args: Any, **named: Any) -> Any:
        if when():
            act()
        return real(*args, **named)

    _around(owner, name, trapped)


def after(owner: Any, name: str, act: Act, *, when: Callable[[Any], object] = lambda _: True) -> None:
    """Act when *name* has returned something that *when* is about."""

    def trapped(real: Callable[..., Any], *args: Any, **named: Any) -> Any:
        result = real(*args, **named)
        if when(result):
            act()
        return result

    _around(owner, name, trapped)


def at_commit(owner: Any, name: str, act: Act) -> None:
    """Act inside *name* when all is written and the commit is the next thing the database would hear."""
    inside = _inside(owner, name)

    @event.listens_for(Engine, "commit")
    def trapped(_: object) -> None:
        if inside():
            act()


def request_sent(owner: Any, name: str, path: str, act: Act) -> None:
    """Act inside *name* when a request to *path* is out and nobody has read an answer."""
    before(http.client.HTTPConnection, "getresponse", act, when=_asking(owner, name, path))


def request_half_sent(owner: Any, name: str, path: str, act: Act) -> None:
    """Act inside *name* when half of a request to *path* is out."""
    asking = _asking(owner, name, path)

    def trapped(real: Callable[..., Any], connection: http.client.HTTPConnection, data: bytes) -> None:
        if asking():
            real(connection, data[: len(data) // 2])
            act()
            data = data[len(data) // 2 :]
        real(connection, data)

    _around(http.client.HTTPConnection, "send", trapped)


def _around(owner: Any, name: str, trapped: Callable[..., Any]) -> None:
    real = getattr(owner, name)

    @wraps(real)
    def call(*args: Any, **named: Any) -> Any:
        return trapped(real, *args, **named)

    setattr(owner, name, call)


def _inside(owner: Any, name: str) -> Callable[[], bool]:
    """Tells whether this thread is inside *name*."""
    here = threading.local()

    def marked(real: Callable[..., Any], *args: Any, **named: Any) -> Any:
        here.inside = True
        try:
            return real(*args, **named)
        finally:
            here.inside = False

    _around(owner, name, marked)
    return lambda: getattr(here, "inside", False)


def _asking(owner: Any, name: str, path: str) -> Callable[[], bool]:
    """Tells whether this thread is inside *name* and its newest request went to *path*."""
    inside = _inside(owner, name)
    asked = threading.local()

    def noted(real: Callable[..., Any], connection: Any, verb: str, url: str, *args: Any, **named: Any) -> Any:
        asked.url = url
        return real(connection, verb, url, *args, **named)

    _around(http.client.HTTPConnection, "request", noted)
    return lambda: inside() and path in getattr(asked, "url", "")
