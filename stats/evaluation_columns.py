"""The columns of every table of an evaluation, in one place."""

from __future__ import annotations

from .baseline import BASELINE_COLUMNS
from .companion_tables import (
    CONTRAST_COLUMNS,
    CUTOFF_COLUMNS,
    PAIRED_ACCURACY_COLUMNS,
    PRECISION_RECALL_COLUMNS,
)
from .individual import AT_CUTOFF
from .overall import OVERALL_METRICS
from .probability_tables import CALIBRATION_COLUMNS, NET_BENEFIT_COLUMNS, NET_BENEFIT_DIFFERENCE_COLUMNS

__all__ = ["COLUMNS"]

_INTERVAL = ("difference", "ci_low", "ci_high")
COLUMNS: dict[str, tuple[str, ...]] = {
    "cohort": ("set", "label", "n_patients", "n_labelled", "n_missing", "n_pos", "n_neg", "prevalence"),
    "individual": (
        "set", "label", "model", "cutoff", "cutoff_set", "n", "n_pos", "n_neg", "auc", "auc_se",
        "auc_ci_low", "auc_ci_high", "auc_logit_ci_low", "auc_logit_ci_high", "auc_method", "threshold",
        "tp", "fp", "tn", "fn",
        *(column for name in AT_CUTOFF for column in (name, f"{name}_ci_low", f"{name}_ci_high")),
        "note",
    ),
    "comparisons": (
        "set", "label", "model_a", "model_b", "n", "auc_a", "auc_b", *_INTERVAL, "statistic", "p_value",
        "p_holm", "family", "note",
    ),
    "overall": (
        "set", "model", "cutoff", "n_patients",
        *(column for name in OVERALL_METRICS for column in (name, f"{name}_ci_low", f"{name}_ci_high")),
        "note",
    ),
    "overall_differences": (
        "set", "metric", "cutoff", "model_a", "model_b", *_INTERVAL, "p_value", "note",
    ),
    "overfitting": (
        "label", "model", "set_a", "set_b", "auc_a", "auc_b", *_INTERVAL, "statistic", "df", "p_value",
        "p_holm", "note",
    ),
    "strata": (
        "set", "variable", "stratum", "label", "model", "n", "n_pos", "n_neg", "auc", "ci_low", "ci_high",
        "note",
    ),
    "interaction": (
        "set", "variable", "label", "model", "stratum_a", "stratum_b", *_INTERVAL, "statistic", "p_value",
        "p_holm", "note",
    ),
    "sample_size": (
        "set", "label", "model", "auc", "n_pos", "n_neg", "ratio", "method", "required_pos", "required_neg",
        "required_total", "adequate", "power", "note",
    ),
    "optimism": (
        "set", "label", "model", "metric", "apparent", "optimism", "corrected", "ci_low", "ci_high",
        "threshold", "threshold_ci_low", "threshold_ci_high", "n_boot", "note",
    ),
    "calibration": CALIBRATION_COLUMNS,
    "net_benefit": NET_BENEFIT_COLUMNS,
    "net_benefit_differences": NET_BENEFIT_DIFFERENCE_COLUMNS,
    "precision_recall": PRECISION_RECALL_COLUMNS,
    "cutoffs": CUTOFF_COLUMNS,
    "paired_accuracy": PAIRED_ACCURACY_COLUMNS,
    "contrast": CONTRAST_COLUMNS,
    "baseline": BASELINE_COLUMNS,
}  # fmt: skip
"""Columns of every table of an evaluation; ``note`` says why a cell is empty."""
