"""How much a cut-off flatters itself on the data it was chosen from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .chosen_yield import CHOSEN_INTERVALS, Denominators, chosen_yield
from .cutoff_criterion import CutoffCriterion
from .inputs import (
    Seed,
    binary_labels,
    choice,
    cluster_codes,
    finite_scores,
    fraction,
    generator,
    whole_number,
)
from .rechosen_cutoff import RechosenCutoff, rechosen_replicates, threshold_interval
from .results import Result

__all__ = ["CorrectedEstimate", "CutoffOptimism", "cutoff_optimism"]


@dataclass(frozen=True, slots=True)
class CorrectedEstimate(Result):
    """An apparent value and what is left of it after the optimism is taken off.

    Attributes
    ----------
    apparent, optimism, corrected : float
        ``corrected`` is ``apparent - optimism``, within its range.
    ci_low, ci_high, confidence : float
        Interval of the corrected value.
    """

    apparent: float
    optimism: float
    corrected: float
    ci_low: float
    ci_high: float
    confidence: float


@dataclass(frozen=True, slots=True)
class CutoffOptimism(Result):
    """Optimism of a cut-off and of what it yields.

    Attributes
    ----------
    threshold : float
        The cut-off of the data.
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
    criterion: str = "youden",
    minimum: float | None = None,
    cost_ratio: float = 1.0,
    prevalence: float | None = None,
    ties: str = "sensitivity",
    at: str = "observed",
    interval: str = "wilson",
    n_boot: int = 2000,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
    rng: Seed = None,
) -> CutoffOptimism:
    """Bootstrap-corrected performance of a cut-off chosen and judged on the same data.

    In each replicate the cut-off is chosen anew; its performance in the replicate less its performance in the
    data is one draw of the optimism, whose mean is taken off the apparent performance.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; both present
    y_score : array of shape (n,), any finite real; higher is more positive
    criterion, minimum, cost_ratio, prevalence, ties, at
        How the cut-off is chosen, as in `optimal_cutoff`; a replicate's cost uses its own prevalence where none
        is given.
    interval : "wilson" or "shifted"
        As in `cutoff_ci`.
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
    2021;40:5691-5701 (location-shifted interval). Korn EL, Graubard BI. Surv Methodol 1998;24:193-201 (effective
    size, here in Wilson's interval).

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
    choice(at, ("observed", "midpoint"), name="at")
    choice(interval, CHOSEN_INTERVALS[:2], name="interval")
    rule = CutoffCriterion(criterion, minimum, cost_ratio, prevalence, ties)
    rechosen = RechosenCutoff(positive, score, rule, at)
    codes = None if cluster is None else cluster_codes(cluster, positive.size)
    drawn = rechosen_replicates(rechosen, positive.size, n_boot, generator(rng), cluster=codes)
    chosen, apparent = rechosen(np.ones((1, positive.size)))
    sizes = Denominators.of(positive, codes)
    yields = chosen_yield(apparent, drawn, sizes, interval=interval, confidence=confidence)
    corrected = {}
    for name, (optimism, estimate) in yields.items():
        value = float(getattr(apparent, name)[0])
        corrected[name] = CorrectedEstimate(
            value, optimism, estimate.value, estimate.ci_low, estimate.ci_high, confidence
        )
    low, high = threshold_interval(drawn.thresholds, confidence)
    named = "Youden" if criterion == "youden" else criterion
    return CutoffOptimism(
        float(chosen[0]),
        low,
        high,
        **corrected,
        n_boot=n_boot,
        n_undefined=drawn.n_undefined,
        method=f"Harrell's bootstrap optimism, {named} cut-off chosen in every replicate",
    )
