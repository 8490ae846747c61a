"""``model-monitor test``: expectations that are met, and what is said of those that are not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.world import World, command, environment

ROOT = Path(__file__).parents[2]

CONTRACT = """
[release]
accuracy = { min = 0.8, window = "1d" }

[[series]]
metric = "accuracy"
values = "0.9±0.05x3 0.7±0.05x2 _ 0.9x2"
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), capture_output=True, text=True, check=False, env=environment(), timeout=120)


def rehearsal(folder: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "expectations.toml").write_text(text)
    return run("test", str(folder / "expectations.toml"), *words)


def test_the_example_is_met() -> None:
    done = run("test", str(ROOT / "examples" / "expectations.toml"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("expectations.toml: 7 expectations are met.\n")


def test_what_was_expected_and_did_not_come_is_said_with_what_came(tmp_path: Path) -> None:
    done = rehearsal(
        tmp_path,
        CONTRACT
        + """
[[expect]]
at = "3d"
verdicts = { accuracy = "ok" }
pages = 0

[[expect]]
at = "4d"
verdicts = { accuracy = "ok" }
open = []
told = []
says = "all is well"
pages = 0

[[expect]]
at = "6d"
verdicts = { accuracy = "unknown" }
open = "accuracy"

[[expect]]
at = "30d"
open = []
""",
    )

    assert done.returncode == 1
    for words in (
        "after 4d: verdict on accuracy\n  expected: ok\n  came:     breach (falls_below): accuracy 0.7 [0.65, 0.75] is",
        "after 4d: open alerts\n  expected: nothing\n  came:     accuracy\n",
        "after 4d: told\n  expected: nothing\n  came:     opened\n",
        "after 4d: message\n  expected: all is well\n  came:     🔴 PAGE · model test · accuracy 0.7 < 0.8 / accuracy",
        "after 4d: pages so far\n  expected: 0\n  came:     1\n",
        "after 30d: a window\n  expected: one that ends then\n",
    ):
        assert words in done.stdout
    assert "after 3d" not in done.stdout
    assert "after 6d" not in done.stdout
    assert "2 of 4 expectations are not met." in done.stderr


def test_without_a_contract_of_its_own_the_one_of_config_toml_is_rehearsed(world: World) -> None:
    series = CONTRACT.partition("[[series]]")
    expected = '\n[[expect]]\nat = "4d"\nopen = "accuracy"\nsays = "the promised 0.8"\n'
    done = rehearsal(world.folder, f"{series[1]}{series[2]}{expected}", "--config", str(world.folder / "config.toml"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert not (world.folder / "history.db").exists(), "nothing is recorded"


def test_relative_bounds_refer_to_the_value_the_series_names(tmp_path: Path) -> None:
    text = CONTRACT.replace("min = 0.8", "min_of_release = 0.9") + "released = 0.9\n"
    done = rehearsal(tmp_path, text + '[[expect]]\nat = "4d"\nopen = "accuracy"\nsays = "the promised 0.81"\n')

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        # what the settings say of a contract
        (("accuracy = {", "acuracy = {"), "release.acuracy: no check measures 'acuracy'; did you mean 'accuracy'?"),
        # a series of what is not promised
        (
            ('metric = "accuracy"', 'metric = "recall"'),
            "series[0].metric: 'recall' is not promised; known are accuracy",
        ),
        # a value that is none
        (("0.9x2", "0.9*2"), "series[0]: '0.9*2' is no value; write 0.8, 0.8x7 (seven windows), 0.8±0.02"),
        # a key that there is not
        (("[[series]]", "[[serie]]"), "series: is missing"),
        # no TOML
        (("[release]", "[release"), "is not TOML: "),
    ],
)
def test_everything_wrong_with_a_file_is_a_sentence(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    done = rehearsal(tmp_path, CONTRACT.replace(*change) + '[[expect]]\nat = "4d"\n')

    assert done.returncode == 2, done.stdout + done.stderr
    assert sentence in done.stderr


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    done = run("test", str(tmp_path / "none.toml"))

    assert (done.returncode, done.stderr) == (2, f"{tmp_path}/none.toml cannot be read: No such file or directory.\n")
