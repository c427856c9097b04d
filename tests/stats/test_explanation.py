"""Heat maps against lesion masks: the definitions by brute force, the tests against scipy, statsmodels and chance."""

import json
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import (
    energy_in_mask,
    explanation_against_chance,
    explanation_scores,
    explanation_test,
    iou_at_matched_area,
    mean_ci,
    paired_mean_test,
    paired_proportion_test,
    pointing_game,
    proportion_ci,
)
from biomark.stats.explanation import explanation_rows
from biomark.stats.pointing import poisson_binomial_p_value
from scipy import stats as sps

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "explanation.json").read_text(encoding="utf-8"))


def volumes(n=12, shape=(5, 6, 4), seed=0, digits=1):
    rng = np.random.default_rng(seed)
    masks = np.zeros((n, *shape), dtype=int)
    for mask in masks:
        z, y, x = (rng.integers(0, size - 2) for size in shape)
        mask[z : z + 2, y : y + rng.integers(2, 4), x : x + 2] = 1
    return np.round(rng.random((n, *shape)) + 0.5 * masks, digits), masks


def ious_of_every_choice(heat, mask):
    """IoU of every way to pick the k highest voxels."""
    k, order = int(mask.sum()), np.sort(heat.ravel())[::-1]
    above = np.flatnonzero(heat.ravel() > order[k - 1])
    level = np.flatnonzero(heat.ravel() == order[k - 1])
    inside = mask.ravel()
    both = [inside[above].sum() + inside[list(c)].sum() for c in combinations(level, k - above.size)]
    return np.array([b / (2 * k - b) for b in both]), np.mean(both)


def test_energy_is_the_share_of_the_sums():
    for heat, mask in zip(*volumes(), strict=True):
        assert energy_in_mask(heat, mask) == pytest.approx(heat[mask == 1].sum() / heat.sum(), rel=1e-12)


def test_pointing_counts_the_share_of_the_highest_voxels():
    for heat, mask in zip(*volumes(digits=0), strict=True):
        highest = [mask[at] for at in product(*map(range, heat.shape)) if heat[at] == heat.max()]
        assert pointing_game(heat, mask) == pytest.approx(np.mean(highest), rel=1e-12)


def test_iou_without_ties_is_that_of_the_two_sets():
    for heat, mask in zip(*volumes(digits=9), strict=True):
        every, _ = ious_of_every_choice(heat, mask)
        assert every.size == 1
        assert iou_at_matched_area(heat, mask) == pytest.approx(every[0], rel=1e-12)


@pytest.mark.parametrize(
    "kind", ["noise", "ties", "one hot corner", "same everywhere", "comb", "mostly zero"]
)
@pytest.mark.parametrize("k", [1, 37, 4000, 12_000, 20_000])
def test_the_threshold_of_a_large_map_is_that_of_all_its_voxels_sorted(kind, k):
    rng = np.random.default_rng(k)
    size = 20_000
    heat = {
        "noise": rng.random(size),
        "ties": np.round(rng.random(size), 1),
        "one hot corner": np.r_[np.linspace(1.0, 2.0, 500), np.zeros(size - 500)],
        "same everywhere": np.ones(size),
        # High only where the sample does not look, or only where it does.
        "comb": np.where(np.arange(size) % 16 == k % 2, 1.0, 0.0) + 1e-3 * rng.random(size),
        "mostly zero": np.clip(rng.normal(-3.0, 1.0, size), 0.0, None),
    }[kind]
    mask = np.zeros(size, dtype=bool)
    mask[rng.permutation(size)[:k]] = True
    threshold = np.sort(heat)[size - k]
    above, level = heat > threshold, heat == threshold
    both = above[mask].sum() + (k - above.sum()) / level.sum() * level[mask].sum()
    assert iou_at_matched_area(heat, mask) == pytest.approx(both / (2 * k - both), rel=1e-12, abs=1e-15)


def test_iou_with_ties_is_made_of_the_mean_overlap_of_every_choice():
    rng = np.random.default_rng(3)
    for _ in range(30):
        heat, mask = rng.integers(0, 4, (3, 4)).astype(float), rng.integers(0, 2, (3, 4))
        mask[0, 0] = 1
        every, overlap = ious_of_every_choice(heat, mask)
        found = iou_at_matched_area(heat, mask)
        assert found == pytest.approx(overlap / (2 * mask.sum() - overlap), rel=1e-12)
        assert every.min() - 1e-12 <= found <= every.max() + 1e-12


def test_a_heat_map_that_is_the_mask_scores_one_in_all():
    _, masks = volumes()
    scores = explanation_scores(masks.astype(float), masks)
    for values in (scores.energy, scores.pointing, scores.iou):
        assert values.tolist() == [1.0] * 12


