"""Intervals of a partial area, against DeLong, slow definitions and simulated truth."""

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import auc_ci, bootstrap_interval, partial_auc, partial_auc_ci
from biomark.stats.partial_auc_interval import partial_placements
from biomark.stats.resampling import resampling_counts
from scipy.stats import norm


def data(n=50, seed=0, digits=1):
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 5 < 2).astype(int)
    return y, np.round(rng.normal(size=n) + y, digits)


@pytest.mark.parametrize("digits", [0, 1, 6])
def test_placements_of_the_positives_average_to_the_area(digits):
    y, score = data(digits=digits)
    for bounds in ((0.9, 1.0), (0.0, 0.3), (0.413, 0.77), (0.0, 1.0)):
        of_pos, of_neg = partial_placements(y == 1, score, 1.0 - bounds[1], 1.0 - bounds[0])
        assert of_pos.mean() == pytest.approx(partial_auc(y, score, bounds=bounds), abs=1e-12)
        assert of_neg.min() >= 0.0 and of_neg.max() <= 1.0


@pytest.mark.parametrize("digits", [0, 6])
def test_placements_are_the_influence_of_one_more_patient(digits):
    y, score = data(n=2000, digits=digits + 1)
    whole = partial_auc(y, score, bounds=(0.6, 0.9))
    of_pos, of_neg = partial_placements(y == 1, score, 0.1, 0.4)
    for label, influence in ((1, of_pos - of_pos.mean()), (0, of_neg - of_neg.mean())):
        where = np.flatnonzero(y == label)
        for k in range(0, where.size, where.size // 12):
            moved = (
                partial_auc(np.append(y, label), np.append(score, score[where[k]]), bounds=(0.6, 0.9)) - whole
            )
            assert moved * (where.size + 1) == pytest.approx(influence[k], abs=0.004)


@pytest.mark.parametrize("digits", [0, 1, 6])
def test_the_whole_area_has_delongs_variance_and_intervals(digits):
    y, score = data(digits=digits)
    for method in ("delong", "delong-logit"):
        found, whole = partial_auc_ci(y, score, bounds=(0, 1), method=method), auc_ci(y, score, method=method)
        assert found.variance == pytest.approx(whole.variance, rel=1e-10)
        assert (found.ci_low, found.ci_high) == pytest.approx((whole.ci_low, whole.ci_high), rel=1e-10)


@pytest.mark.parametrize("focus", ["specificity", "sensitivity"])
@pytest.mark.parametrize("kind", ["percentile", "bca"])
def test_replicates_are_the_area_of_the_repeated_patients(focus, kind):
    y, score = data()
    found = partial_auc_ci(
        y, score, focus=focus, bounds=(0.6, 0.95), method=f"bootstrap-{kind}", n_boot=60, rng=2
    )
    turned = (y, score) if focus == "specificity" else (1 - y, -score)
    groups = (np.flatnonzero(turned[0] == 1), np.flatnonzero(turned[0] == 0))
    drawn = [
        partial_auc(np.repeat(y, row), np.repeat(score, row), focus=focus, bounds=(0.6, 0.95))
        for counts in resampling_counts(50, 60, np.random.default_rng(2), groups=groups)
        for row in counts.astype(int)
    ]
    assert found.partial_auc == pytest.approx(
        partial_auc(y, score, focus=focus, bounds=(0.6, 0.95)), rel=1e-12
    )
    if kind == "percentile":
        expected = bootstrap_interval(drawn)
        assert (found.ci_low, found.ci_high) == pytest.approx(expected, rel=1e-10)
    assert min(drawn) <= found.ci_low < found.ci_high <= max(drawn)


def test_the_standardised_area_has_the_same_interval_on_its_scale():
    y, score = data()
    for focus in ("specificity", "sensitivity"):
        raw = partial_auc_ci(y, score, focus=focus, bounds=(0.7, 1.0), method="delong")
        scaled = partial_auc_ci(y, score, focus=focus, bounds=(0.7, 1.0), method="delong", standardized=True)
        expected = partial_auc(y, score, focus=focus, bounds=(0.7, 1.0), standardized=True)
        assert scaled.partial_auc == pytest.approx(expected, rel=1e-12)
        slope = (scaled.ci_high - scaled.ci_low) / (raw.ci_high - raw.ci_low)
        assert scaled.variance == pytest.approx(slope**2 * raw.variance, rel=1e-9)
        assert slope == pytest.approx(0.5 / (0.3 - 0.045), rel=1e-9)


def test_flipping_the_labels_exchanges_sensitivity_and_specificity():
    y, score = data()
    there = partial_auc_ci(y, score, focus="sensitivity", bounds=(0.8, 1.0))
    back = partial_auc_ci(1 - y, -score, focus="specificity", bounds=(0.8, 1.0))
    assert (there.partial_auc, there.ci_low, there.ci_high) == pytest.approx(
        (back.partial_auc, back.ci_low, back.ci_high), rel=1e-12
    )


@pytest.mark.parametrize("method", ["delong", "delong-logit", "bootstrap-percentile", "bootstrap-bca"])
def test_a_full_or_empty_strip_has_an_interval_that_is_no_point(method):
    y = np.repeat([0, 1], 10)
    full = partial_auc_ci(y, np.arange(20.0), method=method, n_boot=20)
    assert full.partial_auc == pytest.approx(0.1) and full.ci_low < 0.08 and "wilson" in full.method
    empty = partial_auc_ci(y, -np.arange(20.0), method=method, n_boot=20)
    assert empty.partial_auc == 0.0 and empty.ci_high > 0.02
    assert "undefined" in partial_auc_ci([0, 0, 1], [1, 3, 2], method=method, n_boot=20).method


def test_clusters_are_resampled_whole():
    y, score = (np.repeat(v, 4) for v in data(n=60))
    alone = partial_auc_ci(y, score, bounds=(0.5, 1.0), n_boot=300, rng=0)
    whole = partial_auc_ci(
        y, score, bounds=(0.5, 1.0), n_boot=300, rng=0, cluster=np.repeat(np.arange(60), 4)
    )
    assert whole.ci_high - whole.ci_low > 1.4 * (alone.ci_high - alone.ci_low)
    analytic = partial_auc_ci(y, score, bounds=(0.5, 1.0), cluster=np.repeat(np.arange(60), 4))
    assert (analytic.ci_low, analytic.ci_high) == pytest.approx((whole.ci_low, whole.ci_high), abs=0.03)
    one_each = partial_auc_ci(y, score, cluster=np.arange(240), method="delong")
    assert one_each.variance == pytest.approx(partial_auc_ci(y, score, method="delong").variance, rel=1e-10)
    lesions = partial_auc_ci(y, score, bounds=(0, 1), cluster=np.arange(240) // 3, method="delong")
    assert lesions.variance == pytest.approx(
        auc_ci(y, score, cluster=np.arange(240) // 3).variance, rel=1e-10
    )
    corrected = partial_auc_ci(
        y, score, method="bootstrap-bca", n_boot=50, rng=0, cluster=np.repeat(np.arange(60), 4)
    )
    assert corrected.ci_low < corrected.partial_auc < corrected.ci_high


def test_intervals_cover_the_true_area():
    shift = np.sqrt(2) * norm.ppf(0.8)
    rates = np.linspace(1e-12, 0.3, 20001)
    truth = np.trapezoid(norm.cdf(shift + norm.ppf(rates)), rates)
    rng = np.random.default_rng(3)
    y = np.repeat([0, 1], [58, 30])
    held = {"delong": 0, "delong-logit": 0, "bootstrap-percentile": 0}
    for k in range(250):
        score = rng.normal(size=88) + shift * y
        for method in held:
            found = partial_auc_ci(y, score, bounds=(0.7, 1.0), method=method, n_boot=200, rng=k)
            held[method] += found.ci_low <= truth <= found.ci_high
    assert all(0.88 <= count / 250 <= 0.99 for count in held.values())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"focus": "recall"}, "focus must be one of"),
        ({"bounds": (0.9, 0.2)}, "bounds"),
        ({"method": "wald"}, "method must be one of"),
        ({"cluster": np.zeros(50)}, "at least two clusters"),
        ({"method": "bootstrap-bca", "n_boot": 1}, "n_boot"),
        ({"confidence": 0}, "confidence"),
    ],
)
def test_bad_options_are_refused(options, says):
    with pytest.raises(BiomarkError, match=says):
        partial_auc_ci(*data(), **options)
