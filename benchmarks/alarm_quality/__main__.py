"""False pages, decays found and delays of the alarm, side by side with its peers on the same days.

Runs ``python -m benchmarks.alarm_quality [--folder LOGS] [--years N] [--only TABLE] [--write]``. *LOGS* holds a folder
per log, each with predictions, outcomes, reference (.parquet) and ground_truth.json; without it the flights
of the example are the only log. *N* model-years are simulated per cell. With ``--write`` the tables in
docs/alarm-quality.md are replaced. Evidently's and NannyML's rules are applied to the days' values, as their sources
define them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.alarm_quality.judging import Told, alarm, alarm_each_hour, bounds_of_one_model
from benchmarks.alarm_quality.logs import Log, first_years, read_logs
from benchmarks.alarm_quality.policies import POLICIES, Policy
from benchmarks.alarm_quality.scores import Score, by_log, first_open, score
from benchmarks.alarm_quality.simulations import CHANCES, Chance, dropping, quiet, quiet_hours
from monitor.release.days import Days

DOCUMENT = Path(__file__).parents[2] / "docs" / "alarm-quality.md"
MARGINS = (0.01, 0.02, 0.03, 0.04, 0.05)
FIRST_YEAR = (0.0, 0.02, 0.05)
DROPS = (1, 2, 5)
BOUNDS = (3, 10)
DROPS_AT, DROPS_FOR = 180, 90


def on_logs(logs: Sequence[Log]) -> Iterator[str]:
    """Every policy on the real logs, pooled; then the alarm log by log."""
    yield "| policy | false pages a year | relapses a year | quiet days in an incident | decays found | median delay |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, policy in POLICIES.items():
        yield f"| {name} | {_scored(score(logs, policy))} |"
    young = [year for log in logs for year in first_years(log)]
    yield f"| **model-monitor**, in a model's first year | {_scored(score(young, alarm))} |"
    yield ""
    yield "| log | quiet years | false pages | relapses | delay of each decay: from its start (from its change point) |"
    yield "|---|---:|---:|---:|---|"
    for name, found in by_log(logs, alarm):
        yield f"| {name} | {found.quiet_days / 365:.1f} | {found.pages} | {found.relapses} | {_delays(found)} |"


def _scored(found: Score) -> str:
    return (
        f"{found.pages_a_year:.2f} | {found.relapses_a_year:.2f} | {found.share_open:.0%} "
        f"| {len(found.delays)} of {len(found.decays)} | {_days(found.median_delay)}"
    )


def _days(delay: float | None) -> str:
    return "-" if delay is None else f"{delay:g} d"


def _delays(of: Score) -> str:
    told = []
    for one in of.decays:
        since = "" if one.since_change is None else f" ({one.since_change} d)"
        told.append(f"{one.episode.start}: " + ("not found" if one.delay is None else f"{one.delay} d{since}"))
    return "; ".join(told) or "no decay"


def at_threshold(years: int) -> Iterator[str]:
    """Pages a year of every policy on a model that sits exactly at its threshold."""
    yield "| policy | " + " | ".join(CHANCES) + " |"
    yield "|---|" + "---:|" * len(CHANCES)
    for name, policy in POLICIES.items():
        yield f"| {name} | " + " | ".join(_near(policy, chance, years) for chance in CHANCES) + " |"


def at_margins(years: int, margins: Sequence[float], years_of_a_model: int) -> Iterator[str]:
    """Pages a year of the alarm on models that are better than their threshold by a margin."""
    yield "| better than the threshold by | " + " | ".join(CHANCES) + " |"
    yield "|---|" + "---:|" * len(CHANCES)
    for margin in margins:
        rates = [_near(alarm, chance, years, margin, years_of_a_model) for chance in CHANCES]
        yield f"| {margin * 100:.0f} points | " + " | ".join(rates) + " |"


def _near(policy: Policy, chance: Chance, years: int, margin: float = 0.0, years_of_a_model: int = 5) -> str:
    """Pages a year, relapses where there are any, and the share of days with an incident open."""
    random = np.random.default_rng(20260105)
    days = 365 * years_of_a_model
    told = [
        one for _ in range(max(years // years_of_a_model, 1)) for one in policy(quiet(random, chance, days, margin))
    ]
    return f"{_heard(told, len(told) / 365)} ({sum(one.open for one in told) / len(told):.0%})"


def _heard(told: Sequence[Told], years: float) -> str:
    """Pages a year, and relapses where there are any."""
    relapses = sum(one.relapsed for one in told) / years
    return f"{sum(one.paged for one in told) / years:.2f}" + (f" + {relapses:.2f}" if relapses else "")


def each_hour(years: int) -> Iterator[str]:
    """Pages a year, and relapses, of models that are looked at each day and each hour, over the same rows."""
    cases = [(chance, 0.02) for chance in CHANCES[:2]]
    yield "| looked at | " + " | ".join(_titles(cases)) + " |"
    yield "|---|" + "---:|" * len(cases)
    yield "| each day | " + " | ".join(_each(alarm, 24, *case, years) for case in cases) + " |"
    yield "| each hour | " + " | ".join(_each(alarm_each_hour, 1, *case, years) for case in cases) + " |"


def _each(policy: Policy, hours: int, chance: Chance, margin: float, years: int) -> str:
    random = np.random.default_rng(20261129)
    told: list[Told] = []
    for _ in range(years):
        log = quiet_hours(random, chance, 365, margin)
        told += policy(replace(log, live=Days(log.live.days[::hours])))
    return _heard(told, years)


def several_bounds(years: int) -> Iterator[str]:
    """Pages a year of a model whose bounds have nothing to do with one another, which is the hardest case."""
    cases = [(chance, margin) for chance in CHANCES[:3] for margin in (0.0, 0.02, 0.04)]
    yield "| bounds | " + " | ".join(_titles(cases)) + " |"
    yield "|---:|" + "---:|" * len(cases)
    for count in BOUNDS:
        yield f"| {count} | " + " | ".join(_several(count, chance, margin, years) for chance, margin in cases) + " |"


def _titles(cases: Iterable[tuple[Chance, float]]) -> Iterator[str]:
    return (f"{chance}, {margin * 100:.0f} points better" for chance, margin in cases)


def _several(count: int, chance: Chance, margin: float, years: int) -> str:
    random = np.random.default_rng(20260107)
    models = max(years // 5, 1)
    told = [
        one
        for _ in range(models)
        for one in bounds_of_one_model([quiet(random, chance, 365 * 5, margin) for _ in range(count)])
    ]
    return _heard(told, models * 5)


def on_drops(models: int) -> Iterator[str]:
    """How long each policy takes to see a model fall below its threshold, and how often it does within 90 days."""
    cases = [(chance, points) for chance in CHANCES[:3] for points in DROPS]
    yield "| policy | " + " | ".join(f"{chance}, {points} below" for chance, points in cases) + " |"
    yield "|---|" + "---:|" * len(cases)
    for name, policy in POLICIES.items():
        yield f"| {name} | " + " | ".join(_drop(policy, chance, points, models) for chance, points in cases) + " |"


def _drop(policy: Policy, chance: Chance, points: float, models: int) -> str:
    """The median delay, and the share found. A model with an incident open before it dropped is left out."""
    random = np.random.default_rng(20260106)
    delays = []
    for _ in range(models):
        told = policy(dropping(random, chance, DROPS_AT, DROPS_AT + DROPS_FOR, points))
        if not told[DROPS_AT - 1].open:
            delays.append(first_open(told, DROPS_AT))
    found = [delay for delay in delays if delay is not None]
    share = f" ({len(found) / len(delays):.0%})" if len(found) < len(delays) else ""
    return f"{median(found):g} d{share}" if found else "-"


SECTIONS = ("logs", "at-threshold", "margins", "first-year", "bounds", "drops", "each-hour")


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure the quality of the alarm beside its peers.")
    parser.add_argument("--folder", type=Path, help="a folder of logs; without it, the example's flights")
    parser.add_argument("--years", type=int, default=200, help="model-years simulated per cell")
    parser.add_argument("--only", choices=SECTIONS, help="one table alone")
    parser.add_argument("--write", action="store_true", help="replace the tables in docs/alarm-quality.md")
    asked = parser.parse_args(words)
    for section in SECTIONS if asked.only is None else (asked.only,):
        lines = []
        for line in _section(section, asked.folder, asked.years):
            print(line, flush=True)
            lines.append(line)
        print(flush=True)
        if asked.write:
            _write(section, lines)


def _section(name: str, folder: Path | None, years: int) -> Iterator[str]:
    match name:
        case "logs":
            yield from on_logs(list(read_logs(folder)))
        case "at-threshold":
            yield from at_threshold(years)
        case "margins":
            yield from at_margins(max(years // 4, 1), MARGINS, 5)
        case "first-year":
            yield from at_margins(max(years // 2, 1), FIRST_YEAR, 1)
        case "bounds":
            yield from several_bounds(max(years // 10, 1))
        case "drops":
            yield from on_drops(max(years // 4, 1))
        case _:
            yield from each_hour(max(years // 20, 1))


def _write(section: str, lines: Sequence[str]) -> None:
    begin, end = f"<!-- {section} -->", f"<!-- /{section} -->"
    head, _, rest = DOCUMENT.read_text().partition(begin)
    _, _, tail = rest.partition(end)
    DOCUMENT.write_text("\n".join((f"{head}{begin}", *lines, f"{end}{tail}")))


if __name__ == "__main__":
    main()