def test_a_flat_heat_map_scores_exactly_chance():
    _, masks = volumes()
    scores = explanation_scores(np.full(masks.shape, 3.0), masks, tolerance=1.0)
    for metric in ("energy", "pointing", "iou"):
        assert getattr(scores, metric) == pytest.approx(getattr(scores, f"{metric}_chance"), rel=1e-12)


def test_energy_keeps_its_value_under_any_scale():
    heat, mask = (v[0] for v in volumes())
    for scale in (1e-300, 1.0, 1e300):
        assert energy_in_mask(heat * scale, mask) == pytest.approx(energy_in_mask(heat, mask), rel=1e-12)


def test_ranks_alone_decide_pointing_and_iou():
    heat, mask = (v[0] for v in volumes())
    assert iou_at_matched_area(np.exp(heat), mask) == iou_at_matched_area(heat, mask)
    assert pointing_game(np.exp(heat), mask) == pointing_game(heat, mask)


def test_the_tolerance_of_the_pointing_game_is_a_distance():
    heat, mask = np.zeros((1, 1, 9)), np.zeros((1, 1, 9))
    heat[0, 0, 0], mask[0, 0, 3] = 1.0, 1
    assert [pointing_game(heat, mask, tolerance=t) for t in (0, 2.9, 3)] == [0.0, 0.0, 1.0]
    assert pointing_game(heat, mask, tolerance=1.5, spacing=(1, 1, 0.5)) == 1.0
    assert pointing_game(heat, mask, tolerance=1.4, spacing=(1, 1, 0.5)) == 0.0


def test_empty_masks_and_dark_maps_are_undefined_and_counted():
    heat, masks = volumes(n=4)
    masks[1], heat[2] = 0, 0.0
    scores = explanation_scores(heat, masks)
    assert scores.notes == (
        "", "the mask is empty", "the heat map is 0 everywhere: its energy is undefined", "",
    )  # fmt: skip
    assert np.isnan(scores.energy).tolist() == [False, True, True, False]
    assert np.isnan(scores.iou).tolist() == [False, True, False, False]
    assert scores.pointing[2] == pytest.approx(scores.pointing_chance[2])
    found = explanation_against_chance(scores)
    assert (found.n, found.n_undefined) == (2, 2)
    assert scores.to_frame().note[1] == "the mask is empty"


def test_volumes_may_have_different_shapes():
    rng = np.random.default_rng(0)
    shapes = [(2, 3, 4), (5, 5, 5), (1, 7, 2)]
    heat, masks = [rng.random(s) for s in shapes], [rng.random(s) < 0.4 for s in shapes]
    scores = explanation_scores(heat, masks, spacing=[(1, 1, 1), (1, 2, 1), (3, 1, 1)], tolerance=1)
    assert scores.energy == pytest.approx([energy_in_mask(*pair) for pair in zip(heat, masks, strict=True)])


def test_negative_values_are_refused_clipped_or_counted_by_size():
    heat, mask = [-1.0, 3.0, 1.0], [1, 1, 0]
    with pytest.raises(BiomarkError, match="must not be negative, found -1: say negative='clip'"):
        energy_in_mask(heat, mask)
    assert energy_in_mask(heat, mask, negative="clip") == 0.75
    assert energy_in_mask(heat, mask, negative="absolute") == 0.8


@pytest.mark.parametrize(
    ("heat_maps", "masks", "says"),
    [
        (np.zeros((2, 3)), np.zeros((1, 3)), "as many, found 2 and 1"),
        (
            [[1.0, 2.0]],
            [[1, 0, 0]],
            r"volume 0: heat_map and mask must have one shape, found \(2,\) and \(3,\)",
        ),
        ([[1.0], [np.nan]], [[1], [1]], r"volume 1: heat_map must be finite, found nan at voxel \(0,\)"),
        ([[1.0]], [[0.5]], "volume 0: mask must hold 0 and 1 only, found"),
        ([["a"]], [[1]], "heat_map must hold numbers"),
        (np.zeros((1, 0)), np.zeros((1, 0)), "mask must hold voxels"),
    ],
)
def test_what_is_no_pair_of_map_and_mask_is_refused(heat_maps, masks, says):
    with pytest.raises(BiomarkError, match=says):
        explanation_scores(heat_maps, masks)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"tolerance": -1}, "tolerance"),
        ({"spacing": (1, 1)}, "spacing must hold 3 positive numbers"),
        ({"spacing": (1, 1, 0)}, "spacing must hold 3 positive numbers"),
        ({"spacing": [(1, 1, 1)] * 3}, "one for each of 12 volumes, found 3"),
        ({"negative": "ignore"}, "negative must be one of refuse, clip, absolute"),
    ],
)
def test_bad_options_are_refused(options, says):
    with pytest.raises(BiomarkError, match=says):
        explanation_scores(*volumes(), **options)


