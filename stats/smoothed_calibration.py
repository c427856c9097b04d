"""The smoothed calibration curve, and the indices that sum up how far it lies from the diagonal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from .inputs import fraction, whole_number
from .local_regression import MOST_GROUPS, LocalRegression
from .results import FloatArray, Result
from .risk_inputs import outcomes_and_risks

__all__ = ["INDICES", "CalibrationCurve", "calibration_curve", "calibration_indices"]

INDICES = ("ici", "e50", "e90", "emax")


@dataclass(frozen=True, slots=True)
class CalibrationCurve(Result):
    """Observed risk as a smooth function of the prediction.

    Attributes
    ----------
    predicted : array of shape (g,), ascending
        Equally spaced from the smallest to the largest prediction: the curve says nothing beyond them.
    observed : array of shape (g,), in [0, 1]
    ci_low, ci_high : arrays of shape (g,)
        The band, one point at a time.
    effective_n : array of shape (g,)
        How many patients stand behind each point.
    confidence : float
    span : float
    degree : int
    n, n_pos : int
    method : str
    """

    predicted: FloatArray
    observed: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    effective_n: FloatArray
    confidence: float
    span: float
    degree: int
    n: int
    n_pos: int
    method: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row per point."""
        names = ("predicted", "observed", "ci_low", "ci_high", "effective_n")
        return pd.DataFrame({name: getattr(self, name) for name in names})


def calibration_curve(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    *,
    span: float = 0.75,
    degree: int = 2,
    points: int = 101,
    confidence: float = 0.95,
) -> CalibrationCurve:
    """Smooth the outcomes over the predictions by loess, with a pointwise band.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; one class alone is allowed
    y_prob : array of shape (n,), in [0, 1]
    span : float in (0, 1]
        Share of the patients in each window.
    degree : {0, 1, 2}
        Of the local polynomial.
    points : int >= 2
    confidence : float in (0, 1)

    Returns
    -------
    CalibrationCurve
        A single distinct prediction gives a single point.

    Raises
    ------
    BiomarkError
        For predictions outside [0, 1], no patient, or options out of range.

    Notes
    -----
    Curve and options are those of Austin and Steyerberg [1]_: R's ``loess`` at its defaults, but fitted directly at
    each point instead of interpolated. A fit below 0 or above 1 is drawn at 0 or 1.

    The band is Wilson's interval of a proportion among m patients, m = 1 / sum_i l_i(x)^2 the effective number behind
    the fit and l_i(x) its weights. It stays within [0, 1] and has a width where all outcomes near x agree. It takes
    patients as independent, knows no bias of the smooth, and holds for one point at a time, not for the curve.

    References
    ----------
    .. [1] Austin PC, Steyerberg EW. Graphical assessment of internal and external calibration of logistic regression
       models by using loess smoothers. Stat Med 2014;33:517-535.
    .. [2] Cleveland WS, Devlin SJ. J Am Stat Assoc 1988;83:596-610.

    Examples
    --------
    >>> y_prob = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]
    >>> curve = calibration_curve([0, 0, 1, 0, 1, 0, 1, 1], y_prob, points=3)
    >>> curve.predicted.tolist(), curve.observed.round(3).tolist()
    ([0.1, 0.5, 0.9], [0.0, 0.5, 1.0])
    """
    confidence = fraction(confidence, name="confidence")
    points = whole_number(points, name="points", least=2)
    positive, prob = outcomes_and_risks(y_true, y_prob)
    smooth = LocalRegression(prob, positive, span=span, degree=degree)
    low, high = float(prob.min()), float(prob.max())
    at = np.linspace(low, high, points) if high > low else np.array([low])
    fit = smooth(at)
    observed = np.clip(fit.value, 0.0, 1.0)
    ci_low, ci_high = _wilson(observed, fit.effective_n, confidence)
    return CalibrationCurve(
        at, observed, ci_low, ci_high, fit.effective_n, confidence, float(span), int(degree), positive.size,
        int(np.count_nonzero(positive)), "loess; Wilson's interval at the effective number of patients",
    )  # fmt: skip


def calibration_indices(
    y_true: ArrayLike, y_prob: ArrayLike, *, span: float = 0.75, degree: int = 2
) -> dict[str, float]:
    """Integrated calibration index and its relatives (Austin and Steyerberg 2019).

    With c the loess smooth of the outcomes over the predictions and d_i = abs(c(p_i) - p_i) for each patient: ICI is
    the mean of d, E50 its median, E90 its 90th percentile, Emax its maximum.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; one class alone is allowed
    y_prob : array of shape (n,), in [0, 1]
    span, degree
        As in :func:`calibration_curve`.

    Returns
    -------
    dict
        ``ici``, ``e50``, ``e90``, ``emax``.

    Notes
    -----
    As in the authors' code, c is not cut to [0, 1] here, and percentiles interpolate linearly (R's type 7). Their c
    comes from R's interpolated surface, ours is the direct fit. ``rms::val.prob`` prints E90, Emax and Eavg (its name
    of the ICI) of another smooth, ``lowess`` (locally linear, span 2/3), and so other values.

    Beyond 1,000 distinct predictions c is fitted at as many groups of neighbours and interpolated linearly between
    them.
    All four are biased upwards in small samples: perfectly calibrated predictions have an ICI above 0.

    References
    ----------
    Austin PC, Steyerberg EW. The Integrated Calibration Index (ICI) and related metrics for quantifying the
    calibration of logistic regression models. Stat Med 2019;38:4051-4065.

    Examples
    --------
    >>> y_prob = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]
    >>> {name: round(value, 3) for name, value in calibration_indices([0, 0, 1, 0, 1, 0, 1, 1], y_prob).items()}
    {'ici': 0.065, 'e50': 0.063, 'e90': 0.133, 'emax': 0.133}
    """
    positive, prob = outcomes_and_risks(y_true, y_prob)
    return dict(zip(INDICES, indices_of(positive, prob, span=span, degree=degree), strict=True))


def indices_of(
    positive: NDArray[np.bool_],
    prob: FloatArray,
    *,
    span: float = 0.75,
    degree: int = 2,
    most_groups: int = MOST_GROUPS,
) -> tuple[float, float, float, float]:
    """Return ICI, E50, E90 and Emax."""
    smooth = LocalRegression(prob, positive, span=span, degree=degree, most_groups=most_groups)
    away = np.abs(smooth.at_patients(prob) - prob)
    e50, e90 = np.quantile(away, [0.5, 0.9])
    return float(away.mean()), float(e50), float(e90), float(away.max())


def _wilson(share: FloatArray, n: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    z2 = float(ndtri(0.5 + confidence / 2.0)) ** 2
    centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n)
    half = np.sqrt(z2 * (share * (1.0 - share) / n + z2 / (4.0 * n**2))) / (1.0 + z2 / n)
    low = np.where(share == 0.0, 0.0, centre - half)
    high = np.where(share == 1.0, 1.0, centre + half)
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
