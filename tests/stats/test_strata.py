"""Strata, and whether an AUC differs between them."""

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import (
    auc_by_stratum,
    auc_ci,
    clustered_auc_test,
    cross_strata,
    delong_test,
    delong_test_unpaired,
    holm,
    interaction_test,
    obuchowski_covariance,
    stratify,
)


def data(n=120, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return y, rng.normal(size=n) + y, rng.normal(size=n) + y, rng.integers(0, 2, n)


def test_a_value_on_the_threshold_belongs_below_it():
    assert stratify([14.9, 15.0, 15.1], thresholds=15.0).codes.tolist() == [0, 0, 1]


def test_several_thresholds_make_named_strata_even_when_empty():
    strata = stratify([5.0, 60.0], thresholds=[20, 50], unit="mm")
    assert strata.names == ("≤ 20 mm", "> 20 to 50 mm", "> 50 mm")
    assert strata.codes.tolist() == [0, 2]


@pytest.mark.parametrize("missing", [float("nan"), None, ""])
def test_missing_categories_belong_nowhere(missing):
    strata = stratify(["b", missing, "a"])
    assert strata.names == ("a", "b") and strata.codes.tolist() == [1, -1, 0]


def test_missing_sizes_belong_nowhere():
    assert stratify([np.nan, 3.0], thresholds=5).codes.tolist() == [-1, 0]


def test_text_cannot_be_compared_with_a_threshold():
    with pytest.raises(BiomarkError, match="must be numbers"):
        stratify(["big"], thresholds=15)


def test_two_strata_give_the_unpaired_z_test():
    y, score, _, stratum = data()
    found = interaction_test(y, score, stratum)
    first, second = (stratum == 0), (stratum == 1)
    unpaired = delong_test_unpaired(y[first], score[first], y[second], score[second])
    assert found.statistic == pytest.approx(unpaired.statistic**2, rel=1e-10)
    assert found.difference == pytest.approx(unpaired.difference, rel=1e-10)


def test_the_difference_of_models_is_tested_across_strata():
    y, a, b, stratum = data()
    found = interaction_test(y, a, stratum, score_b=b)
    parts = [delong_test(y[stratum == k], a[stratum == k], b[stratum == k]) for k in (0, 1)]
    expected = (parts[0].difference - parts[1].difference) / np.sqrt(sum(p.variance for p in parts))
    assert found.statistic == pytest.approx(expected**2, rel=1e-9)


def test_identical_models_never_interact():
    y, a, _, stratum = data()
    found = interaction_test(y, a, stratum, score_b=a)
    assert found.p_value == 1.0 and found.statistic == 0.0


def test_several_strata_give_cochrans_q():
    y, score, _, _ = data(n=300)
    stratum = np.arange(300) % 3
    found = interaction_test(y, score, stratum)
    weights = 1 / found.variances
    centre = np.average(found.estimates, weights=weights)
    assert found.df == 2
    assert found.statistic == pytest.approx(np.sum(weights * (found.estimates - centre) ** 2), rel=1e-12)
    assert np.isnan(found.difference)


def test_patients_without_a_stratum_are_left_out():
    y, score, _, stratum = data()
    codes = np.where(np.arange(120) < 20, -1, stratum)
    assert interaction_test(y, score, codes).statistic == pytest.approx(
        interaction_test(y[20:], score[20:], stratum[20:]).statistic
    )


def test_the_level_of_the_test_is_kept():
    rng = np.random.default_rng(0)
    y = np.tile([0, 0, 1, 0, 1], 24)
    stratum = np.repeat([0, 1], 60)
    rejected = np.mean(
        [interaction_test(y, rng.normal(size=120) + y, stratum).p_value < 0.05 for _ in range(600)]
    )
    assert 0.03 < rejected < 0.085


def test_a_single_stratum_is_refused():
    with pytest.raises(BiomarkError, match="at least two strata"):
        interaction_test([0, 0, 1, 1], [1, 2, 3, 4], [0, 0, 0, 0])


def test_a_stratum_without_a_class_is_refused():
    with pytest.raises(BiomarkError, match="positives and negatives"):
        interaction_test([0, 1, 0, 1, 0, 0], [1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 1, 1])


def test_numbers_as_categories_stand_in_the_order_of_their_values():
    strata = stratify([10, 9, 2, 10])
    assert strata.names == ("2", "9", "10") and strata.codes.tolist() == [2, 1, 0, 2]
    assert stratify(["unknown", "10", "9"]).names == ("9", "10", "unknown")


def test_crossed_strata_hold_every_combination():
    first, second = stratify(["b", "a", "b", ""]), stratify([3, 30, 30, 3], thresholds=[5, 20])
    both = cross_strata(first, second)
    assert len(both.names) == 6
    assert [both.names[k] if k >= 0 else None for k in both.codes] == ["b, ≤ 5", "a, > 20", "b, > 20", None]
    thrice = cross_strata(first, second, first)
    assert thrice.names[thrice.codes[0]] == "b, ≤ 5, b" and thrice.codes[3] == -1


def test_strata_of_different_patients_cannot_be_crossed():
    with pytest.raises(BiomarkError, match="found 3, 2"):
        cross_strata(stratify([1, 2, 3]), stratify([1, 2]))
    with pytest.raises(BiomarkError, match="found 3"):
        cross_strata(stratify([1, 2, 3]))


def clustered_data(seed, patients=60, shift=(1.0, 1.0)):
    """Two lesions a patient, a small and a large one, whose scores share half of their variance."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(patients), 2)
    stratum = np.tile([0, 1], patients)
    y = np.repeat((np.arange(patients) % 5 < 2).astype(int), 2)
    shared = np.sqrt(0.5) * rng.normal(size=patients)[cluster]
    return (
        y,
        shared + np.sqrt(0.5) * rng.normal(size=cluster.size) + np.array(shift)[stratum] * y,
        stratum,
        cluster,
    )


def test_one_patient_a_cluster_changes_nothing():
    y, a, b, stratum = data()
    alone = interaction_test(y, a, stratum, score_b=b)
    named = interaction_test(y, a, stratum, score_b=b, cluster=np.arange(120))
    assert named.statistic == pytest.approx(alone.statistic, rel=1e-9)
    assert (named.ci_low, named.ci_high) == pytest.approx((alone.ci_low, alone.ci_high), rel=1e-9)
    three = np.arange(120) % 3
    assert interaction_test(y, a, three, cluster=np.arange(120)).statistic == pytest.approx(
        interaction_test(y, a, three).statistic, rel=1e-9
    )


def test_clusters_across_strata_have_the_covariance_of_the_definition():
    y, score, stratum, cluster = clustered_data(0)
    found = interaction_test(y, score, stratum, cluster=cluster)
    influence, variance, areas = np.zeros((2, 60)), [], []
    for k in (0, 1):
        inside = stratum == k
        pos, neg = score[inside & (y == 1)], score[inside & (y == 0)]
        psi = (pos[:, None] > neg) + 0.5 * (pos[:, None] == neg)
        areas.append(psi.mean())
        for owner, value in zip(cluster[inside & (y == 1)], psi.mean(axis=1), strict=True):
            influence[k, owner] += (value - areas[k]) / pos.size
        for owner, value in zip(cluster[inside & (y == 0)], psi.mean(axis=0), strict=True):
            influence[k, owner] += (value - areas[k]) / neg.size
        variance.append(obuchowski_covariance(y[inside], [score[inside]], cluster[inside])[1][0, 0])
    covariance = 60 / 59 * influence[0] @ influence[1]
    expected = (areas[0] - areas[1]) ** 2 / (sum(variance) - 2 * covariance)
    assert found.statistic == pytest.approx(expected, rel=1e-9)


def test_shared_patients_make_the_comparison_of_strata_sharper_and_keep_its_level():
    together, apart = [], []
    for k in range(400):
        y, score, stratum, cluster = clustered_data(k)
        together.append(interaction_test(y, score, stratum, cluster=cluster).p_value)
        apart.append(interaction_test(y, score, stratum).p_value)
    assert 0.025 < np.mean(np.array(together) < 0.05) < 0.085
    assert np.mean(np.array(apart) < 0.05) < np.mean(np.array(together) < 0.05)
    found = [
        interaction_test(*data[:3], cluster=data[3]).p_value < 0.05
        for data in (clustered_data(k, shift=(0.3, 1.8)) for k in range(40))
    ]
    assert np.mean(found) > 0.8


def test_every_row_is_the_interval_of_its_patients():
    y, a, b, stratum = data(n=200)
    strata = stratify(np.where(stratum == 0, "fatty", "dense"))
    found = auc_by_stratum(y, a, {"density": strata})
    for row, name in zip(found.rows, ("dense", "fatty"), strict=True):
        inside = strata.codes == strata.names.index(name)
        alone = auc_ci(y[inside], a[inside], method="delong-logit")
        assert (row.stratum, row.estimate, row.ci_low, row.n) == (name, alone.auc, alone.ci_low, inside.sum())
    pair = auc_by_stratum(y, a, strata, score_b=b)
    whole = delong_test(y, a, b)
    assert (pair.overall.estimate, pair.overall.ci_high) == (whole.difference, whole.ci_high)
    assert pair.interactions[0].statistic == interaction_test(y, a, strata.codes, score_b=b).statistic


def test_several_variables_share_holms_correction():
    y, a, _, _ = data(n=240)
    strata = {name: stratify(np.arange(240) // step % 3) for name, step in (("x", 1), ("y", 5), ("z", 80))}
    found = auc_by_stratum(y, a, strata)
    assert found.variables == ("x", "y", "z") and len(found.rows) == 9
    assert found.p_holm == pytest.approx(holm(found.p_values))
    frame = found.to_frame()
    assert frame.variable.tolist() == ["", *"xxxyyyzzz"]
    assert np.isnan(frame.p_interaction[0]) and frame.p_holm[1] == found.p_holm[0]


def test_a_stratum_without_a_class_keeps_its_row_and_says_why():
    y = np.array([0, 1] * 20 + [1, 1, 1, 0])
    a = np.random.default_rng(0).normal(size=44) + y
    strata = stratify(np.repeat(["a", "b", "c", "d"], [20, 20, 3, 1]))
    found = auc_by_stratum(y, a, strata)
    assert "positives and negatives" in found.rows[2].note and np.isnan(found.rows[2].estimate)
    assert found.interactions[0].df == 1.0
    lonely = auc_by_stratum(y, a, stratify(np.repeat(["a", "b"], [41, 3])))
    assert lonely.interactions[0] is None and np.isnan(lonely.p_values[0])


def test_clustered_rows_have_obuchowskis_variance():
    y, score, stratum, cluster = clustered_data(3)
    found = auc_by_stratum(y, score, stratify(stratum), cluster=cluster, method="delong")
    assert found.overall.n_clusters == 60
    assert found.overall.ci_low == auc_ci(y, score, cluster=cluster).ci_low
    assert found.p_values[0] == interaction_test(y, score, stratum, cluster=cluster).p_value
    other = score + np.random.default_rng(1).normal(size=score.size)
    pair = auc_by_stratum(y, score, stratify(stratum), score_b=other, cluster=cluster)
    assert pair.overall.estimate == clustered_auc_test(y, score, other, cluster).difference


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"method": "bootstrap-bca"}, "method must be one of"),
        ({"method": "newcombe", "cluster": np.arange(120)}, "no form for clustered data"),
        ({"strata": stratify([1, 2])}, "must be of the same 120 patients, found 2"),
        ({"confidence": 1}, "confidence"),
    ],
)
def test_bad_options_of_the_forest_are_refused(options, says):
    y, a, _, stratum = data()
    with pytest.raises(BiomarkError, match=says):
        auc_by_stratum(**({"y_true": y, "y_score": a, "strata": stratify(stratum)} | options))
