import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats.accuracy import METRICS, operating_point, operating_point_from_counts
from biomark.stats.confusion import confusion_counts
from biomark.stats.proportion import PROPORTION_METHODS, proportion_ci
from biomark.stats.score_ratio import score_interval
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn import metrics as sk
from statsmodels.stats.inter_rater import cohens_kappa

ORACLE = json.loads(
    (Path(__file__).parents[1] / "oracles" / "operating_point.json").read_text(encoding="utf-8")
)
Z = norm.ppf(0.975)


def triple(estimate):
    return estimate.value, estimate.ci_low, estimate.ci_high


def rows(*names):
    return [
        tuple(row[name] for name in ("tp", "fp", "tn", "fn", "confidence", *names))
        for row in ORACLE["accuracy"]
    ]


@pytest.mark.parametrize("name", ["lr_positive", "lr_negative", "odds_ratio"])
def test_ratios_match_epir(name):
    for tp, fp, tn, fn, confidence, expected in rows(name):
        point = operating_point_from_counts(tp, fp, tn, fn, confidence=confidence)
        assert triple(getattr(point, name)) == pytest.approx(expected, rel=1e-10)


def test_kappa_and_its_variance_match_vcd():
    for tp, fp, tn, fn, confidence, kappa, se in rows("kappa", "kappa_se"):
        found = operating_point_from_counts(tp, fp, tn, fn, confidence=confidence).kappa
        half = norm.ppf(0.5 + confidence / 2) * se
        assert triple(found) == pytest.approx((kappa, kappa - half, kappa + half), rel=1e-10, abs=1e-12)


def test_kappa_matches_statsmodels():
    found = operating_point_from_counts(45, 5, 15, 23).kappa
    oracle = cohens_kappa([[45, 5], [23, 15]])
    assert triple(found) == pytest.approx((oracle.kappa, oracle.kappa_low, oracle.kappa_upp), rel=1e-10)


def test_mcc_is_the_correlation_of_call_and_truth():
    for tp, fp, tn, fn, _, phi in rows("phi"):
        assert operating_point_from_counts(tp, fp, tn, fn).mcc.value == pytest.approx(phi, rel=1e-10)


