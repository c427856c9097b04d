"""ROC curves, AUCs and partial AUCs against R's pROC (tests/oracles/proc.R).

pROC's thresholds are midpoints from -inf to inf and ours are observed scores from inf down, so the points are the
same in the opposite order, and each of pROC's thresholds lies between the observed one and the score below it.
"""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from biomark.stats import auc, average_precision, partial_auc, precision_recall_curve, roc_curve
from sklearn import metrics

with gzip.open(Path(__file__).parents[1] / "oracles" / "proc.json.gz", "rt") as handle:
    PROC = json.load(handle)
CASES = [*PROC["data_sets"], PROC["asah"]]
CURVES = [
    (case["name"], np.array([int(c) for c in case["y"]]), np.array(score, dtype=float), roc)
    for case in CASES
    for score, roc in zip(case["scores"], case["rocs"], strict=True)
]


def same(ours, theirs, name, atol=1e-15):
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=atol, err_msg=name)


def test_aucs_are_those_of_proc():
    for name, y, score, theirs in CURVES:
        assert auc(y, score) == pytest.approx(theirs["auc"], rel=1e-10, abs=1e-15), name


def test_aucs_are_the_share_of_pairs_won_to_the_last_bit():
    for name, y, score, _ in CURVES:
        pos, neg = score[y == 1][:, None], score[y == 0]
        twice = 2 * int((pos > neg).sum()) + int((pos == neg).sum())
        assert auc(y, score) == twice / (2 * pos.size * neg.size), name


def test_curves_are_those_of_proc_point_by_point():
    for name, y, score, theirs in CURVES:
        ours = roc_curve(y, score)
        same(ours.tpr[::-1], theirs["sensitivity"], name)
        same(1.0 - ours.fpr[::-1], theirs["specificity"], name)


def test_thresholds_of_proc_lie_between_ours():
    for name, y, score, theirs in CURVES:
        ours = roc_curve(y, score).thresholds[::-1]
        between = np.array(theirs["threshold"], dtype=float)
        assert (between <= ours).all() and (between[1:] > ours[:-1]).all(), name
        inner = ours[:-2] / 2.0 + ours[1:-1] / 2.0
        same(between[1:-1], inner, name, atol=1e-12 * np.abs(score).max())


@pytest.mark.parametrize("focus", ["specificity", "sensitivity"])
def test_partial_areas_are_those_of_proc_raw_and_standardised(focus):
    for name, y, score, theirs in CURVES:
        for bounds, (raw, corrected) in zip(
            PROC["bounds"], theirs["partial"][focus == "sensitivity"], strict=True
        ):
            ours = partial_auc(y, score, focus=focus, bounds=bounds)
            assert ours == pytest.approx(raw, rel=1e-10, abs=1e-14), (name, bounds)
            ours = partial_auc(y, score, focus=focus, bounds=bounds, standardized=True)
            # The strip's own chance area is taken off first: near 0 only the absolute error means something.
            assert ours == pytest.approx(corrected, rel=1e-10, abs=1e-12), (name, bounds)


def test_the_whole_strip_is_the_auc():
    for name, y, score, _ in CURVES:
        for focus in ("specificity", "sensitivity"):
            whole = partial_auc(y, score, focus=focus, bounds=(0.0, 1.0))
            assert whole == pytest.approx(auc(y, score), abs=1e-13), name


def test_average_precision_is_that_of_scikit_learn():
    for name, y, score, _ in CURVES:
        ours, theirs = average_precision(y, score), metrics.average_precision_score(y, score)
        assert ours == pytest.approx(theirs, rel=1e-10), name


def test_precision_recall_points_are_those_of_scikit_learn():
    for name, y, score, _ in CURVES:
        ours = precision_recall_curve(y, score)
        precision, recall, thresholds = metrics.precision_recall_curve(y, score)
        same(ours.precision[::-1], precision[:-1], name)
        same(ours.recall[::-1], recall[:-1], name)
        assert (ours.thresholds[::-1] == thresholds).all(), name
