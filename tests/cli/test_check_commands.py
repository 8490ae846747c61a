"""``checks`` tells of every check there is; ``new-check`` writes one that works as it is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from checks.discovery import discover
from monitor.checklist import meaning_of
from tests.world import command, environment

ROOT = Path(__file__).parents[2]
FLIGHTS = ROOT / "examples" / "flights"
HERE = {"PYTHONPATH": str(ROOT)}


def run(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**environment(), **HERE, **variables}
    return subprocess.run(
        command(*words), capture_output=True, text=True, check=False, env=env, cwd=folder, timeout=120
    )


def test_every_check_is_listed_without_any_settings(tmp_path: Path) -> None:
    done = run("checks", "--format", "json", folder=tmp_path)
    found = {one["kind"]: one for one in json.loads(done.stdout)}
    assert set(found) == set(discover())
    for kind, check in discover().items():
        told = found[kind]
        assert [one["name"].partition(".")[0] for one in told["metrics"]] == [one.name for one in check.metrics]
        assert [one["name"] for one in told["parameters"]] == list(check.model_fields)
        assert all(one["meaning"] for one in told["parameters"]), kind
        assert all(one["default"] for one in told["parameters"]), kind
        assert (ROOT / told["page"]).is_file()
        assert told["origin"] == "built in"


def test_the_list_says_what_a_check_measures_needs_and_takes(tmp_path: Path) -> None:
    (accuracy,) = json.loads(run("checks", "accuracy", "--format", "json", folder=tmp_path).stdout)
    assert accuracy["needs"] == ["outcomes"]
    assert accuracy["parameters"][0] == {
        "name": "positive",
        "default": '"1"',
        "meaning": "the class a binary model looks for",
    }
    (first, *_) = [one for one in accuracy["metrics"] if one["name"] == "accuracy"]
    assert (first["better"], first["severity"]) == ("high", "page")
    assert {"binary", "multiclass"} <= set(first["tasks"])


def test_the_list_and_one_check_are_readable(tmp_path: Path) -> None:
    listed = run("checks", folder=tmp_path).stdout
    for kind, check in discover().items():
        assert kind in listed
        assert all(metric.name in listed for metric in check.metrics)
    one = run("checks", "drift", folder=tmp_path).stdout
    assert "drift.<column>" in one
    assert "population stability index" in one
    assert "docs/checks/drift.md" in one
    assert "accuracy" not in one


def test_a_check_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = run("checks", "drfit", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("No check is called 'drfit'; there is accuracy, ")


@pytest.mark.parametrize(
    ("parameter", "meaning"),
    [
        # the clause that begins with it, wherever it is used before
        ("margin", "how close to 0.5 a score says nothing"),
        ("low", "low and high are the ends"),
        ("high", "low and high are the ends"),
        ("unnamed", ""),
    ],
)
def test_the_meaning_of_a_parameter_is_read_off_the_docstring(parameter: str, meaning: str) -> None:
    docstring = """Rows within *margin* of 0.5 / rows.

    *margin* is how close to 0.5
    a score says nothing; *low* and *high* are the ends.
    """
    assert meaning_of(parameter, docstring) == meaning


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which somebody asked for a check."""
    folder = tmp_path_factory.mktemp("team")
    done = run("new-check", "shaky_scores", folder=folder)
    assert done.returncode == 0, done.stderr
    assert 'at the top                      checks_dir = "my_checks"' in done.stdout
    assert "shaky_scores = { max = 0.2 }" in done.stdout
    return folder


def test_the_test_of_a_new_check_passes_as_it_is_written(team: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "my_checks/test_shaky_scores.py"],
        capture_output=True,
        text=True,
        check=False,
        env={**environment(), **HERE},
        cwd=team,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_a_new_check_is_listed_with_where_it_is(team: Path) -> None:
    done = run("checks", "shaky_scores", "--format", "json", folder=team, MONITOR_CHECKS_DIR="my_checks")
    (found,) = json.loads(done.stdout)
    assert (found["origin"], found["page"]) == ("checks_dir", None)
    assert Path(found["file"]) == team / "my_checks" / "shaky_scores.py"
    (parameter,) = found["parameters"]
    assert parameter == {"name": "margin", "default": "0.05", "meaning": "how close to 0.5 a score says nothing"}


