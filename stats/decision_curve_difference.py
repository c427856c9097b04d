"""The net benefit of two models compared on the same patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from .decision_curve import INTERVALS, benefit_influence, benefit_of, percentile_bounds
from .decision_tally import DecisionTally, decision_thresholds
from .inputs import Seed, choice, cluster_codes, fraction, generator, probabilities, whole_number
from .results import FloatArray, Result
from .risk_inputs import outcomes_and_risks

__all__ = ["NetBenefitDifference", "net_benefit_difference"]


@dataclass(frozen=True, slots=True)
class NetBenefitDifference(Result):
    """Difference of two models' net benefits; arrays have shape (t,).

    Attributes
    ----------
    thresholds : array
    net_benefit_a, net_benefit_b : arrays
    difference, ci_low, ci_high : arrays
        net_benefit_a - net_benefit_b.
    p_value : array
        Two-sided, H0: the difference at this threshold is 0; not corrected for the number of thresholds. 1 where the
        models call every patient alike.
    n, n_pos : int
    confidence : float
    method : str
    """

    thresholds: FloatArray
    net_benefit_a: FloatArray
    net_benefit_b: FloatArray
    difference: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    p_value: FloatArray
    n: int
    n_pos: int
    confidence: float
    method: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row per threshold."""
        names = [name for name in self.__slots__ if isinstance(getattr(self, name), np.ndarray)]
        return pd.DataFrame({name: getattr(self, name) for name in names})


def net_benefit_difference(
    y_true: ArrayLike,
    y_prob_a: ArrayLike,
    y_prob_b: ArrayLike,
    thresholds: ArrayLike | None = None,
    *,
    prevalence: float | None = None,
    interval: str = "analytic",
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
    n_boot: int = 2000,
    rng: Seed = None,
) -> NetBenefitDifference:
    """Compare the net benefit of two models on the same patients.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; one class alone is allowed
    y_prob_a, y_prob_b : arrays of shape (n,), in [0, 1]
    thresholds, prevalence, interval, confidence, cluster, n_boot, rng
        As in :func:`net_benefit`; in the bootstrap both models are judged on the same replicates.

    Returns
    -------
    NetBenefitDifference

    Raises
    ------
    BiomarkError
        As :func:`net_benefit`.

    Notes
    -----
    Where both models treat the same patients, or all but a few, the difference is 0 or nearly so with an interval of
    no width, which misses the true difference however small that is: judge by it at thresholds at which the
    models part (docs/simulation.md).

    The p value is that of z = difference / se, se from the influence of each patient on the difference, whatever the
    interval. A difference in net benefit of 0.01 is one more true positive per 100 patients at an unchanged number of
    false positives. Whether it is worth the price of the better model is no matter of its p value [1]_.

    References
    ----------
    .. [1] Vickers AJ, Van Calster B, Steyerberg EW. A simple, step-by-step guide to interpreting decision curve
       analysis. Diagn Progn Res 2019;3:18.

    Examples
    --------
    >>> y_true = [0, 0, 1, 0, 1, 1]
    >>> a, b = [0.1, 0.2, 0.3, 0.4, 0.6, 0.9], [0.3, 0.6, 0.2, 0.1, 0.7, 0.4]
    >>> net_benefit_difference(y_true, a, b, [0.25]).difference.round(4).tolist()
    [0.2222]
    """
    interval = choice(interval, INTERVALS, name="interval")
    confidence = fraction(confidence, name="confidence")
    if prevalence is not None:
        prevalence = fraction(prevalence, name="prevalence")
    positive, prob_a = outcomes_and_risks(y_true, y_prob_a, name="y_prob_a")
    prob_b = probabilities(y_prob_b, positive.size, name="y_prob_b")
    at = decision_thresholds(thresholds)
    codes = None if cluster is None else cluster_codes(cluster, positive.size)
    tally = DecisionTally.of(positive, [prob_a, prob_b], at, codes)
    weight = at / (1.0 - at)
    n, n_pos, tp, fp = tally.totals()
    of_a, of_b = (
        benefit_of(np.array([n]), np.array([n_pos]), tp[[m]], fp[[m]], weight, prevalence)[0] for m in (0, 1)
    )
    difference = of_a - of_b
    influence = [benefit_influence(tally, m, weight, prevalence) for m in (0, 1)]
    se = tally.standard_error(influence[0] - influence[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where((difference == 0.0) & (se == 0.0), 0.0, np.abs(difference) / se)
    if interval == "analytic":
        half = float(ndtri(0.5 + confidence / 2.0)) * se
        low, high, method = difference - half, difference + half, "analytic (delta method)"
    else:
        n_boot = whole_number(n_boot, name="n_boot", least=2)
        drawn = []
        for n_each, n_pos_each, tp_each, fp_each in tally.replicates(n_boot, generator(rng)):
            benefit = benefit_of(n_each, n_pos_each, tp_each, fp_each, weight, prevalence)
            drawn.append(benefit[0] - benefit[1])
        low, high = percentile_bounds(np.concatenate(drawn), confidence)
        method = f"bootstrap-percentile, {n_boot} replicates"
    return NetBenefitDifference(
        at, of_a, of_b, difference, low, high, 2.0 * ndtr(-z), positive.size, int(n_pos), confidence,
        f"paired, {method}" if codes is None else f"paired, {method}, clusters whole",
    )  # fmt: skip
