"""What is left of settings without their broken values, so that the rest is reviewed in the same go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from monitor.settings import Settings
from monitor.settings.schema import Place, table_at

_PREDICTIONS = {"source": "?", "id": "?", "time": "?"}
_STAND_INS: Mapping[str, object] = {
    "models": [],
    "task": "binary",
    "predictions": _PREDICTIONS,
    "start": "2000-01-01",
    "after": "1d",
    "begins": "00:00",
    "ends": "00:00",
}
_ELEMENTS: Mapping[Place, object] = {
    ("models",): {"name": "?", "version": "?", "task": "binary", "predictions": _PREDICTIONS},
    ("checks",): {"check": "?"},
    ("alerts", "escalation"): {"after": "1d"},
    ("alerts", "maintenance"): {"name": "?", "begins": "00:00", "ends": "00:00"},
    ("slack", "routes"): {"channel": "?"},
    ("webhooks",): {"name": "?", "url": "?"},
    ("alertmanagers",): {"url": "?"},
}


def salvage(table: Mapping[str, Any], broken: Iterable[Place]) -> dict[str, Any]:
    """A copy of *table* in which broken values are gone, or something harmless where one is required.

    Nothing may be said about the places in *broken* afterwards.
    """
    copy = deepcopy(dict(table))
    for place in sorted(broken, key=len):
        _mend(copy, place)
    return copy


def _mend(table: dict[str, Any], place: Place) -> None:
    holder: Any = table
    for step in place[:-1]:
        try:
            holder = holder[step]
        except (KeyError, IndexError, TypeError):
            return  # what holds it was broken too, and is gone
    last = place[-1]
    if isinstance(holder, list) and isinstance(last, int):
        holder[last] = deepcopy(_element(place[:-1]))
    elif isinstance(holder, dict) and isinstance(last, str):
        holder.pop(last, None)
        if _is_required(place):
            holder[last] = deepcopy(_STAND_INS.get(last, "?"))


def _element(holder: Place) -> object:
    """What may stand in the list at *holder*: a list is known by its place, or by its name within a model."""
    within = holder[2:] if holder[:1] == ("models",) and len(holder) > 1 else holder
    return _ELEMENTS.get(within, "?")


def _is_required(place: Place) -> bool:
    model = table_at(Settings, place[:-1])
    found = model.model_fields.get(str(place[-1])) if model else None
    return found is not None and found.is_required()
