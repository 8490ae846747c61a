"""config.toml, secret files and variables become settings; what wins, and what is put in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.settings import Settings, SettingsError, load_settings

Load = Callable[..., Settings]
Problems = Callable[..., list[str]]
ROOT = Path(__file__).parents[2]


def test_settings_that_are_right_are_loaded_with_their_defaults(load: Load) -> None:
    settings = load()
    model = settings.models[0]
    assert isinstance(settings, Settings)
    assert (model.bucket, model.window, model.every) == (timedelta(days=1), timedelta(days=7), None)
    assert settings.schedule.memory == 2_000_000_000
    assert settings.history.url.get_secret_value() == "sqlite:///data/history.db"
    assert settings.clock is None


def test_columns_together_are_a_segment_that_thresholds_may_name(load: Load) -> None:
    release = """
accuracy = { min = 0.7, segments = ["origin+carrier"] }
"accuracy[origin+carrier=JFK+AA]" = { min = 0.6 }
"drift.carrier[origin=(null)]" = { max = 1 }
"drift.origin" = { max = 1 }
"""
    settings = load(
        ('segments = ["origin"]', 'segments = ["origin", "origin+carrier"]'), ("accuracy = { min = 0.728 }", release)
    )
    assert len(settings.models[0].release) == 6


def test_variables_win_over_secret_files_and_those_over_the_file(load: Load, folder: Path) -> None:
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "MONITOR_WEB__PORT").write_text("2\n")
    (secrets / "monitor_web__host").write_text("127.0.0.2\n")
    (secrets / "another-program").write_text("not ours")
    settings = load(
        added='[web]\nport = 1\nhost = "::1"\n[history]\nkeep = "2d"',
        environ={
            "MONITOR_WEB__PORT": "3",
            "MONITOR_ALERTS__FOR": "2d",
            "MONITOR_CLOCK__START": "2013-04-16",
            "PATH": "x",
        },
    )
    assert (settings.web.port, settings.web.host) == (3, "127.0.0.2")
    assert settings.history.keep == timedelta(days=2)
    assert settings.alerts.pending_for == timedelta(days=2)
    assert settings.clock is not None
    assert settings.clock.start == datetime(2013, 4, 16, tzinfo=UTC)


def test_an_empty_variable_counts_as_not_set(load: Load) -> None:
    assert load(environ={"MONITOR_SLACK__TOKEN": ""}).slack.token is None


def test_a_secret_is_put_into_any_text(load: Load, folder: Path) -> None:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "PASSWORD").write_text("from-file\n")
    settings = load(
        ('source = "predictions.parquet"', 'source = "postgresql://${USER}:${PASSWORD}@db/x$${y}"\ntable = "p"'),
        environ={"USER": "me"},
    )
    assert settings.models[0].predictions.source == "postgresql://me:from-file@db/x${y}"
    assert "from-file" not in repr(settings)


def test_what_a_variable_holds_is_not_filled_in_itself(load: Load) -> None:
    settings = load(added='[slack]\nchannel = "#${ROOM}"', environ={"ROOM": "${PATH}"})
    assert settings.slack.channel == "#${PATH}"


def test_a_column_without_quotes_is_understood(load: Load) -> None:
    settings = load(('"drift.*" = { max = 0.2 }', "drift.temp = { max = 0.2 }"))
    assert set(settings.models[0].release) == {"accuracy", "coverage", "drift.temp"}


def test_a_glob_a_bucket_elsewhere_and_a_database_are_sources(load: Load) -> None:
    load(('source = "predictions.parquet"', 'source = "pred*.parquet"'))
    load(('source = "predictions.parquet"', 'source = "s3://logs/*.parquet"'))
    load(('source = "predictions.parquet"', 'source = "postgresql://db/x"\nquery = "select 1"'))


def test_times_without_a_zone_are_utc(load: Load) -> None:
    clock = load(added='[clock]\nstart = 2013-04-16T00:00:00\nend = 2013-04-17T02:00:00+02:00\nspeed = "12h"').clock
    assert clock is not None
    assert (clock.start, clock.end) == (datetime(2013, 4, 16, tzinfo=UTC), datetime(2013, 4, 17, tzinfo=UTC))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # no file at all
        (None, "config.toml: there is no such file; name the settings file with --config"),
        # half a line
        (b"[[models]]\nname =", "config.toml: is not TOML: invalid value at end of document; {hint}"),
        # a secret without quotes is not shown
        (b"[slack]\ntoken = xoxb-canary", "config.toml: is not TOML: invalid value at line 2, column 9; {hint}"),
        # written on Windows long ago
        (b"# Z\xfcrich", "config.toml: is not UTF-8: byte 3 belongs to another encoding; save it as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as found:
        load_settings(path, {}, tmp_path)
    hint = "text goes in quotes, tables in [brackets], lists in [a, b]"
    assert str(found.value) == f"{tmp_path}/{expected.format(hint=hint)}"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match="cannot be read: Is a directory; let the user model-monitor runs as read it"
    ):
        load_settings(tmp_path, {}, tmp_path)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        # one letter lost
        ({"MONITOR_SLACK__TOKN": "x"}, "MONITOR_SLACK__TOKN: is not a setting; did you mean 'MONITOR_SLACK__TOKEN'?"),
        # one underscore lost
        ({"MONITOR_WEB_PORT": "1"}, "MONITOR_WEB_PORT: is not a setting; did you mean 'MONITOR_WEB__PORT'?"),
        # a list has no place in variables
        (
            {"MONITOR_MODELS__0__NAME": "x"},
            (
                "MONITOR_MODELS__0__NAME: models cannot be described in variables; put ${NAME} inside "
                "values of config.toml"
            ),
        ),
        # the value is wrong, and is not shown
        ({"MONITOR_WEB__PORT": "secret"}, "MONITOR_WEB__PORT: must be a whole number"),
        # a required key elsewhere in the table
        ({"MONITOR_CLOCK__SPEED": "1d"}, "clock.start: is missing; add it: start = 2013-04-16T00:00:00Z"),
    ],
)
def test_a_wrong_variable_is_refused(problems: Problems, environ: dict[str, str], expected: str) -> None:
    assert problems(environ=environ) == [expected]


def test_a_misspelt_secret_file_is_refused(problems: Problems, folder: Path) -> None:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "MONITOR_SLACK__TOKN").write_text("x")
    expected = "secrets/MONITOR_SLACK__TOKN: is not a setting; did you mean 'MONITOR_SLACK__TOKEN'?"
    assert problems() == [expected]


def test_a_check_file_that_does_not_load_is_a_problem(problems: Problems, folder: Path) -> None:
    (folder / "own").mkdir()
    (folder / "own" / "broken.py").write_text("raise RuntimeError('oh')")
    (line,) = problems(("[[models]]", 'checks_dir = "own"\n[[models]]'))
    assert line.startswith("checks_dir: The check file 'own/broken.py' cannot be imported: RuntimeError: oh.")


def test_a_check_of_the_teams_own_may_be_promised(load: Load, folder: Path) -> None:
    (folder / "own").mkdir()
    (folder / "own" / "age.py").write_text(
        "from checks.contract import Check, Metric, Needs\n"
        "class Age(Check):\n"
        "    kind = 'age'\n"
        "    metrics = (Metric('age', 'how old', 'low', unit='seconds'),)\n"
        "    def needs(self): return Needs()\n"
        "    def measure(self, window): yield from ()\n"
    )
    changes = ("[[models]]", 'checks_dir = "own"\n[[models]]'), ("coverage = {", 'age = { max = "4h" }\ncoverage = {')
    assert load(*changes).models[0].release["age"].max == timedelta(hours=4)


def test_no_table_is_shared_with_the_process_environment(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_WEB__PORT", "1")
    assert load(environ={}).web.port == 9464


def test_importing_the_settings_stays_light() -> None:
    code = (
        "import sys, monitor.settings, monitor.release.verdict, monitor.release.contract;"
        "heavy = {'ibis', 'pandas', 'numpy', 'scipy', 'duckdb', 'sqlalchemy', 'pydantic_settings', 'slack_sdk'};"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_config_of_this_repository_is_right(folder: Path) -> None:
    (folder / "examples" / "flights").mkdir(parents=True)
    for name in ("predictions", "outcomes", "reference", "schedule"):
        (folder / "examples" / "flights" / f"{name}.parquet").touch()
    (folder / "config.toml").write_text((ROOT / "config.toml").read_text())
    settings = load_settings(folder / "config.toml", {}, folder)
    assert settings.models[0].release["accuracy"].min == 0.728
    assert settings.clock is not None
    assert settings.clock.end == datetime(2014, 1, 2, tzinfo=UTC)


def test_the_slack_table_of_this_repository_is_right_once_uncommented(folder: Path, right: str) -> None:
    lines = (ROOT / "config.toml").read_text().splitlines()
    slack = [line.removeprefix("# ") for line in lines if line.startswith(("# [slack]", "# token", "# channel"))]
    (folder / "config.toml").write_text(right + "\n".join(slack))
    settings = load_settings(folder / "config.toml", {"SLACK_BOT_TOKEN": "xoxb-1"}, folder)
    assert settings.slack.token is not None
    assert settings.slack.token.get_secret_value() == "xoxb-1"
