"""Overall metrics over labels, against scikit-learn and against loops over patients."""

import json
from pathlib import Path

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import multilabel_bootstrap, multilabel_ci, multilabel_metrics, multilabel_test
from biomark.stats.multilabel import METRICS
from biomark.stats.multilabel_bootstrap import Replicator, multilabel_replicates
from biomark.stats.multilabel_jackknife import acceleration_of, accelerations, leaving_one_out
from biomark.stats.resampling import resampling_counts
from sklearn import metrics as sk

ORACLES = Path(__file__).parents[1] / "oracles"


def data(n=90, labels=3, seed=0, ties=True):
    rng = np.random.default_rng(seed)
    y = (rng.random((n, labels)) < [0.7, 0.5, 0.3][:labels]).astype(float)
    score = rng.normal(size=(n, labels)) + y
    return y, np.round(score, 1) if ties else score


CUTS = np.array([0.4, 0.5, 0.6])


def reference(y, score, cuts):
    called = (score >= cuts).astype(int)
    y = y.astype(int)
    overlap = sk.jaccard_score(y, called, average=None)
    return {
        "macro_auc": sk.roc_auc_score(y, score, average="macro"),
        "weighted_auc": sk.roc_auc_score(y, score, average="weighted"),
        "micro_auc": sk.roc_auc_score(y, score, average="micro"),
        "macro_accuracy": overlap.mean(),
        "weighted_accuracy": sk.jaccard_score(y, called, average="weighted"),
        "micro_accuracy": sk.jaccard_score(y, called, average="micro"),
        **{
            f"{average}_{name}": function(y, called, average=average)
            for average in ("macro", "micro", "weighted")
            for name, function in (
                ("precision", sk.precision_score),
                ("recall", sk.recall_score),
                ("f1", sk.f1_score),
            )
        },
        "hamming": sk.hamming_loss(y, called),
        "subset_accuracy": sk.accuracy_score(y, called),
    }


@pytest.mark.parametrize("seed", range(8))
def test_metrics_agree_with_scikit_learn(seed):
    y, score = data(seed=seed)
    ours = multilabel_metrics(y, score, CUTS).to_dict()
    theirs = reference(y, score, CUTS)
    assert set(ours) == set(theirs) == set(METRICS)
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, rel=1e-12), name


def test_macro_accuracy_is_the_mean_of_tp_over_tp_fp_fn():
    y = np.array([[1, 1], [1, 0], [0, 0], [1, 1]])
    score = np.array([[1, 0], [0, 1], [1, 0], [1, 1]])
    # Label 1: TP 2, FP 1, FN 1. Label 2: TP 1, FP 1, FN 1.
    assert multilabel_metrics(y, score, [1, 1]).macro_accuracy == pytest.approx((2 / 4 + 1 / 3) / 2)


def test_replicates_are_the_metrics_of_the_repeated_patients():
    y, score = data(n=50)
    drawn = multilabel_replicates(y, score[None], (score >= CUTS)[None], n_boot=25, rng=7)
    counts = np.concatenate(list(resampling_counts(50, 25, np.random.default_rng(7)))).astype(int)
    for row, times in enumerate(counts):
        repeated = reference(np.repeat(y, times, axis=0), np.repeat(score, times, axis=0), CUTS)
        for name, value in repeated.items():
            assert drawn[name][row, 0] == pytest.approx(value, rel=1e-12), name


def test_models_share_their_replicates():
    y, score = data()
    twice = np.stack([score, score])
    drawn = multilabel_replicates(y, twice, twice >= CUTS, n_boot=40, rng=0)
    for name in METRICS:
        assert (drawn[name][:, 0] == drawn[name][:, 1]).all()


