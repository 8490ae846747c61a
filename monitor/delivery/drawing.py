"""Charts as PNG and SVG, drawn in a process of their own: the renderer takes 130 MB, two seconds to start, and
reserves more addresses than a worker may have. The process stays while it is used."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import IO, Any, Literal

from monitor.alerts.chart import Chart
from monitor.alerts.picture import LOOKS, spec
from monitor.clock import monotonic

SCALE = 2.5
"""Pixels per point: sharp on a phone."""
TIMEOUT = 60.0
IDLE = 60.0
"""Seconds without a chart after which the process ends itself."""

Form = Literal["png", "svg"]


class CannotDraw(Exception):
    """There is no picture; its sentence says why."""


class Drawing:
    """Draws one chart after the other, for any number of threads."""

    def __init__(self, idle: float = IDLE) -> None:
        self._idle = idle
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._one = threading.Lock()
        self._closed = False

    def png(self, chart: Chart, timeout: float = TIMEOUT) -> bytes:
        """The picture for Slack. Raises CannotDraw."""
        return self._draw(chart, "png", "slack", timeout)

    def svg(self, chart: Chart, look: str, timeout: float = TIMEOUT) -> bytes:
        """The picture for a page, in one of LOOKS. Raises CannotDraw."""
        return self._draw(chart, "svg", look, timeout)

    def close(self) -> None:
        """End the process now, for good; a chart that is being drawn is given up."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()  # whoever waits for it lets go of the lock
        with self._one:
            self._end()

    def _draw(self, chart: Chart, form: Form, look: str, timeout: float) -> bytes:
        asked = {"chart": chart.to_data(), "form": form, "look": look}
        line = json.dumps(asked, default=datetime.isoformat).encode() + b"\n"
        with self._one:
            return self._answer(line, timeout)

    def _answer(self, line: bytes, timeout: float) -> bytes:
        try:
            if self._process is not None:
                with contextlib.suppress(BrokenPipeError, EOFError):  # it ended itself, or was ended
                    return self._ask(line, timeout)
            return self._begin_and_ask(line, timeout)
        except TimeoutError as problem:
            self._end()
            raise CannotDraw(f"The chart was not drawn within {timeout:g} seconds.") from problem
        except (BrokenPipeError, EOFError) as problem:
            raise CannotDraw(f"The chart was not drawn: {self._end() or 'its process ended'}.") from problem
        except OSError as problem:
            raise CannotDraw(f"The chart was not drawn: {problem}.") from problem

    def _begin_and_ask(self, line: bytes, timeout: float) -> bytes:
        self._end()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the process
        self._process = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-m", "monitor.delivery.drawing", str(self._idle)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
        )
        if self._closed:  # whenever it was: the process is not left behind
            self._end()
            raise CannotDraw("The chart was not drawn: the daemon stops.")
        return self._ask(line, timeout)

    def _ask(self, line: bytes, timeout: float) -> bytes:
        process, until = self._process, monotonic() + timeout
        if process is None or process.stdin is None or process.stdout is None:
            raise EOFError
        process.stdin.write(line)
        header = b""
        while not header.endswith(b"\n"):
            header += _read(process.stdout, 1, until)
        told = json.loads(header)
        content = b""
        while len(content) < told["size"]:
            content += _read(process.stdout, told["size"] - len(content), until)
        if told["problem"]:
            raise CannotDraw(f"The chart was not drawn: {told['problem']}")
        return content

    def _end(self) -> str:
        """The process is gone afterwards; returns the last line it said."""
        process, errors = self._process, self._errors
        self._process = self._errors = None
        if process is None or errors is None:
            return ""
        process.kill()
        process.communicate()
        with errors:
            errors.seek(0)
            return errors.read().decode(errors="replace").strip().rpartition("\n")[2][:300]


def _read(stream: IO[bytes], most: int, until: float) -> bytes:
    """What there is to read by then. Raises TimeoutError, and EOFError where nothing more will come."""
    ready, _, _ = select.select([stream], [], [], max(until - monotonic(), 0))
    if not ready:
        raise TimeoutError
    found = stream.read(most)
    if not found:
        raise EOFError
    return found


def main() -> None:
    """The process itself: charts as lines of JSON come in, pictures behind a line with their size go out."""
    idle = float(sys.argv[1])
    while select.select([sys.stdin], [], [], idle)[0]:
        line = sys.stdin.readline()
        if not line:
            return
        content, problem = _drawn(json.loads(line))
        sys.stdout.buffer.write(json.dumps({"size": len(content), "problem": problem}).encode() + b"\n" + content)
        sys.stdout.buffer.flush()


def _drawn(asked: Mapping[str, Any]) -> tuple[bytes, str]:
    import vl_convert
    from altair.utils.schemapi import debug_mode

    try:
        with debug_mode(arg=False):  # tests hold what is drawn to Vega-Lite's schema; to do so takes most of the time
            drawn = spec(Chart.from_data(asked["chart"]), LOOKS[asked["look"]])
        if asked["form"] == "png":
            return vl_convert.vegalite_to_png(drawn, scale=SCALE), ""
        return vl_convert.vegalite_to_svg(drawn).encode(), ""
    except Exception as problem:  # noqa: BLE001  # whatever a renderer raises is told, and the next chart is drawn
        return b"", f"{type(problem).__name__}: {str(problem).strip()[:300]}"


if __name__ == "__main__":
    main()
