"""Train on the Rotterdam cohort, predict ER and PR in the German one, write the predictions tables.

Two models of the same kind see the same five predictors:

- ``single-task``: one random forest per marker, each of whose trees splits for its own marker alone;
- ``multi-task``: one random forest for both markers, whose trees choose every split for the two together.

So they differ in nothing but what is shared. A marker counts as positive from 10 fmol/l.

    python examples/breast_cohorts/make_predictions.py --out demo
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
POSITIVE_FROM = 10  # fmol/l, the usual limit of the ligand-binding assay
ASSAYS = {"ER": "er", "PR": "pgr"}  # label -> column of the assay
SIZE_CLASSES = ["<=20", "20-50", ">50"]  # mm, as Rotterdam has them
MODELS = ("single-task", "multi-task")
TREES = 200
SMALLEST_LEAF = 40  # patients
DECIMALS = 6  # of the scores written


def read_cohorts(folder: Path = HERE) -> pd.DataFrame:
    """Return both cohorts in one frame with Rotterdam's coarser size classes; ``size_mm`` is GBSG's alone."""
    rotterdam = pd.read_csv(folder / "rotterdam.csv").rename(columns={"size": "size_class_mm"})
    gbsg = pd.read_csv(folder / "gbsg.csv").rename(columns={"size": "size_mm"})
    gbsg["size_class_mm"] = pd.cut(gbsg["size_mm"], [0, 20, 50, np.inf], labels=SIZE_CLASSES).astype(str)
    both = pd.concat({"rotterdam": rotterdam, "gbsg": gbsg}, names=["cohort", "row"]).reset_index("cohort")
    return pd.DataFrame(
        {
            "patient_id": both["cohort"] + "-" + both["pid"].astype(str),
            "cohort": both["cohort"],
            "size_mm": both["size_mm"].astype("Int64"),
            **{label: (both[assay] >= POSITIVE_FROM).astype(int) for label, assay in ASSAYS.items()},
            "age": both["age"],
            "menopausal_status": both["meno"].map({0: "premenopausal", 1: "postmenopausal"}),
            "size_class_mm": both["size_class_mm"],
            "grade": both["grade"],
            "positive_nodes": both["nodes"],
        }
    ).reset_index(drop=True)


def assign_sets(patients: pd.DataFrame, seed: int) -> pd.Series:
    """Split Rotterdam 80 to 20 into train and validation, stratified by both markers; GBSG is test."""
    at_home = patients.index[patients["cohort"] == "rotterdam"]
    markers = patients.loc[at_home, "ER"].astype(str) + patients.loc[at_home, "PR"].astype(str)
    _, validation = train_test_split(at_home, test_size=0.2, stratify=markers, random_state=seed)
    sets = pd.Series("test", index=patients.index)
    sets[at_home] = "train"
    sets[validation] = "validation"
    return sets


def predictors(patients: pd.DataFrame) -> np.ndarray:
    """Return the five predictors, shape (n, 5), in terms that both cohorts can answer."""
    return np.column_stack(
        [
            patients["age"],
            patients["menopausal_status"] == "postmenopausal",
            patients["size_class_mm"].map(SIZE_CLASSES.index),
            patients["grade"] == 3,  # Rotterdam has grades 2 and 3 only, so 1 joins 2
            patients["positive_nodes"],
        ]
    ).astype(float)


def predict(patients: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Fit on the training set and score everybody; one column ``<model>:<label>`` per model and marker."""

    def forest() -> RandomForestClassifier:
        return RandomForestClassifier(n_estimators=TREES, min_samples_leaf=SMALLEST_LEAF, random_state=seed)

    labels = list(ASSAYS)
    known = patients["set"] == "train"
    x, y = predictors(patients), patients[labels].to_numpy()
    single = [forest().fit(x[known], y[known, at]).predict_proba(x) for at in range(len(labels))]
    joint = forest().fit(x[known], y[known]).predict_proba(x)
    scores = {
        f"{model}:{label}": probability[:, 1]
        for model, fitted in zip(MODELS, (single, joint), strict=True)
        for label, probability in zip(labels, fitted, strict=True)
    }
    # Sums of the same leaves may differ in their last bits from machine to machine; six decimals do not.
    return pd.DataFrame(scores, index=patients.index).round(DECIMALS)


def wide_table(seed: int = 0) -> pd.DataFrame:
    """One row per patient: set, size, truth, scores, then the baseline characteristics."""
    patients = read_cohorts()
    patients["set"] = assign_sets(patients, seed)
    scores = predict(patients, seed)
    baseline = ["age", "menopausal_status", "size_class_mm", "grade", "positive_nodes"]
    return pd.concat(
        [patients[["patient_id", "set", "size_mm", *ASSAYS]], scores, patients[baseline]], axis="columns"
    )


def tidy_table(wide: pd.DataFrame) -> pd.DataFrame:
    """One row per patient, label and model, from the wide table."""
    scored = [column for column in wide.columns if ":" in column]
    blocks = []
    for column in scored:
        model, label = column.split(":")
        block = wide.drop(columns=[*scored, *ASSAYS])
        block.insert(2, "model", model)
        block.insert(3, "label", label)
        block.insert(4, "y_true", wide[label])
        block.insert(5, "y_score", wide[column])
        blocks.append(block)
    return pd.concat(blocks, ignore_index=True)


def write_whole(table: pd.DataFrame, path: Path) -> None:
    """Write under another name first, so that an interrupted run leaves no half file behind."""
    unfinished = path.with_name(f".{path.name}.part")
    table.to_csv(unfinished, index=False, lineterminator="\n")
    os.replace(unfinished, path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the two tables")
    parser.add_argument("--seed", type=int, default=0, help="of the split and the forests (default: 0)")
    arguments = parser.parse_args()

    wide = wide_table(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_whole(wide, arguments.out / "preds_wide.csv")
    write_whole(tidy_table(wide), arguments.out / "preds.csv")
    sizes = ", ".join(f"{name} {count:,}" for name, count in wide["set"].value_counts(sort=False).items())
    print(f"{len(wide):,} patients ({sizes}): {arguments.out / 'preds.csv'} and preds_wide.csv beside it")


if __name__ == "__main__":
    main()
