"""Score intervals of ratios: against R's root finding, statsmodels, and exact coverage by enumeration."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from biomark.stats import operating_point_from_counts
from biomark.stats.score_ratio import score_interval
from scipy.stats import binom
from statsmodels.stats.proportion import confint_proportions_2indep

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "score_ratio.json").read_text(encoding="utf-8"))[
    "tables"
]


@pytest.mark.parametrize("odds", [False, True])
@pytest.mark.parametrize("table", ORACLE, ids=lambda table: str(table["counts"]))
def test_the_bounds_are_those_of_r(table, odds):
    # JSON has no infinity: the script writes -1.
    expected = [math.inf if bound == -1 else bound for bound in table["odds" if odds else "ratio"]]
    assert score_interval(*table["counts"], odds=odds, confidence=0.95) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("corrected", [True, False])
@pytest.mark.parametrize("odds", [False, True])
def test_the_bounds_are_those_of_statsmodels_where_no_cell_is_zero(odds, corrected):
    rng = np.random.default_rng(0)
    for _ in range(12):
        n, m = (int(size) for size in rng.integers(4, 90, 2))
        k, other = int(rng.integers(1, n)), int(rng.integers(1, m))
        with np.errstate(invalid="ignore"):
            expected = confint_proportions_2indep(
                k,
                n,
                other,
                m,
                method="score",
                compare="odds-ratio" if odds else "ratio",
                correction=corrected,
            )
        found = score_interval(k, n, other, m, odds=odds, confidence=0.95, corrected=corrected)
        assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("odds", [False, True])
def test_exchanged_groups_invert_the_ratio(odds):
    low, high = score_interval(9, 9, 3, 79, odds=odds, confidence=0.95)
    other_low, other_high = score_interval(3, 79, 9, 9, odds=odds, confidence=0.95)
    inverse = (1.0 / other_high, math.inf if other_low == 0.0 else 1.0 / other_low)
    assert (low, high) == pytest.approx(inverse, rel=1e-9)


def test_no_success_at_all_leaves_every_ratio_possible():
    assert score_interval(0, 9, 0, 79, odds=False, confidence=0.95) == (0.0, math.inf)
    assert score_interval(9, 9, 79, 79, odds=True, confidence=0.95) == (0.0, math.inf)
    low, high = score_interval(9, 9, 79, 79, odds=False, confidence=0.95)
    assert 0.6 < low < 1.0 < high < 1.1


@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.7, 0.75), (0.9, 0.9), (0.95, 0.6)])
def test_ratios_cover_over_all_tables_of_nine_positives_and_79_negatives(sensitivity, specificity):
    """Exact: enumerated, tables with an empty cell included, which the log method leaves out."""
    true = sensitivity / (1.0 - specificity), (1.0 - sensitivity) / specificity
    held, pure, missing = np.zeros(2), np.zeros(2), np.zeros(2)
    for tp in range(10):
        for fp in range(80):
            chance = binom.pmf(tp, 9, sensitivity) * binom.pmf(fp, 79, 1.0 - specificity)
            if chance < 1e-7:
                continue
            for add, how in (
                (held, {}),
                (pure, {"ratios": "score"}),
                (missing, {"zero_cells": "undefined"}),
            ):
                point = operating_point_from_counts(tp, fp, 79 - fp, 9 - tp, **how)
                for k, ratio in enumerate((point.lr_positive, point.lr_negative)):
                    inside = ratio.ci_low - 1e-12 <= true[k] <= ratio.ci_high + 1e-12
                    add[k] += chance * (np.isnan(ratio.ci_low) if add is missing else inside)
    assert (held > 0.9).all() and (pure > 0.92).all(), (held, pure)
    # Where the log method has no interval at all.
    assert missing[1] > 0.03
