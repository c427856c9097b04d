"""Bootstrap replicates by counts, against their slow definitions."""

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import auc, auc_ci, bootstrap_interval
from biomark.stats.bootstrap import WeightedAuc, acceleration
from biomark.stats.resampling import resampling_counts
from scipy import stats as scipy_stats


def data(n, *, ties, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.4
    score = rng.normal(size=n) + y
    return y, np.round(score, 1) if ties else score


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [12, 88, 700])
def test_auc_of_counts_is_the_auc_of_repeated_patients(n, ties):
    y, score = data(n, ties=ties)
    groups = (np.flatnonzero(y), np.flatnonzero(~y))
    counts = np.concatenate(list(resampling_counts(n, 20, np.random.default_rng(1), groups=groups)))
    expected = [auc(np.repeat(y, row.astype(int)), np.repeat(score, row.astype(int))) for row in counts]
    assert WeightedAuc(y, score)(counts) == pytest.approx(expected, rel=1e-13)


def test_both_ways_of_counting_pairs_agree(monkeypatch):
    y, score = data(150, ties=True)
    counts = np.concatenate(list(resampling_counts(150, 50, np.random.default_rng(1))))
    pairs = WeightedAuc(y, score)(counts)
    monkeypatch.setattr("biomark.stats.bootstrap.PAIRS_PER_PATIENT", 0)
    assert WeightedAuc(y, score)(counts) == pytest.approx(pairs, rel=1e-13)


def test_a_replicate_without_a_class_has_no_auc():
    y, score = np.array([True, False, False]), np.array([1.0, 0.0, 2.0])
    assert np.isnan(WeightedAuc(y, score)(np.array([[0.0, 2.0, 1.0]]))).all()


def test_every_replicate_holds_as_many_patients_as_the_data():
    counts = np.concatenate(list(resampling_counts(37, 100, np.random.default_rng(0))))
    assert counts.shape == (100, 37)
    assert (counts.sum(axis=1) == 37).all()


def test_groups_keep_their_sizes():
    y, _ = data(60, ties=False)
    groups = (np.flatnonzero(y), np.flatnonzero(~y))
    for counts in resampling_counts(60, 50, np.random.default_rng(0), groups=groups):
        assert (counts[:, y].sum(axis=1) == y.sum()).all()


def test_clusters_are_drawn_whole():
    codes = np.array([0, 0, 1, 2, 2, 2])
    for counts in resampling_counts(6, 50, np.random.default_rng(0), cluster=codes):
        assert (counts[:, 0] == counts[:, 1]).all()
        assert (counts[:, 3] == counts[:, 4]).all()
        assert (counts[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_draws_are_multinomial():
    counts = np.concatenate(list(resampling_counts(5, 40_000, np.random.default_rng(3))))
    # Five draws of five: each count has mean 1 and variance 4/5, each pair of counts covariance -1/5.
    assert counts.mean(axis=0) == pytest.approx(np.ones(5), abs=0.02)
    assert np.cov(counts.T) == pytest.approx(np.where(np.eye(5), 0.8, -0.2), abs=0.03)


def test_chunks_do_not_change_the_result(monkeypatch):
    y, score = data(40, ties=True)
    whole = auc_ci(y, score, method="bootstrap-percentile", n_boot=300, rng=5)
    again = auc_ci(y, score, method="bootstrap-percentile", n_boot=300, rng=np.random.default_rng(5))
    assert whole == again


@pytest.mark.parametrize("kind", ["percentile", "bca"])
def test_intervals_agree_with_scipy(kind):
    y, score = data(60, ties=False, seed=4)
    ours = auc_ci(y, score, method=f"bootstrap-{kind}", n_boot=20_000, rng=0)

    def statistic(pos, neg, axis=-1):
        above = pos[..., :, None] > neg[..., None, :]
        return above.mean(axis=(-2, -1))

    theirs = scipy_stats.bootstrap(
        (score[y], score[~y]),
        statistic,
        n_resamples=20_000,
        method="percentile" if kind == "percentile" else "BCa",
        vectorized=True,
        batch=2000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert (ours.ci_low, ours.ci_high) == pytest.approx((theirs.low, theirs.high), abs=0.006)


def test_acceleration_is_that_of_the_jackknife():
    y, score = data(50, ties=True, seed=2)
    pos, neg = score[y], score[~y]
    influence = []
    for own, other, flip in ((pos, neg, False), (neg, pos, True)):
        left = []
        for k in range(own.size):
            rest = np.delete(own, k)
            labels = np.r_[np.ones(rest.size), np.zeros(other.size)]
            area = auc(labels, np.r_[rest, other])
            left.append(1 - area if flip else area)
        influence.append((own.size - 1) * (np.mean(left) - np.array(left)))
    from biomark.stats.bootstrap import _auc_influence

    assert acceleration(*_auc_influence(y, score, None)) == pytest.approx(acceleration(*influence), rel=1e-10)


def test_perfect_separation_gets_an_interval_that_is_no_point():
    estimate = auc_ci([0] * 10 + [1] * 10, range(20), method="bootstrap-bca", rng=0)
    assert estimate.ci_low < 0.95 and estimate.ci_high == 1.0
    assert estimate.method.startswith("newcombe")


def test_basic_interval_mirrors_the_percentile_interval():
    drawn = np.random.default_rng(0).normal(size=1000)
    low, high = bootstrap_interval(drawn)
    assert bootstrap_interval(drawn, kind="basic", estimate=0.3) == pytest.approx((0.6 - high, 0.6 - low))


def test_bca_without_bias_or_skewness_is_the_percentile_interval():
    drawn = np.linspace(-1, 1, 2001)
    assert bootstrap_interval(drawn, kind="bca", estimate=0.0) == pytest.approx(bootstrap_interval(drawn))


def test_undefined_replicates_are_left_out():
    assert bootstrap_interval([np.nan, 1.0, 1.0]) == (1.0, 1.0)
    assert np.isnan(bootstrap_interval([np.nan])).all()


def test_basic_and_bca_need_the_estimate():
    with pytest.raises(BiomarkError, match="needs the estimate"):
        bootstrap_interval([0.0, 1.0], kind="bca")


def test_an_unknown_kind_lists_the_choices():
    with pytest.raises(BiomarkError, match="percentile, basic, bca"):
        bootstrap_interval([0.0], kind="studentized")


def test_clustered_bootstrap_is_wider_when_lesions_of_a_patient_agree():
    rng = np.random.default_rng(0)
    y = np.repeat(rng.random(40) < 0.5, 3)
    score = np.repeat(rng.normal(size=40), 3) + y + 0.1 * rng.normal(size=120)
    patient = np.repeat(np.arange(40), 3)
    alone = auc_ci(y, score, method="bootstrap-percentile", rng=0)
    whole = auc_ci(y, score, method="bootstrap-percentile", rng=0, cluster=patient)
    assert whole.ci_high - whole.ci_low > 1.3 * (alone.ci_high - alone.ci_low)
