"""The interval of a cut-off, against a loop over replicates and against simulated truth."""

import json
from pathlib import Path

import numpy as np
import pytest
from biomark.errors import BiomarkError, OneClassError
from biomark.stats import cutoff_ci, cutoff_optimism, operating_point, optimal_cutoff, proportion_ci
from biomark.stats.chosen_yield import Denominators, chosen_yield
from biomark.stats.cutoff_criterion import CutoffCriterion
from biomark.stats.cutoff_interval_rows import cutoff_interval_rows
from biomark.stats.individual import Cell
from biomark.stats.rechosen_cutoff import RechosenCutoff, Replicates
from biomark.stats.resampling import resampling_counts
from scipy.stats import norm

SETTINGS = [
    {"criterion": "youden"},
    {"criterion": "closest-topleft"},
    {"criterion": "min-sensitivity", "minimum": 0.8},
    {"criterion": "min-specificity", "minimum": 0.9},
    {"criterion": "cost", "cost_ratio": 0.5},
    {"criterion": "cost", "cost_ratio": 2.0, "prevalence": 0.2},
]
ORACLE = json.loads(
    (Path(__file__).parents[1] / "oracles" / "chosen_cutoff.json").read_text(encoding="utf-8")
)["sets"]
YIELDS = ("sensitivity", "specificity", "youden", "accuracy")


def data(n=40, seed=0, digits=1):
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 5 < 2).astype(int)
    return y, np.round(rng.normal(size=n) + y, digits)


@pytest.mark.parametrize("at", ["observed", "midpoint"])
@pytest.mark.parametrize("ties", ["sensitivity", "specificity"])
@pytest.mark.parametrize("settings", SETTINGS)
def test_every_replicate_chooses_what_optimal_cutoff_would_choose(settings, ties, at):
    y, score = data()
    rule = CutoffCriterion(**{"name" if k == "criterion" else k: v for k, v in settings.items()}, ties=ties)
    rechosen = RechosenCutoff(y == 1, score, rule, at)
    for counts in resampling_counts(40, 40, np.random.default_rng(2)):
        thresholds, yielded = rechosen(counts)
        in_the_data = rechosen.in_the_data(thresholds)
        for k, row in enumerate(counts.astype(int)):
            y_b, score_b = np.repeat(y, row), np.repeat(score, row)
            expected = optimal_cutoff(y_b, score_b, ties=ties, at=at, **settings)
            there = operating_point(y, score, expected.threshold)
            assert thresholds[k] == expected.threshold
            assert yielded.sensitivity[k] == pytest.approx(expected.sensitivity, rel=1e-12)
            assert yielded.youden[k] == pytest.approx(expected.youden, rel=1e-12, abs=1e-12)
            assert in_the_data.specificity[k] == pytest.approx(there.specificity.value, rel=1e-12)
            assert in_the_data.accuracy[k] == pytest.approx(there.accuracy.value, rel=1e-12)


@pytest.mark.parametrize("name", list(ORACLE))
def test_what_the_cutoff_yields_is_what_r_finds_on_the_same_draws(name):
    known = ORACLE[name]
    n_pos, n_neg = len(known["pos"]), len(known["neg"])
    positive = np.arange(n_pos + n_neg) < n_pos
    rechosen = RechosenCutoff(
        positive, np.array(known["pos"] + known["neg"]), CutoffCriterion("youden"), "midpoint"
    )
    counts = [
        np.append(np.bincount(pos, minlength=n_pos), np.bincount(neg, minlength=n_neg))
        for pos, neg in zip(known["draws_pos"], known["draws_neg"], strict=True)
    ]
    thresholds, here = rechosen(np.stack(counts))
    drawn = Replicates(thresholds, here, rechosen.in_the_data(thresholds), 0)
    chosen, apparent = rechosen(np.ones((1, positive.size)))
    assert chosen[0] == pytest.approx(known["cutoff"], rel=1e-12)
    sizes = Denominators.of(positive, None)
    found = chosen_yield(apparent, drawn, sizes, interval="wilson", confidence=0.95)
    for metric, expected in known["found"].items():
        estimate = found[metric][1]
        assert (estimate.value, estimate.ci_low, estimate.ci_high) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("interval", ["shifted", "percentile"])
