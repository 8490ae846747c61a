"""Estimated accuracy next to NannyML's CBPE, on the same rows: what each estimates, and what came true.

Runs ``python -m benchmarks.cbpe_against_nannyml [--nannyml PYTHON] [--write]``. PYTHON is the interpreter of an
environment that has nannyml 0.13.1 and statsmodels (which it imports and does not declare); left out, one is made in a
temporary folder, with about a minute of installing. Nothing of NannyML is a dependency of model-monitor. With
``--write`` the tables in docs/checks/estimated_accuracy.md are replaced.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from sklearn import metrics as sk

from checks.contract import Measurement, Window
from checks.estimated_accuracy import EstimatedAccuracy
from checks.profile import ALL, SCORE_BINS, Layout, Profile, Scores, Slice

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "checks" / "estimated_accuracy.md"
MARKS = ("<!-- cbpe-against-nannyml -->", "<!-- /cbpe-against-nannyml -->")
PACKAGES = ("nannyml==0.13.1", "statsmodels")
METRICS = ("accuracy", "f1", "roc_auc")
START, CHUNKS = datetime(2024, 1, 1, tzinfo=UTC), 20

NANNYML = """
import json, sys, warnings
warnings.simplefilter("ignore")
import pandas as pd, nannyml as nml
reference, live, rows = pd.read_parquet(sys.argv[1]), pd.read_parquet(sys.argv[2]), int(sys.argv[3])
names = {"y_pred": "said", "y_pred_proba": "score", "y_true": "came"}
cbpe = nml.CBPE(problem_type="classification_binary", metrics=["accuracy", "f1", "roc_auc"], chunk_size=rows, **names)
found = cbpe.fit(reference).estimate(live.drop(columns="came")).filter(period="analysis").to_df()
print(json.dumps({name: found[name, "value"].tolist() for name in ("accuracy", "f1", "roc_auc")}))
"""


@dataclass(frozen=True)
class Scene:
    """Rows of a reference and live ones, in order of time: score, said and came."""

    name: str
    reference: pd.DataFrame
    live: pd.DataFrame
    rows: int
    """Rows of a chunk; what is left over at the end is left out."""

    @property
    def chunks(self) -> list[pd.DataFrame]:
        return [self.live.iloc[start : start + self.rows] for start in range(0, len(self.live), self.rows)]


def flights() -> Scene:
    """The example: every flight whose outcome is known."""
    folder = ROOT / "examples" / "flights"
    outcomes = pd.read_parquet(folder / "outcomes.parquet")[["prediction_id", "y_true"]]
    live = pd.read_parquet(folder / "predictions.parquet").merge(outcomes, on="prediction_id").sort_values("timestamp")
    return _scene("flights of 2013", _named(pd.read_parquet(folder / "reference.parquet")), _named(live), 10_000)


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    named = rows.rename(columns={"y_pred_proba": "score", "y_pred": "said", "y_true": "came"})
    return named[["score", "said", "came"]].dropna().astype({"said": int, "came": int})


def simulated(name: str, shown: Callable[[np.ndarray], np.ndarray], drift: float = 0.0) -> Scene:
    """A logistic model whose rows move by 1.5 standard deviations; *shown* makes its score of the true log odds.

    By the end, what came true is *drift* less likely than at first, in log odds: no score shows that.
    """
    random = np.random.default_rng(0)

    def drawn(rows: int, shift: float, less: float) -> pd.DataFrame:
        odds = random.normal(shift - 0.5, 1.2, rows)
        score = 1 / (1 + np.exp(-shown(odds)))
        came = random.random(rows) < 1 / (1 + np.exp(less - odds))
        return pd.DataFrame({"score": score, "said": (score > 0.5).astype(int), "came": came.astype(int)})

    moves = np.linspace(0, 1, CHUNKS)
    live = pd.concat([drawn(5_000, 1.5 * move, drift * move) for move in moves], ignore_index=True)
    return _scene(name, drawn(20_000, 0, 0), live, 5_000)


def _scene(name: str, reference: pd.DataFrame, live: pd.DataFrame, rows: int) -> Scene:
    whole = live.iloc[: len(live) // rows * rows].reset_index(drop=True)
    return Scene(name, reference.reset_index(drop=True), whole, rows)


def realised(scene: Scene) -> dict[str, list[float]]:
    """What came true, by scikit-learn."""
    found: dict[str, list[float]] = {name: [] for name in METRICS}
    for rows in scene.chunks:
        found["accuracy"].append(sk.accuracy_score(rows["came"], rows["said"]))
        found["f1"].append(sk.f1_score(rows["came"], rows["said"]))
        found["roc_auc"].append(sk.roc_auc_score(rows["came"], rows["score"]))
    return found


def nannyml(scene: Scene, python: Path, folder: Path) -> dict[str, list[float]]:
    """What NannyML estimates, in its own process."""
    paths = [folder / "reference.parquet", folder / "live.parquet"]
    for path, rows in zip(paths, (scene.reference, scene.live), strict=True):
        rows.to_parquet(path)
    command = [str(python), "-c", NANNYML, *map(str, paths), str(scene.rows)]
    quiet = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=quiet)
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def ours(scene: Scene) -> dict[str, list[Measurement]]:
    """What the check estimates, a chunk as a window of one bucket."""
    baseline = _profile(scene.reference)
    found: dict[str, list[Measurement]] = {name: [] for name in METRICS}
    for rows in scene.chunks:
        window = Window(START, START + timedelta(days=1), "binary", (_profile(rows),), baseline)
        for one in EstimatedAccuracy().measure(window):
            name = one.metric.removeprefix("estimated_")
            if name in found and isinstance(one, Measurement):
                found[name].append(one)
    return found


def _profile(rows: pd.DataFrame) -> Profile:
    place = np.minimum((rows["score"] * SCORE_BINS).astype(int), SCORE_BINS - 1)

    def table(mark: pd.Series) -> tuple[int, ...]:
        return tuple(np.bincount(place[mark], minlength=SCORE_BINS).tolist())

    came, said = rows["came"] == 1, rows["said"] == 1
    scores = Scores(table(~came), table(came), rejected=table(~said), accepted=table(said))
    return Profile(Layout({}), {ALL: Slice(len(rows), len(rows), scores=scores)})


def _covers(one: Measurement, value: float) -> bool:
    return one.low is not None and one.high is not None and one.low <= value <= one.high


@dataclass(frozen=True)
class Compared:
    """One scene, measured three times."""

    scene: Scene
    came: dict[str, list[float]]
    theirs: dict[str, list[float]]
    own: dict[str, list[Measurement]]
    seconds: tuple[float, float]

    def lines(self) -> Iterator[str]:
        """A line of the table per metric."""
        for name in METRICS:
            came, theirs, own = np.array(self.came[name]), np.array(self.theirs[name]), self.own[name]
            estimates = np.array([one.value for one in own], dtype=float)
            inside = sum(_covers(one, value) for one, value in zip(own, came.tolist(), strict=True))
            errors = [abs(other - came).mean() for other in (theirs, estimates)]
            apart = abs(theirs - estimates).mean()
            yield (
                f"| {self.scene.name} | `{name}` | {came.min():.3f} to {came.max():.3f} | {errors[0]:.4f} | "
                f"{errors[1]:.4f} | {apart:.4f} | {inside} of {len(own)} |"
            )

    def chunks(self) -> Iterator[str]:
        """A line per chunk."""
        for place in range(len(self.scene.chunks)):
            cells = [
                f"{self.came[name][place]:.4f} | {self.theirs[name][place]:.4f} | {self.own[name][place].value:.4f}"
                for name in ("accuracy", "roc_auc")
            ]
            yield f"| {place + 1} | {' | '.join(cells)} |"


def compared(scene: Scene, python: Path, folder: Path) -> Compared:
    """Measure one scene: what came true, NannyML and ours, each with its seconds."""
    began = time.perf_counter()
    theirs = nannyml(scene, python, folder)
    between = time.perf_counter()
    own = ours(scene)
    return Compared(scene, realised(scene), theirs, own, (between - began, time.perf_counter() - between))


def report(found: list[Compared]) -> str:
    """The tables of the document."""
    seconds = [sum(one.seconds[place] for one in found) for place in (0, 1)]
    return "\n".join(
        [
            "| rows | metric | realised | error, NannyML | error, ours | distance of both | realised in our interval |",
            "|---|---|---|---|---|---|---|",
            *(line for one in found for line in one.lines()),
            "",
            f"In all, {seconds[0]:.0f} s for NannyML (its import included) and {seconds[1]:.0f} s for ours.",
            "",
            f"{found[0].scene.name}, chunk by chunk:",
            "",
            "| chunk | `accuracy` | NannyML | ours | `roc_auc` | NannyML | ours |",
            "|---|---|---|---|---|---|---|",
            *found[0].chunks(),
        ]
    )


def environment(folder: Path) -> Path:
    """An environment with NannyML, made for the occasion."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def main() -> None:
    """Compare on every scene, and print or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nannyml", type=Path, help="the Python of an environment with nannyml 0.13.1 and statsmodels")
    parser.add_argument("--write", action="store_true", help=f"replace the tables in {DOCUMENT.name}")
    asked = parser.parse_args()
    scenes = [
        flights(),
        simulated("calibrated, rows shift", lambda odds: odds),
        simulated("overconfident, rows shift", lambda odds: 2.5 * odds + 0.5),
        simulated("what scores mean drifts too", lambda odds: odds, drift=0.8),
    ]
    with TemporaryDirectory() as folder:
        python = asked.nannyml or environment(Path(folder) / "nannyml")
        table = report([compared(scene, python, Path(folder)) for scene in scenes])
    if not asked.write:
        print(table)
        return
    before, _, rest = DOCUMENT.read_text().partition(MARKS[0])
    DOCUMENT.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{rest.partition(MARKS[1])[2]}")


if __name__ == "__main__":
    main()
