"""A remark of the review: a problem, and the places it depends on."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.settings.problems import File, Problem
from monitor.settings.schema import Place


@dataclass(frozen=True, slots=True)
class Remark:
    """A problem with the *places* it depends on: where one of them is broken, it need not be true."""

    places: tuple[Place, ...]
    problem: Problem

    @staticmethod
    def of(file: File, place: Place, what: str, instead: str = "", also: tuple[Place, ...] = ()) -> Remark:
        """A remark about *place* that depends on *also*."""
        return Remark((place, *also), Problem(file.path(place), what, instead))
