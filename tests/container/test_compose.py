"""The compose example: hardened, with its secret in a file, and settings that hold."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML carries no types

from monitor.settings import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "compose"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
MONITOR = COMPOSE["services"]["monitor"]
DATABASE = COMPOSE["services"]["database"]


def test_the_daemon_runs_with_nothing_it_does_not_need() -> None:
    assert True is MONITOR["read_only"]
    assert ["ALL"] == MONITOR["cap_drop"]
    assert ["no-new-privileges:true"] == MONITOR["security_opt"]
    assert ["/tmp"] == MONITOR["tmpfs"]  # noqa: S108  # the container's own
    assert "1g" == MONITOR["mem_limit"]


def test_the_port_is_open_to_this_machine_alone() -> None:
    assert ["127.0.0.1:9464:9464"] == MONITOR["ports"]
    assert "ports" not in DATABASE


def test_an_end_of_the_played_year_is_not_taken_for_a_crash() -> None:
    assert "on-failure" == MONITOR["restart"]


def test_what_is_mounted_is_there_and_read_only() -> None:
    mounts = [mount.split(":") for mount in MONITOR["volumes"]]

    assert all("ro" == mode for _, _, mode in mounts)
    assert (FOLDER / "config.toml").is_file()
    assert ["./config.toml", "../flights"] == [source for source, _, _ in mounts]
    assert (ROOT / "Dockerfile").is_file()
    assert ROOT == (FOLDER / MONITOR["build"]).resolve()


def test_the_password_stands_in_a_file_that_git_does_not_see() -> None:
    (name,) = COMPOSE["secrets"]
    folder = "/run/secrets"

    assert [name] == MONITOR["secrets"] == DATABASE["secrets"]
    assert f"{folder}/{name}" == DATABASE["environment"]["POSTGRES_PASSWORD_FILE"]
    assert f"${{{name}}}" in tomllib.loads((FOLDER / "config.toml").read_text())["history"]["url"]
    assert Path(COMPOSE["secrets"][name]["file"]).name in (FOLDER / ".gitignore").read_text().split()


def test_the_daemon_finds_its_database_among_the_services() -> None:
    settings = Settings.model_validate(tomllib.loads((FOLDER / "config.toml").read_text()))
    url = settings.history.url.get_secret_value()

    assert f"@database/{DATABASE['environment']['POSTGRES_DB']}" in url
    assert f"//{DATABASE['environment']['POSTGRES_USER']}:" in url


def test_it_watches_the_very_model_of_the_quick_start_where_its_files_are_mounted() -> None:
    here = (FOLDER / "config.toml").read_text()
    quick_start = (ROOT / "config.toml").read_text().replace("examples/flights/", "flights/")

    assert "../flights:/etc/model-monitor/flights:ro" in MONITOR["volumes"]
    assert tomllib.loads(quick_start)["models"] == tomllib.loads(here)["models"]


@pytest.mark.parametrize("name", ["POSTGRES_PASSWORD", "docker compose up", "docs/container.md"])
def test_the_readme_names_what_a_newcomer_needs(name: str) -> None:
    assert name.lower() in (FOLDER / "README.md").read_text().lower()
