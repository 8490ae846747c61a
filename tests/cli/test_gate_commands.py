"""The gate: the candidate's rows, whatever the format of the answer, and the examples for CI."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML carries no types

from monitor.cli import cli
from tests.world import DAY, START, World, write_log

ROOT = Path(__file__).parents[2]
CI = ROOT / "examples" / "ci"


def rows(world: World, first: int, last: int, name: str, *, drop: tuple[str, ...] = ()) -> str:
    """A file with the rows of some days, outcome included."""
    log = pq.read_table(world.folder / "predictions.parquet").join(
        pq.read_table(world.folder / "outcomes.parquet"), "id"
    )
    begin, end = (pa.scalar(START + day * DAY, log["at"].type) for day in (first, last))
    chosen = log.filter(pc.and_(pc.greater_equal(log["at"], begin), pc.less(log["at"], end)))
    pq.write_table(chosen.drop_columns(list(drop)), world.folder / name)
    return str(world.folder / name)


@pytest.fixture
def released(world: World) -> World:
    """A model whose release was decided on its first week."""
    rows(world, 0, 7, "reference.parquet")
    world.configure(promises="accuracy = { min = 0.8 }\ncoverage = { min = 0.5 }\nlog_loss = { max = 9 }")
    config = world.folder / "config.toml"
    config.write_text(
        config.read_text()
        .replace("[models.population]", '[models.reference]\nsource = "reference.parquet"\n\n[models.population]')
        .replace('prediction = "said"', 'prediction = "said"\nscore = "said"')
        .replace("log_loss = { max = 9 }", 'log_loss = { max = 9, severity = "warn" }')
    )
    return world


def gate(world: World, candidate: str, *words: str) -> tuple[int, dict[str, Any]]:
    done = world.run("gate", "--model", "churn", "--candidate", candidate, "--format", "json", *words)
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, answer


def test_a_candidate_that_keeps_the_contract_holds_and_one_that_decayed_falls_below(released: World) -> None:
    well = gate(released, rows(released, 14, 21, "well.parquet"))
    ill = gate(released, rows(released, 7, 14, "ill.parquet"), "--against", "champion")

    assert (well[0], well[1]["answer"]) == (0, "holds")
    assert (ill[0], ill[1]["answer"]) == (1, "falls_below")
    assert [bound["metric"] for bound in well[1]["bounds"]] == ["accuracy", "log_loss"]
    assert well[1]["left_out"] == ["coverage"]
    assert well[1]["rows"] == 1400
    accuracy = ill[1]["bounds"][0]
    assert accuracy["standing"] == "worse"
    assert accuracy["champion"] == pytest.approx(0.9, abs=0.03)
    assert accuracy["difference_high"] < 0


def test_the_verdict_is_the_one_that_the_daemon_gives_the_same_rows(released: World) -> None:
    _, gated = gate(released, rows(released, 9, 11, "window.parquet"))
    live = released.run("evaluate", "-m", "churn", "--window", "2026-03-11", "2026-03-13", "--format", "json")

    [accuracy] = [row for row in json.loads(live.stdout) if row["metric"] == "accuracy"]
    for name in ("value", "low", "high", "rows", "verdict", "sentence"):
        assert gated["bounds"][0][name] == accuracy[name], name


def test_a_candidate_is_judged_as_a_whole_however_many_days_it_has(released: World) -> None:
    write_log(released.folder, days=35, decay=range(34, 35))  # a last day that would page a live model

    code, answer = gate(released, rows(released, 0, 35, "long.parquet"))

    assert (code, answer["bounds"][0]["rows"]) == (0, 7000)
    assert answer["bounds"][0]["value"] > 0.85


def test_outcomes_are_known_at_once_where_the_candidate_has_no_times_of_them(released: World) -> None:
    code, answer = gate(released, rows(released, 14, 21, "timeless.parquet", drop=("known_at",)))

    assert (code, answer["outcomes"]) == (0, 1400)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        # no such file
        (["--candidate", "nothing.parquet"], 3, "there is no such file; correct the path, or write the file."),
        # a file without the outcome
        (["--candidate", "{folder}/predictions.parquet"], 3, "the column 'was' (outcomes.value) is not there;"),
        # no such model
        (["--candidate", "x.parquet", "--model", "chrun"], 2, "No model is called 'chrun'; config.toml has churn."),
        # a table of a file
        (["--candidate", "x.parquet", "--table", "t"], 2, "--table is for databases, and --candidate is a file;"),
        # nothing to compare with
        (
            ["--candidate", "{folder}/well.parquet", "--against", "champion"],
            2,
            "churn has no champion to compare with; add [models.reference] with its source.",
        ),
    ],
)
def test_what_cannot_be_gated_is_a_sentence(world: World, words: list[str], code: int, sentence: str) -> None:
    rows(world, 14, 21, "well.parquet")
    done = world.run("gate", "--model", "churn", *[word.format(folder=world.folder) for word in words])

    assert done.returncode == code, done.stdout + done.stderr
    assert sentence in done.stderr


def test_the_answer_is_a_table_markdown_or_junit_too(released: World) -> None:
    ill = rows(released, 7, 14, "ill | `x`.parquet")
    asked = ("gate", "--model", "churn", "--candidate", ill)
    table = released.run(*asked)
    markdown = released.run(*asked, "--format", "markdown").stdout
    junit = ET.fromstring(released.run(*asked, "--format", "junit").stdout)  # noqa: S314  # written a line above

    assert table.returncode == 1
    for words in ("Falls below: accuracy.", "Not judged: coverage.", "at least 0.8", "falls below (warns)"):
        assert words in table.stdout
    assert markdown.startswith("### ❌ churn: Falls below: accuracy.")
    lines = markdown.splitlines()
    assert {line.count("|") for line in lines if line.startswith("|")} == {8}
    assert [case.attrib["name"] for case in junit.iter("testcase")] == ["accuracy", "log_loss"]
    [failure] = junit.iter("failure")
    assert failure.attrib["type"] == "falls_below"
    assert "is below the promised 0.8" in failure.attrib["message"]


def test_a_release_is_recorded_once_with_what_its_reference_had(released: World) -> None:
    first = released.run("release", "--model", "churn", "--version", "7")
    again = released.run("release", "--model", "churn", "--version", "7")
    listed = json.loads(released.run("releases", "--format", "json").stdout)

    assert first.returncode == 0, first.stderr
    assert "churn 7 is released." in first.stdout
    assert "churn 7 is released since" in again.stdout
    [one] = listed
    assert (one["version"], one["owner"], one["reference"], one["rows"]) == ("7", "@growth", "reference.parquet", 1400)
    assert one["contract"]["release"]["accuracy"] == {"min": 0.8}
    accuracy = next(each for each in one["measured"] if each["metric"] == "accuracy")
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert "accuracy min 0.8 (had 0.9" in released.run("releases").stdout


def test_what_was_released_is_what_relative_bounds_and_the_champion_refer_to(released: World) -> None:
    config = released.folder / "config.toml"
    config.write_text(config.read_text().replace("accuracy = { min = 0.8 }", "accuracy = { min_of_release = 0.9 }"))
    assert released.run("release", "--model", "churn", "--version", "7").returncode == 0
    then = next(
        each["value"]
        for each in json.loads(released.run("releases", "--format", "json").stdout)[0]["measured"]
        if each["metric"] == "accuracy"
    )
    rows(released, 7, 14, "reference.parquet")  # somebody writes other rows where the reference was

    _, gated = gate(released, rows(released, 14, 21, "well.parquet"), "--against", "champion")
    other = released.run("release", "--model", "churn", "--version", "7")
    newer = released.run("release", "--model", "churn", "--version", "8")

    accuracy = gated["bounds"][0]
    assert accuracy["threshold"] == pytest.approx(0.9 * then)
    assert accuracy["champion"] == then
    assert other.returncode == 2
    assert "churn 7 was released on other rows (1,400 of reference.parquet, profile " in other.stderr
    assert "A release stays as it is: give these rows a version of their own." in other.stderr
    assert newer.returncode == 0
    assert 'config.toml still says version = "7": set it once 8 is live.' in newer.stdout


def test_what_config_promises_no_more_is_promised_as_recorded(released: World) -> None:
    assert released.run("release", "--model", "churn", "--version", "7").returncode == 0
    config = released.folder / "config.toml"
    head, _, tail = config.read_text().partition("[models.release]")
    config.write_text(head + "[history]" + tail.partition("[history]")[2])

    code, gated = gate(released, rows(released, 7, 14, "ill.parquet"))
    config.write_text(config.read_text().replace('version = "7"', 'version = "8"'))
    unknown = released.run("models")

    assert (code, gated["bounds"][0]["threshold"]) == (1, 0.8)
    assert unknown.returncode == 2
    assert "models[0]: promises nothing and measures nothing; add [models.release] with a threshold" in unknown.stderr


def test_a_release_without_a_reference_is_refused(world: World) -> None:
    done = world.run("release", "--model", "churn", "--version", "7")

    assert done.returncode == 2
    assert "churn has no rows that its release was decided on; add [models.reference]." in done.stderr


def test_suggest_prints_thresholds_for_config_toml_with_a_comment_for_each(released: World) -> None:
    few = released.run("suggest", "--model", "churn")
    promised = tomllib.loads(few.stdout)["models"]["release"]

    assert few.returncode == 0, few.stderr
    assert promised == {"accuracy": {"min": 0.8}, "coverage": {"min": 0.5}, "log_loss": {"max": 9, "severity": "warn"}}
    assert "# accuracy: 7 days are known, and it takes 28 to tell how much they stray." in few.stdout
    assert "# coverage: left as it is; only a mean of days can be simulated." in few.stdout


def test_suggest_says_what_a_wrong_rate_should_be(released: World) -> None:
    done = released.run("suggest", "--model", "churn", "--false-pages", "often")

    assert done.returncode == 2
    assert done.stderr == "--false-pages must say how many in how long, such as '1 per 365d' or '2 per 90d'.\n"


def scripts() -> list[str]:
    action = yaml.safe_load((CI / "github-action.yml").read_text())
    job = yaml.safe_load((CI / "gitlab-ci.yml").read_text())
    steps = [step["run"] for step in action["jobs"]["gate"]["steps"] if "run" in step]
    return [*steps, *job["gate"]["script"]]


def test_the_examples_for_ci_name_commands_and_options_that_exist() -> None:
    gates = [shlex.split(line) for line in scripts() if line.startswith("model-monitor")]
    known = {
        option
        for command in cli.registered_commands
        if command.callback is not None and command.callback.__name__ == "gate"
        for hint in command.callback.__annotations__.values()
        for option in re.findall(r"--[a-z]+", str(hint))
    }

    assert len(gates) == 2
    for words in gates:
        assert words[1] == "gate"
        asked = {word for word in words if word.startswith("--")}
        assert {"--model", "--candidate", "--against", "--format"} == asked
        assert asked <= known
