"""Whether a model looks at the lesion, as a number for each patient, with an interval and a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ..errors import BiomarkError
from .heat_map_energy import energy_of
from .heat_map_inputs import checked_pair
from .inputs import Seed, choice, whole_number
from .matched_area import iou_of
from .mean_interval import mean_ci
from .paired_means import PairedMeanComparison, paired_mean_test
from .pointing import hits, pointing_of, poisson_binomial_p_value
from .results import FloatArray, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "EXPLANATION_METRICS",
    "ChanceComparison",
    "ExplanationScores",
    "explanation_against_chance",
    "explanation_scores",
    "explanation_test",
]

EXPLANATION_METRICS = ("energy", "pointing", "iou")


@dataclass(frozen=True, slots=True)
class ExplanationScores(Result):
    """How well each heat map of one model agrees with its lesion mask.

    Attributes
    ----------
    energy, pointing, iou : arrays of shape (n,)
        Share of the energy in the mask, hit of the pointing game, IoU at matched area; NaN where undefined.
    energy_chance, pointing_chance, iou_chance : arrays of shape (n,)
        The same for a heat map that is equal everywhere.
    notes : tuple of str
        For each volume why something is undefined; empty where all is defined.
    """

    energy: FloatArray
    pointing: FloatArray
    iou: FloatArray
    energy_chance: FloatArray
    pointing_chance: FloatArray
    iou_chance: FloatArray
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each volume."""
        import pandas as pd

        columns = [name for metric in EXPLANATION_METRICS for name in (metric, f"{metric}_chance")]
        return pd.DataFrame({name: getattr(self, name) for name in columns} | {"note": self.notes})


@dataclass(frozen=True, slots=True)
class ChanceComparison(Result):
    """The mean of an explanation metric against what a heat map without information would reach.

    Attributes
    ----------
    metric : str
    mean, ci_low, ci_high, confidence : float
    chance : float
        Mean level of chance of the same patients.
    excess, excess_ci_low, excess_ci_high : float
        Mean of each patient's value less its chance, with its t interval.
    p_value : float
        One-sided, H0: no excess.
    n, n_undefined, n_clusters : int
    interval, method : str
        How the interval of the mean and the p-value were made.
    """

    metric: str
    mean: float
    ci_low: float
    ci_high: float
    confidence: float
    chance: float
    excess: float
    excess_ci_low: float
    excess_ci_high: float
    p_value: float
    n: int
    n_undefined: int
    n_clusters: int
    interval: str
    method: str


def explanation_scores(
    heat_maps: ArrayLike | Sequence[ArrayLike],
    masks: ArrayLike | Sequence[ArrayLike],
    *,
    tolerance: float = 0.0,
    spacing: Sequence[float] | Sequence[Sequence[float]] | None = None,
    negative: str = "refuse",
) -> ExplanationScores:
    """Judge each heat map against the lesion mask of its volume by three measures.

    Parameters
    ----------
    heat_maps : array of shape (n, D, H, W), or a sequence of n volumes of any shapes
        Finite; higher is more relevant. One after the other is looked at, so they may be memory-mapped.
    masks : the same, each volume of the shape of its heat map, 0 or 1
        An empty mask leaves its patient without a value, and ``notes`` says so.
    tolerance, spacing : float, and sequence of floats
        Of the pointing game, see `pointing_game`; one spacing for all or one for each volume.
    negative : "refuse", "clip" or "absolute"
        What to do with negative values: refused unless it is said whether they count as 0 or by their size.

    Returns
    -------
    ExplanationScores

    Raises
    ------
    BiomarkError
        For different numbers or shapes of heat maps and masks, other masks than 0 and 1, values that are not
        finite, or negative ones where they are refused; the message names the volume.

    Notes
    -----
    The measures are defined in `energy_in_mask`, `pointing_game` and `iou_at_matched_area`. A large lesion is
    easier to hit: compare with the level of chance (`explanation_against_chance`), and models on the same
    patients (`explanation_test`). A heat map that is 0 everywhere has no energy to share (undefined); in the
    other two it counts like any map that is equal everywhere, at the level of chance.

    Where the mask was an input of the model, agreement with it proves nothing.

    References
    ----------
    Wang H et al. CVPR Workshops 2020;111-119. Zhang J et al. Int J Comput Vis 2018;126:1084-1102.

    Examples
    --------
    >>> maps = np.array([[[0.0, 1.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 4.0]]])
    >>> masks = np.array([[[0, 0], [1, 1]], [[0, 0], [0, 0]]])
    >>> scores = explanation_scores(maps, masks)
    >>> scores.energy.tolist(), scores.energy_chance.tolist(), scores.notes
    ([0.75, nan], [0.5, nan], ('', 'the mask is empty'))
    """
    if len(heat_maps) != len(masks):  # type: ignore[arg-type]
        raise BiomarkError(
            f"heat_maps and masks must be as many, found {len(heat_maps)} and {len(masks)}"  # type: ignore[arg-type]
        )
    n = len(masks)  # type: ignore[arg-type]
    table = np.full((6, n), np.nan)
    notes = []
    for k in range(n):
        heat_map, mask = heat_maps[k], masks[k]  # type: ignore[index]
        try:
            own = _spacing_of(spacing, k, n)
            note, row = _judged(heat_map, mask, tolerance, own, negative)
        except BiomarkError as error:
            raise BiomarkError(f"volume {k}: {error}") from None
        table[:, k] = row
        notes.append(note)
    energy, pointing, iou, energy_chance, pointing_chance, iou_chance = table
    return ExplanationScores(energy, pointing, iou, energy_chance, pointing_chance, iou_chance, tuple(notes))