def test_missing_labels_are_left_out_of_their_label_only():
    y, score = data()
    y[:5, 0] = np.nan
    score[:5, 0] = np.nan
    found = multilabel_metrics(y, score, CUTS)
    parts = [
        multilabel_metrics(y[s][:, [k]], score[s][:, [k]], CUTS[[k]])
        for k, s in ((0, slice(5, None)), (1, slice(None)), (2, slice(None)))
    ]
    for name in ("macro_auc", "macro_accuracy", "macro_precision", "macro_recall", "macro_f1"):
        assert getattr(found, name) == pytest.approx(np.mean([getattr(p, name) for p in parts]), rel=1e-12)
    called = score >= CUTS
    wrong = np.nansum(np.where(np.isnan(y), 0, called != (y == 1)))
    assert found.hamming == pytest.approx(wrong / (y.size - 5), rel=1e-12)
    assert found.subset_accuracy == pytest.approx((called[5:] == (y[5:] == 1)).all(axis=1).mean(), rel=1e-12)


def test_a_label_with_one_class_is_left_out_of_the_macro_auc():
    y, score = data()
    y[:, 1] = 1.0
    expected = np.mean([sk.roc_auc_score(y[:, k], score[:, k]) for k in (0, 2)])
    assert multilabel_metrics(y, score, CUTS).macro_auc == pytest.approx(expected, rel=1e-12)


def test_precision_without_a_positive_call_is_undefined_not_zero():
    y = np.array([[1.0], [0.0]])
    found = multilabel_metrics(y, [[0.1], [0.2]], [0.5])
    assert np.isnan(found.macro_precision)
    assert found.macro_f1 == 0.0 and found.macro_recall == 0.0


def test_labels_of_one_class_everywhere_have_no_auc():
    found = multilabel_metrics(np.ones((4, 2)), np.zeros((4, 2)), [0.0, 0.0])
    assert np.isnan(found.macro_auc) and found.subset_accuracy == 1.0


@pytest.mark.parametrize("method", ["percentile", "basic", "bca"])
def test_every_metric_gets_an_interval_with_its_method(method):
    y, score = data()
    found = multilabel_ci(y, score, CUTS, method=method, n_boot=300, rng=0)
    for name in METRICS:
        estimate = getattr(found, name)
        assert estimate.ci_low < estimate.value < estimate.ci_high, name
        assert estimate.method == f"bootstrap-{method}, 300 replicates of whole patients"


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("clustered", [False, True])
def test_the_acceleration_is_that_of_leaving_each_unit_out(missing, clustered):
    y, score = data()
    truth = (
        np.where(np.random.default_rng(1).random(y.shape) < 0.15, np.nan, y) if missing else y.astype(float)
    )
    scores, decided = np.stack([score, -score]), np.stack([score >= CUTS, score >= 0.1])
    codes = np.arange(len(y)) // 3 if clustered else None
    for micro in (False, True):
        found = accelerations(truth, scores, decided, codes, micro_auc=micro)
        left = leaving_one_out(truth, scores, decided, codes, micro_auc=micro)
        assert set(found) == set(left) and ("micro_auc" in found) == micro
        for name, values in left.items():
            expected = [acceleration_of(column) for column in values.T]
            assert found[name] == pytest.approx(expected, rel=1e-8, abs=1e-12), name


def test_the_interval_of_the_micro_auc_can_be_left_out_and_changes_no_other():
    y, score = data()
    whole, without = (multilabel_ci(y, score, CUTS, n_boot=50, micro_auc=m, rng=0) for m in (True, False))
    assert np.isnan(without.micro_auc.ci_low) and without.micro_auc.value == whole.micro_auc.value
    assert "micro_auc is False" in without.micro_auc.method
    assert all(getattr(whole, name) == getattr(without, name) for name in set(METRICS) - {"micro_auc"})


def test_the_jackknife_of_bca_leaves_out_each_patient_in_turn():
    y, score = data(n=30)
    left = leaving_one_out(y, score[None], (score >= CUTS)[None], None)
    for k in (0, 13, 29):
        rest = reference(np.delete(y, k, axis=0), np.delete(score, k, axis=0), CUTS)
        for name, value in rest.items():
            assert left[name][k, 0] == pytest.approx(value, rel=1e-12), name