def test_a_model_is_held_to_the_metric_of_a_new_check(team: Path) -> None:
    text = (ROOT / "config.toml").read_text().replace('"examples/flights/', f'"{FLIGHTS}/')
    text = 'checks_dir = "my_checks"\n' + text.replace(
        "[models.release]", "[models.release]\nshaky_scores = { max = 0.0 }"
    )
    (team / "config.toml").write_text(text)
    done = run("evaluate", "--model", "flight-delay", "--format", "json", folder=team)
    (found,) = [one for one in json.loads(done.stdout) if one["metric"] == "shaky_scores"]
    assert (done.returncode, found["verdict"]) == (1, "breach")
    assert 0 < found["value"] < 1
    assert found["rows"] > 1000
    assert "shaky_scores" in run("checks", folder=team).stdout


def test_a_segment_is_held_to_a_threshold_of_its_own(tmp_path: Path) -> None:
    release = """accuracy = { min = 0.728, segments = ["origin"] }
"accuracy[origin=JFK]" = { min = 0.99 }
"accuracy[origin=XXX]" = { min = 0.6 }"""
    text = (ROOT / "config.toml").read_text().replace('"examples/flights/', f'"{FLIGHTS}/')
    (tmp_path / "config.toml").write_text(re.sub(r"^accuracy = .*$", release, text, flags=re.MULTILINE))
    words = ("evaluate", "--model", "flight-delay", "--window", "2013-06-17", "2013-06-24")
    rows = json.loads(run(*words, "--format", "json", folder=tmp_path).stdout)
    verdicts = {one["segment"]: one["verdict"] for one in rows if one["metric"] == "accuracy" and one["verdict"]}
    assert verdicts == {
        "": "ok",
        "origin=EWR": "ok",
        "origin=JFK": "breach",
        "origin=LGA": "ok",
        "origin=XXX": "unknown",
    }
    shown = run(*words, folder=tmp_path).stdout
    assert "accuracy [origin=XXX] cannot be judged: the window holds no rows for it." in " ".join(shown.split())


def test_the_documentation_shows_what_is_written(tmp_path: Path) -> None:
    run("new-check", "undecided", "--dir", ".", folder=tmp_path)
    assert f"```python\n{(tmp_path / 'undecided.py').read_text()}```" in (ROOT / "docs" / "checks.md").read_text()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("shaky_scores", "There is a check 'shaky_scores' already; see model-monitor checks shaky_scores."),
        ("drift", "There is a check 'drift' already; see model-monitor checks drift."),
        ("roc_auc", "'roc_auc' is a metric of the check 'accuracy' already; choose another name."),
        (
            "Late-Orders",
            "'Late-Orders' is no name for a check; write small letters, digits and _, such as 'late_orders'.",
        ),
        ("class", "'class' is no name for a check; write small letters, digits and _, such as 'late_orders'."),
        ("test_it", "'test_it.py' would not be taken for a check; choose a name that begins otherwise."),
    ],
)
def test_a_name_that_cannot_be_is_refused(team: Path, name: str, sentence: str) -> None:
    before = sorted((team / "my_checks").glob("*.py"))
    done = run("new-check", name, "--dir", "my_checks", folder=team)
    assert (done.returncode, done.stderr) == (2, f"{sentence}\n")
    assert sorted((team / "my_checks").glob("*.py")) == before


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "test_late.py").write_text("mine")
    done = run("new-check", "late", "--dir", ".", folder=tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "'test_late.py' is there already and stays as it is; choose another name.\n",
    )
    assert (tmp_path / "test_late.py").read_text() == "mine"
    assert not (tmp_path / "late.py").exists()


def test_the_folder_that_settings_name_is_where_a_new_check_goes(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('checks_dir = "ours"\nmodels = []')  # otherwise wrong, and it does not matter
    done = run("new-check", "late", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "at the top" not in done.stdout
    assert sorted(path.name for path in (tmp_path / "ours").glob("*.py")) == ["late.py", "test_late.py"]


@pytest.mark.parametrize(
    ("text", "words", "sentence"),
    [
        (None, ("checks", "--config", "gone.toml"), "gone.toml: there is no such file; name the settings file with"),
        ("checks_dir = ", ("checks",), "config.toml: cannot be read: Invalid value"),
        ('checks_dir = "gone"', ("checks",), "checks_dir: there is no folder 'gone'."),
    ],
)
def test_settings_that_cannot_be_read_are_told(
    tmp_path: Path, text: str | None, words: tuple[str, ...], sentence: str
) -> None:
    if text is not None:
        (tmp_path / "config.toml").write_text(text)
    done = run(*words, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