def test_the_mean_has_the_t_interval():
    values = np.random.default_rng(0).random(20)
    found = mean_ci(values)
    expected = sps.t.interval(0.95, 19, values.mean(), sps.sem(values))
    assert (found.ci_low, found.ci_high) == pytest.approx(expected, rel=1e-12)


def test_the_clustered_mean_is_the_robust_regression_of_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    cluster = rng.integers(0, 9, 40)
    values = rng.random(40) + 0.1 * cluster
    found = mean_ci(values, cluster=cluster)
    fit = sm.OLS(values, np.ones(40)).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "df_correction": True}, use_t=True
    )
    low, high = fit.conf_int()[0]
    assert found.se == pytest.approx(fit.bse[0], rel=1e-10)
    assert (found.ci_low, found.ci_high) == pytest.approx((low, high), rel=1e-10)


def test_wilson_of_zeros_and_ones_is_that_of_the_proportion():
    values = np.array([1.0] * 7 + [0.0] * 3)
    found = mean_ci(values, method="wilson")
    assert (found.ci_low, found.ci_high) == pytest.approx(proportion_ci(7, 10), rel=1e-12)
    assert mean_ci(values, method="wilson", cluster=np.arange(10) // 2).ci_low < found.ci_low


def test_means_without_spread_or_values_say_why():
    assert "all values are equal" in mean_ci([0.1] * 3).method
    assert "one value" in mean_ci([0.5]).method
    assert mean_ci([np.nan]).method == "undefined: no value"
    assert mean_ci([1.0, 1.0, 1.0, 1.0], method="wilson", cluster=[0, 0, 1, 1]).ci_low < 0.4
    assert "one cluster" in mean_ci([0.1, 0.2], cluster=["a", "a"]).method


def paired(n=9, seed=0):
    rng = np.random.default_rng(seed)
    return np.round(rng.random(n), 2), np.round(rng.random(n) - 0.2, 2)


def test_t_and_wilcoxon_are_those_of_scipy():
    a, b = paired(30)
    expected = sps.ttest_rel(a, b)
    found = paired_mean_test(a, b, method="t")
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-10)
    interval = expected.confidence_interval()
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high), rel=1e-10)
    few = np.random.default_rng(2).random((2, 8))
    assert paired_mean_test(*few, method="wilcoxon").p_value == pytest.approx(sps.wilcoxon(*few).pvalue)


@pytest.mark.parametrize("case", ORACLE["paired"])
def test_wilcoxon_is_that_of_r_with_ties_too(case):
    found = paired_mean_test(case["a"], case["b"], method="wilcoxon")
    assert found.p_value == pytest.approx(case["p"], rel=1e-8)
    assert found.difference == pytest.approx(case["difference"], rel=1e-10)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(case["t_interval"]), rel=1e-8)


def test_sign_flips_are_those_of_every_assignment():
    a, b = paired()
    sums = [abs(np.sum(np.array(signs) * (a - b))) for signs in product([1, -1], repeat=9)]
    expected = np.mean(np.array(sums) >= abs(np.sum(a - b)) - 1e-12)
    assert paired_mean_test(a, b).p_value == pytest.approx(expected, rel=1e-12)
    # scipy counts the same flips.
    exact = sps.permutation_test(
        (a, b), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    assert paired_mean_test(a, b).p_value == pytest.approx(exact.pvalue, rel=1e-12)


def test_clusters_flip_together():
    a, b = paired(12)
    cluster = np.arange(12) // 3
    sums = np.bincount(cluster, weights=a - b)
    flipped = [abs(np.dot(signs, sums)) for signs in product([1, -1], repeat=4)]
    expected = np.mean(np.array(flipped) >= abs(sums.sum()) - 1e-12)
    assert paired_mean_test(a, b, cluster=cluster).p_value == pytest.approx(expected, rel=1e-12)


def test_hits_of_two_models_give_mcnemars_exact_test():
    a = np.array([1.0] * 9 + [0.0] * 2 + [1.0] * 3)
    b = np.array([0.0] * 9 + [1.0] * 2 + [1.0] * 3)
    assert paired_mean_test(a, b).p_value == pytest.approx(
        paired_proportion_test(3, 9, 2, 0).p_value, rel=1e-12
    )


@pytest.mark.parametrize("method", ["sign-flip", "t", "wilcoxon"])
def test_identical_values_give_p_one(method):
    found = paired_mean_test([0.1, 0.5, 0.3], [0.1, 0.5, 0.3], method=method)
    assert (found.difference, found.ci_low, found.ci_high, found.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_the_order_of_the_models_only_changes_the_sign():
    a, b = paired(40)
    there, back = paired_mean_test(a, b, rng=0), paired_mean_test(b, a, rng=0)
    assert there.difference == -back.difference and there.ci_low == -back.ci_high
    assert there.p_value == back.p_value


def test_sign_flips_keep_their_level_with_skewed_values():
    rng = np.random.default_rng(4)
    rejected = 0
    for k in range(400):
        shared = rng.gamma(0.5, size=15)
        a, b = (shared * rng.gamma(0.5, size=15) for _ in range(2))
        rejected += paired_mean_test(a, b, n_permutations=199, rng=k).p_value <= 0.05
    assert 0.025 < rejected / 400 < 0.08


def test_a_single_pair_or_none_is_no_error():
    assert np.isnan(paired_mean_test([0.5], [0.2]).ci_low)
    assert "no pair" in paired_mean_test([np.nan], [0.2]).method
    assert paired_mean_test([0.5, 0.7], [0.2, np.nan]).n_undefined == 1
    assert np.isnan(paired_mean_test([1.0, 2.0], [0.0, 1.0], method="t").p_value)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: paired_mean_test([1.0], [1.0, 2.0]), r"values_b must have shape \(1,\)"),
        (lambda: paired_mean_test([1.0], [np.inf]), "finite or NaN"),
        (lambda: paired_mean_test([[1.0]], [1.0]), "one dimension"),
        (lambda: paired_mean_test([1.0], [2.0], method="wilcoxon", cluster=[1]), "no form for clustered"),
        (lambda: mean_ci([2.0], method="wilson"), r"needs values in \[0, 1\]"),
        (lambda: mean_ci(["a"]), "must hold numbers"),
        (lambda: mean_ci([1.0], confidence=95), "confidence"),
    ],
)
def test_bad_values_are_refused(call, says):
    with pytest.raises(BiomarkError, match=says):
        call()


