"""How much memory an embedded engine may take."""

from __future__ import annotations

import resource
from pathlib import Path

MEMORY = 750_000_000
"""What an embedded DuckDB may take at most, in bytes; what does not fit goes to a temporary folder."""

LEAST = 64_000_000


def memory_left() -> int:
    """At most MEMORY; in a worker process with a limit, half of what it may still reserve."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return MEMORY
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return max(min(MEMORY, (limit - used) // 2), LEAST)
