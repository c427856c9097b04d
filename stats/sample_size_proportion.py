"""How many patients a sensitivity or specificity needs for an interval of a stated half-width."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import ndtri

from ..errors import BiomarkError
from .inputs import choice, fraction
from .normal_power import round_up
from .proportion import PROPORTION_METHODS, real_valued_bounds
from .results import Result

__all__ = ["ProportionSampleSize", "proportion_sample_size"]

METRICS = ("sensitivity", "specificity")


@dataclass(frozen=True, slots=True)
class ProportionSampleSize(Result):
    """Patients needed to estimate a proportion with a stated precision.

    Attributes
    ----------
    n : int
        Patients of the class that the proportion is judged on (positives for a sensitivity), rounded up.
    n_exact : float
        The same before rounding.
    total : int or None
        Patients to enrol so that n of that class are expected at the stated prevalence, n / share rounded up;
        None where no prevalence was given.
    total_exact : float or None
        n_exact / share, before any rounding.
    proportion, half_width, confidence, interval, metric, prevalence
        What was asked.
    achieved_half_width : float
        Half-width at the rounded n, at most ``half_width``.
    """

    n: int
    n_exact: float
    total: int | None
    total_exact: float | None
    proportion: float
    half_width: float
    achieved_half_width: float
    confidence: float
    interval: str
    metric: str
    prevalence: float | None


def proportion_sample_size(
    proportion: float,
    half_width: float,
    *,
    metric: str = "sensitivity",
    prevalence: float | None = None,
    interval: str = "wilson",
    confidence: float = 0.95,
) -> ProportionSampleSize:
    """Return the patients needed for an interval of a sensitivity or specificity no wider than wanted.

    The least n at which (high - low) / 2 <= half_width, the bounds taken at k = n * proportion.

    Parameters
    ----------
    proportion : float
        The sensitivity or specificity expected, strictly between 0 and 1.
    half_width : float
        Half the width of the interval, strictly between 0 and 0.5.
    metric : {"sensitivity", "specificity"}
        Whose patients n counts: positives, or negatives.
    prevalence : float, optional
        Share of positives among those enrolled, strictly between 0 and 1; gives ``total``.
    interval : {"wilson", "clopper-pearson", "agresti-coull", "jeffreys", "wald"}
        The interval that will be reported.
    confidence : float
        Level, strictly between 0 and 1.

    Returns
    -------
    ProportionSampleSize

    Raises
    ------
    BiomarkError
        For values outside their ranges or an unknown option.

    Notes
    -----
    ``wald`` is z^2 p (1 - p) / w^2 ([1]_), its bounds not cut off at 0 and 1; the others are solved for n. k
    = n * proportion is not rounded to whole patients, so the half-width met in the study varies around the
    one asked for, with the proportion observed and with the rounding. ``total`` holds on the average: in half
    of the studies of that size fewer than n of the class will be found.

    References
    ----------
    .. [1] Buderer NMF. Statistical methodology: I. Incorporating the prevalence of disease into the sample
       size calculation for sensitivity and specificity. Acad Emerg Med 1996;3:895-900.

    Examples
    --------
    >>> size = proportion_sample_size(0.9, 0.05, prevalence=0.2, interval="wald")
    >>> size.n, size.total
    (139, 695)
    >>> proportion_sample_size(0.9, 0.05, interval="wilson").n
    141
    """
    proportion = fraction(proportion, name="proportion")
    confidence = fraction(confidence, name="confidence")
    metric = choice(metric, METRICS, name="metric")
    interval = choice(interval, PROPORTION_METHODS, name="interval")
    if not 0.0 < half_width < 0.5:
        raise BiomarkError(f"half_width must lie strictly between 0 and 0.5, found {half_width!r}")

    def half(n: float) -> float:
        if interval == "wald":  # the published formula, not cut off at 1
            return float(ndtri(0.5 + confidence / 2.0)) * math.sqrt(proportion * (1.0 - proportion) / n)
        low, high = real_valued_bounds(n * proportion, n, method=interval, confidence=confidence)
        return float(high - low) / 2.0

    least = most = 1.0
    while half(least) < half_width:
        least /= 2.0
        if least < 1e-9:
            raise BiomarkError(
                f"half_width {half_width:g} is met without any patient; ask for a narrower one"
            )
    while half(most) > half_width:
        most *= 2.0
    exact = float(brentq(lambda n: half(n) - half_width, least, most, xtol=1e-12))
    n = round_up(exact)
    total = total_exact = None
    if prevalence is not None:
        prevalence = fraction(prevalence, name="prevalence")
        share = prevalence if metric == "sensitivity" else 1.0 - prevalence
        total, total_exact = round_up(n / share), exact / share
    return ProportionSampleSize(
        n=n,
        n_exact=exact,
        total=total,
        total_exact=total_exact,
        proportion=proportion,
        half_width=float(half_width),
        achieved_half_width=half(n),
        confidence=confidence,
        interval=interval,
        metric=metric,
        prevalence=prevalence,
    )
