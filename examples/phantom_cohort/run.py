"""What a small network learns of 96 simulated patients, and of the same patients with labels that know nothing of them.

    python examples/phantom_cohort/run.py --out phantom_results

simulates two cohorts of one seed: one whose best possible AUC is 0.99, and its control, with the same images and
biomarkers without effect. On each it trains both networks on the usual sets (62, 15 and 23 in 100), and the multi-task
network by five-fold cross-validation, so that all 96 patients are predicted by a network that never saw them. Reports
and `results.json` land in the folder; README.md tells what came out.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from biomark import evaluate, read_predictions, viz, zoo

HERE = Path(__file__).parent
COHORTS = {"effect": 0.99, "control": 0.5}
TASKS = ("multi-task", "single-task")
PARTS = ("sets", "folds")
PATIENTS, FOLDS = 96, 5


def main() -> None:
    """Parse, run, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("phantom_results"), help="folder, new or empty")
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--n-boot", type=int, default=2000)
    parser.add_argument("--only", choices=COHORTS, help="one of the two cohorts")
    parser.add_argument("--part", choices=PARTS, help="one of the two parts; what is there already is used")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / "results.json"
    for name, best_auc in COHORTS.items():
        if asked.only in (None, name):
            found = on_cohort(asked.out / name, best_auc, asked)
            results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            results.setdefault(name, {}).update(found)
            path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(path.resolve())


def on_cohort(folder: Path, best_auc: float, asked: argparse.Namespace) -> dict[str, object]:
    """Simulate a cohort if it is not there yet, train on it, report."""
    table = folder / "cohort" / "cohort.csv"
    if not table.exists():
        zoo.write_phantom_cohort(table.parent, patients=PATIENTS, best_auc=best_auc, seed=asked.seed)
    base = zoo.read_config(
        HERE / "settings.yaml",
        cohort=str(table),
        out=str(folder / "folds"),
        cache=str(folder / "cache"),
        seed=asked.seed,
    )
    found: dict[str, object] = {
        "best_possible_auc": json.loads((table.parent / "phantom.json").read_text())["best_possible_auc"],
        "conditions": {
            "threads": torch.get_num_threads(),
            "processors": os.cpu_count(),
            "torch": torch.__version__,
        },
    }
    if asked.part in (None, "sets"):
        found["sets"] = on_sets(folder, base, asked)
    if asked.part in (None, "folds"):
        made = zoo.cross_validate(base, folds=FOLDS, resume=True)
        seconds = {fold: spent(run) for fold, run in made.runs.items()}
        found["folds"] = judged(made.frame, folder / "preds-folds.csv", folder / "report-folds", asked) | {
            "seconds": seconds
        }
    return found


def on_sets(folder: Path, base: zoo.TrainingConfig, asked: argparse.Namespace) -> dict[str, object]:
    """Train both networks on the training set, report on the test set."""
    runs, frames, seconds = [], [], {}
    for task in TASKS:
        options = dict(base.model_options)
        if task == "single-task":
            del options["decoder_width"]
        run = zoo.train(
            replace(base, task=task, out=str(folder / "runs" / task), model_options=options), resume=True
        )
        seconds[task] = spent(run)
        runs.append(run.folder)
        frames.append(zoo.predict(base.cohort, runs=run.folder, cache=base.cache).frame)
    networks = viz.findings_of_runs(
        runs, base.cohort, set_name="test", cache=base.cache, n_viewers=3, rng=asked.seed
    )
    viz.write_training_page(runs, folder / "curves.html", simulated=True)
    found = judged(pd.concat(frames), folder / "preds.csv", folder / "report", asked, networks)
    attention = networks.explanation.attention
    return found | {
        "attention": {label: _records(one.models) for label, one in attention.items()},
        "attention_differences": {label: _records(one.differences) for label, one in attention.items()},
        "seconds": seconds,
    }


def spent(run: zoo.TrainingRun) -> float:
    """Return the seconds that all epochs took, those before a stop included."""
    return round(sum(epoch["seconds"] + epoch["validation_seconds"] for epoch in run.history), 1)


def judged(
    frame: pd.DataFrame,
    preds: Path,
    report: Path,
    asked: argparse.Namespace,
    networks: viz.RunFindings | None = None,
) -> dict[str, object]:
    """Write predictions and report; return the figures that README.md prints."""
    frame.to_csv(preds, index=False)
    evaluation = evaluate(read_predictions(preds), n_boot=asked.n_boot, rng=asked.seed)
    viz.write_report(evaluation, report, networks=networks, simulated=True)
    # Cut-offs do not change an AUC.
    rows = evaluation.individual.drop_duplicates(["set", "label", "model"])
    individual = rows[["set", "label", "model", "n_pos", "n_neg", "auc", "auc_ci_low", "auc_ci_high"]]
    rows = evaluation.overall.drop_duplicates(["set", "model"])
    macro = rows[["set", "model", "n_patients", "macro_auc", "macro_auc_ci_low", "macro_auc_ci_high"]]
    return {
        "individual": _records(individual),
        "overall": _records(macro),
        "comparisons": _records(evaluation.comparisons),
    }


def _records(frame: pd.DataFrame) -> list[dict[str, object]]:
    records: list[dict[str, object]] = json.loads(frame.to_json(orient="records"))
    return records


if __name__ == "__main__":
    main()
