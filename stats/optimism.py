"""How much a cut-off flatters itself on the data it was chosen from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .bootstrap import WeightedCurve
from .inputs import Seed, binary_labels, cluster_codes, finite_scores, fraction, generator, whole_number
from .resampling import resampling_counts
from .results import FloatArray, Result

__all__ = ["CorrectedEstimate", "CutoffOptimism", "cutoff_optimism"]


@dataclass(frozen=True, slots=True)
class CorrectedEstimate(Result):
    """An apparent value and what is left of it after the optimism is taken off.

    Attributes
    ----------
    apparent, optimism, corrected : float
        ``corrected`` is ``apparent - optimism``.
    ci_low, ci_high, confidence : float
        Percentile interval of the apparent value, shifted by the optimism.
    """

    apparent: float
    optimism: float
    corrected: float
    ci_low: float
    ci_high: float
    confidence: float


@dataclass(frozen=True, slots=True)
class CutoffOptimism(Result):
    """Optimism of the Youden cut-off and of what it yields.

    Attributes
    ----------
    threshold : float
        The Youden cut-off of the data (the lowest, where several tie).
    threshold_ci_low, threshold_ci_high : float
        Percentile interval of the cut-off over the replicates.
    youden, sensitivity, specificity, accuracy : CorrectedEstimate
    n_boot, n_undefined : int
        Replicates drawn, and those without both classes, which were left out.
    method : str
    """

    threshold: float
    threshold_ci_low: float
    threshold_ci_high: float
    youden: CorrectedEstimate
    sensitivity: CorrectedEstimate
    specificity: CorrectedEstimate
    accuracy: CorrectedEstimate
    n_boot: int
    n_undefined: int
    method: str


def cutoff_optimism(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    n_boot: int = 2000,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
    rng: Seed = None,
) -> CutoffOptimism:
    """Bootstrap-corrected performance of a Youden cut-off chosen and judged on the same data.

    In each replicate the cut-off is chosen anew; its performance in the replicate less its performance in the
    data is one draw of the optimism, whose mean is taken off the apparent performance.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; both present
    y_score : array of shape (n,), any finite real; higher is more positive
    n_boot : int
    cluster : array of shape (n,), optional
        Whole clusters are resampled.
    confidence : float in (0, 1)
    rng : seed or numpy.random.Generator

    Returns
    -------
    CutoffOptimism

    Raises
    ------
    OneClassError
        If one class is absent.

    Notes
    -----
    The model's own training is not repeated: this corrects for the choice of the cut-off alone.

    References
    ----------
    Harrell FE, Lee KL, Mark DB. Stat Med 1996;15:361-387, section 4.3.4 (optimism). Noma H et al. Stat Med
    2021;40:5691-5701 (location-shifted interval).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1], 40)
    >>> result = cutoff_optimism(y, rng.normal(size=80) + y, n_boot=500, rng=1)
    >>> bool(result.youden.corrected < result.youden.apparent)
    True
    """
    positive = binary_labels(y_true)
    score = finite_scores(y_score, positive.size)
    fraction(confidence, name="confidence")
    n_boot = whole_number(n_boot, name="n_boot", least=2)
    curve = WeightedCurve(positive, score)
    data = _yields(*curve(np.ones((1, positive.size))))
    # Of tied cut-offs the lowest, so the last of the descending thresholds.
    chosen = data[0].shape[1] - 1 - int(data[0][0, ::-1].argmax())
    thresholds = np.append(np.inf, curve.thresholds)
    codes = None if cluster is None else cluster_codes(cluster, positive.size)
    drawn: list[FloatArray] = []
    for counts in resampling_counts(positive.size, n_boot, generator(rng), cluster=codes):
        tp, fp = curve(counts)
        replicate = _yields(tp, fp)
        # Only a score that was drawn can be the replicate's cut-off.
        drawn_here = np.diff(tp + fp, axis=1, prepend=0.0) > 0.0
        offered = np.where(drawn_here, replicate[0][:, 1:], -np.inf)
        offered = np.concatenate([replicate[0][:, :1], offered], axis=1)
        at = offered.shape[1] - 1 - offered[:, ::-1].argmax(axis=1)
        rows = np.arange(at.size)
        drawn.append(
            np.stack(
                [thresholds[at], *(value[rows, at] for value in replicate), *(value[0, at] for value in data)]
            )
        )
    table = np.concatenate(drawn, axis=1)
    table = table[:, ~np.isnan(table).any(axis=0)]
    youden, sensitivity, specificity, accuracy = (
        _corrected(float(data[k][0, chosen]), table[1 + k], table[5 + k], confidence) for k in range(4)
    )
    levels = np.array([0.5 - confidence / 2.0, 0.5 + confidence / 2.0])
    low, high = np.quantile(table[0], levels, method="inverted_cdf")
    return CutoffOptimism(
        float(thresholds[chosen]),
        float(low),
        float(high),
        youden,
        sensitivity,
        specificity,
        accuracy,
        n_boot,
        n_boot - table.shape[1],
        "Harrell's bootstrap optimism, Youden cut-off chosen in every replicate",
    )


def _corrected(
    apparent: float, in_replicate: FloatArray, in_data: FloatArray, confidence: float
) -> CorrectedEstimate:
    optimism = float(np.mean(in_replicate - in_data))
    low, high = np.quantile(in_replicate, [0.5 - confidence / 2.0, 0.5 + confidence / 2.0])
    return CorrectedEstimate(
        apparent, optimism, apparent - optimism, float(low) - optimism, float(high) - optimism, confidence
    )


def _yields(tp: FloatArray, fp: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Youden index, sensitivity, specificity and accuracy, of shape (b, k + 1): first with nobody positive."""
    nobody = np.zeros((tp.shape[0], 1))
    tp, fp = np.concatenate([nobody, tp], axis=1), np.concatenate([nobody, fp], axis=1)
    all_pos, all_neg = tp[:, -1:], fp[:, -1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        # One rounding in the index, from whole numbers: ties must stay ties.
        youden = (tp * all_neg - fp * all_pos) / (all_pos * all_neg)
        sensitivity = tp / all_pos
        specificity = (all_neg - fp) / all_neg
    accuracy = (tp + all_neg - fp) / (all_pos + all_neg)
    return youden, sensitivity, specificity, accuracy
