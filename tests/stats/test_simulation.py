"""A small seeded slice of the simulations behind docs/simulation.md."""

import json
from importlib import import_module
from inspect import isfunction, signature
from pathlib import Path

import numpy as np
import pytest
from biomark import stats
from biomark.stats.weighted_areas import average_precision_by

SIMULATION = Path(__file__).parents[2] / "benchmarks" / "simulation"


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(SIMULATION)
    return import_module


def test_newcombe_covers_near_one_where_delong_does_not(module):
    cell = {"n": 88, "prevalence": 0.3, "auc": 0.95, "ties": False, "sets": 2000}
    found = module("auc_interval_coverage").analytic(cell, np.random.default_rng(1))
    coverage = {method: of["coverage"] for method, of in found.items()}
    assert coverage["newcombe"] > 0.95
    assert coverage["delong"] < 0.92 < coverage["delong-logit"]


@pytest.mark.parametrize("ties", [False, True])
def test_tests_of_two_aucs_keep_their_level_at_88_patients(module, ties):
    cell = {"n": 88, "prevalence": 0.5, "auc": 0.8, "ties": ties, "sets": 600}
    found = module("comparison_level").paired_tests(cell, np.random.default_rng(2))
    # Four standard errors of a share of 5% among 600.
    assert all(abs(of["level"] - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 600) for of in found.values()), found


def test_obuchowski_keeps_the_level_where_delong_takes_lesions_for_patients(module):
    cell = {"patients": 44, "correlation": 0.8, "auc": 0.8, "sets": 400}
    found = module("cluster_coverage").intervals(cell, np.random.default_rng(3))
    assert found["obuchowski-logit"]["coverage"] > found["delong-logit"]["coverage"]
    assert found["obuchowski-logit"]["coverage"] > 0.92


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("study", "held"), [("curve", 3), ("probabilities", 9)])
def test_what_stands_beside_the_auc_covers_at_88_patients(module, study, held, ties):
    cell = {"n": 88, "prevalence": 0.3, "auc": 0.8, "ties": ties, "sets": 400}
    found = module("studies").STUDIES[study][1](cell, np.random.default_rng(4))
    for name, of in found.items():
        # Five standard errors below 92%, which the worst of them keeps; as many above 5%.
        if "coverage" in of:
            assert of["coverage"] > 0.92 - 5 * np.sqrt(0.92 * 0.08 / 400), (name, of)
        else:
            assert of["level"] < 0.05 + 5 * np.sqrt(0.05 * 0.95 / 400), (name, of)
    assert len(found) == held


@pytest.mark.parametrize("study", ["bands", "cut-offs"])
def test_wilson_at_the_effective_size_covers_where_percentiles_do_not(module, study):
    cell = {"n": 88, "prevalence": 0.1, "auc": 0.95, "ties": False, "sets": 200}
    found = module("studies").STUDIES[study][1](cell, np.random.default_rng(5))
    held = {name: of["coverage"] for name, of in found.items()}
    for name in held:
        if "wilson" in name:
            assert held[name] > 0.92 - 5 * np.sqrt(0.92 * 0.08 / 200), name
    some = "ROC band, {}, at specificity 0.8" if study == "bands" else "sensitivity of the chosen cut-off, {}"
    assert held[some.format("percentile")] < 0.75 < held[some.format("wilson")]


def test_bca_covers_overall_metrics_better_than_basic_intervals(module):
    cell = {"n": 30, "prevalence": 0.3, "auc": 0.9, "ties": False, "sets": 200}
    found = module("studies").STUDIES["overall-intervals"][1](cell, np.random.default_rng(6))
    metrics = {name.rpartition(", ")[0] for name in found}
    mean = {kind: np.mean([found[f"{m}, {kind}"]["coverage"] for m in metrics]) for kind in ("bca", "basic")}
    assert len(metrics) == 17 and mean["bca"] > 0.91 and mean["bca"] > mean["basic"] + 0.01


@pytest.mark.parametrize("ties", [False, True])
def test_the_intervals_of_overall_metrics_are_those_of_the_package(module, ties):
    coverage, draws = module("overall_coverage"), module("shared_draws")
    rng = np.random.default_rng(7)
    labels = (rng.random((60, 3)) < 0.4).astype(float)
    scores = (rng.normal(size=labels.shape) + labels).round(0 if ties else 9)
    whole = draws.Whole(60, 100, np.random.default_rng(8))
    found = coverage.bounds_of(labels, scores, np.full(3, 0.5), whole)
    for kind in ("percentile", "basic", "bca"):
        by_package = stats.multilabel_ci(
            labels, scores, [0.5] * 3, method=kind, n_boot=100, rng=np.random.default_rng(8)
        )
        for name in coverage.METRICS:
            estimate = getattr(by_package, name)
            assert found[name, kind] == pytest.approx((estimate.ci_low, estimate.ci_high), rel=1e-5), name