def test_the_jackknife_over_clusters_leaves_out_each_whole():
    y, score = data(n=60)
    y[3:9, 1] = np.nan
    codes = np.random.default_rng(3).integers(0, 9, 60)
    left = leaving_one_out(y, score[None], (score >= CUTS)[None], codes)
    for code in range(9):
        rest = multilabel_metrics(y[codes != code], score[codes != code], CUTS).to_dict()
        for name, value in rest.items():
            assert left[name][code, 0] == pytest.approx(value, rel=1e-12), name


def test_patients_summed_in_runs_give_the_sums_of_patients_one_by_one():
    y, score = data(n=2000)
    y[np.random.default_rng(4).random(y.shape) < 0.1] = np.nan
    decided = np.stack([score >= CUTS, score >= CUTS + 0.3])
    cells = np.where(np.isnan(y), 2, y) + 3 * decided[0] + 6 * decided[1]
    order = np.lexsort(cells.T)
    counts = next(resampling_counts(2000, 20, np.random.default_rng(0)))
    mixed = Replicator(y, score[None], decided)
    in_runs = Replicator(y[order], score[None, order], decided[:, order])
    assert mixed._starts is None and in_runs._starts is not None
    np.testing.assert_array_equal(mixed.sums(counts), in_runs.sums(counts[:, order]))
    np.testing.assert_allclose(mixed.areas(counts), in_runs.areas(counts[:, order]), rtol=1e-13)


def test_large_samples_have_the_same_spread_as_small_chunks_of_code_give():
    y, score = data(n=600)
    drawn = multilabel_replicates(y, score[None], (score >= CUTS)[None], n_boot=1500, rng=5)
    rng = np.random.default_rng(6)
    slow = np.array(
        [
            [getattr(multilabel_metrics(y[i], score[i], CUTS), name) for name in METRICS]
            for i in rng.integers(0, 600, (400, 600))
        ]
    )
    for name, column in zip(METRICS, slow.T, strict=True):
        assert drawn[name].mean() == pytest.approx(column.mean(), abs=4 * column.std() / 400**0.5), name
        assert drawn[name].std() == pytest.approx(column.std(), rel=0.15), name


def test_clusters_widen_the_interval_when_their_patients_agree():
    y, score = data(n=40)
    y3, score3, cluster = np.repeat(y, 3, axis=0), np.repeat(score, 3, axis=0), np.repeat(np.arange(40), 3)
    alone = multilabel_ci(y3, score3, CUTS, n_boot=500, rng=0).macro_f1
    whole = multilabel_ci(y3, score3, CUTS, n_boot=500, rng=0, cluster=cluster).macro_f1
    assert whole.ci_high - whole.ci_low > 1.3 * (alone.ci_high - alone.ci_low)
    assert "clusters" in whole.method


def test_a_comparison_is_the_difference_of_the_replicates_of_both_models():
    y, a = data(n=50)
    b = a + np.random.default_rng(2).normal(size=a.shape)
    found = multilabel_test(y, a, b, CUTS, CUTS + 0.1, n_boot=60, rng=9)
    counts = np.concatenate(list(resampling_counts(50, 60, np.random.default_rng(9)))).astype(int)
    rows = [
        [reference(*(np.repeat(part, times, axis=0) for part in (y, score)), cuts) for times in counts]
        for score, cuts in ((a, CUTS), (b, CUTS + 0.1))
    ]
    for name in METRICS:
        result = getattr(found, name)
        differences = np.array([one[name] - two[name] for one, two in zip(*rows, strict=True)])
        value = reference(y, a, CUTS)[name] - reference(y, b, CUTS + 0.1)[name]
        assert result.difference == pytest.approx(value, abs=1e-12)
        assert (result.ci_low, result.ci_high) == pytest.approx(
            tuple(np.quantile(differences, [0.025, 0.975])), abs=1e-12
        )
        assert result.statistic == pytest.approx(value / differences.std(ddof=1), rel=1e-9)


