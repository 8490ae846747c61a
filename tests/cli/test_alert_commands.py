"""The commands about incidents, silences and acknowledgements: what they print, refuse and how they end."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, update

from monitor.alerts.incident import ModelFacts
from monitor.history.engine import open_engine
from monitor.history.migrations import migrate
from monitor.history.tables import outbox
from tests.delivery.open_incidents import open_one, resolve
from tests.world import World

FACTS = ModelFacts("churn", "7", "@growth")
WHY = "Silence 3 of ben (deploying) holds until 2026-03-04 13:00 UTC."


@pytest.fixture
def engine(world: World) -> Iterator[Engine]:
    """The history that the commands of *world* read."""
    opened = open_engine(f"sqlite:///{world.folder / 'history.db'}")
    migrate(opened)
    yield opened
    opened.dispose()


def test_a_silence_is_made_listed_and_ended(world: World) -> None:
    added = world.run("silence", "add", "--model", "chu*", "--severity", "warn", "--for", "2h", "--comment", "new [v8]")
    listed = world.run("silence", "list", "--format", "json")
    shown = world.run("silence", "list")
    ended = world.run("silence", "end", "1")
    again = world.run("silence", "end", "1")

    assert added.returncode == 0, added.stderr
    assert added.stdout.startswith("Silence 1 mutes model=chu* severity=warn until 2")
    assert "To end it before: model-monitor silence end 1" in added.stdout
    [silence] = json.loads(listed.stdout)
    assert (silence["matchers"], silence["state"]) == ({"model": "chu*", "severity": "warn"}, "holds")
    assert silence["author"], "the login name"
    assert "new [v8]" in shown.stdout
    assert ended.stdout == "Silence 1 is over. What is still open is told within a minute.\n"
    assert "Silence 1 is over since" in again.stdout
    assert again.returncode == 0
    assert world.run("silence", "list").stdout == "Nothing is silenced.\n"
    rows = list(csv.DictReader(io.StringIO(world.run("silence", "list", "--all", "--format", "csv").stdout)))
    assert [(row["matchers"], row["state"]) for row in rows] == [("model=chu* severity=warn", "over")]


COMMENT = ("--comment", "x")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        # Nothing said of what is muted.
        (["silence", "add", "--for", "2h", *COMMENT], "A silence names what it mutes; give a pattern for at least one"),
        # A slip of the pen, which would mute nothing.
        (["silence", "add", "--for", "2h", *COMMENT, "-m", "chrun"], "No model fits 'chrun'; there is churn."),
        # For ever, and for a time that is none.
        (["silence", "add", "--for", "31d", *COMMENT, "-m", "churn"], "A silence lasts 30 days at most"),
        (["silence", "add", "--for", "soon", *COMMENT, "-m", "churn"], "--for takes a length of time such as 30m, 2h"),
        (["silence", "add", "--for", "0h", *COMMENT, "-m", "churn"], "--for takes a length of time such as 30m, 2h"),
        # Without a reason.
        (["silence", "add", "--for", "2h", "--comment", " ", "-m", "churn"], "A silence has a comment; say in a few"),
        # By nobody.
        (["ack", "1", "--author", " "], "Nobody is logged in by a name here; say who you are with --author."),
        # What is not there.
        (["silence", "end", "7"], "There is no silence 7; model-monitor silence list --all lists those there are."),
        (["ack", "7"], "There is no incident 7; `model-monitor incidents` lists those there are."),
        (["incidents", "7"], "There is no incident 7, or it is kept no more; model-monitor incidents lists them."),
        # One incident cannot be narrowed.
        (["incidents", "7", "--open"], "--model, --since and --open narrow the list; one incident is shown whole."),
        (["incidents", "--since", "yesterdy"], "'yesterdy' is neither a time (2013-07-01, 2013-07-01T06:00)"),
    ],
)
def test_wrong_usage_is_a_sentence_and_exit_code_2(world: World, words: list[str], sentence: str) -> None:
    done = world.run(*words)

    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_incidents_are_listed_with_what_became_of_telling(world: World, engine: Engine) -> None:
    assert world.run("incidents").stdout == "There is no such incident.\n"
    resolve(engine, open_one(engine, facts=FACTS, receivers=("console",)))
    open_one(engine, facts=FACTS, receivers=("console",), state="suppressed", name="2")

    as_json = json.loads(world.run("incidents", "--format", "json").stdout)
    as_table = world.run("incidents").stdout
    only_open = json.loads(world.run("incidents", "--open", "--model", "churn", "--format", "json").stdout)

    assert [(row["id"], row["alerts"], row["told"]) for row in as_json] == [
        (1, ["accuracy"], "told"),
        (2, ["accuracy"], "muted"),
    ]
    assert "muted" in as_table
    assert "open" in as_table
    assert [row["id"] for row in only_open] == [2]


def test_the_story_of_an_incident_says_why_nobody_was_told(world: World, engine: Engine) -> None:
    incident = open_one(engine, facts=FACTS, receivers=("console", "slack:#growth"), state="suppressed")
    with engine.begin() as connection:
        connection.execute(update(outbox).values(why=WHY))
        failed = {"state": "blocked", "why": None, "error": "Slack refuses the token.", "attempts": 3}
        connection.execute(update(outbox).where(outbox.c.receiver != "console").values(failed))
    world.run("silence", "add", "--owner", "@gr*", "--for", "2h", "--comment", "deploying", "--author", "ben")

    shown = world.run("incidents", str(incident))
    data = json.loads(world.run("incidents", str(incident), "--format", "json").stdout)
    rows = list(csv.DictReader(io.StringIO(world.run("incidents", str(incident), "--format", "csv").stdout)))

    assert shown.returncode == 0, shown.stderr
    assert f"Incident {incident} · churn 7 · page · @growth" in shown.stdout
    assert "still open" in shown.stdout
    assert f"not told   {WHY}" in shown.stdout
    assert "Slack refuses the token. (3 attempts, the next at 2026-03-04 12:00:00 UTC)" in shown.stdout
    assert "owner=@gr*" in shown.stdout
    assert [each["why"] for each in data["notifications"]] == [WHY, None]
    assert [each["metric"] for each in data["alerts"]] == ["accuracy"]
    assert [each["author"] for each in data["silences"]] == ["ben"]
    assert [(row["receiver"], row["state"]) for row in rows] == [
        ("console", "suppressed"),
        ("slack:#growth", "blocked"),
    ]


def test_an_incident_is_acknowledged_and_a_resolved_one_stays_as_it_is(world: World, engine: Engine) -> None:
    incident = open_one(engine, facts=FACTS, receivers=("console",))

    done = world.run("ack", str(incident), "--for", "3h", "--comment", "looking", "--author", "anna")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Incident {incident} of churn is acknowledged until 2")
    assert "anna until 2" in world.run("incidents").stdout
    story = json.loads(world.run("incidents", str(incident), "--format", "json").stdout)
    assert [(each["author"], each["comment"]) for each in story["acknowledgements"]] == [("anna", "looking")]
    assert story["notifications"][-1]["reason"] == "acknowledged"
    resolve(engine, incident)
    late = world.run("ack", str(incident))
    assert (late.returncode, late.stderr) == (0, "")
    assert late.stdout.endswith("there is nothing to acknowledge.\n")
    [listed] = json.loads(world.run("incidents", "--format", "json").stdout)
    assert listed["acknowledged_by"] == "anna"


def test_a_history_that_cannot_be_reached_is_a_sentence_and_exit_code_3(world: World) -> None:
    (world.folder / "history.db").write_text("this is no database, however long one reads in it")

    for words in (["incidents"], ["silence", "list"], ["ack", "1"]):
        done = world.run(*words)
        assert done.returncode == 3
        assert "is not an SQLite database" in done.stderr
