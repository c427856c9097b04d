"""Calibration in bins of the predicted probability: the reliability table and the expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .inputs import choice, fraction, whole_number
from .proportion import proportion_ci
from .results import FloatArray, Result
from .risk_inputs import outcomes_and_risks

__all__ = ["BINNINGS", "BinnedCalibration", "bin_codes", "binned_calibration", "calibration_error_of"]

BINNINGS = ("equal-mass", "equal-width", "distinct")


@dataclass(frozen=True, slots=True)
class BinnedCalibration(Result):
    """Observed against predicted in bins of the prediction.

    Attributes
    ----------
    low, high : arrays of shape (k,), ascending
        Smallest and largest prediction in each bin; empty bins are left out.
    n, n_pos : arrays of shape (k,)
    predicted, observed : arrays of shape (k,)
        Mean prediction and share of positives.
    ci_low, ci_high : arrays of shape (k,)
        Wilson's interval of the share of positives, bin by bin.
    confidence : float
    ece : float
        Expected calibration error, sum_k n_k / n abs(observed_k - predicted_k).
    mce : float
        Maximum calibration error, the largest of these differences.
    binning : str
    """

    low: FloatArray
    high: FloatArray
    n: NDArray[np.int64]
    n_pos: NDArray[np.int64]
    predicted: FloatArray
    observed: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    confidence: float
    ece: float
    mce: float
    binning: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row per bin."""
        names = ("low", "high", "n", "n_pos", "predicted", "observed", "ci_low", "ci_high")
        return pd.DataFrame({name: getattr(self, name) for name in names})


def binned_calibration(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    n_bins: int = 10,
    binning: str = "equal-mass",
    confidence: float = 0.95,
) -> BinnedCalibration:
    """Compare predicted with observed risk in bins; ECE and MCE.

    - ``equal-mass``: bins of (nearly) equal numbers of patients, also called adaptive. Tied predictions are never
      parted: they fall where their mid-rank does, so that bins may be fewer.
    - ``equal-width``: [0, 1/k), [1/k, 2/k), ..., [(k - 1)/k, 1].
    - ``distinct``: each distinct prediction is a bin; ``n_bins`` plays no part.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; one class alone is allowed
    y_prob : array of shape (n,), in [0, 1]
    n_bins : int
    binning : str
    confidence : float in (0, 1)

    Returns
    -------
    BinnedCalibration

    Raises
    ------
    BiomarkError
        For predictions outside [0, 1], no patient, or an unknown option.

    Notes
    -----
    ECE grows with the number of bins and is biased upwards in small samples: perfectly calibrated predictions have
    an ECE above 0 [2]_. Compare it only between models judged on the same patients with the same bins. Original
    definitions close bins at the right [1]_; that matters only for predictions on an edge.

    References
    ----------
    .. [1] Naeini MP, Cooper GF, Hauskrecht M. Obtaining well calibrated probabilities using Bayesian binning. Proc
       AAAI 2015;2901-2907.
    .. [2] Nixon J et al. Measuring calibration in deep learning. CVPR Workshops 2019;38-41 (adaptive bins).

    Examples
    --------
    >>> table = binned_calibration([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.8], n_bins=2)
    >>> table.observed.round(3).tolist(), round(table.ece, 3)
    ([0.333, 0.667], 0.083)
    """
    positive, prob = outcomes_and_risks(y_true, y_prob)
    confidence = fraction(confidence, name="confidence")
    codes = bin_codes(prob, n_bins=n_bins, binning=binning)
    n = np.bincount(codes)
    kept = n > 0
    n, n_pos = n[kept], np.bincount(codes, weights=positive)[kept].astype(np.int64)
    predicted = np.bincount(codes, weights=prob)[kept] / n
    observed = n_pos / n
    low, high = np.full(kept.size, np.inf), np.full(kept.size, -np.inf)
    np.minimum.at(low, codes, prob)
    np.maximum.at(high, codes, prob)
    low, high = low[kept], high[kept]
    gap = np.abs(observed - predicted)
    ci_low, ci_high = proportion_ci(n_pos, n, confidence=confidence)
    return BinnedCalibration(
        low, high, n.astype(np.int64), n_pos, predicted, observed, np.asarray(ci_low), np.asarray(ci_high),
        confidence, float(n @ gap / positive.size), float(gap.max()), binning,
    )  # fmt: skip


def bin_codes(prob: FloatArray, *, n_bins: int, binning: str) -> NDArray[np.intp]:
    """Return the bin of each prediction, ascending with it; some bins may be empty."""
    binning = choice(binning, BINNINGS, name="binning")
    n_bins = whole_number(n_bins, name="n_bins")
    if binning == "equal-width":
        edges = np.arange(1, n_bins) / n_bins
        return np.asarray(np.searchsorted(edges, prob, side="right"))
    if binning == "distinct":
        return np.asarray(np.unique(prob, return_inverse=True)[1])
    ranked = np.sort(prob)
    first = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    # Twice the mid-rank, in whole numbers, so that no rounding decides a bin.
    codes = n_bins * (first + np.append(first[1:], prob.size)) // (2 * prob.size)
    # Bins follow the order of the predictions, so that a search among their lowest ones replaces the ranks of all.
    lowest = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    found = np.searchsorted(ranked[first[lowest]], prob, side="right") - 1
    return np.asarray(codes[lowest][found])


def calibration_error_of(positive: NDArray[np.bool_], prob: FloatArray, codes: NDArray[np.intp]) -> float:
    """Return the expected calibration error of given bins."""
    excess = np.bincount(codes, weights=positive) - np.bincount(codes, weights=prob)
    return float(np.abs(excess).sum() / prob.size)
