"""Real searches on published data sets: what the search saw, fresh seeds confirmed, and the locked test says.

    python -m benchmarks.real [NAME …] [--data FOLDER] [--out FOLDER]

Every data set has its config in ``benchmarks/real``; the data files are not part of the
repository (licences and size). ``--data`` names the folder that holds them, by default
``../shared/data/ready`` beside the repository. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Target:
    """What a data set is judged by: a metric of the locked test, its goal, a simple reference."""

    metric: str
    goal: float | None
    higher: bool
    reference: str


TARGETS = {
    "imdb_6k": Target("accuracy", 0.82, True, "naive Bayes 0.811"),
    "trec": Target("accuracy", 0.82, True, "naive Bayes 0.750"),
    "japanese_vowels": Target("accuracy", 0.95, True, "1-NN 0.949"),
    "italy_power_demand": Target("accuracy", 0.94, True, "1-NN 0.955"),
    "names18": Target("macro_f1", 0.50, True, "character n-gram naive Bayes 0.424"),
    "ud_ewt": Target("accuracy", 0.90, True, "most frequent tag 0.862"),
    "atis": Target("span_f1", 0.90, True, "most frequent tag 0.604"),
    "etth1": Target("mse", 0.0458, False, "same hour yesterday 0.0458, linear 0.0309"),
    "exchange_rate": Target("mse", None, False, "last value (see the baseline column)"),
    "cmapss_fd001": Target("last_rmse", 20.0, False, "linear on one step 20.83"),
}


def run(name: str, data: Path, out: Path) -> dict[str, Any]:
    """One search through the command line; what its ``study.json`` says at the end."""
    config = ROOT / "benchmarks" / "real" / f"{name}.yaml"
    source = next(data.glob(_file_of(config)))
    command = [sys.executable, "-m", "gru_tune", "run", str(config), "--out", str(out), "--fresh", "--quiet"]
    start = time.monotonic()
    subprocess.run([*command, "--set", f"data.path={source}"], check=True, stdout=sys.stderr)
    study: dict[str, Any] = json.loads((out / name / "study.json").read_text(encoding="utf-8"))
    with (out / name / "trials.csv").open(encoding="utf-8") as table:
        done = sum(row["status"] == "completed" for row in csv.DictReader(table))
    return {**study, "wall": time.monotonic() - start, "done": done}


HEADS = (
    "data", "objective", "search", "confirmed", "metric", "test [95 %]", "goal", "reached",
    "best free baseline", "beaten", "published reference", "trials", "minutes",
)  # fmt: skip


def row(name: str, study: dict[str, Any]) -> str:
    """One line of the table."""
    target, look = TARGETS[name], study["test"][-1]
    score = look["metrics"][target.metric]
    reached = target.goal is None or (score >= target.goal if target.higher else score <= target.goal)
    baselines = {b: m[target.metric] for b, m in study["baselines"]["test"].items() if target.metric in m}
    best = max(baselines, key=lambda b: baselines[b] if target.higher else -baselines[b], default=None)
    finals = study["finals"]
    winner = next(one for one in finals["finalists"] if one["trial"] == finals["winner"])
    low, high = look["intervals"][target.metric]
    cells = [
        name,
        study["objective"]["name"],
        f"{winner['search']:.4g}",
        f"{winner['mean']:.4g} ± {winner['spread']:.2g}",
        target.metric,
        f"**{score:.4g}** [{low:.4g}, {high:.4g}]",
        "reported" if target.goal is None else f"{'≥' if target.higher else '≤'} {target.goal:g}",
        "yes" if reached else "**no**",
        "–" if best is None else f"{best} {baselines[best]:.4g}",
        {True: "yes", False: "no", None: "–"}[(look["against"] or {}).get("beaten")],
        target.reference,
        str(study["done"]),
        f"{study['wall'] / 60:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=list(TARGETS), help="data sets (default: all)")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "ready")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "real")
    options = parser.parse_args()
    if not options.data.is_dir():
        sys.exit(f"{os.fspath(options.data)} is not there: name the folder with the data sets by --data")
    print(f"| {' | '.join(HEADS)} |")
    print(f"|{'---|' * len(HEADS)}", flush=True)
    for name in options.names:
        print(row(name, run(name, options.data, options.out)), flush=True)


def _file_of(config: Path) -> str:
    import yaml

    path: str = yaml.safe_load(config.read_text(encoding="utf-8"))["data"]["path"]
    return path


if __name__ == "__main__":
    main()