def test_it_is_the_loop_of_its_definition(interval):
    y, score = data()
    found = cutoff_ci(y, score, interval=interval, n_boot=60, rng=4)
    groups = (np.flatnonzero(y == 1), np.flatnonzero(y == 0))
    cuts, here, there = [], [], []
    for counts in resampling_counts(40, 60, np.random.default_rng(4), groups=groups):
        for row in counts.astype(int):
            y_b, score_b = np.repeat(y, row), np.repeat(score, row)
            cuts.append(optimal_cutoff(y_b, score_b).threshold)
            for gathered, pair in ((here, (y_b, score_b)), (there, (y, score))):
                point = operating_point(*pair, cuts[-1])
                gathered.append([getattr(point, name).value for name in YIELDS])
    low, high = np.quantile(cuts, [0.025, 0.975], method="inverted_cdf")
    assert (found.threshold.ci_low, found.threshold.ci_high) == (low, high)
    assert found.n_cutoffs == len(set(cuts))
    shift = np.mean(np.subtract(here, there), axis=0) * (interval == "shifted")
    lows, highs = np.clip(np.quantile(here, [0.025, 0.975], axis=0) - shift, 0.0, 1.0)
    assert [getattr(found, name).ci_low for name in YIELDS] == pytest.approx(lows, rel=1e-10)
    assert [getattr(found, name).ci_high for name in YIELDS] == pytest.approx(highs, rel=1e-10)


def test_the_cutoff_itself_is_the_one_of_the_data():
    y, score = data()
    for settings in SETTINGS:
        found = cutoff_ci(y, score, n_boot=20, rng=0, interval="percentile", **settings)
        chosen = optimal_cutoff(y, score, **settings)
        assert found.threshold.value == chosen.threshold
        assert found.sensitivity.value == pytest.approx(chosen.sensitivity)


def test_the_interval_of_the_cutoff_covers_and_the_correction_helps_the_index():
    shift = np.sqrt(2) * norm.ppf(0.8)
    rng = np.random.default_rng(8)
    y = np.repeat([0, 1], [58, 30])
    held = {"threshold": 0, "wilson": 0, "shifted": 0, "percentile": 0}
    for k in range(250):
        score = rng.normal(size=88) + shift * y
        for kind in ("wilson", "shifted", "percentile"):
            found = cutoff_ci(y, score, n_boot=200, rng=k, interval=kind)
            cut = found.threshold
            true = norm.cdf(cut.value) - norm.cdf(cut.value - shift)
            held[kind] += found.youden.ci_low <= true <= found.youden.ci_high
        held["threshold"] += cut.ci_low <= shift / 2 <= cut.ci_high
    assert 0.90 <= held["threshold"] / 250 <= 0.99
    assert held["wilson"] / 250 >= 0.92
    assert held["shifted"] / 250 > 0.78
    assert held["percentile"] / 250 < held["shifted"] / 250 - 0.08


def test_a_perfect_score_of_six_patients_proves_little():
    y, score = [0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6]
    found = cutoff_ci(y, score, n_boot=200, rng=0)
    assert found.threshold.value == 4.0 and found.threshold.ci_high > 4.0
    assert found.specificity.ci_high == 1.0 and found.specificity.ci_low < 0.5
    assert found.youden.ci_low < 0.2 and found.youden.ci_high <= 1.0
    # Every replicate separates the classes: percentiles cannot see an error that they were never shown.
    assert cutoff_ci(y, score, interval="shifted", n_boot=200, rng=0).youden.ci_low > 0.5


def test_a_cutoff_that_is_vague_does_not_make_its_yields_so():
    y = np.repeat([0, 1], 200)
    score = np.random.default_rng(3).normal(size=400) + 0.4 * y
    wilson, shifted = (
        cutoff_ci(y, score, interval=kind, n_boot=300, rng=0) for kind in ("wilson", "shifted")
    )
    for name in ("sensitivity", "specificity"):
        narrow, wide = getattr(wilson, name), getattr(shifted, name)
        assert narrow.value == wide.value
        assert narrow.ci_high - narrow.ci_low < 0.5 * (wide.ci_high - wide.ci_low)
        # No narrower than if the cut-off had been given.
        low, high = proportion_ci(round(narrow.value * 200), 200)
        assert narrow.ci_high - narrow.ci_low > 0.98 * (high - low)


