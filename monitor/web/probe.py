"""Asks the daemon's own port whether it is alive: ``python -m monitor.web.probe``, the HEALTHCHECK of the container.

Imports the standard library alone, so that it answers in a blink however heavy the daemon is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException  # not urllib, which would ask a configured proxy

TIMEOUT = 3.0
"""Seconds; below the HEALTHCHECK's own, so that the sentence is heard."""
DEFAULT_PORT = "9464"
ANY_HOST = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # where to ask, not where to listen


def main() -> int:
    """Exit code 0 where the daemon is alive, else 1; either way one line says what was found."""
    alive, sentence = probe(*address(os.environ))
    sys.stdout.write(f"{sentence}\n")
    return 0 if alive else 1


def address(environ: Mapping[str, str]) -> tuple[str, str]:
    """The host and the port to ask, from the variables that tell the daemon where to listen."""
    host = environ.get("MONITOR_WEB__HOST", "")
    return ANY_HOST.get(host, host), environ.get("MONITOR_WEB__PORT") or DEFAULT_PORT


def probe(host: str, port: str, timeout: float = TIMEOUT) -> tuple[bool, str]:
    """Whether /healthz at *host* and *port* answers 200 within *timeout* seconds, and the sentence that says so."""
    if not port.isdecimal() or not 0 < int(port) < 65536:
        return False, f"MONITOR_WEB__PORT is {port!r}; the probe needs the number of a port, such as {DEFAULT_PORT}."
    connection = HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        body = response.read(1000).decode(errors="replace")
    except (OSError, HTTPException) as problem:
        return False, f"No answer from {host}:{port}/healthz: {problem or type(problem).__name__}."
    finally:
        connection.close()
    return response.status == 200, f"{response.status} {body}"


if __name__ == "__main__":
    sys.exit(main())
