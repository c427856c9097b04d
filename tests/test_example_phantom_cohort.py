"""What the example on 96 simulated patients says is what its run left."""

import json
from pathlib import Path

import pytest
from biomark.zoo.training_config import read_config

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "phantom_cohort"
RESULTS = json.loads((EXAMPLE / "results.json").read_text(encoding="utf-8"))
README = (EXAMPLE / "README.md").read_text(encoding="utf-8")


def told(row, name):
    return f"{row[name]:.3f} ({row[f'{name}_ci_low']:.3f} to {row[f'{name}_ci_high']:.3f})"


@pytest.mark.parametrize("cohort", ["effect", "control"])
@pytest.mark.parametrize("model", ["multi-task", "single-task"])
def test_the_table_is_that_of_the_results(cohort, model):
    found = RESULTS[cohort]["sets"]
    (macro,) = (row for row in found["overall"] if (row["set"], row["model"]) == ("test", model))
    own = [row for row in found["individual"] if (row["set"], row["model"]) == ("test", model)]
    cells = [cohort, model, told(macro, "macro_auc"), *(told(row, "auc") for row in own)]
    assert f"| {' | '.join(cells)} |" in README
    assert (macro["macro_auc_ci_low"] > 0.5) == (cohort == "effect")


@pytest.mark.parametrize("cohort", ["effect", "control"])
def test_the_table_of_the_folds_is_that_of_the_results(cohort):
    found = RESULTS[cohort]["folds"]
    (macro,) = found["overall"]
    assert macro["n_patients"] == 96 and {row["set"] for row in found["individual"]} == {"out-of-fold"}
    cells = [
        cohort,
        "multi-task",
        told(macro, "macro_auc"),
        *(told(row, "auc") for row in found["individual"]),
    ]
    assert f"| {' | '.join(cells)} |" in README
    for row in [*({"low": r["auc_ci_low"]} for r in found["individual"]), {"low": macro["macro_auc_ci_low"]}]:
        assert (row["low"] > 0.5) == (cohort == "effect")


def test_the_attention_told_is_that_of_the_results():
    for label, rows in RESULTS["effect"]["sets"]["attention_differences"].items():
        for row in rows:
            said = f"{row['difference']:.3f} ({row['ci_low']:.3f} to {row['ci_high']:.3f})"
            assert any(f"| {label} |" in line and said in line for line in README.splitlines()), (label, row)


def test_the_settings_can_be_read():
    config = read_config(EXAMPLE / "settings.yaml", cohort="cohort.csv", out="run")
    assert (config.model, config.preprocessing.size, config.task) == ("resnet10_3d", 48, "multi-task")