def test_increasing_transforms_move_the_cutoff_alone():
    y, score = data()
    plain, bent = cutoff_ci(y, score, n_boot=100, rng=1), cutoff_ci(y, np.exp(score), n_boot=100, rng=1)
    assert bent.threshold.ci_low == pytest.approx(np.exp(plain.threshold.ci_low))
    assert bent.youden == plain.youden


def test_calling_nobody_positive_is_an_infinite_cutoff():
    found = cutoff_ci([0, 0, 0, 1], [1, 2, 4, 3], criterion="min-specificity", minimum=1.0, n_boot=50, rng=0)
    assert found.threshold.value == np.inf and found.to_dict()["threshold"]["value"] == "Infinity"
    assert found.sensitivity.value <= 0.5


def test_whole_clusters_widen_the_interval():
    y, score = (np.repeat(v, 4) for v in data(n=60))
    alone = cutoff_ci(y, score, n_boot=400, rng=0, stratified=False)
    whole = cutoff_ci(y, score, n_boot=400, rng=0, cluster=np.repeat(np.arange(60), 4))
    assert whole.youden.ci_high - whole.youden.ci_low > 1.3 * (alone.youden.ci_high - alone.youden.ci_low)


def test_replicates_without_both_classes_are_counted():
    found = cutoff_ci([0, 0, 0, 0, 1], [1, 2, 3, 4, 5], stratified=False, n_boot=500, rng=0)
    assert 120 < found.n_undefined < 210
    assert cutoff_ci([0, 0, 0, 0, 1], [1, 2, 3, 4, 5], n_boot=50, rng=0).n_undefined == 0


@pytest.mark.parametrize("settings", SETTINGS)
def test_optimism_is_corrected_for_every_criterion(settings):
    y, score = data()
    found = cutoff_optimism(y, score, n_boot=100, rng=0, **settings)
    chosen = optimal_cutoff(y, score, **settings)
    assert found.threshold == chosen.threshold
    assert found.youden.apparent == pytest.approx(chosen.youden)
    assert np.isfinite(found.youden.corrected)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"criterion": "best"}, "criterion must be one of youden"),
        ({"criterion": "min-sensitivity"}, "needs minimum between 0 and 1, found None"),
        ({"criterion": "cost", "cost_ratio": 0}, "cost_ratio must be positive"),
        ({"criterion": "cost", "prevalence": 1.0}, "prevalence must lie strictly"),
        ({"ties": "random"}, "ties must be one of"),
        ({"at": "edge"}, "at must be one of"),
        ({"interval": "basic"}, "interval must be one of wilson, shifted, percentile"),
        ({"n_boot": 1}, "n_boot"),
    ],
)
def test_bad_options_are_refused(options, says):
    with pytest.raises(BiomarkError, match=says):
        cutoff_ci(*data(), **options)


def test_one_class_is_refused():
    with pytest.raises(OneClassError):
        cutoff_ci([1, 1], [0.1, 0.2])


def test_the_rows_of_a_report_are_the_estimates():
    y, score = data()
    cell = Cell("test", "ER", "net", y == 1, score, np.arange(40), None)
    rows = list(cutoff_interval_rows(cell, n_boot=50, rng=np.random.default_rng(0), confidence=0.95))
    found = cutoff_ci(y, score, n_boot=50, rng=0)
    assert [row["metric"] for row in rows] == ["threshold", *YIELDS]
    assert rows[0]["ci_high"] == found.threshold.ci_high and rows[3]["value"] == found.youden.value
    empty = cell.subset(y == 1)
    (row,) = cutoff_interval_rows(empty, n_boot=50, rng=np.random.default_rng(0), confidence=0.95)
    assert row["note"] == "one class only: 16 positives, 0 negatives"
