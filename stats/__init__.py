"""The statistics of diagnostic accuracy: arrays in, small frozen results out. No torch, no plotly."""

from .accuracy import OperatingPoint, operating_point, operating_point_from_counts
from .auc_contrast import AucContrast
from .auc_interval import AucEstimate, auc_ci, hanley_mcneil_variance
from .auditing import audit
from .baseline import BaselineTable, baseline_table
from .bootstrap import bootstrap_interval
from .brier import BrierDecomposition, brier_decomposition, brier_score
from .calibration import CalibrationMetrics, calibration_metrics
from .calibration_bins import BinnedCalibration, binned_calibration
from .calibration_slope import LogisticRecalibration, logistic_recalibration
from .clustered import (
    clustered_auc_test,
    clustered_auc_test_unpaired,
    clustered_contrast_test,
    obuchowski_covariance,
)
from .confidence_band import RocBand, roc_band
from .confusion import ConfusionCounts, confusion_counts
from .cutoff import Cutoff, optimal_cutoff
from .cutoff_interval import CutoffEstimate, cutoff_ci
from .decision_curve import NetBenefit, net_benefit
from .decision_curve_difference import NetBenefitDifference, net_benefit_difference
from .delong import (
    AucComparison,
    delong_contrast_test,
    delong_covariance,
    delong_test,
    delong_test_unpaired,
)
from .embedding import EmbeddingSeparation, embedding_separation
from .exact_tables import FisherTest, fisher_exact_test
from .explanation import (
    ChanceComparison,
    ExplanationScores,
    explanation_against_chance,
    explanation_scores,
    explanation_test,
)
from .finding import Finding
from .group_tests import GroupTest, categorical_group_test, mean_group_test, rank_group_test
from .heat_map_energy import energy_in_mask
from .interaction import AucInteraction, interaction_test
from .margins import MarginTest, equivalence_test, noninferiority_test, superiority_test
from .matched_area import iou_at_matched_area
from .mean_interval import MeanEstimate, mean_ci
from .multilabel import MultilabelMetrics, multilabel_metrics
from .multilabel_bootstrap import MultilabelEstimates, multilabel_ci
from .multilabel_comparison import MultilabelComparison, multilabel_test
from .nearest_neighbours import neighbour_auc, neighbour_shares
from .optimism import CorrectedEstimate, CutoffOptimism, cutoff_optimism
from .paired_means import PairedMeanComparison, paired_mean_test
from .paired_proportions import PairedAccuracyComparison, paired_accuracy_test, paired_proportion_test
from .partial_auc_interval import PartialAucEstimate, partial_auc_ci
from .planned_variance import binormal_auc_correlation, planned_auc_variance
from .pointing import pointing_game
from .precision_recall import (
    PrecisionRecallCurve,
    average_precision,
    average_precision_ci,
    precision_recall_curve,
)
from .proportion import proportion_ci, proportion_estimate
from .published_reader import read_published_table
from .recalibration import Recalibration, recalibrate
from .reconstruction import Reconstruction, reconstruct
from .resampling_tests import ResamplingComparison, bootstrap_test, permutation_test
from .results import Estimate, Result
from .roc import RocCurve, auc, partial_auc, roc_curve
from .sample_size import AucSampleSize, PowerCurve, auc_power, auc_power_curve, auc_sample_size
from .sample_size_paired import (
    PairedAucSampleSize,
    paired_auc_power,
    paired_auc_power_curve,
    paired_auc_sample_size,
)
from .sample_size_proportion import ProportionSampleSize, proportion_sample_size
from .sample_size_unpaired import (
    UnpairedAucSampleSize,
    unpaired_auc_power,
    unpaired_auc_power_curve,
    unpaired_auc_sample_size,
)
from .silhouette import silhouette_values
from .smoothed_calibration import CalibrationCurve, calibration_curve, calibration_indices
from .spiegelhalter import SpiegelhalterTest, spiegelhalter_test
from .standardized_difference import standardized_categorical_difference, standardized_mean_difference
from .strata import Strata, cross_strata, stratify
from .stratified_auc import StratifiedAuc, StratumEstimate, auc_by_stratum
from .tests_of_difference import benjamini_hochberg, bonferroni, holm
from .venkatraman import venkatraman_test

