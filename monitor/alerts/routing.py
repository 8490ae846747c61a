"""Who is told of an incident: receivers by model, owner and severity."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from monitor.release.contract import Severity


@dataclass(frozen=True, slots=True)
class Route:
    """Incidents that go to *receiver*: of models and owners that fit a pattern, with one of the severities."""

    receiver: str
    models: tuple[str, ...] = ("*",)
    owners: tuple[str, ...] = ("*",)
    severities: tuple[Severity, ...] = ("page", "warn")

    def fits(self, model: str, owner: str | None, severity: Severity) -> bool:
        """Whether an incident goes this way; a model without owner fits ``*`` alone."""
        return severity in self.severities and _fits(model, self.models) and _fits(owner or "", self.owners)


@dataclass(frozen=True, slots=True)
class Routing:
    """Every incident goes to all of *always*, and to the first of *routes* that fits."""

    routes: tuple[Route, ...]
    always: tuple[str, ...] = ()

    def receivers(self, model: str, owner: str | None, severity: Severity) -> tuple[str, ...]:
        """The names of the receivers that are told."""
        first = next((route.receiver for route in self.routes if route.fits(model, owner, severity)), None)
        return self.always if first is None else (first, *self.always)


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
