"""Decision curves: whether acting on a model's predictions does more good than harm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri

from .decision_tally import DecisionTally, decision_thresholds
from .inputs import Seed, choice, cluster_codes, fraction, generator, whole_number
from .results import FloatArray, Result
from .risk_inputs import outcomes_and_risks

__all__ = ["NetBenefit", "net_benefit"]

INTERVALS = ("analytic", "bootstrap")
# What is computed at each threshold, each with an interval.
CURVES = ("net_benefit", "treat_all", "standardized", "interventions_avoided")


@dataclass(frozen=True, slots=True)
class NetBenefit(Result):
    """Net benefit of one model at threshold probabilities; arrays have shape (t,).

    Attributes
    ----------
    thresholds : array
    weight : array
        Odds of the threshold: how many false positives one true positive is worth is 1 / weight.
    net_benefit, ci_low, ci_high : arrays
        In true positives per patient. Treating none has 0 everywhere.
    treat_all, treat_all_ci_low, treat_all_ci_high : arrays
        Net benefit of treating everybody.
    standardized, standardized_ci_low, standardized_ci_high : arrays
        Net benefit as a share of the most that can be had, the prevalence; NaN without positives.
    interventions_avoided, interventions_avoided_ci_low, interventions_avoided_ci_high : arrays
        Net interventions avoided per patient against treating all, no positive missed in exchange; NaN at 0.
    sensitivity, specificity : arrays
    n, n_pos : int
    prevalence : float
        The sample's, or the one that was given.
    confidence : float
    method : str
    """

    thresholds: FloatArray
    weight: FloatArray
    net_benefit: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    treat_all: FloatArray
    treat_all_ci_low: FloatArray
    treat_all_ci_high: FloatArray
    standardized: FloatArray
    standardized_ci_low: FloatArray
    standardized_ci_high: FloatArray
    interventions_avoided: FloatArray
    interventions_avoided_ci_low: FloatArray
    interventions_avoided_ci_high: FloatArray
    sensitivity: FloatArray
    specificity: FloatArray
    n: int
    n_pos: int
    prevalence: float
    confidence: float
    method: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row per threshold, with ``treat_none`` beside ``treat_all``."""
        names = [name for name in self.__slots__ if isinstance(getattr(self, name), np.ndarray)]
        frame = pd.DataFrame({name: getattr(self, name) for name in names})
        frame.insert(frame.columns.get_loc("standardized"), "treat_none", 0.0)  # type: ignore[arg-type]
        return frame


