"""The whole evaluation: every cell traced to the function that makes it, roles of sets, independence of order."""

import json

import numpy as np
import pandas as pd
import pytest
from biomark import evaluate, stats
from biomark.errors import BiomarkError
from biomark.stats.predictions import Predictions

LABELS = ("ER", "PR", "HER2")
MODELS = ("multi-task", "single-task")


def table(n=88, sets=("validation", "test"), labels=LABELS, models=MODELS, seed=0, **extra):
    """A tidy table of simulated patients."""
    rng = np.random.default_rng(seed)
    rows = []
    for name in sets:
        size = np.round(rng.gamma(4, 4, n) + 3, 1)
        truth = (rng.random((n, len(labels))) < np.linspace(0.7, 0.4, len(labels))).astype(float)
        for m, model in enumerate(models):
            score = rng.normal(size=truth.shape) + truth * (1.0 + 0.2 * m)
            for k, label in enumerate(labels):
                rows.append(
                    pd.DataFrame(
                        {
                            "patient_id": [f"{name}-{i:04d}" for i in range(n)],
                            "set": name,
                            "model": model,
                            "label": label,
                            "y_true": truth[:, k],
                            "y_score": np.round(score[:, k], 2),
                            "size_mm": size,
                            **extra,
                        }
                    )
                )
    return pd.concat(rows, ignore_index=True)


def run(frame, **options):
    return evaluate(Predictions.from_frame(frame), **{"n_boot": 200, **options})


@pytest.fixture(scope="module")
def frame():
    return table()


@pytest.fixture(scope="module")
def evaluation(frame):
    return run(frame)


def part(frame, name, label, model):
    rows = frame[(frame["set"] == name) & (frame["label"] == label) & (frame["model"] == model)]
    rows = rows.sort_values("patient_id")
    return rows["y_true"].to_numpy(), rows["y_score"].to_numpy()


def only(frame, **where):
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_roles_are_found_by_name(evaluation):
    assert evaluation.main_set == "test"
    assert evaluation.cutoff_set == "validation"
    assert evaluation.sets == ("validation", "test")


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("model", MODELS)
def test_individual_cells_are_those_of_the_functions(frame, evaluation, label, model):
    cutoff = stats.optimal_cutoff(*part(frame, "validation", label, model)).threshold
    y, score = part(frame, "test", label, model)
    row = only(evaluation.individual, set="test", label=label, model=model, cutoff="locked")
    wald, logit = stats.auc_ci(y, score), stats.auc_ci(y, score, method="delong-logit")
    assert (row.auc, row.auc_ci_low, row.auc_ci_high) == (wald.auc, wald.ci_low, wald.ci_high)
    assert (row.auc_logit_ci_low, row.auc_logit_ci_high) == (logit.ci_low, logit.ci_high)
    assert row.threshold == cutoff and row.cutoff_set == "validation"
    point = stats.operating_point(y, score, cutoff)
    assert (row.tp, row.fp, row.tn, row.fn) == (point.tp, point.fp, point.tn, point.fn)
    for name in ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "mcc", "kappa"):
        estimate = getattr(point, name)
        assert row[name] == estimate.value
        assert (row[f"{name}_ci_low"], row[f"{name}_ci_high"]) == (estimate.ci_low, estimate.ci_high)


def test_the_papers_way_stands_beside_the_locked_cutoff(frame, evaluation):
    y, score = part(frame, "test", "ER", "multi-task")
    row = only(evaluation.individual, set="test", label="ER", model="multi-task", cutoff="same-set")
    assert row.threshold == stats.optimal_cutoff(y, score).threshold
    locked = only(evaluation.individual, set="test", label="ER", model="multi-task", cutoff="locked")
    assert row.youden >= locked.youden


def test_comparisons_are_delong_with_holm_within_a_set(frame, evaluation):
    judged = evaluation.comparisons[evaluation.comparisons["set"] == "test"]
    p_values = []
    for row in judged.itertuples():
        y, a = part(frame, "test", row.label, row.model_a)
        _, b = part(frame, "test", row.label, row.model_b)
        expected = stats.delong_test(y, a, b)
        assert (row.difference, row.ci_low, row.ci_high, row.p_value) == (
            expected.difference,
            expected.ci_low,
            expected.ci_high,
            expected.p_value,
        )
        p_values.append(expected.p_value)
    assert judged["p_holm"].to_numpy() == pytest.approx(stats.holm(p_values))
    assert (judged["family"] == 3).all()


def test_overfitting_is_the_unpaired_test_of_validation_against_test(frame, evaluation):
    row = only(evaluation.overfitting, label="PR", model="single-task")
    expected = stats.delong_test_unpaired(
        *part(frame, "validation", "PR", "single-task"), *part(frame, "test", "PR", "single-task")
    )
    assert (row.set_a, row.set_b) == ("validation", "test")
    assert (row.statistic, row.df, row.p_value) == (expected.statistic, expected.df, expected.p_value)


