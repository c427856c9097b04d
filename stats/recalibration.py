"""Recalibration: what a map from predictions to better ones would be, reported and never applied in silence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression
from scipy.special import expit, logit

from ..errors import BiomarkError
from .calibration_slope import fit_logistic, no_logit, one_class, separation
from .inputs import choice, probabilities
from .results import FloatArray, Result
from .risk_inputs import outcomes_and_risks

__all__ = ["RECALIBRATIONS", "Recalibration", "recalibrate"]

RECALIBRATIONS = ("intercept", "logistic", "platt", "isotonic")


@dataclass(frozen=True, slots=True)
class Recalibration(Result):
    """A map from predictions to recalibrated ones, learnt on some patients, to be judged on others.

    Attributes
    ----------
    method : str
    intercept, slope : float
        Of logit(new) = intercept + slope logit(old); NaN for the isotonic map.
    steps_at, steps_to : arrays of shape (k,), ascending
        Old and new predictions of the isotonic map, linear between and constant beyond; empty for the others.
    brier_before, brier_after : float
        On the patients it was learnt on: the second flatters.
    n, n_pos : int
    """

    method: str
    intercept: float
    slope: float
    steps_at: FloatArray
    steps_to: FloatArray
    brier_before: float
    brier_after: float
    n: int
    n_pos: int

    def apply(self, y_prob: ArrayLike) -> FloatArray:
        """Return recalibrated predictions.

        Parameters
        ----------
        y_prob : array of shape (m,), in [0, 1]
            Logistic maps keep 0 at 0 and 1 at 1 where the slope is positive.

        Returns
        -------
        array of shape (m,), in [0, 1]
        """
        prob = probabilities(y_prob, np.asarray(y_prob).size)
        if self.method == "isotonic":
            return np.asarray(np.interp(prob, self.steps_at, self.steps_to))
        # A slope of 0 times an infinite logit is not a number, and such a map is constant.
        linear = self.intercept + (self.slope * logit(prob) if self.slope != 0.0 else np.zeros(prob.size))
        return np.asarray(expit(linear))


def recalibrate(y_true: ArrayLike, y_prob: ArrayLike, *, method: str = "logistic") -> Recalibration:
    """Learn how predictions would have to be changed to agree with the outcomes.

    - ``intercept``: logit(new) = a + logit(old), a by maximum likelihood: the prevalence is put right.
    - ``logistic``: logit(new) = a + b logit(old) by maximum likelihood [1]_.
    - ``platt``: the same with Platt's targets (n_pos + 1) / (n_pos + 2) and 1 / (n_neg + 2) in place of 1 and 0 [2]_,
      finite even where the predictions separate the classes. Platt scaled support vector outputs; here the logit of
      the prediction takes their place.
    - ``isotonic``: the non-decreasing step function of least squares (pool adjacent violators) [3]_.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; both present, except for ``isotonic``
    y_prob : array of shape (n,), in [0, 1]; strictly between 0 and 1, except for ``isotonic``
    method : str

    Returns
    -------
    Recalibration

    Raises
    ------
    BiomarkError
        Where the map does not exist: infinite logits, one class, separation; the message says which.

    Notes
    -----
    A recalibrated model is another model. Learn the map on patients that are not those it is judged on (a validation
    set), and report both. The isotonic map follows its patients closely and over-fits below some hundreds of them; it
    makes ties, and so can change the AUC.

    References
    ----------
    .. [1] Cox DR. Biometrika 1958;45:562-565.
    .. [2] Platt JC. Probabilistic outputs for support vector machines. In: Advances in Large Margin Classifiers. MIT
       Press 1999;61-74.
    .. [3] Zadrozny B, Elkan C. Transforming classifier scores into accurate multiclass probability estimates. KDD
       2002;694-699.

    Examples
    --------
    >>> learnt = recalibrate([0, 0, 1, 0, 1, 0, 1, 1], [0.01, 0.02, 0.1, 0.3, 0.5, 0.7, 0.98, 0.99])
    >>> round(learnt.slope, 3), learnt.apply([0.01, 0.99]).round(3).tolist()
    (0.512, [0.104, 0.928])
    """
    method = choice(method, RECALIBRATIONS, name="method")
    positive, prob = outcomes_and_risks(y_true, y_prob)
    intercept = slope = np.nan
    at = to = np.empty(0)
    if method == "isotonic":
        at, to = _isotonic(positive, prob)
    else:
        reason = no_logit(prob) or one_class(positive)
        x = np.empty(0) if reason else logit(prob)
        if not reason and method == "logistic":
            reason = separation(positive, x)
        if not reason and method == "platt" and x.min() == x.max():
            reason = "all predictions are equal"
        if reason:
            raise BiomarkError(f"no {method} recalibration exists: {reason}")
        intercept, slope = _logistic(positive, x, method)
    n_pos = int(np.count_nonzero(positive))
    before = float(np.mean((prob - positive) ** 2))
    learnt = Recalibration(method, intercept, slope, at, to, before, np.nan, positive.size, n_pos)
    after = float(np.mean((learnt.apply(prob) - positive) ** 2))
    return Recalibration(method, intercept, slope, at, to, before, after, positive.size, n_pos)


def _logistic(positive: NDArray[np.bool_], x: FloatArray, method: str) -> tuple[float, float]:
    ones = np.ones((x.size, 1))
    if method == "intercept":
        return fit_logistic(ones, positive, offset=x).coefficients[0], 1.0
    target = positive.astype(np.float64)
    if method == "platt":
        n_pos = int(np.count_nonzero(positive))
        target = np.where(positive, (n_pos + 1.0) / (n_pos + 2.0), 1.0 / (x.size - n_pos + 2.0))
    a, b = fit_logistic(np.column_stack([ones, x]), target).coefficients
    return a, b


def _isotonic(positive: NDArray[np.bool_], prob: FloatArray) -> tuple[FloatArray, FloatArray]:
    at, inverse, sizes = np.unique(prob, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, weights=positive) / sizes
    to = np.asarray(isotonic_regression(means, weights=sizes).x)
    # The ends of each step say all of it.
    kept = np.append(True, to[1:] != to[:-1]) | np.append(to[1:] != to[:-1], True)
    return at[kept], to[kept]
