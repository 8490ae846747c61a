"""The container's HEALTHCHECK against a port that is green, red, absent, silent, or something else altogether."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from monitor.web.probe import address, probe

ROOT = Path(__file__).parents[2]


@contextmanager
def daemon_answering(status: int, body: bytes) -> Iterator[str]:
    """The port of a server that answers /healthz so, and anything else with 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: tests have their own words."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield str(server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


@pytest.fixture
def mute_port() -> Iterator[str]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


@pytest.fixture
def babbling_port() -> Iterator[str]:
    """A port that answers in another language than HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield str(listener.getsockname()[1])
        thread.join()


def run_probe(**variables: str) -> subprocess.CompletedProcess[str]:
    """The probe as the container runs it."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("MONITOR_")}
    command = [sys.executable, "-m", "monitor.web.probe"]
    return subprocess.run(
        command, cwd=ROOT, env={**environ, **variables}, capture_output=True, text=True, check=False, timeout=20
    )


def test_a_daemon_that_ticks_is_green() -> None:
    with daemon_answering(200, b'{"alive":true}') as port:
        done = run_probe(MONITOR_WEB__PORT=port, MONITOR_WEB__HOST="0.0.0.0")  # noqa: S104  # what the image sets

    assert (0, '200 {"alive":true}\n', "") == (done.returncode, done.stdout, done.stderr)


def test_a_stale_tick_is_red_and_the_reason_is_passed_on() -> None:
    with daemon_answering(503, b'{"alive":false,"seconds_since_tick":61.2}') as port:
        done = run_probe(MONITOR_WEB__PORT=port)

    assert (1, '503 {"alive":false,"seconds_since_tick":61.2}\n') == (done.returncode, done.stdout)


def test_an_absent_daemon_is_red(closed_port: str) -> None:
    done = run_probe(MONITOR_WEB__PORT=closed_port)

    assert 1 == done.returncode
    assert f"No answer from 127.0.0.1:{closed_port}/healthz: [Errno 111] Connection refused.\n" == done.stdout
    assert "" == done.stderr


def test_a_proxy_for_the_rest_of_the_world_is_not_asked(closed_port: str) -> None:
    with daemon_answering(200, b"{}") as port:
        done = run_probe(MONITOR_WEB__PORT=port, http_proxy=f"http://127.0.0.1:{closed_port}")

    assert 0 == done.returncode


def test_a_port_that_says_nothing_is_red_after_the_time_out(mute_port: str) -> None:
    assert (False, f"No answer from 127.0.0.1:{mute_port}/healthz: timed out.") == probe("127.0.0.1", mute_port, 0.05)


def test_a_port_that_speaks_something_else_is_red(babbling_port: str) -> None:
    alive, sentence = probe("127.0.0.1", babbling_port)

    assert not alive
    assert f"No answer from 127.0.0.1:{babbling_port}/healthz: SSH-2.0-OpenSSH\r\n." == sentence


@pytest.mark.parametrize("port", ["", "eighty", "0", "65536", "-1"])
def test_a_port_that_is_none_is_red_with_a_way_out(port: str) -> None:
    wanted = f"MONITOR_WEB__PORT is {port!r}; the probe needs the number of a port, such as 9464."

    assert (False, wanted) == probe("127.0.0.1", port)


@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({}, ("127.0.0.1", "9464")),  # what the daemon does when nothing is set
        ({"MONITOR_WEB__PORT": ""}, ("127.0.0.1", "9464")),  # an empty variable counts as unset, as for the daemon
        ({"MONITOR_WEB__HOST": "0.0.0.0", "MONITOR_WEB__PORT": "80"}, ("127.0.0.1", "80")),  # noqa: S104  # the image's
        ({"MONITOR_WEB__HOST": "::"}, ("::1", "9464")),  # every address of IPv6
        ({"MONITOR_WEB__HOST": "10.0.0.7"}, ("10.0.0.7", "9464")),  # one address only: 127.0.0.1 would not answer
    ],
)
def test_the_probe_asks_where_the_daemon_listens(environ: Mapping[str, str], asked: tuple[str, str]) -> None:
    assert asked == address(environ)


def test_the_probe_starts_without_anything_heavy() -> None:
    code = "import sys, monitor.web.probe; print(*sorted(sys.modules))"
    modules = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert ["monitor", "monitor.web", "monitor.web.probe"] == [name for name in modules if name.startswith("monitor")]
    assert not {"uvicorn", "litestar", "pydantic", "structlog", "sqlalchemy"} & set(modules)
