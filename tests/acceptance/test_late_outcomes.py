"""The daemon as a process of its own, with Slack, where outcomes come late and turn old verdicts over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.history.engine import open_engine
from monitor.history.frames import History
from tests.conftest import a_free_port
from tests.delivery.fake_slack import FakeSlack
from tests.web.serving import serve
from tests.world import DAY, ROWS, START, World, write_log

pytestmark = pytest.mark.xdist_group("late outcomes")  # the weeks are lived once, in one of pytest's processes

ACQUITTED, LATER = 8, 15
"""The day that looks bad until its other outcomes come, and the day they do."""
CONVICTED, LATEST = 11, 18
"""The day that looks good until its other outcomes come, and the day they do."""
EARLY = 80
"""So many of a day's outcomes are not late."""
SLACK = """
[slack]
token = "%s"
channel = "#alerts"
api_url = "%s"
"""


@dataclass(frozen=True)
class Told:
    """A revision of a window: its number, the verdict on accuracy, and on how many rows."""

    revision: int
    verdict: str
    rows: int


@pytest.fixture(scope="module")
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, slack: FakeSlack) -> World:
    """Three weeks, lived through: days 9 and 10 are bad, day 8 seems to be at first and day 11 does not."""
    world = World(tmp_path_factory.mktemp("late"), a_free_port())
    write_log(world.folder, decay=range(9, 11))
    delay_outcomes(world.folder, ACQUITTED, LATER, wrong_early=30, wrong_late=0)
    delay_outcomes(world.folder, CONVICTED, LATEST, wrong_early=0, wrong_late=100)
    world.configure(
        speed="1d",
        promises='accuracy = { min = 0.8, window = "1d" }',
        extra=SLACK % (slack.token, slack.url),
    )
    assert world.start().wait(240) == 0, world.output()
    return world


def delay_outcomes(folder: Path, day: int, until: int, *, wrong_early: int, wrong_late: int) -> None:
    """All but the first EARLY outcomes of *day* come on day *until*; so many of those before and after are wrong."""
    said = pq.read_table(folder / "predictions.parquet").column("said").to_pylist()
    came = pq.read_table(folder / "outcomes.parquet")
    rows = came.to_pylist()
    for place in range(ROWS):
        row, guess = rows[day * ROWS + place], said[day * ROWS + place]
        wrong = place < wrong_early or EARLY <= place < EARLY + wrong_late
        row["was"] = 1 - guess if wrong else guess
        if place >= EARLY:
            row["known_at"] = START + until * DAY - DAY / 24
    pq.write_table(pa.Table.from_pylist(rows, came.schema), folder / "outcomes.parquet")


def revisions(world: World, day: int, as_of: datetime | None = None) -> list[Told]:
    """What notebooks read of the window of *day*."""
    end = START + (day + 1) * DAY
    with History.open(f"sqlite:///{world.folder}/history.db") as history:
        found = history.measurements("churn", "accuracy", as_of=as_of, revisions=as_of is None)
    mine = found[found["window_end"] == end].sort_values("revision")
    return [Told(*row) for row in zip(mine["revision"], mine["verdict"], mine["rows"], strict=True)]


def test_late_outcomes_turn_old_verdicts_over_in_the_thread_and_nobody_is_paged_anew(
    lived: World, slack: FakeSlack
) -> None:
    assert revisions(lived, ACQUITTED) == [Told(0, "breach", EARLY), Told(1, "ok", ROWS)]
    assert revisions(lived, CONVICTED) == [Told(0, "ok", EARLY), Told(1, "breach", ROWS)]

    [parent] = slack.parents()
    assert parent.now["text"].startswith("🟢 RESOLVED · churn 7 · accuracy")
    thread = [reply.body["text"] for reply in slack.replies(parent)]
    again = [text.partition(" UTC was judged again with newer data: ") for text in thread if "judged again" in text]
    assert [(window, verdict) for window, _, verdict in again] == [
        ("✏️ The window up to 2026-03-11 00:00", "accuracy is no breach (0.85 ≥ 0.8)."),
        ("✏️ The window up to 2026-03-14 00:00", "accuracy is a breach after all (0.5 &lt; 0.8)."),
    ]
    assert slack.invalid == []
    assert not any(one.body.get("reply_broadcast") for one in slack.messages), "nothing is shown in the channel anew"
    incidents = lived.run("incidents", "--format", "json")
    assert incidents.stdout.count('"opened_at"') == 1, incidents.stdout


def test_what_was_known_before_is_told_by_notebooks_the_api_and_the_command(lived: World) -> None:
    before, between, after = (START + (day + 0.5) * DAY for day in (LATER - 1, LATEST - 1, LATEST))
    engine = open_engine(f"sqlite:///{lived.folder}/history.db", read_only=True)
    server = serve(engine)

    def by_api(day: int, as_of: datetime) -> list[Told]:
        about = {"model": "churn", "metric": "accuracy", "as_of": as_of.isoformat(), "limit": "100"}
        answer = httpx.get(f"http://127.0.0.1:{server.port}/api/v1/measurements", params=about, trust_env=False)
        rows = answer.json()["rows"]
        mine = [one for one in rows if datetime.fromisoformat(one["window_end"]) == START + (day + 1) * DAY]
        return [Told(one["revision"], one["verdict"], one["rows"]) for one in mine]

    def by_command(day: int, as_of: datetime) -> list[Told]:
        rows = lived.history("--metric", "accuracy", "--as-of", as_of.isoformat())
        mine = [one for one in rows if datetime.fromisoformat(str(one["window_end"])) == START + (day + 1) * DAY]
        return [Told(int(str(one["revision"])), str(one["verdict"]), int(str(one["rows"]))) for one in mine]

    try:
        for read in (lambda day, at: revisions(lived, day, at), by_api, by_command):
            assert read(ACQUITTED, before) == [Told(0, "breach", EARLY)]
            assert read(ACQUITTED, between) == [Told(1, "ok", ROWS)]
            assert read(CONVICTED, between) == [Told(0, "ok", EARLY)]
            assert read(CONVICTED, after) == [Told(1, "breach", ROWS)]
    finally:
        server.stop()
        engine.dispose()
