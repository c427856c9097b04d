"""Choosing a cut-off from the ROC curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .cutoff_criterion import CutoffCriterion
from .inputs import binary_labels, choice, finite_scores
from .placement import TieGroups, tie_groups
from .results import FloatArray, Result

__all__ = ["Cutoff", "optimal_cutoff"]


@dataclass(frozen=True, slots=True)
class Cutoff(Result):
    """A cut-off and what it yields on the data it was chosen from; positive is ``y_score >= threshold``.

    Attributes
    ----------
    threshold, sensitivity, specificity, youden : float
    criterion : str
    ties : array of shape (t,)
        Every threshold that is equally good, ascending, the chosen one included.
    rule : str
        How a tie was resolved and where between two scores the threshold lies.
    """

    threshold: float
    sensitivity: float
    specificity: float
    youden: float
    criterion: str
    ties: FloatArray
    rule: str


def optimal_cutoff(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    criterion: str = "youden",
    minimum: float | None = None,
    cost_ratio: float = 1.0,
    prevalence: float | None = None,
    ties: str = "sensitivity",
    at: str = "observed",
) -> Cutoff:
    """Choose the cut-off that is best by a criterion.

    - ``youden``: largest sensitivity + specificity - 1.
    - ``closest-topleft``: smallest (1 - sensitivity)^2 + (1 - specificity)^2.
    - ``min-sensitivity``: largest specificity among cut-offs with sensitivity >= ``minimum``.
    - ``min-specificity``: largest sensitivity among cut-offs with specificity >= ``minimum``.
    - ``cost``: smallest expected cost (1 - sensitivity) + r (1 - specificity), with
      r = cost_ratio (1 - prevalence) / prevalence.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; both present
    y_score : array of shape (n,), any finite real; higher is more positive
    criterion : str
    minimum : float in [0, 1]
        For the two ``min-`` criteria.
    cost_ratio : float > 0
        Cost of a false positive over the cost of a false negative.
    prevalence : float in (0, 1), optional
        Where the test will be used; by default the one observed.
    ties : "sensitivity" or "specificity"
        Among equally good cut-offs, take the lowest (most sensitive) or the highest (most specific).
    at : "observed" or "midpoint"
        Put the threshold on the lowest score called positive, or half way to the next lower score (as pROC).

    Returns
    -------
    Cutoff
        ``ties`` holds all cut-offs that are equally good.

    Raises
    ------
    OneClassError
        If one class is absent.
    BiomarkError
        For an unknown option, or a minimum that is missing or outside [0, 1].

    Notes
    -----
    Ties are found in whole numbers of patients, so that rounding never decides. The cut-offs compared are the
    distinct scores and, above them all, infinity (nobody is positive). Where midpoints are asked, the cut-off
    below all scores is minus infinity.

    A cut-off judged on the data it was chosen from looks better than it is (see `cutoff_optimism`), and where it
    lies is often known only roughly (see `cutoff_ci`).

    References
    ----------
    Youden WJ. Cancer 1950;3:32-35. Perkins NJ, Schisterman EF. Am J Epidemiol 2006;163:670-675 (top-left).
    Metz CE. Semin Nucl Med 1978;8:283-298 (cost).

    Examples
    --------
    >>> cutoff = optimal_cutoff([0, 1, 0, 1, 0, 1], [1, 2, 3, 4, 5, 6])
    >>> cutoff.threshold, cutoff.ties.tolist()
    (2.0, [2.0, 4.0, 6.0])
    >>> optimal_cutoff([0, 1, 0, 1, 0, 1], [1, 2, 3, 4, 5, 6], at="midpoint").ties.tolist()
    [1.5, 3.5, 5.5]
    """
    rule = CutoffCriterion(criterion, minimum, cost_ratio, prevalence, ties)
    choice(at, ("observed", "midpoint"), name="at")
    positive = binary_labels(y_true)
    groups = tie_groups(positive, finite_scores(y_score, positive.size))
    n_pos, n_neg = int(groups.n_pos.sum()), int(groups.n_neg.sum())
    # Threshold number k calls the groups k, k + 1, ... positive; the last calls nobody positive.
    tp = n_pos - np.concatenate([[0.0], np.cumsum(groups.n_pos)])
    tn = np.concatenate([[0.0], np.cumsum(groups.n_neg)])
    best = np.flatnonzero(rule.best(tp[None], tn[None])[0])
    thresholds = thresholds_of(groups, at)
    chosen = best[0] if ties == "sensitivity" else best[-1]
    sensitivity, specificity = tp[chosen] / n_pos, tn[chosen] / n_neg
    return Cutoff(
        float(thresholds[chosen]),
        float(sensitivity),
        float(specificity),
        float(sensitivity + specificity - 1.0),
        criterion,
        thresholds[best],
        f"{'lowest' if ties == 'sensitivity' else 'highest'} of {best.size} equally good cut-offs, at "
        + ("an observed score" if at == "observed" else "the midpoint between two scores"),
    )


def thresholds_of(groups: TieGroups, at: str) -> FloatArray:
    """Return the thresholds that call groups k, k + 1, ... positive, k = 0..K; shape (K + 1,)."""
    values = groups.values
    if at == "observed":
        return np.append(values, np.inf)
    # Halved before the sum: two huge scores must not overflow.
    between = values[:-1] / 2.0 + values[1:] / 2.0
    # Between neighbouring doubles there is nothing: the half rounds to one of them, and must call the upper only.
    between = np.where(between > values[:-1], between, values[1:])
    return np.concatenate([[-np.inf], between, [np.inf]])
