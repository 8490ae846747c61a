"""Messages on a terminal, through the same outbox."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from sqlalchemy import Engine

from monitor.delivery.console import ConsoleReceiver, parent
from tests.alerts.scenes import Model, verdict
from tests.delivery.boxes import put_one_by_one, relay_on, states, story


def terminal(width: int = 110) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=width), out


def test_the_console_reads_like_the_slack_message(engine: Engine) -> None:
    console, out = terminal()
    model = Model()
    told = [*model.see(1, verdict("breach")).notifications, *model.see(8, verdict("holds")).notifications]
    put_one_by_one(engine, told, relay_on(engine, ConsoleReceiver(console)), receiver="console")
    assert [line.rstrip() for line in out.getvalue().splitlines()] == [
        "",
        "▌ 🔴 PAGE · flight-delay 2013-04 · accuracy 0.668 < 0.728",
        "▌ Window    2013-05-28 00:00 → 2013-06-04 00:00 UTC              Value  0.668 [0.655, 0.681]",
        "▌ Promised  at least 0.728 (release 2013-04, released at 0.781)  Rows   18,511",
        "▌ Since     2013-06-04 00:00 UTC",
        "▌ accuracy fell below the promised 0.728: 0.668 [0.655, 0.681] over 18,511 rows.",
        "▌ @flights-oncall · https://wiki.example.org/flights?a=1&b=2 · incident opened 2013-06-04 00:00 UTC",
        "  └ 🟢 2013-06-11 00:00 UTC · accuracy holds again after 7 days: 0.778 ≥ 0.728; at worst it was 0.668.",
        "    the message above now reads: 🟢 RESOLVED · flight-delay 2013-04 · accuracy 0.778 ≥ 0.728",
    ]
    assert states(engine) == ["sent", "sent"]


def test_a_whole_incident_is_printed_in_order(engine: Engine) -> None:
    console, out = terminal()
    put_one_by_one(engine, story(), relay_on(engine, ConsoleReceiver(console)), receiver="console")
    assert out.getvalue().count("└") == 4
    assert states(engine) == ["sent"] * 5


@pytest.mark.parametrize("width", [40, 80, 100, 120])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    console, out = terminal(width)
    [told] = Model().see(1, verdict("breach", segment=f"origin={'EWR' * 30}")).notifications
    console.print(parent(told.message, note="delivered 3 hours late"))
    wide = Console(width=width)
    assert max(wide.measure(line.rstrip()).maximum for line in out.getvalue().splitlines()) <= width


def test_outside_text_cannot_steer_the_terminal() -> None:
    console, out = terminal()
    [told] = Model().see(1, verdict("breach", segment="origin=\x1b[2J[red]x\u202e")).notifications
    console.print(parent(told.message))
    assert "\x1b" not in out.getvalue()
    assert "\u202e" not in out.getvalue()
    assert "[red]x" in out.getvalue(), "markup is text"