def net_benefit(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    thresholds: ArrayLike | None = None,
    *,
    prevalence: float | None = None,
    interval: str = "analytic",
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
    n_boot: int = 2000,
    rng: Seed = None,
) -> NetBenefit:
    """Net benefit over threshold probabilities (decision curve analysis).

    With w = p_t / (1 - p_t), a patient being treated where ``y_prob >= p_t``:

    - net benefit = TP / n - w FP / n; of treating all: prevalence - w (1 - prevalence); of treating none: 0;
    - standardized = net benefit / prevalence;
    - interventions avoided = (net benefit - that of treating all) / w, per patient.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; one class alone is allowed
    y_prob : array of shape (n,), in [0, 1]
        A threshold is a probability, so that scores that are no probabilities are refused.
    thresholds : array of shape (t,), in [0, 1), optional
        In any order; by default 0.01, 0.02, ..., 0.99. A tie counts as positive.
    prevalence : float in (0, 1), optional
        Of the population where the model is to be used, where the sample's is no guide (case-control studies): net
        benefit is then prevalence TPR - w (1 - prevalence) FPR, the prevalence taken as known.
    interval : {"analytic", "bootstrap"}
        ``analytic``: value +- z se, se from the influence of each patient (the delta method) [3]_, [4]_;
        ``bootstrap``: percentiles over replicates of whole patients.
    confidence : float in (0, 1)
    cluster : array of shape (n,), optional
        Which rows belong to one patient; both intervals then count patients.
    n_boot : int
    rng : seed or numpy.random.Generator

    Returns
    -------
    NetBenefit

    Raises
    ------
    BiomarkError
        For predictions outside [0, 1], a threshold outside [0, 1), no patient, or an unknown option.

    Notes
    -----
    Net benefit is meaningful at thresholds that a patient and a doctor could hold, not everywhere that a curve can be
    drawn, and a model that is ill calibrated can be worse than treating all or none. Intervals hold at one threshold,
    not for the curve; choosing the threshold with the largest net benefit is no use of it. Above the largest
    prediction nobody is treated: net benefit is 0 and so is the width of its interval, which then hardly ever covers:
    at a threshold of 0.3 that few predictions reach (prevalence 0.1, AUC 0.6) 0.4% of simulated intervals held the
    true value with 88 patients; where many reach it, about 95%.

    The bootstrap draws how many patients of each kind (outcome, last threshold reached) stand in a replicate, which is
    the same as drawing patients, at a cost that does not grow with their number.

    References
    ----------
    .. [1] Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating prediction models. Med Decis
       Making 2006;26:565-574.
    .. [2] Kerr KF, Brown MD, Zhu K, Janes H. Assessing the clinical impact of risk prediction models with decision
       curves. J Clin Oncol 2016;34:2534-2540 (standardized net benefit).
    .. [3] Pfeiffer RM, Gail MH. Estimating the decision curve and its precision from three study designs. Biom J
       2020;62:764-776.
    .. [4] Marsh TL, Janes H, Pepe MS. Statistical inference for net benefit measures in biomarker validation studies.
       Biometrics 2020;76:843-852.

    Examples
    --------
    >>> result = net_benefit([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.6, 0.9], [0.2, 0.5])
    >>> result.net_benefit.round(4).tolist(), result.treat_all.round(4).tolist()
    ([0.4167, 0.3333], [0.375, 0.0])
    """
    interval = choice(interval, INTERVALS, name="interval")
    confidence = fraction(confidence, name="confidence")
    if prevalence is not None:
        prevalence = fraction(prevalence, name="prevalence")
    positive, prob = outcomes_and_risks(y_true, y_prob)
    at = decision_thresholds(thresholds)
    codes = None if cluster is None else cluster_codes(cluster, positive.size)
    tally = DecisionTally.of(positive, [prob], at, codes)
    weight = at / (1.0 - at)
    n, n_pos, tp, fp = tally.totals()
    values = _curves(np.array([n]), np.array([n_pos]), tp, fp, weight, prevalence)
    if interval == "analytic":
        half = float(ndtri(0.5 + confidence / 2.0))
        errors = _errors(tally, weight, prevalence)
        bounds = {
            name: (values[name][0] - half * se, values[name][0] + half * se) for name, se in errors.items()
        }
        method = "analytic (delta method)"
    else:
        n_boot = whole_number(n_boot, name="n_boot", least=2)
        bounds = _bootstrap_bounds(tally, weight, prevalence, n_boot, rng, confidence)
        method = f"bootstrap-percentile, {n_boot} replicates"
    columns: dict[str, FloatArray] = {}
    for name in CURVES:
        prefix = "" if name == "net_benefit" else f"{name}_"
        columns |= {
            name: values[name][0],
            f"{prefix}ci_low": bounds[name][0],
            f"{prefix}ci_high": bounds[name][1],
        }
    with np.errstate(invalid="ignore"):
        sensitivity, specificity = tp[0] / np.float64(n_pos), 1.0 - fp[0] / np.float64(n - n_pos)
    return NetBenefit(
        thresholds=at, weight=weight, **columns, sensitivity=sensitivity, specificity=specificity,
        n=positive.size, n_pos=int(n_pos), prevalence=n_pos / n if prevalence is None else prevalence,
        confidence=confidence, method=method if codes is None else f"{method}, clusters whole",
    )  # fmt: skip


def benefit_of(
    n: FloatArray,
    n_pos: FloatArray,
    tp: FloatArray,
    fp: FloatArray,
    weight: FloatArray,
    prevalence: float | None,
) -> FloatArray:
    """Net benefit from counts: n and n_pos of shape (b,), tp and fp of shape (..., b, t)."""
    if prevalence is None:
        return np.asarray((tp - weight * fp) / n[:, None])
    with np.errstate(invalid="ignore", divide="ignore"):
        tpr, fpr = tp / n_pos[:, None], fp / (n - n_pos)[:, None]
    return np.asarray(prevalence * tpr - weight * (1.0 - prevalence) * fpr)


