"""What is simulated of every function that gives an interval or a p-value, and why the others are not."""

from __future__ import annotations

from tables import markdown_table

# Function to the study and what it is called there; the first words suffice.
SIMULATED: dict[str, tuple[str, tuple[str, ...]]] = {
    "auc_ci": ("auc-intervals", ("delong", "delong-logit", "hanley-mcneil", "newcombe")),
    "auc_by_stratum": ("unpaired", ("interaction",)),
    "bootstrap_interval": ("auc-bootstrap", ("bootstrap-percentile", "bootstrap-bca")),
    "partial_auc_ci": ("curve", ("partial AUC, delong", "partial AUC, delong-logit")),
    "average_precision_ci": ("curve", ("average precision, logit",)),
    "roc_band": ("bands", ("ROC band, wilson", "ROC band, percentile")),
    "cutoff_ci": (
        "cut-offs",
        ("Youden cut-off", *(f"{name} of the chosen" for name in ("sensitivity", "specificity", "youden", "accuracy"))),
    ),
    "cutoff_optimism": ("cut-offs", ("sensitivity of the chosen", "youden of the chosen")),
    "multilabel_ci": (
        "overall-intervals",
        ("macro AUC, percentile", "macro AUC, basic", "macro AUC, bca", "micro AUC", "macro accuracy", "macro F1"),
    ),
    "multilabel_test": ("overall", ("two models, macro AUC", "difference of macro AUC", "difference of micro AUC")),
    "embedding_separation": ("resampled", ("silhouette", "neighbours")),
    "delong_test": ("paired", ("delong-paired",)),
    "delong_contrast_test": ("paired", ("delong-contrast",)),
    "permutation_test": ("paired", ("permutation",)),
    "bootstrap_test": ("paired", ("bootstrap",)),
    "delong_test_unpaired": ("unpaired", ("delong-unpaired",)),
    "venkatraman_test": ("venkatraman", ("venkatraman",)),
    "superiority_test": ("differences", ("paired", "unpaired")),
    "noninferiority_test": ("differences", ("paired", "unpaired")),
    "equivalence_test": ("differences", ("paired", "unpaired")),
    "clustered_auc_test": ("clusters", ("obuchowski-paired", "obuchowski", "obuchowski-logit")),
    "clustered_auc_test_unpaired": ("strata", ("two AUCs unpaired, clusters",)),
    "clustered_contrast_test": ("strata", ("three AUCs, clusters",)),
    "interaction_test": ("strata", ("AUC over three strata, Q", "macro AUC over three strata, joint")),
    "proportion_ci": ("proportions", ("wilson", "clopper-pearson", "agresti-coull", "jeffreys", "wald")),
    "proportion_estimate": ("proportions", ("wilson",)),
    "paired_proportion_test": ("mcnemar", ("exact", "mid-p", "asymptotic", "tango", "newcombe")),
    "paired_accuracy_test": ("mcnemar", ("exact",)),
    "operating_point": ("operating-point", ("accuracy", "lr_positive", "odds_ratio", "mcc", "kappa")),
    "operating_point_from_counts": ("operating-point", ("f1", "ppv_at_prevalence", "npv_at_prevalence")),
    "holm": ("multiplicity", ("holm",)),
    "bonferroni": ("multiplicity", ("bonferroni",)),
    "benjamini_hochberg": ("multiplicity", ("benjamini-hochberg",)),
    "brier_score": ("probabilities", ("Brier score",)),
    "logistic_recalibration": (
        "probabilities", ("calibration slope", "calibration in the large", "calibration, intercept and slope")
    ),
    "calibration_metrics": ("probabilities", ("scaled Brier score", "calibration intercept beside the slope")),
    "spiegelhalter_test": ("probabilities", ("Spiegelhalter's z",)),
    "net_benefit": ("probabilities", ("net benefit at 0.1", "net benefit at 0.3")),
    "net_benefit_difference": ("resampled-beside", ("difference of net benefits",)),
    "calibration_curve": ("resampled-beside", ("calibration curve",)),
    "mean_ci": ("means", ("mean energy, t", "mean energy of pairs, t, clusters", "pointing game, wilson")),
    "paired_mean_test": ("means", ("paired energies, sign-flip", "paired energies, t", "paired energies, wilcoxon")),
    "explanation_test": ("means", ("paired energies, sign-flip",)),
    "explanation_against_chance": ("means", ("energy against chance", "pointing against chance")),
    "mean_group_test": ("group-tests", ("Welch",)),
    "rank_group_test": ("group-tests", ("ranks",)),
    "categorical_group_test": ("group-tests", ("categories",)),
    "fisher_exact_test": ("group-tests", ("categories",)),
    "baseline_table": ("group-tests", ("Welch", "ranks", "categories")),
}  # fmt: skip
# The same of those that take lesions of the same patients, in the study of clusters.
WITH_CLUSTERS: dict[str, tuple[str, ...]] = {
    "auc_ci": ("AUC, bootstrap-percentile", "AUC, bootstrap-bca"),
    "partial_auc_ci": (
        "partial AUC, delong",
        "partial AUC, delong-logit",
        "partial AUC, bootstrap-percentile",
    ),
    "average_precision_ci": ("average precision, bootstrap-percentile",),
    "roc_band": ("ROC band, wilson",),
    "cutoff_ci": ("Youden cut-off", "sensitivity of the chosen", "specificity of the chosen"),
    "multilabel_ci": ("macro AUC, bca",),
    "multilabel_test": ("two models, macro AUC", "two models, macro accuracy"),
    "embedding_separation": ("silhouette", "neighbours"),
    "bootstrap_test": ("two AUCs, bootstrap",),
    "brier_score": ("Brier score",),
    "logistic_recalibration": ("calibration slope", "calibration intercept"),
    "calibration_metrics": ("scaled Brier score", "observed / expected", "in the large"),
    "net_benefit": ("net benefit at 0.1, analytic", "net benefit at 0.1, bootstrap"),
    "net_benefit_difference": ("difference of net benefits",),
}
# Figures without an interval or a p-value of their own.
NOTHING_TO_COVER = {
    "a figure or a curve": (
        "auc", "average_precision", "binned_calibration", "brier_decomposition", "calibration_indices",
        "confusion_counts", "cross_strata", "delong_covariance", "energy_in_mask", "explanation_scores",
        "hanley_mcneil_variance", "iou_at_matched_area", "multilabel_metrics", "neighbour_auc",
        "neighbour_shares", "obuchowski_covariance", "partial_auc", "pointing_game", "precision_recall_curve",
        "roc_curve", "silhouette_values", "standardized_categorical_difference",
        "standardized_mean_difference", "stratify",
    ),
    "a choice, or a correction of what it flatters": ("optimal_cutoff", "recalibrate"),
    "a plan: its power is held against simulation in the tests": (
        "auc_power", "auc_power_curve", "auc_sample_size", "binormal_auc_correlation", "paired_auc_power",
        "paired_auc_power_curve", "paired_auc_sample_size", "planned_auc_variance", "proportion_sample_size",
        "unpaired_auc_power", "unpaired_auc_power_curve", "unpaired_auc_sample_size",
    ),
    "a judgement of printed numbers": ("audit", "read_published_table", "reconstruct"),
}  # fmt: skip


def functions_section() -> str:
    """Table what was simulated of each function."""
    lines = [
        "## What is simulated of each function",
        "",
        "By study, as in the last table; tests of a margin are the one-sided errors of the interval of the difference. "
        "`calibration_metrics` stands in three studies: its distances (ICI, E50, E90, Emax, ECE) in `distances`, what "
        "is observed over what is expected in `resampled-beside`; `roc_band` in two: its simultaneous band in "
        "`resampled`. The last column says what was simulated of lesions in clusters. The remaining functions give a "
        "figure without an interval, a choice, or a plan.",
        "",
    ]
    rows = [
        [f"`{name}`", study, "; ".join(names), "; ".join(WITH_CLUSTERS.get(name, ()))]
        for name, (study, names) in SIMULATED.items()
    ]
    return "\n".join(lines + markdown_table(["function", "study", "in it", "with clusters"], rows))
