"""Spiegelhalter's test that predicted probabilities are those of the outcomes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from .results import Result
from .risk_inputs import outcomes_and_risks

__all__ = ["SpiegelhalterTest", "spiegelhalter_test"]


@dataclass(frozen=True, slots=True)
class SpiegelhalterTest(Result):
    """Spiegelhalter's z.

    Attributes
    ----------
    statistic : float
        z; positive where outcomes are more extreme against the predictions than chance allows. NaN where undefined.
    p_value : float
        Two-sided.
    method : str
        Where z is undefined, it says why.
    """

    statistic: float
    p_value: float
    method: str


def spiegelhalter_test(y_true: ArrayLike, y_prob: ArrayLike) -> SpiegelhalterTest:
    """Test that each patient is positive with the predicted probability (Spiegelhalter 1986).

    H0: P(y_i = 1) = p_i for each patient. z = sum (y_i - p_i)(1 - 2 p_i) / sqrt(sum (1 - 2 p_i)^2 p_i (1 - p_i)): the
    Brier score less its expectation under H0, in units of its standard deviation.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; one class alone is allowed
    y_prob : array of shape (n,), in [0, 1]

    Returns
    -------
    SpiegelhalterTest

    Raises
    ------
    BiomarkError
        For predictions outside [0, 1].

    Notes
    -----
    Predictions of 0.5 tell nothing here, and those of 0 or 1 have no variance: where all are such, z is undefined.
    The test assumes independent patients that played no part in making the model. A large p does not prove
    calibration: errors that cancel in the Brier score are not seen.

    References
    ----------
    Spiegelhalter DJ. Probabilistic prediction in patient management and clinical trials. Stat Med 1986;5:421-433.

    Examples
    --------
    >>> result = spiegelhalter_test([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> round(result.statistic, 4), round(result.p_value, 4)
    (-0.223, 0.8235)
    """
    positive, prob = outcomes_and_risks(y_true, y_prob)
    slant = 1.0 - 2.0 * prob
    variance = float(np.sum(slant**2 * prob * (1.0 - prob)))
    if variance == 0.0:
        reason = "no prediction other than 0, 0.5 and 1"
        return SpiegelhalterTest(np.nan, np.nan, f"Spiegelhalter's z; undefined: {reason}")
    z = float(np.sum((positive - prob) * slant)) / np.sqrt(variance)
    return SpiegelhalterTest(float(z), float(2.0 * ndtr(-abs(z))), "Spiegelhalter's z")