def test_mcc_interval_is_the_multinomial_delta_method_on_fishers_scale():
    def z_of(p):
        tp, fp, tn, fn = p
        phi = (tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        return math.atanh(phi)

    for counts in [(45, 5, 15, 23), (10, 30, 300, 4), (3, 9, 8, 6)]:
        n = sum(counts)
        p = np.array(counts) / n
        step = 1e-6 * np.eye(4)
        slope = np.array([(z_of(p + h) - z_of(p - h)) / 2e-6 for h in step])
        half = Z * math.sqrt((slope**2 @ p - (slope @ p) ** 2) / n)
        found = operating_point_from_counts(*counts).mcc
        expected = (math.tanh(z_of(p) - half), math.tanh(z_of(p) + half))
        assert (found.ci_low, found.ci_high) == pytest.approx(expected, rel=1e-7)


def test_values_match_scikit_learn():
    rng = np.random.default_rng(1)
    for n in (10, 88, 388):
        y_true = np.r_[0, 1, rng.integers(0, 2, n)]
        y_score = np.r_[0.9, 0.1, np.round(rng.normal(y_true[2:], 1.0), 1)]
        call = y_score >= 0.5
        point = operating_point(y_true, y_score, 0.5)
        tn, fp, fn, tp = sk.confusion_matrix(y_true, call).ravel()
        assert (point.tp, point.fp, point.tn, point.fn) == (tp, fp, tn, fn)
        assert point.accuracy.value == pytest.approx(sk.accuracy_score(y_true, call))
        assert point.sensitivity.value == pytest.approx(sk.recall_score(y_true, call))
        assert point.specificity.value == pytest.approx(sk.recall_score(y_true, call, pos_label=0))
        assert point.ppv.value == pytest.approx(sk.precision_score(y_true, call))
        assert point.npv.value == pytest.approx(sk.precision_score(y_true, call, pos_label=0))
        assert point.balanced_accuracy.value == pytest.approx(sk.balanced_accuracy_score(y_true, call))
        assert point.f1.value == pytest.approx(sk.f1_score(y_true, call))
        assert point.mcc.value == pytest.approx(sk.matthews_corrcoef(y_true, call))
        assert point.kappa.value == pytest.approx(sk.cohen_kappa_score(y_true, call))


@pytest.mark.parametrize("interval", PROPORTION_METHODS)
def test_each_proportion_has_its_own_denominator(interval):
    point = operating_point_from_counts(45, 5, 15, 23, interval=interval, confidence=0.9)
    fractions = {
        "accuracy": (60, 88),
        "sensitivity": (45, 68),
        "specificity": (15, 20),
        "ppv": (45, 50),
        "npv": (15, 38),
    }
    for name, (k, n) in fractions.items():
        estimate = getattr(point, name)
        expected = proportion_ci(k, n, method=interval, confidence=0.9)
        assert triple(estimate) == (k / n, *expected)
        assert estimate.method == f"{interval}, {k}/{n}" and estimate.confidence == 0.9


def test_youden_interval_is_newcombes_for_a_difference_of_two_proportions():
    # Newcombe 1998, table II, 56/70 against 48/80: method 10 gives 0.0524 to 0.3339.
    youden = operating_point_from_counts(56, 48, 32, 14).youden
    assert triple(youden) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_balanced_accuracy_is_half_the_youden_index_and_a_half():
    point = operating_point_from_counts(45, 5, 15, 23)
    for youden, balanced in zip(triple(point.youden), triple(point.balanced_accuracy), strict=True):
        assert balanced == pytest.approx((youden + 1) / 2, rel=1e-14)


def test_f1_interval_is_that_of_the_jaccard_proportion_carried_over():
    point = operating_point_from_counts(45, 5, 15, 23)
    low, high = proportion_ci(45, 73)
    expected = (90 / 118, 2 * low / (1 + low), 2 * high / (1 + high))
    assert triple(point.f1) == pytest.approx(expected, rel=1e-14)


def test_f1_and_mcc_intervals_cover_in_simulation():
    rng = np.random.default_rng(7)
    share = np.array([0.3, 0.1, 0.5, 0.1])
    f1 = 2 * share[0] / (2 * share[0] + share[1] + share[3])
    mcc = (0.3 * 0.5 - 0.1 * 0.1) / math.sqrt(0.4 * 0.4 * 0.6 * 0.6)
    covered = np.zeros(3)
    draws = rng.multinomial(80, share, size=800)
    for counts in draws:
        point = operating_point_from_counts(*counts)
        covered += [
            point.f1.ci_low <= f1 <= point.f1.ci_high,
            point.mcc.ci_low <= mcc <= point.mcc.ci_high,
            point.kappa.ci_low <= mcc <= point.kappa.ci_high,  # equal margins: kappa is the correlation
        ]
    assert (np.abs(covered / len(draws) - 0.95) < 0.025).all()


def test_predictive_values_at_a_prevalence_follow_bayes_and_mercaldo():
    tp, fp, tn, fn, prevalence = 45, 5, 15, 23, 0.3
    point = operating_point_from_counts(tp, fp, tn, fn, prevalence=prevalence)
    se, sp = tp / 68, tn / 20
    ppv = prevalence * se / (prevalence * se + (1 - prevalence) * (1 - sp))
    npv = (1 - prevalence) * sp / (prevalence * (1 - se) + (1 - prevalence) * sp)
    half = Z * math.sqrt((1 - se) / (se * 68) + sp / ((1 - sp) * 20))
    logit = math.log(ppv / (1 - ppv))
    expected = (ppv, 1 / (1 + math.exp(-logit + half)), 1 / (1 + math.exp(-logit - half)))
    assert triple(point.ppv_at_prevalence) == pytest.approx(expected, rel=1e-12)
    half = Z * math.sqrt(se / ((1 - se) * 68) + (1 - sp) / (sp * 20))
    logit = math.log(npv / (1 - npv))
    expected = (npv, 1 / (1 + math.exp(-logit + half)), 1 / (1 + math.exp(-logit - half)))
    assert triple(point.npv_at_prevalence) == pytest.approx(expected, rel=1e-12)
    assert point.ppv_at_prevalence.method == "logit (Mercaldo 2007) at prevalence 0.3"


def test_predictive_values_at_the_observed_prevalence_are_the_observed_ones():
    point = operating_point_from_counts(45, 5, 15, 23, prevalence=68 / 88)
    assert point.ppv_at_prevalence.value == pytest.approx(point.ppv.value, rel=1e-14)
    assert point.npv_at_prevalence.value == pytest.approx(point.npv.value, rel=1e-14)


def test_zero_false_positives_leave_the_ratio_infinite_with_the_score_interval():
    point = operating_point_from_counts(45, 0, 20, 23, prevalence=0.3)
    low, high = score_interval(45, 68, 0, 20, odds=False, confidence=0.95)
    assert triple(point.lr_positive) == (math.inf, low, high) and high == math.inf and 4.0 < low < 4.1
    assert point.lr_positive.method == "score (Miettinen-Nurminen 1985), not log: a cell is 0"
    assert point.odds_ratio.value == math.inf and point.odds_ratio.ci_low > 1.0
    odds = 0.3 / 0.7 * low
    assert triple(point.ppv_at_prevalence) == pytest.approx((1.0, odds / (1.0 + odds), 1.0))
    assert point.ppv_at_prevalence.method.startswith("from the likelihood ratio at prevalence 0.3: score")
    perfect = operating_point_from_counts(9, 0, 79, 0)
    assert perfect.lr_negative.value == perfect.lr_negative.ci_low == 0.0 < perfect.lr_negative.ci_high < 0.4


def test_zero_false_positives_leave_no_interval_when_that_is_asked_for():
    point = operating_point_from_counts(45, 0, 20, 23, prevalence=0.3, zero_cells="undefined")
    assert point.lr_positive.value == math.inf and math.isnan(point.lr_positive.ci_low)
    assert point.lr_positive.method == "log (Simel 1991): interval undefined, a cell is 0"
    assert point.odds_ratio.value == math.inf and math.isnan(point.odds_ratio.ci_high)
    assert point.lr_negative.value == pytest.approx(23 / 68) and point.lr_negative.ci_low > 0
    assert point.ppv_at_prevalence.value == 1.0 and math.isnan(point.ppv_at_prevalence.ci_low)
    assert point.to_dict()["lr_positive"]["value"] == "Infinity"


def test_haldane_anscombe_adds_a_half_to_every_cell_and_says_so():
    point = operating_point_from_counts(45, 0, 20, 23, zero_cells="haldane-anscombe")
    value = (45.5 / 69) / (0.5 / 21)
    factor = math.exp(Z * math.sqrt(1 / 45.5 - 1 / 69 + 1 / 0.5 - 1 / 21))
    assert triple(point.lr_positive) == pytest.approx((value, value / factor, value * factor), rel=1e-12)
    assert "1/2 added to each cell" in point.lr_positive.method
    assert point.odds_ratio.value == pytest.approx(45.5 * 20.5 / (0.5 * 23.5))
    assert "added" not in point.lr_negative.method  # its own cells are not 0


def test_everybody_called_positive_gives_no_degenerate_interval():
    point = operating_point_from_counts(5, 7, 0, 0)
    assert point.lr_positive.ci_low < point.lr_positive.value == 1.0 < point.lr_positive.ci_high
    assert point.lr_positive.method.endswith("not log: its variance estimate is 0")
    bare = operating_point_from_counts(5, 7, 0, 0, zero_cells="undefined").lr_positive
    assert math.isnan(bare.ci_low) and bare.method.endswith("its variance estimate is 0")
    for name in ("npv", "lr_negative", "odds_ratio", "mcc"):
        assert math.isnan(getattr(point, name).value)
        assert getattr(point, name).method.startswith("undefined")
    assert point.kappa.value == 0.0 and math.isnan(point.kappa.ci_low)


def test_perfect_calls_have_intervals_where_they_exist_and_say_where_not():
    point = operating_point_from_counts(30, 0, 40, 0)
    assert point.sensitivity.value == point.f1.value == point.mcc.value == point.kappa.value == 1.0
    assert point.f1.ci_low < 0.95 and point.youden.ci_low < 0.95 and point.youden.ci_high == 1.0
    for name in ("mcc", "kappa"):
        assert (
            math.isnan(getattr(point, name).ci_low)
            and "variance estimate is 0" in getattr(point, name).method
        )


def test_always_wrong_calls_are_not_degenerate_either():
    point = operating_point_from_counts(0, 40, 0, 30)
    assert point.mcc.value == -1.0 and math.isnan(point.mcc.ci_low)
    assert point.youden.value == -1.0 and point.youden.ci_high > -0.95 and point.f1.ci_high > 0.0


@pytest.mark.parametrize(
    ("y_true", "defined", "undefined"),
    [
        (
            [1, 1, 1],
            ("sensitivity", "accuracy", "ppv", "f1"),
            ("specificity", "youden", "lr_positive", "odds_ratio"),
        ),
        (
            [0, 0, 0],
            ("specificity", "accuracy", "npv"),
            ("sensitivity", "balanced_accuracy", "lr_negative", "mcc"),
        ),
    ],
)
def test_one_class_leaves_what_needs_the_other_undefined(y_true, defined, undefined):
    point = operating_point(y_true, [0.2, 0.6, 0.9], 0.5, prevalence=0.4)
    for name in defined:
        assert not math.isnan(getattr(point, name).value)
    for name in (*undefined, "ppv_at_prevalence"):
        estimate = getattr(point, name)
        assert np.isnan(triple(estimate)).all() and estimate.method.startswith("undefined")


def test_score_equal_to_the_threshold_is_positive():
    point = operating_point([0, 1], [0.5, 0.5], 0.5)
    assert (point.tp, point.fp) == (1, 1)


def test_infinite_thresholds_call_nobody_or_everybody():
    nobody = operating_point([0, 1], [0.1, 0.9], math.inf)
    everybody = operating_point([0, 1], [0.1, 0.9], -math.inf)
    assert (nobody.tp, nobody.fp) == (0, 0) and (everybody.tn, everybody.fn) == (0, 0)
    assert nobody.to_dict()["threshold"] == "Infinity"


counts = st.integers(0, 400)


@given(tp=counts, fp=counts, tn=counts, fn=counts)
def test_exchange_of_the_classes_exchanges_the_measures(tp, fp, tn, fn):
    if tp + fp + tn + fn == 0:
        return
    point = operating_point_from_counts(tp, fp, tn, fn)
    flipped = operating_point_from_counts(tn, fn, tp, fp)
    exchanged = {"sensitivity": "specificity", "ppv": "npv"}
    kept = ("accuracy", "balanced_accuracy", "youden", "odds_ratio", "mcc", "kappa")
    for name, other in {**exchanged, **dict.fromkeys(kept)}.items():
        expected = getattr(flipped, other or name)
        assert triple(getattr(point, name)) == pytest.approx(
            triple(expected), rel=1e-9, abs=1e-9, nan_ok=True
        )


@given(tp=counts, fp=counts, tn=counts, fn=counts, interval=st.sampled_from(PROPORTION_METHODS))
def test_every_interval_holds_its_estimate_and_stays_in_range(tp, fp, tn, fn, interval):
    if tp + fp + tn + fn == 0:
        return
    least = {"youden": -1.0, "mcc": -1.0, "kappa": -1.0}
    most = {"lr_positive": math.inf, "lr_negative": math.inf, "odds_ratio": math.inf}
    point = operating_point_from_counts(tp, fp, tn, fn, interval=interval, prevalence=0.2)
    for name, estimate in point.estimates().items():
        if math.isnan(estimate.ci_low):
            assert "undefined" in estimate.method and math.isnan(estimate.ci_high)
            continue
        assert estimate.ci_low - 1e-9 <= estimate.value <= estimate.ci_high + 1e-9
        assert least.get(name, 0.0) - 1e-12 <= estimate.ci_low
        assert estimate.ci_high <= most.get(name, 1.0) + 1e-12


def test_counts_at_many_thresholds_match_one_at_a_time():
    rng = np.random.default_rng(3)
    y_true = rng.integers(0, 2, 200)
    y_score = np.round(rng.normal(y_true, 1.0), 1)
    thresholds = np.r_[np.inf, y_score[:30], -np.inf, 0.05].reshape(3, 11)
    many = confusion_counts(y_true, y_score, thresholds)
    for at in np.ndindex(thresholds.shape):
        one = confusion_counts(y_true, y_score, thresholds[at])
        assert tuple(count[at] for count in many) == one
        call = y_score >= thresholds[at]
        slow = (call & (y_true == 1), call & (y_true == 0), ~call & (y_true == 0), ~call & (y_true == 1))
        assert one == tuple(int(members.sum()) for members in slow)
    assert (many.n_pos == y_true.sum()).all() and (many.n_neg == 200 - y_true.sum()).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tp": -1}, "tp must be a whole number of at least 0, found -1"),
        ({"fn": 2.5}, "fn must be a whole number of at least 0, found 2.5"),
        ({"interval": "score"}, "interval must be one of wilson"),
        ({"zero_cells": "add"}, "zero_cells must be one of score, undefined, haldane-anscombe"),
        ({"prevalence": 1.0}, "prevalence must lie strictly between 0 and 1"),
        ({"confidence": 0.0}, "confidence must lie strictly between 0 and 1"),
    ],
)
def test_bad_counts_and_options_are_refused(change, message):
    with pytest.raises(BiomarkError, match=message):
        operating_point_from_counts(**{"tp": 1, "fp": 1, "tn": 1, "fn": 1, **change})