def test_overall_metrics_use_the_locked_cutoffs(frame, evaluation):
    cuts = [stats.optimal_cutoff(*part(frame, "validation", k, "multi-task")).threshold for k in LABELS]
    y, score = (
        np.column_stack([part(frame, "test", label, "multi-task")[which] for label in LABELS])
        for which in (0, 1)
    )
    expected = stats.multilabel_metrics(y, score, cuts)
    row = only(evaluation.overall, set="test", model="multi-task", cutoff="locked")
    # A report's models need not give scores that mean the same on every label.
    for name in set(expected.to_dict()) - {"micro_auc"}:
        assert row[name] == pytest.approx(getattr(expected, name), rel=1e-12)
        assert row[f"{name}_ci_low"] <= row[name] <= row[f"{name}_ci_high"]


def test_strata_divide_the_patients(frame, evaluation):
    rows = evaluation.strata[(evaluation.strata["set"] == "test") & (evaluation.strata["label"] == "ER")]
    small = only(rows, model="multi-task", stratum="≤ 15 mm")
    large = only(rows, model="multi-task", stratum="> 15 mm")
    assert small.n + large.n == 88
    y, score = part(frame, "test", "ER", "multi-task")
    size = frame[(frame["set"] == "test")].drop_duplicates("patient_id").sort_values("patient_id")["size_mm"]
    inside = size.to_numpy() <= 15
    assert small.auc == stats.auc(y[inside], score[inside])
    row = only(evaluation.interaction, set="test", label="ER", model="multi-task")
    expected = stats.interaction_test(y, score, (~inside).astype(int))
    assert row.p_value == pytest.approx(expected.p_value, rel=1e-12)


def test_sample_sizes_come_from_both_methods(evaluation):
    for method in ("obuchowski", "hanley-mcneil"):
        row = only(evaluation.sample_size, set="test", label="ER", model="multi-task", method=method)
        needed = stats.auc_sample_size(row.auc, ratio=row.n_neg / row.n_pos, method=method)
        assert (row.required_pos, row.required_neg) == (needed.n_pos, needed.n_neg)
        assert row.adequate == (row.n_pos >= needed.n_pos and row.n_neg >= needed.n_neg)


def test_the_order_of_rows_changes_nothing(frame, evaluation):
    shuffled = run(frame.sample(frac=1.0, random_state=1))
    # The order of first appearance names the models; the numbers must be the same.
    assert shuffled.models == MODELS or shuffled.models == MODELS[::-1]
    left = evaluation.individual.set_index(["set", "label", "model", "cutoff"]).sort_index()
    right = shuffled.individual.set_index(["set", "label", "model", "cutoff"]).sort_index()
    pd.testing.assert_frame_equal(left, right[left.columns])
    left = evaluation.optimism.set_index(["set", "label", "model", "metric"]).sort_index()
    right = shuffled.optimism.set_index(["set", "label", "model", "metric"]).sort_index()
    pd.testing.assert_frame_equal(left, right)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(frame, evaluation):
    again, other = run(frame).to_dict(), run(frame, rng=1).to_dict()
    first = evaluation.to_dict()
    for record in (first, again, other):
        record.pop("provenance")
    assert again == first
    assert other["overall"] != first["overall"]
    assert other["comparisons"] == first["comparisons"]


def test_one_set_has_no_locked_cutoff_and_says_so():
    evaluation = run(table(sets=("all",)))
    assert evaluation.cutoff_set is None and evaluation.main_set == "all"
    assert set(evaluation.individual["cutoff"]) == {"same-set"}
    assert evaluation.warnings[0]["kind"] == "cut-off-on-judged-set"
    youden = evaluation.optimism[evaluation.optimism["metric"] == "youden"]
    assert (youden["optimism"] > 0).mean() > 0.5 and len(evaluation.overfitting) == 0


def test_a_one_class_label_empties_its_cells_and_no_others(frame):
    changed = frame.copy()
    changed.loc[(changed["set"] == "test") & (changed["label"] == "PR"), "y_true"] = 1.0
    evaluation = run(changed)
    row = only(evaluation.individual, set="test", label="PR", model="multi-task", cutoff="locked")
    assert np.isnan(row.auc) and "one class only" in row.note
    assert 0 <= row.sensitivity <= 1 and np.isnan(row.specificity)
    other = only(evaluation.individual, set="test", label="ER", model="multi-task", cutoff="locked")
    assert np.isfinite(other.auc)
    assert any(w["kind"] == "one-class" and w["where"] == "test/PR" for w in evaluation.warnings)
    assert np.isfinite(evaluation.overall["macro_auc"]).all()
    json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))