def test_random_hits_have_the_poisson_binomial_distribution():
    chances = np.array([0.1, 0.3, 0.25, 0.6])
    every = [
        (sum(hits), np.prod([c if hit else 1 - c for hit, c in zip(hits, chances, strict=True)]))
        for hits in product([0, 1], repeat=4)
    ]
    for n in range(5):
        expected = sum(weight for total, weight in every if total >= n)
        assert poisson_binomial_p_value(float(n), chances) == pytest.approx(expected, rel=1e-12)
    same = poisson_binomial_p_value(7.0, np.full(10, 0.3))
    assert same == pytest.approx(sps.binomtest(7, 10, 0.3, alternative="greater").pvalue, rel=1e-12)
    assert np.isnan(poisson_binomial_p_value(0.0, np.array([])))


def test_excess_over_chance_is_found_and_its_level_kept():
    rng = np.random.default_rng(6)
    spot = np.exp(-0.5 * (np.arange(-4, 4)[:, None] ** 2 + np.arange(-4, 4) ** 2) / 1.5)
    masks = np.zeros((30, 8, 8), dtype=int)
    masks[:, :3, :4] = 1
    found = dict.fromkeys(("energy", "pointing", "iou"), 0)
    for _ in range(200):
        maps = [np.roll(spot, rng.integers(0, 8, 2), (0, 1)) for _ in range(30)]
        scores = explanation_scores(maps, masks)
        for metric in found:
            found[metric] += explanation_against_chance(scores, metric=metric).p_value <= 0.05
    assert max(found["energy"], found["pointing"]) / 200 <= 0.09
    looking = explanation_scores(
        [np.roll(spot, (-3, -2), (0, 1)) + rng.random((8, 8)) for _ in range(30)], masks
    )
    for metric in found:
        assert explanation_against_chance(looking, metric=metric, cluster=np.arange(30) // 2).n_clusters == 15
        assert explanation_against_chance(looking, metric=metric).p_value < 0.05


def test_models_are_compared_on_the_same_masks_only():
    heat, masks = volumes()
    first, second = explanation_scores(heat, masks), explanation_scores(heat, masks[::-1])
    with pytest.raises(BiomarkError, match="same masks in the same order"):
        explanation_test(first, second)
    with pytest.raises(BiomarkError, match="metric must be one of energy, pointing, iou"):
        explanation_test(first, first, metric="dice")


def test_the_rows_of_a_report_hold_every_metric_model_and_pair():
    heat, masks = volumes()
    scores = {name: explanation_scores(heat**power, masks) for name, power in (("a", 1), ("b", 3), ("c", 9))}
    models, differences = explanation_rows(scores, n_permutations=99)
    assert len(models) == len(differences) == 9
    assert {row["model"] for row in models} == {"a", "b", "c"}
    energy = explanation_test(scores["a"], scores["b"], n_permutations=99, rng=0)
    assert differences[0]["p_value"] == energy.p_value and energy.difference < 0
