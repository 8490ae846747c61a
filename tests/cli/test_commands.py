"""The commands: what they print, how they end, and how soon."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from monitor.cli import cli
from monitor.history.deliveries import note_receiver
from monitor.history.engine import open_engine
from monitor.history.store import Store
from tests.world import World, command, environment, eventually

ROOT = Path(__file__).parents[2]


def names(app: typer.Typer, group: str = "") -> list[str]:
    own = [group + (each.name or each.callback.__name__) for each in app.registered_commands if each.callback]
    inner = [
        names(each.typer_instance, f"{group}{each.typer_instance.info.name} ")
        for each in app.registered_groups
        if each.typer_instance
    ]
    return own + [name for found in inner for name in found]


COMMANDS = names(cli)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), capture_output=True, text=True, check=False, env=environment(), timeout=60)


def test_help_imports_nothing_heavy() -> None:
    words = "import sys; import monitor.cli; print(','.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True, timeout=60)

    heavy = {"ibis", "duckdb", "pandas", "numpy", "sqlalchemy", "slack_sdk", "apscheduler", "litestar", "alembic"}
    assert not heavy & set(done.stdout.strip().split(","))


def test_the_daemons_own_process_stays_small() -> None:
    words = "import sys; import monitor.service, monitor.live; print(','.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True, timeout=60)

    assert not {"ibis", "duckdb", "pandas", "numpy", "pyarrow", "evidently"} & set(done.stdout.strip().split(","))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_is_documented(name: str) -> None:
    done = run(*name.split(), "--help")

    assert done.returncode == 0
    assert len(done.stdout) > 100
    assert f"model-monitor {name}" in (ROOT / "docs" / "commands.md").read_text()


def test_the_version_is_that_of_the_package() -> None:
    assert re.fullmatch(r"model-monitor \d+\.\d+\.\d+\S*\n", run("version").stdout)


def test_wrong_settings_are_all_told_at_once_and_nothing_starts(world: World) -> None:
    config = world.folder / "config.toml"
    config.write_text(config.read_text().replace("accuracy =", "acuracy =").replace("[web]", "[webb]"))

    done = world.run("run")

    assert done.returncode == 2
    assert "models[0].release.acuracy: no check measures 'acuracy'; did you mean 'accuracy'?" in done.stderr
    assert "webb: " in done.stderr
    assert not (world.folder / "history.db").exists()


def test_check_says_what_it_found_at_each_source(world: World) -> None:
    done = world.run("check")

    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("predictions", "outcomes", "population", "database", "Slack", "Everything answers."):
        assert words in done.stdout


def test_check_says_what_is_wrong_with_a_source(world: World) -> None:
    (world.folder / "outcomes.parquet").write_bytes(b"PAR1 this is no parquet file")

    done = world.run("check")

    assert done.returncode == 1
    assert "✗" in done.stdout
    assert "outcomes.parquet" in done.stdout


def test_evaluate_measures_the_window_asked_for_and_exits_1_on_a_breach(world: World) -> None:
    done = world.run("evaluate", "--model", "churn", "--window", "2026-03-10", "2026-03-12", "--format", "json")

    assert done.returncode == 1, done.stderr
    rows = {(row["metric"], row["segment"]): row for row in json.loads(done.stdout)}
    accuracy = rows["accuracy", ""]
    assert accuracy["verdict"] == "breach"
    assert 0.5 < accuracy["value"] < 0.7
    assert accuracy["rows"] == 400
    assert rows["coverage", ""]["value"] == 1.0
    assert not (world.folder / "history.db").exists(), "nothing is recorded"


def test_open_intervals_are_null_in_json(world: World) -> None:
    # On the first day there is one cluster, so nothing can be said of the spread of a log loss.
    config = world.folder / "config.toml"
    config.write_text(config.read_text().replace('prediction = "said"', 'prediction = "said"\nscore = "said"'))

    done = world.run("evaluate", "--model", "churn", "--window", "2026-03-01", "2026-03-03", "--format", "json")

    rows = {row["metric"]: row for row in json.loads(done.stdout, parse_constant=pytest.fail)}
    assert rows["log_loss"]["value"] > 0
    assert (rows["log_loss"]["low"], rows["log_loss"]["high"]) == (0.0, None)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        # A model that is not there.
        (["evaluate", "--model", "chrun"], "No model is called 'chrun'; config.toml has churn."),
        # A window that is no whole number of buckets.
        (
            ["evaluate", "--model", "churn", "--window", "2026-03-10T01:00:00", "2026-03-12"],
            "--window takes the start and end of whole buckets of 1d (UTC): 2013-07-01 2013-07-08.",
        ),
        # A time that is none.
        (
            ["history", "--since", "yesterdy"],
            "'yesterdy' is neither a time (2013-07-01, 2013-07-01T06:00) nor a duration (7d, 12h).",
        ),
        # A replay that ends before it begins.
        (
            ["replay", "--since", "2026-03-10", "--until", "2026-03-09"],
            "--since 2026-03-10 00:00 is not before --until 2026-03-09 00:00.",
        ),
    ],
)
def test_wrong_usage_is_a_sentence_and_exit_code_2(world: World, words: list[str], sentence: str) -> None:
    done = world.run(*words)

    assert done.returncode == 2
    assert sentence in done.stderr


def test_history_and_models_answer_as_table_json_and_csv(world: World) -> None:
    daemon = world.start()
    eventually(lambda: 'model_monitor_value{metric="coverage"' in world.get("/metrics")[1], what="a measurement")
    daemon.terminate()
    daemon.wait(20)

    as_json = world.history("--metric", "coverage")
    as_csv = list(csv.DictReader(io.StringIO(world.run("history", "--metric", "coverage", "--format", "csv").stdout)))
    as_table = world.run("history", "--metric", "coverage").stdout
    models = json.loads(world.run("models", "--format", "json").stdout)

    assert as_json
    assert len(as_json) == len(as_csv)
    assert as_table.count("coverage") == len(as_json)
    assert "churn" in world.run("models").stdout
    assert [model["model"] for model in models] == ["churn"]
    assert models[0]["verdict"] in ("ok", "breach", "unknown")


def test_artifacts_are_listed_and_written(world: World) -> None:
    config = world.folder / "config.toml"
    (world.folder / "own").mkdir()
    (world.folder / "own" / "leaves.py").write_text(LEAVES)
    config.write_text(
        'checks_dir = "own"\n[alerts]\nreport = false\n' + config.read_text().replace("coverage = ", "leaves = ")
    )
    daemon = world.start()
    eventually(lambda: 'model_monitor_value{metric="leaves"' in world.get("/metrics")[1], what="a measurement")
    daemon.terminate()
    daemon.wait(20)

    listed = json.loads(world.run("artifacts", "--format", "json", "--model", "churn").stdout)
    target = world.folder / "note.txt"
    written = world.run("artifacts", str(listed[0]["id"]), "--output", str(target))

    assert {(row["model"], row["check"], row["name"], row["size"]) for row in listed} == {
        ("churn", "leaves", "note.txt", 5)
    }
    assert "note.txt" in world.run("artifacts").stdout
    assert (written.returncode, target.read_bytes()) == (0, b"hello")
    assert world.run("artifacts", str(listed[0]["id"])).stdout == "hello"
    missing = world.run("artifacts", "9999")
    assert (missing.returncode, missing.stderr) == (
        2,
        "There is no artifact 9999, or it is kept no more; model-monitor artifacts lists them.\n",
    )
    assert world.run("artifacts", "--output", str(target)).returncode == 2


LEAVES = """
from checks.contract import Artifact, Check, Measurement, Metric, Needs