def explanation_against_chance(
    scores: ExplanationScores,
    *,
    metric: str = "energy",
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
) -> ChanceComparison:
    """Mean of an explanation metric with an interval, and a test of it against the level of chance.

    H0: the mean is at most that of a heat map that is equal everywhere, whose value is given by the lesion's share
    of the volume, patient by patient. One-sided: by t on each patient's value less its chance, or for the
    pointing game without clusters exactly, each patient being hit with the probability of its chance.

    Parameters
    ----------
    scores : ExplanationScores
    metric : "energy", "pointing" or "iou"
    cluster : array of shape (n,), optional
        Who belongs together (several lesions of one patient); t is then cluster-robust.
    confidence : float in (0, 1)

    Returns
    -------
    ChanceComparison
        The interval of the mean is a t interval cut at 0 and 1; of the pointing game, whose values are 0 and 1,
        Wilson's.

    Notes
    -----
    Heat maps that know nothing have skewed values: a small hot spot mostly misses, and sometimes lies on the
    lesion as a whole. In simulated volumes with a hot spot anywhere, the one-sided t test at 5% rejected 0.4% to
    3% of 400 to 1,000 data sets of 20, 60 and 200 patients: safe, and weak in small samples. Below chance it
    would have rejected far too often, and Wilcoxon's test, which compares medians, up to always: neither is
    offered.

    Lesions that are cut out lie in the middle of the volume, and a heat map that is always high in the middle beats
    chance without having seen anything. Compare models with each other (`explanation_test`), or a model with
    its own heat maps of other patients.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> masks = rng.random((12, 4, 4, 4)) < 0.2
    >>> scores = explanation_scores(rng.random((12, 4, 4, 4)) + masks, masks)
    >>> result = explanation_against_chance(scores)
    >>> result.excess_ci_low > 0.0, result.p_value < 0.001
    (True, True)
    """
    choice(metric, EXPLANATION_METRICS, name="metric")
    values, chance = getattr(scores, metric), getattr(scores, f"{metric}_chance")
    mean = mean_ci(
        values, method="wilson" if metric == "pointing" else "t", cluster=cluster, confidence=confidence
    )
    result = paired_mean_test(values, chance, method="t", cluster=cluster, confidence=confidence)
    if metric == "pointing" and cluster is None:
        present = ~np.isnan(values)
        p_value = poisson_binomial_p_value(float(values[present].sum()), chance[present])
        method = "exact, hits of random voxels (Poisson-binomial), one-sided"
    else:
        p_value = float(special.stdtr(result.n_clusters - 1, -result.statistic))
        method = f"{result.method}, one-sided"
    return ChanceComparison(
        metric, mean.mean, float(np.clip(mean.ci_low, 0.0, 1.0)), float(np.clip(mean.ci_high, 0.0, 1.0)),
        confidence, result.mean_b, result.difference, result.ci_low, result.ci_high, p_value, mean.n,
        mean.n_undefined, mean.n_clusters, mean.method, method,
    )  # fmt: skip


