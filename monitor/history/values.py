"""Values made fit for both databases: what one would refuse, or change, is changed before."""

from __future__ import annotations

import json
import math
from hashlib import sha256
from typing import Any


def number(value: float | None) -> float | None:
    """A float; NaN, which SQLite cannot hold, is "cannot tell"."""
    return None if value is None or math.isnan(value) else float(value)


def words(text: str, limit: int | None = None) -> str:
    """Text without NUL and lone surrogates, which PostgreSQL refuses; beyond *limit* its end becomes a hash of it."""
    clean = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if limit is None or len(clean) <= limit:
        return clean
    return f"{clean[: limit - 17]}~{sha256(clean.encode()).hexdigest()[:16]}"


def to_json(value: Any) -> str:
    """Strict JSON: NaN and infinities become null, and what JSON has no word for becomes text."""
    try:
        return json.dumps(value, allow_nan=False, default=str)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