def test_no_patient_and_no_threshold_are_refused():
    with pytest.raises(BiomarkError, match="at least one patient"):
        operating_point_from_counts(0, 0, 0, 0)
    with pytest.raises(BiomarkError, match="at least one patient"):
        operating_point([], [], 0.5)
    with pytest.raises(BiomarkError, match="threshold must not be NaN"):
        operating_point([0, 1], [0, 1], math.nan)
    with pytest.raises(BiomarkError, match="threshold must be a number or an array of numbers"):
        operating_point([0, 1], [0, 1], "high")
    with pytest.raises(BiomarkError, match="threshold must be one number; confusion_counts takes several"):
        operating_point([0, 1], [0, 1], [0.5, 0.6])
    with pytest.raises(BiomarkError, match="y_score must be finite"):
        operating_point([0, 1], [0, math.nan], 0.5)


def test_result_is_a_table_and_a_plain_dictionary():
    point = operating_point_from_counts(45, 5, 15, 23, prevalence=0.5, threshold=0.4)
    frame = point.to_frame().set_index("metric")
    assert list(frame.index) == [*METRICS, "ppv_at_prevalence", "npv_at_prevalence"]
    assert frame.loc["f1", "ci_low"] == point.f1.ci_low
    assert json.loads(json.dumps(point.to_dict()))["sensitivity"] == asdict(point.sensitivity)
    assert "lr_positive" in str(point)
