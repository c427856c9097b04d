"""The statistics of diagnostic accuracy: arrays in, small frozen results out. No torch, no plotly."""

from .auc_interval import AucEstimate, auc_ci, hanley_mcneil_variance
from .bootstrap import bootstrap_interval
from .clustered import clustered_auc_test, obuchowski_covariance
from .confidence_band import RocBand, roc_band
from .confusion import ConfusionCounts, confusion_counts
from .cutoff import Cutoff, optimal_cutoff
from .delong import (
    AucComparison,
    AucContrast,
    delong_contrast_test,
    delong_covariance,
    delong_test,
    delong_test_unpaired,
)
from .margins import MarginTest, equivalence_test, noninferiority_test, superiority_test
from .multilabel import MultilabelEstimates, MultilabelMetrics, multilabel_ci, multilabel_metrics
from .operating_point import OperatingPoint, operating_point, operating_point_from_counts
from .optimism import CorrectedEstimate, CutoffOptimism, cutoff_optimism
from .precision_recall import (
    PrecisionRecallCurve,
    average_precision,
    average_precision_ci,
    precision_recall_curve,
)
from .proportion import proportion_ci
from .resampling_tests import ResamplingComparison, bootstrap_test, permutation_test
from .results import Estimate, Result
from .roc import RocCurve, auc, partial_auc, roc_curve
from .sample_size import AucSampleSize, PowerCurve, auc_power, auc_power_curve, auc_sample_size
from .strata import AucInteraction, Strata, interaction_test, stratify
from .tests_of_difference import benjamini_hochberg, bonferroni, holm
from .venkatraman import venkatraman_test

__all__ = [
    "AucComparison",
    "AucContrast",
    "AucEstimate",
    "AucInteraction",
    "AucSampleSize",
    "ConfusionCounts",
    "CorrectedEstimate",
    "Cutoff",
    "CutoffOptimism",
    "Estimate",
    "MarginTest",
    "MultilabelEstimates",
    "MultilabelMetrics",
    "OperatingPoint",
    "PowerCurve",
    "PrecisionRecallCurve",
    "ResamplingComparison",
    "Result",
    "RocBand",
    "RocCurve",
    "Strata",
    "auc",
    "auc_ci",
    "auc_power",
    "auc_power_curve",
    "auc_sample_size",
    "average_precision",
    "average_precision_ci",
    "benjamini_hochberg",
    "bonferroni",
    "bootstrap_interval",
    "bootstrap_test",
    "clustered_auc_test",
    "confusion_counts",
    "cutoff_optimism",
    "delong_contrast_test",
    "delong_covariance",
    "delong_test",
    "delong_test_unpaired",
    "equivalence_test",
    "hanley_mcneil_variance",
    "holm",
    "interaction_test",
    "multilabel_ci",
    "multilabel_metrics",
    "noninferiority_test",
    "obuchowski_covariance",
    "operating_point",
    "operating_point_from_counts",
    "optimal_cutoff",
    "partial_auc",
    "permutation_test",
    "precision_recall_curve",
    "proportion_ci",
    "roc_band",
    "roc_curve",
    "stratify",
    "superiority_test",
    "venkatraman_test",
]
