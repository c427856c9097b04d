"""AUCs of clustered data, against the sums of the definition and against simulation."""

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import auc_ci, clustered_auc_test, delong_covariance, obuchowski_covariance
from scipy.stats import norm


def data(patients=30, seed=0, correlation=0.5):
    rng = np.random.default_rng(seed)
    lesions = rng.integers(1, 4, patients)
    cluster = np.repeat(np.arange(patients), lesions)
    y = (rng.random(cluster.size) < 0.4).astype(int)
    shared = np.sqrt(correlation) * rng.normal(size=(2, patients))[:, cluster]
    scores = shared + np.sqrt(1 - correlation) * rng.normal(size=(2, cluster.size)) + y
    return y, np.round(scores, 1), cluster


def by_definition(y, scores, cluster):
    """Obuchowski 1997, section 3, patient by patient."""
    m, n = (y == 1).sum(), (y == 0).sum()
    names = np.unique(cluster)
    areas, pos, neg = [], [], []
    for score in scores:
        psi = (score[y == 1][:, None] > score[y == 0]) + 0.5 * (score[y == 1][:, None] == score[y == 0])
        v10, v01 = psi.mean(axis=1), psi.mean(axis=0)
        area = psi.mean()
        areas.append(area)
        pos.append([np.sum(v10[cluster[y == 1] == c]) - area * np.sum(cluster[y == 1] == c) for c in names])
        neg.append([np.sum(v01[cluster[y == 0] == c]) - area * np.sum(cluster[y == 0] == c) for c in names])
    pos, neg = np.array(pos), np.array(neg)
    with_pos = len(set(cluster[y == 1]))
    with_neg = len(set(cluster[y == 0]))
    covariance = np.empty((len(scores), len(scores)))
    for j in range(len(scores)):
        for k in range(len(scores)):
            s10 = with_pos / ((with_pos - 1) * m) * np.sum(pos[j] * pos[k])
            s01 = with_neg / ((with_neg - 1) * n) * np.sum(neg[j] * neg[k])
            s11 = len(names) / (len(names) - 1) * np.sum(pos[j] * neg[k] + pos[k] * neg[j])
            covariance[j, k] = s10 / m + s01 / n + s11 / (m * n)
    return np.array(areas), covariance


@pytest.mark.parametrize("seed", range(5))
def test_covariance_is_that_of_the_definition(seed):
    y, scores, cluster = data(seed=seed)
    aucs, covariance = obuchowski_covariance(y, scores, cluster)
    expected = by_definition(y, scores, cluster)
    assert aucs == pytest.approx(expected[0], rel=1e-12)
    assert covariance == pytest.approx(expected[1], rel=1e-10)


def test_one_lesion_a_patient_gives_delong():
    y, scores, _ = data()
    _, clustered = obuchowski_covariance(y, scores, np.arange(y.size))
    assert clustered == pytest.approx(delong_covariance(y, scores)[1], rel=1e-12)


def test_names_of_clusters_do_not_matter():
    y, scores, cluster = data()
    named = np.array([f"patient {(7 * c) % 31}" for c in cluster])
    assert obuchowski_covariance(y, scores, named)[1] == pytest.approx(
        obuchowski_covariance(y, scores, cluster)[1], rel=1e-12
    )


def test_identical_scores_give_p_one():
    y, scores, cluster = data()
    found = clustered_auc_test(y, scores[0], scores[0], cluster)
    assert (found.difference, found.statistic, found.p_value) == (0.0, 0.0, 1.0)


def test_the_order_of_the_models_only_changes_the_sign():
    y, scores, cluster = data()
    there = clustered_auc_test(y, scores[0], scores[1], cluster)
    back = clustered_auc_test(y, scores[1], scores[0], cluster)
    assert there.difference == -back.difference
    assert there.p_value == pytest.approx(back.p_value, rel=1e-12)


def test_coverage_holds_where_delong_fails():
    truth = norm.cdf(1.2 / np.sqrt(2))
    rng = np.random.default_rng(11)
    held = {"clustered": 0, "alone": 0}
    for _ in range(500):
        cluster = np.repeat(np.arange(44), 2)
        y = np.repeat(rng.random(44) < 0.35, 2)
        score = np.sqrt(0.8) * rng.normal(size=44)[cluster] + np.sqrt(0.2) * rng.normal(size=88) + 1.2 * y
        whole, alone = auc_ci(y, score, cluster=cluster), auc_ci(y, score)
        held["clustered"] += whole.ci_low <= truth <= whole.ci_high
        held["alone"] += alone.ci_low <= truth <= alone.ci_high
    assert held["clustered"] / 500 > 0.89
    assert held["alone"] / 500 < held["clustered"] / 500 - 0.04


def test_too_few_clusters_are_refused():
    with pytest.raises(BiomarkError, match="at least two clusters"):
        obuchowski_covariance([0, 1, 1, 0], [[1, 2, 3, 4]], ["a", "a", "a", "b"])


def test_methods_without_a_clustered_form_are_refused():
    with pytest.raises(BiomarkError, match="no form for clustered data"):
        auc_ci([0, 1], [0, 1], method="newcombe", cluster=[1, 2])
