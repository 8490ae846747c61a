"""``make bench``: every benchmark, one after the other."""

from __future__ import annotations

from benchmarks import drift_false_alarms, flights, multivariate_drift, speed


def main() -> None:
    """Run them all and print their tables."""
    speed.main([])
    flights.main()
    drift_false_alarms.main()
    multivariate_drift.main()


if __name__ == "__main__":
    main()
