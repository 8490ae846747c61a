"""``make bench``: every benchmark, one after the other."""

from __future__ import annotations

from benchmarks import drift_false_alarms, fleet_paint, flights, history_speed, multivariate_drift, speed
from benchmarks.alarm_quality import __main__ as alarm_quality


def main() -> None:
    """Run them all and print their tables."""
    speed.main([])
    history_speed.main([])
    fleet_paint.main([])
    flights.main()
    drift_false_alarms.main()
    multivariate_drift.main()
    alarm_quality.main([])


if __name__ == "__main__":
    main()
