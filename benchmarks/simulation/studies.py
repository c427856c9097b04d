"""The studies of docs/simulation.md: the cells of each, and the function that runs one of them."""

from __future__ import annotations

import json
import zlib

import auc_interval_coverage
import cluster_coverage
import comparison_level
import numpy as np
import other_intervals
import proportion_coverage

STUDIES = {
    "auc-intervals": (auc_interval_coverage.analytic_cells, auc_interval_coverage.analytic),
    "proportions": (proportion_coverage.interval_cells, proportion_coverage.intervals),
    "mcnemar": (proportion_coverage.mcnemar_cells, proportion_coverage.mcnemar),
    "other-intervals": (other_intervals.cells, other_intervals.analytic),
    "other-resampled": (other_intervals.resampled_cells, other_intervals.resampled),
    "unpaired": (comparison_level.cells, comparison_level.unpaired),
    "clusters": (cluster_coverage.cells, cluster_coverage.intervals),
    "auc-bootstrap": (auc_interval_coverage.bootstrap_cells, auc_interval_coverage.bootstrap),
    "paired": (comparison_level.cells, comparison_level.paired_tests),
    "differences": (comparison_level.cells, comparison_level.difference_coverage),
    "venkatraman": (comparison_level.venkatraman_cells, comparison_level.venkatraman),
}
SEED = 20250


def simulate(study: str, cell: dict) -> dict:
    """Run one cell; its seed follows from its name, so that neither order nor company changes a figure."""
    rng = np.random.default_rng([SEED, zlib.crc32(f"{study} {json.dumps(cell)}".encode())])
    return STUDIES[study][1](cell, rng)