__all__ = [
    "AucComparison",
    "AucContrast",
    "AucEstimate",
    "AucInteraction",
    "AucSampleSize",
    "BaselineTable",
    "BinnedCalibration",
    "BrierDecomposition",
    "CalibrationCurve",
    "CalibrationMetrics",
    "ChanceComparison",
    "ConfusionCounts",
    "CorrectedEstimate",
    "Cutoff",
    "CutoffEstimate",
    "CutoffOptimism",
    "EmbeddingSeparation",
    "Estimate",
    "ExplanationScores",
    "Finding",
    "FisherTest",
    "GroupTest",
    "LogisticRecalibration",
    "MarginTest",
    "MeanEstimate",
    "MultilabelComparison",
    "MultilabelEstimates",
    "MultilabelMetrics",
    "NetBenefit",
    "NetBenefitDifference",
    "OperatingPoint",
    "PairedAccuracyComparison",
    "PairedAucSampleSize",
    "PairedMeanComparison",
    "PartialAucEstimate",
    "PowerCurve",
    "PrecisionRecallCurve",
    "ProportionSampleSize",
    "Recalibration",
    "Reconstruction",
    "ResamplingComparison",
    "Result",
    "RocBand",
    "RocCurve",
    "SpiegelhalterTest",
    "Strata",
    "StratifiedAuc",
    "StratumEstimate",
    "UnpairedAucSampleSize",
    "auc",
    "auc_by_stratum",
    "auc_ci",
    "auc_power",
    "auc_power_curve",
    "auc_sample_size",
    "audit",
    "average_precision",
    "average_precision_ci",
    "baseline_table",
    "benjamini_hochberg",
    "binned_calibration",
    "binormal_auc_correlation",
    "bonferroni",
    "bootstrap_interval",
    "bootstrap_test",
    "brier_decomposition",
    "brier_score",
    "calibration_curve",
    "calibration_indices",
    "calibration_metrics",
    "categorical_group_test",
    "clustered_auc_test",
    "clustered_auc_test_unpaired",
    "clustered_contrast_test",
    "confusion_counts",
    "cross_strata",
    "cutoff_ci",
    "cutoff_optimism",
    "delong_contrast_test",
    "delong_covariance",
    "delong_test",
    "delong_test_unpaired",
    "embedding_separation",
    "energy_in_mask",
    "equivalence_test",
    "explanation_against_chance",
    "explanation_scores",
    "explanation_test",
    "fisher_exact_test",
    "hanley_mcneil_variance",
    "holm",
    "interaction_test",
    "iou_at_matched_area",
    "logistic_recalibration",
    "mean_ci",
    "mean_group_test",
    "multilabel_ci",
    "multilabel_metrics",
    "multilabel_test",
    "neighbour_auc",
    "neighbour_shares",
    "net_benefit",
    "net_benefit_difference",
    "noninferiority_test",
    "obuchowski_covariance",
    "operating_point",
    "operating_point_from_counts",
    "optimal_cutoff",
    "paired_accuracy_test",
    "paired_auc_power",
    "paired_auc_power_curve",
    "paired_auc_sample_size",
    "paired_mean_test",
    "paired_proportion_test",
    "partial_auc",
    "partial_auc_ci",
    "permutation_test",
    "planned_auc_variance",
    "pointing_game",
    "precision_recall_curve",
    "proportion_ci",
    "proportion_estimate",
    "proportion_sample_size",
    "rank_group_test",
    "read_published_table",
    "recalibrate",
    "reconstruct",
    "roc_band",
    "roc_curve",
    "silhouette_values",
    "spiegelhalter_test",
    "standardized_categorical_difference",
    "standardized_mean_difference",
    "stratify",
    "superiority_test",
    "unpaired_auc_power",
    "unpaired_auc_power_curve",
    "unpaired_auc_sample_size",
    "venkatraman_test",
]
