"""The macro AUC over the strata: a joint test of all of them, from bootstrap replicates of whole patients."""

import numpy as np
import pytest
from biomark import stats
from biomark.stats.subgroups import macro_stratum_tables

MODELS = ("a", "b")


def data(seed=0, n=450, middle=1.5):
    """Two labels, two models, three strata; the models read the middle one better or worse."""
    rng = np.random.default_rng(seed)
    size = rng.integers(0, 3, n)
    y = rng.integers(0, 2, (n, 2)).astype(float)
    effect = np.where(size == 1, middle, 1.5)[:, None]
    return y, np.stack([effect * y + rng.normal(size=(n, 2)) for _ in MODELS]), size


def tables(y, score, size, *, cluster=None, n_boot=2000, names=("small", "middle", "large")):
    strata = stats.Strata(names[: int(size.max()) + 1], size, "by size")
    rng = np.random.default_rng(7)
    found = macro_stratum_tables(
        "test", MODELS, y, score, strata, "size", n_boot=n_boot, cluster=cluster, rng=rng, confidence=0.95
    )
    return found[0], {row["model"]: row for row in found[1]}


def test_a_middle_stratum_that_differs_is_found():
    _, rows = tables(*data(middle=0.2))
    assert rows["a"]["p_value"] < 1e-6
    assert rows["a - b"]["p_value"] > 0.01
    assert np.isnan(rows["a"]["difference"])


def test_one_label_twice_gives_the_test_of_its_auc():
    y, score, size = data(seed=1, middle=0.9)
    y[:, 1], score[:, :, 1] = y[:, 0], score[:, :, 0]
    _, rows = tables(y, score, size, n_boot=4000)
    expected = stats.interaction_test(y[:, 0], score[0, :, 0], size)
    assert rows["a"]["statistic"] == pytest.approx(expected.statistic, rel=0.1)
    paired = stats.interaction_test(y[:, 0], score[0, :, 0], size, score_b=score[1, :, 0])
    assert rows["a - b"]["statistic"] == pytest.approx(paired.statistic, rel=0.1, abs=0.02)


def test_two_strata_give_z_squared_and_an_interval():
    y, score, size = data(seed=2)
    _, rows = tables(y, score, (size > 0).astype(int))
    row = rows["a"]
    half = (row["ci_high"] - row["ci_low"]) / 2.0
    assert row["ci_low"] < row["difference"] < row["ci_high"]
    # The interval's half width is about 1.96 spreads of the replicates.
    assert row["statistic"] == pytest.approx((1.96 * row["difference"] / half) ** 2, rel=0.15)


def test_clusters_in_several_strata_are_drawn_once():
    rng = np.random.default_rng(3)
    patients, strata = 150, 3
    cluster, size = np.repeat(np.arange(patients), strata), np.tile(np.arange(strata), patients)
    y = np.repeat(rng.integers(0, 2, patients), strata)[:, None] * np.ones((1, 2))
    shared = np.repeat(rng.normal(size=patients), strata)
    one = y[:, 0] * np.array([1.2, 1.0, 1.5])[size] + shared + 0.3 * rng.normal(size=cluster.size)
    score = np.stack([np.stack([one, one], axis=1)] * 2)
    _, rows = tables(y, score, size, cluster=cluster, n_boot=4000)
    joint = stats.interaction_test(y[:, 0], one, size, cluster=cluster)
    apart = stats.interaction_test(y[:, 0], one, size)
    assert rows["a"]["statistic"] == pytest.approx(joint.statistic, rel=0.2)
    assert joint.statistic > 2.0 * apart.statistic
    assert rows["a - b"]["p_value"] == 1.0


def test_averages_over_different_labels_are_not_compared():
    y, score, size = data(seed=4)
    y[size == 1, 1] = 0.0
    rows, tested = tables(y, score, size, n_boot=50)
    assert "over 1 of 2 labels" in rows[2]["note"]
    assert tested["a"]["note"] == "not tested: the strata's macro AUC are over different labels"
    assert "p_value" not in tested["a"]


def test_a_stratum_without_a_macro_auc_is_not_tested():
    y, score, size = data(seed=5)
    y[size == 2] = 1.0
    assert "has no macro AUC" in tables(y, score, size, n_boot=50)[1]["a"]["note"]
