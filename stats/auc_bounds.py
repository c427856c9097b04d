"""How large and how small DeLong's variance of an AUC can be, and where an AUC can lie, given little else."""

from __future__ import annotations

from scipy import optimize

__all__ = ["auc_range_at", "delong_variance_bounds"]


def delong_variance_bounds(auc: float, n_pos: int, n_neg: int) -> tuple[float, float]:
    """Return the least and the greatest DeLong variance of an AUC of untied scores.

    With the ROC curve R, DeLong's components are V10 = 2 int (1 - x) R dx - A^2 over the positives and
    V01 = int R^2 dx - A^2 over the negatives, and the variance is V10 / (n_pos - 1) + V01 / (n_neg - 1).

    Parameters
    ----------
    auc : float in [0, 1]
    n_pos, n_neg : int of at least 2

    Returns
    -------
    least, greatest : float

    Notes
    -----
    The sum is convex in R, so that its minimum under int R = A is where its derivative is constant: R(x) =
    c + x (n_neg - 1) / (n_pos - 1), cut at 0 and 1; it increases, so it is a ROC curve. Scores that tie across
    the classes can have a smaller variance still (all tied: 0). Each component is that of values in [0, 1] with
    mean A, hence at most A (1 - A), which gives the upper bound.

    References
    ----------
    Birnbaum ZW, Klose OM. Ann Math Stat 1957;28:933-945. DeLong ER et al. Biometrics 1988;44:837-845, eq. 4-6.

    Examples
    --------
    >>> least, greatest = delong_variance_bounds(0.8, 31, 59)
    >>> round(least**0.5, 4), round(greatest**0.5, 4)
    (0.0449, 0.09)
    """
    weight_pos, weight_neg = 1.0 / (n_pos - 1), 1.0 / (n_neg - 1)
    greatest = auc * (1.0 - auc) * (weight_pos + weight_neg)
    if auc <= 0.0 or auc >= 1.0:
        return 0.0, 0.0
    slope = weight_pos / weight_neg

    def curve(c: float) -> tuple[float, float, float]:
        """Areas under R, R^2 and (1 - x) R of the cut line."""
        start, end = min(max(-c / slope, 0.0), 1.0), min(max((1.0 - c) / slope, 0.0), 1.0)
        above = 1.0 - end
        line = c * (end - start) + slope * (end**2 - start**2) / 2.0
        square = ((c + slope * end) ** 3 - (c + slope * start) ** 3) / (3.0 * slope)
        moment = c * (end**2 - start**2) / 2.0 + slope * (end**3 - start**3) / 3.0
        return line + above, square + above, line - moment + above**2 / 2.0

    c = optimize.brentq(lambda value: curve(value)[0] - auc, -slope, 1.0)
    _, square, moment = curve(float(c))
    least = weight_pos * (2.0 * moment - auc**2) + weight_neg * (square - auc**2)
    return max(least, 0.0), greatest


def auc_range_at(sensitivity: float, specificity: float, *, best: bool = False) -> tuple[float, float]:
    """Return the AUCs of all ROC curves through one operating point.

    An increasing curve through (1 - specificity, sensitivity) lies above 0 to its left and above the
    sensitivity to its right, and below the sensitivity to its left and 1 to its right.

    Parameters
    ----------
    sensitivity, specificity : float in [0, 1]
    best : bool
        Whether the point has the largest Youden index J of its curve, which then lies nowhere above x + J, so that
        the area is at most 1 - (1 - J)^2 / 2.

    Examples
    --------
    >>> auc_range_at(0.5, 0.5)
    (0.25, 0.75)
    >>> auc_range_at(0.5, 0.5, best=True)
    (0.25, 0.5)
    """
    least, greatest = sensitivity * specificity, 1.0 - (1.0 - sensitivity) * (1.0 - specificity)
    if best:
        index = sensitivity + specificity - 1.0
        greatest = min(greatest, 1.0 - (1.0 - index) ** 2 / 2.0)
    return least, greatest