def test_missing_labels_are_left_out_and_counted(frame):
    changed = frame.copy()
    changed.loc[(changed["label"] == "ER") & (changed["patient_id"] == "test-0003"), "y_true"] = np.nan
    evaluation = run(changed)
    row = only(evaluation.cohort, set="test", label="ER")
    assert (row.n_patients, row.n_labelled, row.n_missing) == (88, 87, 1)
    assert only(evaluation.individual, set="test", label="ER", model="multi-task", cutoff="locked").n == 87
    assert any(w["kind"] == "missing-labels" for w in evaluation.warnings)


def test_models_that_saw_different_patients_are_compared_on_those_they_share(frame):
    dropped = frame[~((frame["model"] == "single-task") & (frame["patient_id"] < "test-0010"))]
    evaluation = run(dropped)
    rows = evaluation.comparisons[evaluation.comparisons["set"] == "test"]
    assert (rows["n"] == 78).all()
    assert only(evaluation.individual, set="test", label="ER", model="multi-task", cutoff="locked").n == 88
    assert only(evaluation.overall, set="test", model="multi-task", cutoff="locked").n_patients == 78


def test_clusters_change_the_variance_and_are_announced(frame):
    changed = frame.assign(cluster_id=frame["patient_id"].str[:-1])
    evaluation = run(changed)
    row = only(evaluation.individual, set="test", label="ER", model="multi-task", cutoff="locked")
    y, score = part(frame, "test", "ER", "multi-task")
    expected = stats.auc_ci(y, score, cluster=np.arange(88) // 10)
    assert row.auc_ci_low == expected.ci_low and "Obuchowski" in row.auc_method
    assert any(w["kind"] == "clustered" for w in evaluation.warnings)


def test_identical_models_differ_by_nothing(frame):
    single = frame[frame["model"] == "multi-task"]
    evaluation = run(pd.concat([single, single.assign(model="copy")]))
    assert (evaluation.comparisons["p_value"] == 1.0).all()
    assert (evaluation.overall_differences["difference"] == 0.0).all()
    assert (evaluation.overall_differences["p_value"] == 1.0).all()


def test_curves_end_in_the_corners_and_hold_the_cutoff_points(evaluation):
    assert len(evaluation.curves) == 12
    for curve in evaluation.curves:
        assert (curve["fpr"][0], curve["tpr"][0], curve["fpr"][-1], curve["tpr"][-1]) == (0, 0, 1, 1)
        row = only(
            evaluation.individual,
            set=curve["set"],
            label=curve["label"],
            model=curve["model"],
            cutoff=curve["points"][0]["cutoff"],
        )
        assert curve["points"][0]["sensitivity"] == pytest.approx(row.sensitivity)


def test_score_distributions_count_every_patient(evaluation):
    for scores in evaluation.scores:
        assert scores["count_pos"].sum() + scores["count_neg"].sum() == 88
        assert len(scores["pos"]) == scores["count_pos"].sum()


def test_extreme_scores_break_nothing():
    changed = table(n=40, labels=("ER",))
    changed["y_score"] = np.where(changed["y_score"] > 0, 1e308, -1e308)
    evaluation = run(changed)
    assert np.isfinite(evaluation.individual["auc"]).all()


def test_constant_scores_break_nothing():
    changed = table(n=40, labels=("ER", "PR")).assign(y_score=0.5)
    evaluation = run(changed)
    assert (evaluation.individual["auc"] == 0.5).all()
    assert (evaluation.individual["auc_ci_low"] < 0.5).all()


def test_a_large_set_is_thinned_for_the_page():
    evaluation = run(
        table(n=4000, labels=("ER",), models=("m",)).assign(y_score=lambda f: f.index / 7), n_boot=10
    )
    for curve in evaluation.curves:
        assert curve["fpr"].size <= 2000 and curve["fpr"][-1] == 1.0
    assert "pos" not in evaluation.scores[0]


def test_progress_reaches_its_total(frame):
    seen = []
    run(frame, progress=lambda done, total, what: seen.append((done, total, what)), n_boot=10)
    assert seen[-1][0] == seen[-1][1] and all(done <= total for done, total, _ in seen)


def test_json_is_written_whole(tmp_path, evaluation):
    evaluation.to_json(tmp_path / "report.json")
    record = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert record["main_set"] == "test"
    assert record["individual"][0]["auc"] == evaluation.individual.loc[0, "auc"]
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"cutoff_from": "tuning"}, "no set 'tuning'.*validation, test"),
        ({"confidence": 95}, "confidence"),
        ({"n_boot": 1}, "n_boot"),
        ({"size_threshold_mm": 0}, "size_threshold_mm"),
        ({"rng": -1}, "rng"),
    ],
)
def test_options_out_of_range_are_refused(frame, options, says):
    with pytest.raises(BiomarkError, match=says):
        run(frame, **options)


def test_an_auc_below_one_half_is_reported_as_it_is(frame):
    changed = frame.assign(y_score=-frame["y_score"])
    evaluation = run(changed)
    assert (evaluation.individual["auc"] < 0.5).all()
    assert any(w["kind"] == "auc-below-half" for w in evaluation.warnings)