def explanation_test(
    scores_a: ExplanationScores,
    scores_b: ExplanationScores,
    *,
    metric: str = "energy",
    method: str = "sign-flip",
    cluster: ArrayLike | None = None,
    n_permutations: int = 10_000,
    confidence: float = 0.95,
    rng: Seed = None,
) -> PairedMeanComparison:
    """Compare an explanation metric of two models on the same volumes and masks.

    H0: the models' heat maps agree with the lesion equally well. See `paired_mean_test` for the three methods.

    Parameters
    ----------
    scores_a, scores_b : ExplanationScores
        Of the same volumes in the same order.
    metric : "energy", "pointing" or "iou"
    method : "sign-flip", "t" or "wilcoxon"
    cluster : array of shape (n,), optional
    n_permutations : int
    confidence : float in (0, 1)
    rng : seed or numpy.random.Generator

    Returns
    -------
    PairedMeanComparison

    Raises
    ------
    BiomarkError
        For scores of different volumes, as far as their masks tell, or an unknown option.

    Examples
    --------
    >>> masks = np.eye(8, dtype=int).reshape(8, 2, 4)
    >>> sharp, blurred = masks + 0.1, masks + 1.0
    >>> result = explanation_test(explanation_scores(sharp, masks), explanation_scores(blurred, masks))
    >>> round(result.difference, 3), result.p_value
    (0.389, 0.0078125)
    """
    choice(metric, EXPLANATION_METRICS, name="metric")
    if not np.array_equal(scores_a.energy_chance, scores_b.energy_chance, equal_nan=True):
        raise BiomarkError("scores_a and scores_b must come from the same masks in the same order")
    return paired_mean_test(
        getattr(scores_a, metric), getattr(scores_b, metric), method=method, cluster=cluster,
        n_permutations=n_permutations, confidence=confidence, rng=rng,
    )  # fmt: skip


def explanation_rows(
    scores: Mapping[str, ExplanationScores],
    *,
    cluster: ArrayLike | None = None,
    n_permutations: int = 10_000,
    confidence: float = 0.95,
    rng: Seed = 0,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of a report: each model against chance, and each pair of models, by every metric.

    Parameters
    ----------
    scores : mapping of model to ExplanationScores, all of the same volumes

    Returns
    -------
    rows of models, rows of differences
    """
    from itertools import combinations

    options: dict[str, Any] = {"cluster": cluster, "confidence": confidence}
    resampled: dict[str, Any] = {
        "n_permutations": whole_number(n_permutations, name="n_permutations"),
        "rng": rng,
    }
    models = [
        {"model": model} | explanation_against_chance(own, metric=metric, **options).to_dict()
        for metric in EXPLANATION_METRICS
        for model, own in scores.items()
    ]
    differences = [
        {"metric": metric, "model_a": a, "model_b": b}
        | explanation_test(scores[a], scores[b], metric=metric, **options, **resampled).to_dict()
        for metric in EXPLANATION_METRICS
        for a, b in combinations(scores, 2)
    ]
    return models, differences


def _judged(
    heat_map: ArrayLike, mask: ArrayLike, tolerance: float, spacing: Sequence[float] | None, negative: str
) -> tuple[str, list[float]]:
    heat, lesion = checked_pair(heat_map, mask, negative)
    target = hits(lesion, tolerance, spacing)
    values = [energy_of(heat, lesion), pointing_of(heat, lesion, target), iou_of(heat, lesion)]
    share = float(lesion.mean())
    if share == 0.0:
        return "the mask is empty", [float("nan")] * 6
    chance = [share, float(target.mean()), share / (2.0 - share)]
    note = "the heat map is 0 everywhere: its energy is undefined" if np.isnan(values[0]) else ""
    return note, values + chance


def _spacing_of(
    spacing: Sequence[float] | Sequence[Sequence[float]] | None, k: int, n: int
) -> Sequence[float] | None:
    if spacing is None or np.ndim(spacing) == 1:
        return spacing  # type: ignore[return-value]
    if len(spacing) != n:
        raise BiomarkError(
            f"spacing must be one for all or one for each of {n} volumes, found {len(spacing)}"
        )
    return spacing[k]  # type: ignore[return-value]