@pytest.mark.parametrize("ties", [False, True])
def test_the_truth_is_what_a_large_sample_comes_to(module, ties):
    cell = {"n": 200_000, "prevalence": 0.3, "auc": 0.9, "ties": ties, "sets": 1}
    rng = np.random.default_rng(5)
    curve, probability = module("curve_coverage"), module("probability_coverage")
    counts = module("binormal").counted(rng, 1, 60_000, 140_000, 0.9, ties=ties)
    labels, score = module("auc_interval_coverage").one_set(counts[0][0], counts[1][0])
    assert stats.partial_auc(labels, score) == pytest.approx(curve.true_partial_auc(cell), rel=0.02)
    assert stats.average_precision(labels, score) == pytest.approx(
        curve.true_average_precision(cell), rel=0.01
    )
    outcomes, linear = (values[0] for values in probability.drawn(cell, rng, 1))
    chance, true = 1.0 / (1.0 + np.exp(-linear)), probability.truths(cell)
    assert stats.brier_score(outcomes, chance).value == pytest.approx(true["Brier score"], rel=0.02)
    benefit = stats.net_benefit(outcomes, chance, probability.AT).net_benefit
    expected = [true[f"net benefit at {at:g}"] for at in probability.AT]
    assert benefit == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("n_pos", "n_neg"), [(40, 70), (9, 200), (130, 12)])
def test_shared_draws_give_the_replicates_of_the_package(module, n_pos, n_neg, ties):
    draws, coverage = module("shared_draws"), module("shared_coverage")
    rng = np.random.default_rng(6)
    apart, whole = draws.Stratified(n_pos, n_neg, 90, rng), draws.Whole(n_pos + n_neg, 90, rng)
    labels = np.repeat([1, 0], [n_pos, n_neg])
    for _ in range(3):
        scores = rng.normal(size=(labels.size, 3)) + labels[:, None]
        scores = scores.round(0 if ties else 9)
        ranks, other = (draws.Ranks.of(labels, scores[:, k]) for k in (0, 1))
        counts = apart.counts(ranks)
        coverage.check_stratified(labels, scores[:, 0], counts, apart.of(ranks))
        of_other = apart.of_second(ranks, other).average_precision()
        expected = average_precision_by(labels == 1, scores[:, 1])(counts)
        np.testing.assert_allclose(of_other, expected, rtol=1e-5)
        coverage.check_whole(labels[:, None].repeat(3, axis=1), scores, whole)
        mixed = rng.permuted(labels[:, None].repeat(3, axis=1), axis=0)
        coverage.check_whole(mixed, scores, whole)


@pytest.mark.parametrize("ties", [False, True])
def test_shared_draws_give_intervals_as_wide_as_those_of_the_package(module, ties):
    cell = {"n": 120, "prevalence": 0.5, "auc": 0.8, "ties": ties, "sets": 120}
    resampled, coverage, kept = (module(name) for name in ("resampled_coverage", "shared_coverage", "kept"))
    by = []
    for judge in (resampled._intervals, coverage.intervals, resampled._beside, coverage.beside):
        judged = kept.Kept()
        judge(judged, cell, np.random.default_rng(7))
        by.append(judged.summary(dict.fromkeys(judged.intervals, 0.5)))
    for package, shared in ((by[0], by[1]), (by[2], by[3])):
        assert set(package) - set(shared) <= {"macro AUC, bca"}
        for name in set(package) & set(shared):
            if "width" in package[name]:
                assert shared[name]["width"] == pytest.approx(package[name]["width"], rel=0.08), name


def test_the_truths_of_overall_metrics_are_what_a_large_sample_comes_to(module):
    judging = module("judging")
    for ties in (False, True):
        cell = {"n": 300_000, "prevalence": 0.3, "auc": 0.8, "ties": ties}
        population = judging.Population.of(cell)
        labels = np.repeat([1, 0], module("auc_interval_coverage").classes(cell))[:, None].repeat(3, axis=1)
        scores = population.scores(labels, np.random.default_rng(8))
        found = stats.multilabel_metrics(labels, scores, [population.threshold] * 3)
        for name, value in judging.overall_truths(cell, population).items():
            assert getattr(found, name) == pytest.approx(value, rel=0.01), name


@pytest.mark.parametrize("study", ["auc-intervals", "unpaired", "proportions", "multiplicity"])
def test_stored_results_come_from_this_code(module, study):
    studies = module("studies")
    stored = json.loads((SIMULATION / "results" / f"{study}.json").read_text(encoding="utf-8"))["cells"]
    for record in (stored[0], stored[1]):
        assert studies.simulate(study, record["cell"]) == record["found"]


def test_what_is_simulated_with_clusters_takes_clusters(module):
    for function in module("simulated").WITH_CLUSTERS:
        assert "cluster" in signature(getattr(stats, function)).parameters, function


def test_every_function_is_simulated_or_has_nothing_to_cover(module):
    simulated = module("simulated")
    functions = {name for name in stats.__all__ if isfunction(getattr(stats, name))}
    left = [name for names in simulated.NOTHING_TO_COVER.values() for name in names]
    assert sorted([*simulated.SIMULATED, *left]) == sorted(functions)


def test_the_stored_results_hold_what_the_page_says_is_simulated(module):
    simulated = module("simulated")
    of_clusters = [(name, ("clusters-beside", names)) for name, names in simulated.WITH_CLUSTERS.items()]
    for function, (study, names) in [*simulated.SIMULATED.items(), *of_clusters]:
        stored = json.loads((SIMULATION / "results" / f"{study}.json").read_text(encoding="utf-8"))["cells"]
        held = {name for record in stored for name in record["found"]}
        for name in names:
            assert any(one.startswith(name) for one in held), (function, study, name)