def test_a_comparison_on_given_draws_agrees_with_r(monkeypatch):
    held = json.loads((ORACLES / "multilabel.json").read_text(encoding="utf-8"))
    y, a, b, cuts, draws = (np.array(held[name]) for name in ("y", "a", "b", "cuts", "draws"))
    counts = np.stack([np.bincount(rows, minlength=len(y)) for rows in draws]).astype(np.uint8)
    monkeypatch.setattr(multilabel_bootstrap, "resampling_counts", lambda *_, **__: iter([counts]))
    found = multilabel_test(y, a, b, *cuts, n_boot=len(draws))
    for name, expected in held["found"].items():
        for field, value in expected.items():
            given = getattr(getattr(found, name), field)
            assert given == pytest.approx(value, rel=1e-10, abs=1e-13), (name, field)


@pytest.mark.parametrize("method", ["percentile", "basic", "bca"])
def test_intervals_are_those_of_r_on_the_same_draws(monkeypatch, method):
    held = json.loads((ORACLES / "multilabel.json").read_text(encoding="utf-8"))
    y, a, cuts, draws = (np.array(held[name]) for name in ("y", "a", "cuts", "draws"))
    counts = np.stack([np.bincount(rows, minlength=len(y)) for rows in draws]).astype(np.uint8)
    monkeypatch.setattr(multilabel_bootstrap, "resampling_counts", lambda *_, **__: iter([counts]))
    found = multilabel_ci(y, a, cuts[0], method=method, n_boot=len(draws))
    for name, kinds in held["intervals"].items():
        estimate = getattr(found, name)
        assert (estimate.ci_low, estimate.ci_high) == pytest.approx(kinds[method], rel=1e-10), name


@pytest.mark.parametrize("method", ["percentile", "basic", "bca"])
def test_a_model_compared_with_itself_differs_in_nothing(method):
    y, score = data()
    found = multilabel_test(y, score, score, CUTS, method=method, n_boot=50, rng=0)
    for name in METRICS:
        result = getattr(found, name)
        assert (result.difference, result.ci_low, result.ci_high, result.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_exchanged_models_change_the_sign_and_keep_p():
    y, a = data()
    b = a[::-1].copy()
    there, back = (multilabel_test(y, *pair, CUTS, n_boot=80, rng=1) for pair in ((a, b), (b, a)))
    for name in METRICS:
        one, other = getattr(there, name), getattr(back, name)
        assert one.difference == -other.difference and one.p_value == other.p_value
        assert (one.ci_low, one.ci_high) == pytest.approx((-other.ci_high, -other.ci_low), abs=1e-12)


def test_a_comparison_of_clusters_draws_them_whole():
    y, a = data(n=40)
    b = a + np.random.default_rng(1).normal(size=a.shape)
    y3, a3, b3 = (np.repeat(each, 3, axis=0) for each in (y, a, b))
    cluster = np.repeat(np.arange(40), 3)
    alone = multilabel_test(y3, a3, b3, CUTS, n_boot=500, rng=0).macro_f1
    whole = multilabel_test(y3, a3, b3, CUTS, n_boot=500, rng=0, cluster=cluster)
    assert whole.macro_f1.ci_high - whole.macro_f1.ci_low > 1.3 * (alone.ci_high - alone.ci_low)
    assert whole.to_frame().shape == (len(METRICS), 7) and "macro_f1" in str(whole)


def test_two_models_of_different_shape_are_refused():
    with pytest.raises(BiomarkError, match="shape"):
        multilabel_test([[0, 1], [1, 0]], [[0.1, 0.2], [0.3, 0.1]], [[0.1], [0.2]], [0.5, 0.5])


@pytest.mark.parametrize(
    ("y", "score", "cuts", "says"),
    [
        ([0, 1], [0.1, 0.2], [0.5], "shape"),
        ([[0, 2]], [[0.1, 0.2]], [0.5, 0.5], "0, 1 or NaN"),
        ([[0, 1]], [[0.1]], [0.5, 0.5], "shape"),
        ([[0, 1]], [[0.1, np.nan]], [0.5, 0.5], "finite wherever"),
        ([[0, 1]], [[0.1, 0.2]], [0.5], "one number for each of 2 labels"),
        ([[0, 1]], [[0.1, 0.2]], [0.5, np.nan], "one number for each of 2 labels"),
    ],
)
def test_bad_input_is_refused(y, score, cuts, says):
    with pytest.raises(BiomarkError, match=says):
        multilabel_metrics(y, score, cuts)