class Leaves(Check):
    '''Leaves a note.'''
    kind = "leaves"
    metrics = (Metric("leaves", "one", "high"),)
    def needs(self): return Needs()
    def measure(self, window):
        yield Measurement("leaves", 1.0, rows=1)
        yield Artifact("note.txt", "text/plain", b"hello")
"""


def test_receivers_says_who_is_told_and_what_is_wrong(world: World) -> None:
    slack = '\n[slack]\ntoken = "xoxb-1"\nchannel = "#alerts"\napi_url = "http://127.0.0.1:1/api/"\n'
    world.configure(extra=slack)
    well = world.run("receivers")
    with Store(open_engine(f"sqlite:///{world.folder}/history.db")) as store:
        note_receiver(store.engine, "slack:#alerts", None, "Slack answered token_revoked (HTTP 200).", healthy=False)
    ill = world.run("receivers", "--format", "json")

    assert well.returncode == 0, well.stderr
    assert ["✓", "slack:#alerts", "0", "0", "0"] in [line.split() for line in well.stdout.splitlines()]
    assert ill.returncode == 1
    [row] = json.loads(ill.stdout)
    assert (row["receiver"], row["healthy"], row["waiting"]) == ("slack:#alerts", False, 0)
    assert row["error"] == "Slack answered token_revoked (HTTP 200)."
