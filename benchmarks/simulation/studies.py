"""The studies of docs/simulation.md: the cells of each, and the function that runs one of them."""

from __future__ import annotations

import json
import zlib

import auc_interval_coverage
import band_coverage
import cluster_coverage
import clustered_coverage
import comparison_level
import curve_coverage
import cutoff_coverage
import distance_coverage
import group_test_level
import mean_coverage
import multiplicity_level
import numpy as np
import operating_point_coverage
import overall_coverage
import overall_level
import probability_coverage
import proportion_coverage
import resampled_coverage
import strata_level

STUDIES = {
    "auc-intervals": (auc_interval_coverage.analytic_cells, auc_interval_coverage.analytic),
    "proportions": (proportion_coverage.interval_cells, proportion_coverage.intervals),
    "mcnemar": (proportion_coverage.mcnemar_cells, proportion_coverage.mcnemar),
    "multiplicity": (multiplicity_level.cells, multiplicity_level.errors),
    "operating-point": (operating_point_coverage.cells, operating_point_coverage.intervals),
    "curve": (curve_coverage.cells, curve_coverage.intervals),
    "probabilities": (probability_coverage.cells, probability_coverage.intervals),
    "unpaired": (comparison_level.cells, comparison_level.unpaired),
    "differences": (comparison_level.cells, comparison_level.difference_coverage),
    "clusters": (cluster_coverage.cells, cluster_coverage.intervals),
    "group-tests": (group_test_level.cells, group_test_level.levels),
    "means": (mean_coverage.cells, mean_coverage.intervals),
    "overall": (overall_level.cells, overall_level.levels),
    "strata": (strata_level.cells, strata_level.levels),
    "auc-bootstrap": (auc_interval_coverage.bootstrap_cells, auc_interval_coverage.bootstrap),
    "paired": (comparison_level.cells, comparison_level.paired_tests),
    "venkatraman": (comparison_level.venkatraman_cells, comparison_level.venkatraman),
    "resampled": (resampled_coverage.cells, resampled_coverage.intervals),
    "resampled-beside": (resampled_coverage.cells, resampled_coverage.beside),
    "clusters-beside": (clustered_coverage.cells, clustered_coverage.intervals),
    "distances": (distance_coverage.cells, distance_coverage.intervals),
    "cut-offs": (cutoff_coverage.cells, cutoff_coverage.intervals),
    "bands": (band_coverage.cells, band_coverage.intervals),
    "overall-intervals": (overall_coverage.cells, overall_coverage.intervals),
}
SEED = 20250


def simulate(study: str, cell: dict) -> dict:
    """Run one cell; its seed follows from its name, so that neither order nor company changes a figure."""
    rng = np.random.default_rng([SEED, zlib.crc32(f"{study} {json.dumps(cell)}".encode())])
    return STUDIES[study][1](cell, rng)
