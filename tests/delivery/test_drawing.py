"""Charts are drawn in a process of their own, which stays while it is used, and whose end costs nobody a chart."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from monitor.alerts.picture import LOOKS
from monitor.delivery.drawing import CannotDraw, Drawing
from tests.alerts.test_chart import CHART


@pytest.fixture(scope="module")
def shared() -> Iterator[Drawing]:
    made = Drawing()
    yield made
    made.close()


def process_of(made: Drawing) -> int:
    assert made._process is not None
    return made._process.pid


def elements(drawn: bytes) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(drawn).iter())  # noqa: S314  # our own


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_is_drawn_with_its_words_as_words(shared: Drawing, look: str) -> None:
    root = elements(shared.svg(CHART, look))
    words = {element.text for element in root if element.tag.endswith("text")}
    assert {"promised ≥ 0.728", "released 0.781"} <= words


def test_one_process_draws_every_chart_for_every_thread(shared: Drawing) -> None:
    first = shared.png(CHART)
    process = process_of(shared)
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(lambda _: shared.png(CHART), range(8))) == {first}
    assert process_of(shared) == process
    assert first.startswith(b"\x89PNG")


def test_a_process_that_was_killed_is_begun_anew(shared: Drawing) -> None:
    shared.svg(CHART, "light")
    old = process_of(shared)
    os.kill(old, signal.SIGKILL)
    assert shared.svg(CHART, "light").startswith(b"<svg")
    assert process_of(shared) != old


def test_a_process_that_nobody_needs_ends_itself_and_the_next_chart_begins_another() -> None:
    made = Drawing(idle=0.2)
    made.svg(CHART, "light")
    assert made._process is not None
    assert made._process.wait(timeout=10) == 0
    assert made.svg(CHART, "light").startswith(b"<svg")
    made.close()
    made.close()


def test_a_stop_waits_for_no_chart() -> None:
    made = Drawing()
    made.svg(CHART, "light")
    os.kill(process_of(made), signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(made.svg, CHART, "light")
        began = time.monotonic()
        while not made._one.locked():
            time.sleep(0.01)
        made.close()
        assert time.monotonic() - began < 5
        with pytest.raises(CannotDraw, match="the daemon stops"):
            waiting.result()
    assert made._process is None


def test_a_chart_that_takes_too_long_is_given_up_with_a_sentence() -> None:
    made = Drawing()
    with pytest.raises(CannotDraw, match=r"not drawn within 0\.01 seconds"):
        made.svg(CHART, "light", timeout=0.01)
    assert made._process is None


def test_a_renderer_that_does_not_start_is_told_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(CannotDraw, match=r"The chart was not drawn: its process ended\."):
        Drawing().png(CHART)


def test_a_chart_that_cannot_be_drawn_is_told_and_the_next_one_is_drawn(shared: Drawing) -> None:
    with pytest.raises(CannotDraw, match="The chart was not drawn: KeyError: 'sepia'"):
        shared.svg(CHART, "sepia")
    assert shared.svg(CHART, "light").startswith(b"<svg")


def test_hostile_names_stay_words(shared: Drawing) -> None:
    hostile = "</text><script>alert(1)</script>\u202e\"'&"
    root = elements(shared.svg(replace(CHART, metric=hostile, unit=hostile), "light"))
    assert not [element for element in root if element.tag.endswith("script")]
