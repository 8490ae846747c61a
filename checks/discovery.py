"""Finding the checks: the modules of this package, the entry points ``model_monitor.checks``, the files of a folder."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import checks as package
from checks.contract import Check

GROUP = "model_monitor.checks"
"""The entry point group of installed packages; each names a check class, or a module of them."""

NO_CHECKS = ("_", "test_", "conftest.")
"""How files in the folder begin that are no checks: helpers, and the tests beside the checks."""


class CheckProblem(Exception):
    """A check cannot be used; the sentence says which, why, and what would be right."""


def discover(checks_dir: Path | None = None) -> dict[str, type[Check]]:
    """Every check by its kind. Raises CheckProblem where one is broken, or two claim one kind or metric."""
    found: dict[str, type[Check]] = {}
    owners: dict[str, type[Check]] = {}
    for check in _classes(checks_dir):
        _demand_complete(check)
        if check.kind in found:
            if found[check.kind] is check:
                continue
            raise CheckProblem(
                f"Two checks are of the kind '{check.kind}': {_place(found[check.kind])} and {_place(check)}. "
                "Rename one of them."
            )
        for metric in check.metrics:
            owner = owners.setdefault(metric.name, check)
            if owner is not check:
                raise CheckProblem(
                    f"Two checks claim the metric '{metric.name}': {_place(owner)} and {_place(check)}. "
                    "A metric belongs to one check; rename it in one of them."
                )
        found[check.kind] = check
    return found


def _classes(checks_dir: Path | None) -> Iterator[type[Check]]:
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__) if not info.ispkg):
        yield from _in_module(importlib.import_module(f"{package.__name__}.{module}"))
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        yield from _in_entry_point(point)
    for path in _files(checks_dir):
        yield from _in_module(_load(path))


def _in_module(module: ModuleType) -> Iterator[type[Check]]:
    for value in vars(module).values():
        own = inspect.isclass(value) and value.__module__ == module.__name__
        if own and issubclass(value, Check) and value is not Check and not _is_base(value):
            yield value


def _in_entry_point(point: EntryPoint) -> Iterator[type[Check]]:
    try:
        value = point.load()
    except (Exception, SystemExit) as problem:  # an installed package may raise anything when imported
        raise CheckProblem(
            f"The entry point '{point.name}' ({point.value}) cannot be loaded: {_cause(problem)}."
        ) from problem
    if inspect.ismodule(value):
        yield from _in_module(value)
    elif inspect.isclass(value) and issubclass(value, Check):
        yield value
    else:
        raise CheckProblem(
            f"The entry point '{point.name}' ({point.value}) is neither a check class nor a module of them."
        )


def _files(checks_dir: Path | None) -> list[Path]:
    if checks_dir is None:
        return []
    if not checks_dir.is_dir():
        raise CheckProblem(f"checks_dir: there is no folder '{checks_dir}'.")
    return sorted(path for path in checks_dir.glob("*.py") if not path.name.startswith(NO_CHECKS))


def _load(path: Path) -> ModuleType:
    name = f"model_monitor_checks_dir_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CheckProblem(f"The check file '{path}' cannot be imported: Python finds no loader for it.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic and pickle look classes up by their module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as problem:  # a team's own file may raise anything when imported
        del sys.modules[name]
        raise CheckProblem(f"The check file '{path}' cannot be imported: {_cause(problem)}.") from problem
    return module


def _is_base(check: type[Check]) -> bool:
    """Whether the class is only there to be inherited from: abstract, and of no kind."""
    return inspect.isabstract(check) and not hasattr(check, "kind")


def _demand_complete(check: type[Check]) -> None:
    lacking = [name for name in ("kind", "metrics") if not getattr(check, name, None)]
    lacking += sorted(getattr(check, "__abstractmethods__", ()))
    if lacking:
        raise CheckProblem(f"The check {_place(check)} has no {' and no '.join(lacking)}; each check defines them.")


def _place(check: type[Check]) -> str:
    try:
        return f"{check.__name__} in '{inspect.getfile(check)}'"
    except (OSError, TypeError):
        return f"{check.__module__}.{check.__name__}"


def _cause(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}".rstrip(". ")
