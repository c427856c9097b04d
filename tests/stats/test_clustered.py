"""AUCs of clustered data, against the sums of the definition and against simulation."""

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import (
    auc_ci,
    clustered_auc_test,
    clustered_auc_test_unpaired,
    clustered_contrast_test,
    delong_contrast_test,
    delong_covariance,
    obuchowski_covariance,
)
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


def three_models(patients=44, seed=0, gain=0.0):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(patients), 2)
    y = (rng.random(cluster.size) < 0.4).astype(int)
    shared = rng.normal(size=patients)[cluster]
    scores = shared + 0.7 * rng.normal(size=(3, cluster.size)) + y
    scores[0] += gain * y
    return y, scores, cluster


def test_two_models_in_a_contrast_are_the_paired_test():
    y, scores, cluster = data()
    pair = clustered_auc_test(y, scores[0], scores[1], cluster)
    found = clustered_contrast_test(y, scores, cluster)
    assert found.df == 1.0
    assert found.statistic == pytest.approx(pair.statistic**2, rel=1e-9)
    assert found.p_value == pytest.approx(pair.p_value, rel=1e-9)


def test_the_contrast_is_the_quadratic_form_of_its_covariance():
    y, scores, cluster = three_models()
    found = clustered_contrast_test(y, scores, cluster)
    aucs, covariance = by_definition(y, scores, cluster)
    rows = np.array([[1, -1, 0], [0, 1, -1]])
    effect = rows @ aucs
    assert found.statistic == pytest.approx(
        effect @ np.linalg.inv(rows @ covariance @ rows.T) @ effect, rel=1e-9
    )
    assert found.df == 2.0


def test_one_lesion_a_patient_gives_delongs_contrast():
    y, scores, _ = three_models()
    alone = clustered_contrast_test(y, scores, np.arange(y.size))
    assert alone.statistic == pytest.approx(delong_contrast_test(y, scores).statistic, rel=1e-9)


def test_equivalent_models_leave_no_contrast():
    y, scores, cluster = three_models()
    found = clustered_contrast_test(y, [scores[0], np.exp(scores[0])], cluster)
    assert (found.statistic, found.df, found.p_value) == (0.0, 0.0, 1.0)


def test_the_contrast_of_three_models_keeps_its_level_and_finds_a_better_model():
    p_values = [clustered_contrast_test(*three_models(seed=k)).p_value for k in range(400)]
    assert 0.025 < np.mean(np.array(p_values) < 0.05) < 0.09
    found = [clustered_contrast_test(*three_models(seed=k, gain=1.0)).p_value < 0.05 for k in range(60)]
    assert np.mean(found) > 0.7


def test_independent_groups_add_their_variances():
    first, second = data(seed=1), data(seed=2, patients=20)
    found = clustered_auc_test_unpaired(first[0], first[1][0], first[2], second[0], second[1][0], second[2])
    parts = [auc_ci(y, scores[0], cluster=cluster) for y, scores, cluster in (first, second)]
    total = parts[0].variance + parts[1].variance
    df = total**2 / (parts[0].variance ** 2 / 29 + parts[1].variance ** 2 / 19)
    assert found.variance == pytest.approx(total, rel=1e-12)
    assert found.df == pytest.approx(df, rel=1e-12)
    assert found.statistic == pytest.approx((parts[0].auc - parts[1].auc) / np.sqrt(total), rel=1e-12)


def test_a_group_compared_with_itself_gives_p_one():
    y, scores, cluster = data()
    found = clustered_auc_test_unpaired(y, scores[0], cluster, y, scores[0], cluster)
    assert (found.difference, found.p_value) == (0.0, 1.0)
