"""What the image promises, read off the Dockerfile; docs/container.md says what was watched on a running engine."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from monitor.app import DATABASE_PATIENCE
from monitor.settings import WebSettings
from monitor.web.probe import TIMEOUT

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text()


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction with its argument, continued lines joined and comments dropped."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


ALL = instructions(TEXT)
FINAL = ALL[max(place for place, (word, _) in enumerate(ALL) if word == "FROM") :]


def argument(word: str) -> str:
    """The argument of the final stage's only instruction of that name."""
    (found,) = [rest for name, rest in FINAL if name == word]
    return found


def variables() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in argument("ENV").split())


def test_no_front_end_is_fetched_before_the_build() -> None:
    assert not re.search(r"^#\s*syntax\s*=", TEXT, re.MULTILINE)


def test_every_stage_stands_on_the_slim_python_that_the_project_supports() -> None:
    stages = [rest.split() for word, rest in ALL if word == "FROM"]
    named = {stage[2] for stage in stages if len(stage) > 1}

    assert {"python:3.13-slim"} == {stage[0] for stage in stages} - named
    assert ["python:3.13-slim"] == stages[-1]


def test_everything_from_outside_is_pinned_by_its_hash_and_nothing_else_is_fetched() -> None:
    dependencies, wheel, project = [
        " ".join(json.loads(rest)) if rest.startswith("[") else rest
        for word, rest in ALL
        if word == "RUN" and re.search(r"\bpip\b.* (install|wheel)\b", rest.replace('", "', " "))
    ]

    assert "--no-deps --require-hashes -r requirements.lock" in dependencies
    assert "--no-deps --no-build-isolation" in wheel
    assert "--no-deps --no-index" in project


def test_the_process_is_not_root_and_owns_nothing_but_its_volume() -> None:
    assert "65532:65532" == argument("USER")
    assert '["/data"]' == argument("VOLUME")
    assert ["/opt/venv /opt/venv"] == [rest.partition(" ")[2] for word, rest in FINAL if word == "COPY"]
    assert "--owner 65532 --group 65532 --mode 0750 /data" in " ".join(rest for word, rest in FINAL if word == "RUN")


def test_user_comes_after_everything_that_needs_root() -> None:
    words = [word for word, _ in FINAL]

    assert words.index("USER") > max(place for place, word in enumerate(words) if word in {"RUN", "COPY"})


def test_signals_reach_the_daemon_through_an_init_and_no_shell() -> None:
    assert ["tini", "--", "model-monitor"] == json.loads(argument("ENTRYPOINT"))
    assert ["run"] == json.loads(argument("CMD"))
    assert "SIGTERM" == argument("STOPSIGNAL")


def test_health_is_asked_by_the_probe_and_red_within_30_seconds() -> None:
    options, _, command = argument("HEALTHCHECK").partition(" CMD ")
    seconds = dict(re.findall(r"--([a-z-]+)=(\d+)", options))

    assert ["python", "-m", "monitor.web.probe"] == json.loads(command)
    assert (int(seconds["interval"]) + TIMEOUT) * int(seconds["retries"]) <= 30
    assert int(seconds["timeout"]) > TIMEOUT  # so that the probe's own sentence is heard
    assert int(seconds["start-period"]) > DATABASE_PATIENCE  # waiting for a database is no illness
    assert "start-interval" not in seconds  # engines before 25 refuse to build with it


def test_everything_temporary_lives_in_tmp_and_nothing_phones_home() -> None:
    wanted = {"HOME": "/tmp", "DO_NOT_TRACK": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": "1"}  # noqa: S108

    assert wanted.items() <= variables().items()


def test_the_port_is_the_same_for_daemon_probe_and_reader() -> None:
    assert str(WebSettings().port) == argument("EXPOSE") == variables()["MONITOR_WEB__PORT"]


def test_no_variable_overrides_where_config_toml_keeps_its_history() -> None:
    assert {"MONITOR_WEB__HOST", "MONITOR_WEB__PORT"} == {name for name in variables() if name.startswith("MONITOR_")}


@pytest.mark.parametrize("name", ["title", "description", "version", "revision", "created"])
def test_the_image_says_what_it_is(name: str) -> None:
    assert f"org.opencontainers.image.{name}=" in argument("LABEL")


def test_what_changes_with_each_build_comes_last() -> None:
    words = [word for word, _ in FINAL]

    assert ["ARG", "ARG", "ARG", "LABEL"] == words[-4:]


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("requirements.lock", True),
        ("pyproject.toml", True),
        ("README.md", True),  # the project's metadata quotes it
        ("checks", True),
        ("monitor", True),
        (".git", False),
        (".venv", False),
        ("data", False),  # a history
        ("examples", False),
        ("config.toml", False),  # mounted, never baked in
        (".env", False),
    ],
)
def test_the_builder_is_sent_what_the_image_is_made_of_and_nothing_else(path: str, sent: bool) -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    ignored = False
    for line in lines:  # as the builder does it: the last rule that matches decides
        if fnmatch(path, line.lstrip("!")):
            ignored = not line.startswith("!")

    assert sent is not ignored


def test_what_the_dockerfile_copies_is_sent() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {name for word, rest in ALL if word == "COPY" and "--from" not in rest for name in rest.split()[:-1]}

    assert sent == copied
