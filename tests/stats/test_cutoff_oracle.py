"""Cut-offs against R's OptimalCutpoints (observed values) and pROC (midpoints).

Ties are where the packages part. biomark compares whole numbers of patients and returns every tie; pROC compares
rounded sums, so that on arbitrary class sizes it may miss some of them, but never has one that is not ours.
OptimalCutpoints offers observed scores only and is asked on class sizes whose rates are exact in binary.
"""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from biomark.stats import operating_point, optimal_cutoff

ORACLES = Path(__file__).parents[1] / "oracles"
OPTIMAL_CUTPOINTS = json.loads((ORACLES / "cutoff.json").read_text(encoding="utf-8"))
with gzip.open(ORACLES / "proc.json.gz", "rt") as handle:
    PROC = json.load(handle)
CURVES = [
    (case["name"], np.array([int(c) for c in case["y"]]), np.array(score, dtype=float), roc)
    for case in [*PROC["data_sets"], PROC["asah"]]
    for score, roc in zip(case["scores"], case["rocs"], strict=True)
]


@pytest.mark.parametrize(
    "criterion", ["youden", "closest-topleft", "min-sensitivity", "min-specificity", "cost"]
)
def test_cutoffs_and_their_ties_are_those_of_optimal_cutpoints(criterion):
    options = {
        "min-sensitivity": ("minimum",),
        "min-specificity": ("minimum",),
        "cost": ("cost_ratio", "prevalence"),
    }.get(criterion, ())
    tied = nobody = 0
    for case in OPTIMAL_CUTPOINTS["cases"]:
        y, score = np.array(case["y"]), np.array(case["score"], dtype=float)
        ours = optimal_cutoff(y, score, criterion=criterion, **{name: case[name] for name in options})
        theirs = case["found"][criterion]
        if np.isinf(ours.ties[-1]):
            # 'Nobody is positive' is a cut-off here and has no observed score there.
            assert criterion == "cost"
            nobody += 1
            continue
        assert sorted(theirs["cutoff"]) == ours.ties.tolist()
        at = int(np.argmin(theirs["cutoff"]))
        assert (ours.sensitivity, ours.specificity) == (theirs["sensitivity"][at], theirs["specificity"][at])
        tied += ours.ties.size > 1
    assert tied >= (0 if criterion.startswith("min-") else 1)
    assert nobody <= 6


def of_proc(score, threshold):
    """pROC's midpoint as the observed score that it calls the lowest positive."""
    values = np.unique(score)
    at = np.searchsorted(values, float(threshold))
    return np.inf if at == values.size else values[at]


@pytest.mark.parametrize(
    ("criterion", "theirs", "weights"), [("youden", "youden", None), ("closest-topleft", "topleft", None),
                                         ("cost", "weighted", (2.0, 0.3))],
)  # fmt: skip
def test_best_thresholds_of_proc_are_ours_and_ours_are_as_good_by_its_curve(criterion, theirs, weights):
    options = {} if weights is None else {"cost_ratio": 1.0 / weights[0], "prevalence": weights[1]}
    for name, y, score, roc in CURVES:
        ours = optimal_cutoff(y, score, criterion=criterion, **options).ties
        assert {of_proc(score, threshold) for threshold in roc[theirs]} <= set(ours.tolist()), name
        se, sp = np.array(roc["sensitivity"]), np.array(roc["specificity"])
        if criterion == "closest-topleft":
            goodness = -((1.0 - se) ** 2) - (1.0 - sp) ** 2
        else:
            # pROC weighs a false negative against a false positive, the inverse of our ratio.
            r = 1.0 if weights is None else (1.0 - weights[1]) / (weights[0] * weights[1])
            goodness = se + r * sp
        values = np.append(np.unique(score), np.inf)
        best = goodness[np.searchsorted(values, ours)]
        assert best == pytest.approx(goodness.max(), abs=1e-12), name
        assert np.count_nonzero(goodness > goodness.max() - 1e-12) == ours.size, name


def test_midpoints_are_the_thresholds_of_proc():
    for name, y, score, roc in CURVES:
        ours = optimal_cutoff(y, score, at="midpoint").ties
        scale = np.abs(score).max()
        for threshold in np.array(roc["youden"], dtype=float):
            near = ours == threshold if np.isinf(threshold) else np.abs(ours - threshold) <= 1e-12 * scale
            assert near.any(), name


def test_youden_ties_are_all_returned_and_the_rule_picks_one():
    y, score = [0, 1, 0, 1, 0, 1], [1, 2, 3, 4, 5, 6]
    assert optimal_cutoff(y, score, at="midpoint").ties.tolist() == [1.5, 3.5, 5.5]
    assert optimal_cutoff(y, score).ties.tolist() == [2.0, 4.0, 6.0]
    assert optimal_cutoff(y, score, ties="specificity").threshold == 6.0


def test_a_cutoff_yields_what_it_promises():
    for name, y, score, _ in CURVES[::7]:
        for at in ("observed", "midpoint"):
            cutoff = optimal_cutoff(y, score, at=at)
            if not np.isfinite(cutoff.threshold):
                continue
            point = operating_point(y, score, cutoff.threshold)
            assert point.sensitivity.value == cutoff.sensitivity, name
            assert point.specificity.value == cutoff.specificity, name


@pytest.mark.parametrize(
    ("low", "high"), [(1.0, np.nextafter(1.0, 2.0)), (0.0, 5e-324), (-5e-324, 0.0), (-1.7e308, 1.7e308)]
)
def test_a_midpoint_of_neighbouring_doubles_still_parts_them(low, high):
    cutoff = optimal_cutoff([0, 0, 1, 1], [low, low, high, high], at="midpoint")
    assert low < cutoff.threshold <= high
    assert (cutoff.sensitivity, cutoff.specificity) == (1.0, 1.0)
