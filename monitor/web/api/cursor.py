"""Where the next page begins, as a word that clients hand back unread."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import TypeVar

import msgspec

from monitor.web.problem import Problem

Place = TypeVar("Place")


def cursor_of(place: object | None) -> str | None:
    """A place as a word; None where there is no next page."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_in(cursor: str | None, kind: type[Place]) -> Place | None:
    """The place that a cursor stands for. Raises Problem for one that no page of this kind has given."""
    if cursor is None:
        return None
    try:
        place = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (ValueError, msgspec.MsgspecError):
        raise _unknown() from None
    values = [getattr(place, name) for name in getattr(kind, "__dataclass_fields__", ())]
    if any(value.tzinfo is None for value in values if isinstance(value, datetime)):
        raise _unknown()
    if any(not 0 <= value < 2**63 for value in values if isinstance(value, int)):
        raise _unknown()
    return place


def _unknown() -> Problem:
    return Problem(
        status_code=400,
        detail="No page ends at this cursor. Take `next` of the page before as it is; the first page has none.",
    )
