"""Checks are found in the package, in entry points and in a folder; a broken one is named in a sentence."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from checks.accuracy import Accuracy
from checks.coverage import Coverage
from checks.discovery import CheckProblem, discover
from checks.drift import Drift

HEAD = """
from typing import ClassVar
from checks.contract import Check, Measurement, Metric, Needs
"""
COMPLETE = (
    HEAD
    + """
class Age(Check):
    kind: ClassVar[str] = "age"
    metrics: ClassVar[tuple[Metric, ...]] = (Metric("age", "days since training", "low"),)
    def needs(self): return Needs()
    def measure(self, window): yield Measurement("age", 1.0)
"""
)


def written(folder: Path, text: str, name: str = "age.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_modules_of_the_package_are_found_without_a_list() -> None:
    found = discover()
    assert {"accuracy": Accuracy, "coverage": Coverage, "drift": Drift}.items() <= found.items()


def test_a_file_in_the_folder_is_found_beside_the_package(tmp_path: Path) -> None:
    written(tmp_path, COMPLETE)
    written(tmp_path, "raise RuntimeError", "_helper.py")  # a leading underscore: not a check
    found = discover(tmp_path)
    assert found["age"].__name__ == "Age"
    assert found["accuracy"] is Accuracy


def test_an_entry_point_names_a_class_or_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, COMPLETE, "mm_test_age.py")
    _installed(tmp_path, "age = mm_test_age:Age\nsame = mm_test_age\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert discover()["age"].__module__ == "mm_test_age"


def test_an_entry_point_that_cannot_be_loaded_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(tmp_path, "age = mm_test_nowhere:Age\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CheckProblem) as problem:
        discover()
    assert str(problem.value) == (
        "The entry point 'age' (mm_test_nowhere:Age) cannot be loaded: "
        "ModuleNotFoundError: No module named 'mm_test_nowhere'."
    )


def _installed(folder: Path, points: str) -> None:
    info = folder / "mm_test-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mm-test\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[model_monitor.checks]\n{points}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        # a file that raises
        ("1 / 0", "The check file '{path}' cannot be imported: ZeroDivisionError: division by zero."),
        # a file that leaves
        ("raise SystemExit(3)", "The check file '{path}' cannot be imported: SystemExit: 3."),
        # no kind
        (
            COMPLETE.replace("    kind:", "    other:"),
            "The check Age in '{path}' has no kind; each check defines them.",
        ),
        # no metrics
        (
            re.sub("    metrics:.*", "", COMPLETE),
            "The check Age in '{path}' has no metrics; each check defines them.",
        ),
        # nothing that measures
        (
            re.sub("    def measure.*", "", COMPLETE),
            "The check Age in '{path}' has no measure; each check defines them.",
        ),
        # the kind of another check
        (
            COMPLETE.replace('= "age"', '= "drift"'),
            "Two checks are of the kind 'drift': Drift in '{drift}' and Age in '{path}'. Rename one of them.",
        ),
        # the metric of another check
        (
            COMPLETE.replace('Metric("age"', 'Metric("f1"'),
            (
                "Two checks claim the metric 'f1': Accuracy in '{accuracy}' and Age in '{path}'. "
                "A metric belongs to one check; rename it in one of them."
            ),
        ),
    ],
)
def test_a_broken_check_is_named_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(CheckProblem) as problem:
        discover(tmp_path)
    places = {"path": path, "drift": inspect.getfile(Drift), "accuracy": inspect.getfile(Accuracy)}
    assert str(problem.value) == sentence.format(**places)


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(CheckProblem) as problem:
        discover(tmp_path / "nowhere")
    assert str(problem.value) == f"checks_dir: there is no folder '{tmp_path / 'nowhere'}'."


def test_discovery_imports_nothing_heavy() -> None:
    heavy = "{'numpy', 'pandas', 'scipy', 'ibis', 'duckdb', 'pyarrow', 'sqlalchemy'}"
    code = f"import sys; from checks.discovery import discover; discover(); print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