def benefit_influence(
    tally: DecisionTally, model: int, weight: FloatArray, prevalence: float | None
) -> FloatArray:
    """Influence of each unit on a model's net benefit, shape (u, t); its mean over patients is 0."""
    n, n_pos, tp, fp = tally.totals()
    of_pos, of_neg = tally.n_pos[:, None], (tally.n - tally.n_pos)[:, None]
    gained, harmed = tally.tp[model], tally.fp[model]
    if prevalence is None:
        value = (tp[model] - weight * fp[model]) / n
        return np.asarray(gained - weight * harmed - value * (of_pos + of_neg))
    with np.errstate(invalid="ignore", divide="ignore"):
        tpr = n / np.float64(n_pos) * (gained - tp[model] / np.float64(n_pos) * of_pos)
        fpr = n / np.float64(n - n_pos) * (harmed - fp[model] / np.float64(n - n_pos) * of_neg)
    return np.asarray(prevalence * tpr - weight * (1.0 - prevalence) * fpr)


def _curves(
    n: FloatArray,
    n_pos: FloatArray,
    tp: FloatArray,
    fp: FloatArray,
    weight: FloatArray,
    prevalence: float | None,
) -> dict[str, FloatArray]:
    """Curves of replicates: tp and fp of shape (b, t)."""
    value = benefit_of(n, n_pos, tp, fp, weight, prevalence)
    share = (n_pos / n)[:, None] if prevalence is None else np.full((n.size, 1), prevalence)
    treat_all = share - weight * (1.0 - share)
    with np.errstate(invalid="ignore", divide="ignore"):
        standardized = np.where(share > 0.0, value / share, np.nan)
        avoided = np.where(weight > 0.0, (value - treat_all) / weight, np.nan)
    return dict(zip(CURVES, (value, treat_all, standardized, avoided), strict=True))


def _errors(tally: DecisionTally, weight: FloatArray, prevalence: float | None) -> dict[str, FloatArray]:
    n, n_pos, tp, fp = tally.totals()
    influence = benefit_influence(tally, 0, weight, prevalence)
    off = (tally.n_pos - n_pos / n * tally.n)[:, None]
    of_all, share = (1.0 + weight) * off, n_pos / n
    if prevalence is not None:
        of_all, off, share = np.zeros_like(of_all), np.zeros_like(off), prevalence
    value = benefit_of(np.array([n]), np.array([n_pos]), tp, fp, weight, prevalence)
    with np.errstate(invalid="ignore", divide="ignore"):
        standardized = (influence - value / np.float64(share) * off) / np.float64(share)
        avoided = np.where(weight > 0.0, (influence - of_all) / weight, np.nan)
    parts = dict(zip(CURVES, (influence, of_all, standardized, avoided), strict=True))
    return {name: tally.standard_error(part) for name, part in parts.items()}


def _bootstrap_bounds(
    tally: DecisionTally,
    weight: FloatArray,
    prevalence: float | None,
    n_boot: int,
    rng: Seed,
    confidence: float,
) -> dict[str, tuple[FloatArray, FloatArray]]:
    drawn: dict[str, list[FloatArray]] = {name: [] for name in CURVES}
    for n, n_pos, tp, fp in tally.replicates(n_boot, generator(rng)):
        for name, curve in _curves(n, n_pos, tp[0], fp[0], weight, prevalence).items():
            drawn[name].append(curve)
    return {name: percentile_bounds(np.concatenate(parts), confidence) for name, parts in drawn.items()}


def percentile_bounds(replicates: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    """Percentile interval of each column; NaN marks an undefined replicate, and a column of them has no interval."""
    low, high = np.full((2, replicates.shape[1]), np.nan)
    defined = ~np.isnan(replicates).all(axis=0)
    if defined.any():
        levels = [0.5 - confidence / 2.0, 0.5 + confidence / 2.0]
        low[defined], high[defined] = np.nanquantile(replicates[:, defined], levels, axis=0)
    return low, high
