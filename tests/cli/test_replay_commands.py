"""Replay as people use it: what would have paged, under another contract too, and an incident judged again."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from monitor.alerts.message import Message, MessageState, NotificationReason
from monitor.history.rows import HistoryRow
from monitor.replay_screen import marks_of, place_of
from monitor.replaying import Told
from tests.world import DAY, START, World, eventually

SPAN = ("replay", "--since", "2026-03-02", "--until", "2026-03-22")


def history_row(end: datetime, verdict: str, reason: str) -> HistoryRow:
    about = ("accuracy", "accuracy", "", "", 0.8, None, None, 100)
    return HistoryRow("churn", "7", end - DAY, end, 0, end, *about, verdict, reason)


def runs_of(world: World, *words: str) -> list[dict[str, Any]]:
    done = world.run(*SPAN, "--format", "json", *words)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["contracts"]
    return found


def test_a_replay_says_when_it_would_have_paged_and_how_often(world: World) -> None:
    [present] = runs_of(world)

    accuracy = next(bound for bound in present["bounds"] if bound["metric"] == "accuracy")
    assert (present["contract"], present["pages"], present["warnings"]) == ("present", 1, 0)
    assert present["pages_per_30_days"] == pytest.approx(1.5)
    assert [(one["reason"], one["pages"]) for one in present["told"]] == [("opened", True), ("resolved", False)]
    first, last = accuracy["in_breach"][0]["first"], accuracy["in_breach"][-1]["last"]
    assert "2026-03-10" < first == present["told"][0]["at"]
    assert last < present["told"][1]["at"] < "2026-03-19"
    assert [incident["metric"] for incident in present["incidents"]] == ["accuracy"]
    assert not (world.folder / "history.db").exists(), "nothing is recorded"


def test_another_contract_is_replayed_beside_the_present_one(world: World) -> None:
    page = world.folder / "page.html"
    present, changed = runs_of(
        world, "--set", "accuracy.min=0.5", "--set", "coverage.severity=warn", "--html", str(page)
    )

    assert (present["pages"], changed["pages"]) == (1, 0)
    assert changed["changes"] == ["accuracy.min=0.5", "coverage.severity=warn"]
    assert {bound["metric"]: bound["threshold"] for bound in changed["bounds"]} == {"accuracy": 0.5, "coverage": 0.5}
    text = page.read_text()
    assert "accuracy at least 0.8" in text
    assert "Never in breach: churn, accuracy at least 0.5; churn, coverage at least 0.5." in text
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", ""), "it needs nothing from elsewhere"


def test_the_terminal_shows_a_line_for_each_bound_and_what_would_have_been_told(world: World) -> None:
    done = world.run(*SPAN)
    lines = done.stdout.splitlines()

    [accuracy] = [line for line in lines if line.startswith("accuracy at least 0.8")]
    [told] = [line for line in lines if line.startswith("told")]
    assert "█" in accuracy
    assert accuracy.index("█") == told.index("▲")
    assert "1 page (1.5 per 30 days), 0 warnings." in lines
    assert "accuracy fell below the promised 0.8" in done.stdout


def test_as_csv_a_replay_is_its_incidents(world: World) -> None:
    done = world.run(*SPAN, "--format", "csv", "--set", "accuracy.max=0.95")

    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["contract"] for row in rows} == {"present", "changed"}
    assert {row["metric"] for row in rows} == {"accuracy"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        # what no check measures, and what is no number: the words of the settings
        (["--set", "acuracy.min=0.75"], "release.acuracy: no check measures 'acuracy'; did you mean 'accuracy'?"),
        (["--set", "accuracy.max=high"], "--set accuracy.max=high: must be a number, or a duration such as '4h'"),
        (["--set", "accuracy=0.75"], "--set 'accuracy=0.75' is no change of a threshold; write a metric, a key and"),
        # both ways at once, and nothing there
        (["--incident", "1", "--since", "7d"], "--incident says which windows; leave out --model, --since, --until,"),
        (["--incident", "99"], "There is no incident 99, or it is kept no more; model-monitor incidents lists them."),
    ],
)
def test_what_cannot_be_replayed_is_a_sentence(world: World, words: list[str], sentence: str) -> None:
    done = world.run("replay", *words)

    assert done.returncode == 2
    assert sentence in done.stderr


@pytest.fixture
def lived(world: World) -> World:
    """A world whose daemon has seen the decay begin."""
    world.configure(days=("2026-03-08", "2026-03-13"))
    daemon = world.start()
    eventually(lambda: daemon.poll() is not None, what="the end of the played clock")
    return world


def again(world: World) -> tuple[int, list[dict[str, Any]]]:
    done = world.run("replay", "--incident", "1", "--format", "json")
    assert done.stdout, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return done.returncode, [row for row in rows if row["metric"] == "accuracy"]


def test_an_incident_is_judged_again_as_it_was_recorded_to_the_digit(lived: World) -> None:
    code, [row] = again(lived)

    assert (code, row["equal"], row["causes"]) == (0, True, "")
    for name in ("value", "low", "high", "limit", "verdict"):
        assert row[f"now_{name}"] == row[f"recorded_{name}"], name
    assert "1 of 1 windows are judged again as recorded, to the digit." in lived.run("replay", "--incident", "1").stdout


def test_rows_that_changed_since_are_named(lived: World) -> None:
    path = lived.folder / "outcomes.parquet"
    came = pq.read_table(path)
    pq.write_table(came.filter(pc.not_equal(came["id"], "p1700")), path)

    code, [row] = again(lived)

    assert (code, row["equal"]) == (1, False)
    assert row["causes"].startswith("The rows changed: 400 with 400 outcomes then; what was known at that moment")
    assert "400 with 399 by now." in row["causes"]


def test_a_contract_that_changed_since_is_named_and_the_one_of_then_judges(lived: World) -> None:
    config = lived.folder / "config.toml"
    config.write_text(config.read_text().replace("accuracy = { min = 0.8 }", "accuracy = { min = 0.1 }"))

    code, [row] = again(lived)

    assert (code, row["equal"], row["now_limit"]) == (0, True, 0.8)
    assert "The contract changed since (then " in row["causes"]
    assert "It was judged by the one of then." in row["causes"]


@pytest.mark.parametrize(
    ("reason", "state", "pages", "warns"),
    [
        ("opened", "page", True, False),
        ("reopened", "page", True, False),
        ("severity_raised", "page", True, False),
        ("opened", "warn", False, True),
        # in the thread of a page, which wakes nobody
        ("alert_joined", "page", False, False),
        ("alert_resolved", "page", False, False),
        ("resolved", "resolved", False, False),
    ],
)
def test_a_page_is_a_message_that_calls_somebody(
    reason: NotificationReason, state: MessageState, pages: bool, warns: bool
) -> None:
    message = Message(reason, state, "churn", "7", "", (), "", (), 0, None, None, "", START, START)
    told = Told(START, message)

    assert (told.pages, told.warns) == (pages, warns)


def test_each_sign_shows_the_worst_window_of_its_time() -> None:
    until = START + 10 * DAY
    windows = [
        history_row(START + timedelta(days=1), "ok", "holds"),
        history_row(START + timedelta(days=2), "ok", "inconclusive"),
        history_row(START + timedelta(days=3), "breach", "falls_below"),
        history_row(START + timedelta(days=6), "unknown", "too_few_rows"),
        history_row(until, "error", "check_failed"),
    ]

    assert marks_of(windows, START, until, 10) == " ·▒█  ?  ×"
    assert marks_of(windows, START, until, 5) == "·█ ?×"
    assert [place_of(at, START, until, 5) for at in (START - DAY, START, until + DAY)] == [0, 0, 4]
