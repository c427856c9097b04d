"""What the page calls sets, cut-offs, metrics and labels, and how many decimals it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .number_format import count, decimal_places

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = [
    "cutoff_label",
    "cutoff_tag",
    "digits_of",
    "interval_level",
    "label_title",
    "main_cutoff",
    "metric_name",
    "one_unnamed_set",
    "set_heading",
    "settings_in_words",
    "stratum_title",
]

_METRIC_NAMES = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
    "f1": "F1 score",
    "balanced_accuracy": "Balanced accuracy",
    "youden": "Youden index",
    "lr_positive": "LR+",
    "lr_negative": "LR−",
    "odds_ratio": "Diagnostic odds ratio",
    "mcc": "MCC",
    "kappa": "Kappa",
    "auc": "AUC",
    "hamming": "Hamming loss",
    "subset_accuracy": "Subset accuracy",
}


_SETTING_NAMES = {
    "cutoff_from": "cut-offs from",
    "size_threshold_mm": "lesions divided at (mm)",
    "n_boot": "bootstrap replicates",
    "criterion": "criterion of the cut-off",
    "ties": "among tied cut-offs",
    "auc_interval": "interval of the AUC",
    "proportion_interval": "interval of proportions",
    "overall_interval": "interval of overall metrics",
    "correction": "correction for many tests",
    "alpha": "two-sided level",
    "null_auc": "AUC under the null hypothesis",
    "clustered": "several lesions of a patient",
    "stratify_by": "further strata",
}


def digits_of(evaluation: Evaluation) -> int:
    """Return the decimals that the intervals of the judged set's AUCs support; one number for the page."""
    frame = evaluation.individual
    judged = frame[frame["set"] == evaluation.main_set]
    return decimal_places((judged["auc_ci_high"] - judged["auc_ci_low"]).tolist())


def main_cutoff(evaluation: Evaluation, name: str) -> str:
    """Return the kind of cut-off that is the main one in a set: locked wherever it was found elsewhere."""
    return "same-set" if evaluation.cutoff_set in (None, name) else "locked"


def cutoff_label(evaluation: Evaluation, kind: str) -> str:
    """Return what the page calls a kind of cut-off.

    The locked one names the set that it was found on.
    """
    return f"locked on {evaluation.cutoff_set}" if kind == "locked" else "chosen on the same set"


def metric_name(name: str) -> str:
    """Return what a metric is called in print.

    Examples
    --------
    >>> metric_name("ppv"), metric_name("macro_f1"), metric_name("micro_recall")
    ('PPV', 'Macro F1 score', 'Micro recall')
    """
    if name in _METRIC_NAMES:
        return _METRIC_NAMES[name]
    kind, _, rest = name.partition("_")
    called = _METRIC_NAMES.get(rest, rest.replace("_", " "))
    return (
        f"{kind.capitalize()} {called if called[:2].isupper() or called[1:2].isdigit() else called.lower()}"
    )


def cutoff_tag(evaluation: Evaluation, name: str, kind: str) -> str:
    """Return the few words that stand beside a cut-off in a table."""
    if kind == "locked":
        return cutoff_label(evaluation, kind)
    return "found here, flatters" if name == evaluation.cutoff_set else "same set, flatters"


def one_unnamed_set(evaluation: Evaluation) -> bool:
    """Return whether the table had no column of sets, so that there is nothing to name."""
    return evaluation.sets == ("all",)


def set_heading(evaluation: Evaluation, name: str, *, role: bool = True) -> str:
    """Return ``test set (n = 88)``, with ``role`` also which set is judged and which gave the cut-offs."""
    called = "all patients" if one_unnamed_set(evaluation) else f"{name} set"
    cohort = evaluation.cohort
    patients = cohort.loc[cohort["set"] == name, "n_patients"]
    heading = f"{called} (n = {count(patients.iloc[0])})" if len(patients) else called
    if not role:
        return heading
    if name == evaluation.cutoff_set:
        return f"{heading}, where the cut-offs were found"
    return f"{heading}, judged" if name == evaluation.main_set and len(evaluation.sets) > 1 else heading


def interval_level(evaluation: Evaluation) -> str:
    """Return ``95% CI`` at the level of the evaluation."""
    return f"{evaluation.settings['confidence'] * 100:g}% CI"


def settings_in_words(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Return every setting in force with what it is called."""
    return [
        (_SETTING_NAMES.get(name, name.replace("_", " ")), _setting(value))
        for name, value in evaluation.settings.items()
    ]


def _setting(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, int):
        return count(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def label_title(label: str) -> str:
    """Return what a label is called in print; ``macro`` is the mean over labels."""
    return "macro AUC" if label == "macro" else label


def stratum_title(variable: str, stratum: str) -> str:
    """Return what a stratum is called; the millimetres of a lesion's size speak for themselves.

    Examples
    --------
    >>> stratum_title("size_mm", "≤ 15 mm"), stratum_title("grade", "3")
    ('≤ 15 mm', 'grade: 3')
    """
    return stratum if variable == "size_mm" else f"{variable}: {stratum}"
