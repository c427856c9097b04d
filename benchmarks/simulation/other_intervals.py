"""Coverage and level of what the report prints beside the AUC, through the package's own functions.

Scores are binormal with equal spread; probabilities follow from them by Bayes' rule, so that they are calibrated.
"""

from __future__ import annotations

import numpy as np
from auc_interval_coverage import classes
from binormal import separation
from biomark import stats
from biomark.errors import BiomarkError
from scipy.integrate import quad
from scipy.special import expit, logit, ndtr, ndtri
from scipy.stats import norm
from vectorised import coverage

LEVEL, REPLICATES = 0.05, 500
AT = (0.1, 0.3)


def cells(n_sets: int) -> list[dict]:
    return _grid((30, 88, 388), n_sets)


def resampled_cells(n_sets: int) -> list[dict]:
    return _grid((30, 88, 388), n_sets // 5)


def _grid(sizes, n_sets: int) -> list[dict]:
    return [
        {"n": n, "prevalence": p, "auc": a, "ties": False, "sets": n_sets}
        for n in sizes for p in (0.1, 0.3, 0.5) for a in (0.6, 0.8, 0.95)
    ]  # fmt: skip


def analytic(cell: dict, rng: np.random.Generator) -> dict:
    """Partial area, average precision, Brier score, calibration, net benefit, a mean share of heat-map energy."""
    mu, n = separation(cell["auc"], ties=False), cell["n"]
    sizes = classes(cell)
    labels = np.repeat([1, 0], sizes)
    share = sizes[0] / n
    kept = Kept()
    for _ in range(cell["sets"]):
        score = mu * labels + rng.standard_normal(n)
        for method in ("delong", "delong-logit"):
            kept.interval(f"partial AUC, {method}", stats.partial_auc_ci(labels, score, method=method))
        kept.interval("average precision, logit", stats.average_precision_ci(labels, score))
        _calibration(kept, cell, mu, rng)
        energy = rng.beta(2.0, 5.0, n)
        kept.interval("mean energy in the mask, t", stats.mean_ci(energy))
        other = np.clip(energy + 0.1 * rng.standard_normal(n), 0.0, 1.0)
        swapped = rng.random(n) < 0.5
        a, b = np.where(swapped, other, energy), np.where(swapped, energy, other)
        found = stats.paired_mean_test(a, b, n_permutations=499, rng=rng)
        kept.test("paired energies, sign-flip", found.p_value)
        kept.interval("difference of paired energies", found)
    chance = cell["prevalence"]
    cut = [(logit(t) - logit(chance) + mu**2 / 2.0) / mu for t in AT]
    truths = {
        "partial AUC, delong": quad(lambda f: ndtr(mu + ndtri(f)), 0.0, 0.1)[0],
        "average precision, logit": quad(
            lambda x: share * norm.sf(x - mu) / (share * norm.sf(x - mu) + (1 - share) * norm.sf(x)) * norm.pdf(x - mu),
            mu - 9.0, mu + 9.0,
        )[0],
        "Brier score": _expected_brier(mu, chance),
        "calibration slope": 1.0, "calibration in the large": 0.0,
        "mean energy in the mask, t": 2.0 / 7.0, "difference of paired energies": 0.0,
    }  # fmt: skip
    truths["partial AUC, delong-logit"] = truths["partial AUC, delong"]
    for t, c in zip(AT, cut, strict=True):
        truths[f"net benefit at {t:g}"] = float(
            chance * norm.sf(c - mu) - (1 - chance) * norm.sf(c) * t / (1 - t)
        )
    return kept.summary(truths)


def _calibration(kept: Kept, cell: dict, mu: float, rng: np.random.Generator) -> None:
    """Labels are drawn, so that their number varies; a set with fewer than two of a class is drawn anew."""
    n, prevalence = cell["n"], cell["prevalence"]
    while True:
        labels = (rng.random(n) < prevalence).astype(int)
        if 2 <= labels.sum() <= n - 2:
            break
    score = mu * labels + rng.standard_normal(n)
    chance = expit(mu * score - mu**2 / 2.0 + logit(prevalence))
    kept.interval("Brier score", stats.brier_score(labels, chance))
    kept.test("Spiegelhalter's z", stats.spiegelhalter_test(labels, chance).p_value)
    try:
        found = stats.logistic_recalibration(labels, chance)
    except BiomarkError:
        # Classes apart: there is no finite slope.
        kept.undefined("calibration slope")
    else:
        kept.interval("calibration slope", found.slope)
        kept.interval("calibration in the large", found.intercept)
        kept.test("calibration, intercept and slope", found.p_value)
    benefit = stats.net_benefit(labels, chance, AT)
    for at, threshold in enumerate(AT):
        kept.bounds(f"net benefit at {threshold:g}", benefit.ci_low[at], benefit.ci_high[at])


def resampled(cell: dict, rng: np.random.Generator) -> dict:
    """Cut-offs and what they yield, macro AUC, a band of the curve, an embedding's p; 500 replicates each."""
    mu, n = separation(cell["auc"], ties=False), cell["n"]
    labels = np.repeat([1, 0], classes(cell))
    kept = Kept()
    held = {"sensitivity of the chosen cut-off": [], "specificity of the chosen cut-off": []}
    within = {"ROC band, pointwise, at specificity 0.8": [], "ROC band, simultaneous": []}
    for _ in range(cell["sets"]):
        score = mu * labels + rng.standard_normal(n)
        chosen = stats.cutoff_ci(labels, score, n_boot=REPLICATES, rng=rng)
        kept.interval("Youden cut-off", chosen.threshold)
        at = chosen.threshold.value
        for name, true in (("sensitivity", norm.sf(at - mu)), ("specificity", ndtr(at))):
            estimate = getattr(chosen, name)
            held[f"{name} of the chosen cut-off"].append(estimate.ci_low <= true <= estimate.ci_high)
        three = np.tile(labels[:, None], 3)
        scores = mu * three + rng.standard_normal((n, 3))
        found = stats.multilabel_ci(three, scores, [0.5] * 3, n_boot=REPLICATES, rng=rng)
        kept.interval("macro AUC, percentile", found.macro_auc)
        band = stats.roc_band(labels, score, n_boot=REPLICATES, points=21, rng=rng)
        true = ndtr(mu + ndtri(1.0 - band.specificity))
        inside = (band.ci_low - 1e-12 <= true) & (true <= band.ci_high + 1e-12)
        within["ROC band, pointwise, at specificity 0.8"].append(inside[4])
        whole = stats.roc_band(labels, score, method="simultaneous", points=21)
        within["ROC band, simultaneous"].append(
            ((whole.ci_low - 1e-12 <= true) & (true <= whole.ci_high + 1e-12)).all()
        )
        # Features that know nothing of the label.
        p_value = stats.embedding_separation(
            rng.standard_normal((n, 2)), labels, n_permutations=99, rng=rng, k=min(10, min(classes(cell)))
        ).silhouette_p_value if n <= 88 else np.nan  # fmt: skip
        if not np.isnan(p_value):
            kept.test("separation of an embedding, permutation", p_value)
    shares = {name: {"coverage": round(float(np.mean(v)), 5)} for name, v in (held | within).items()}
    return kept.summary({"Youden cut-off": mu / 2.0, "macro AUC, percentile": cell["auc"]}) | shares


def _expected_brier(mu: float, prevalence: float) -> float:
    def density(x: float) -> float:
        chance = expit(mu * x - mu**2 / 2.0 + logit(prevalence))
        return chance * (1 - chance) * (prevalence * norm.pdf(x - mu) + (1 - prevalence) * norm.pdf(x))

    return float(quad(density, -9.0, mu + 9.0)[0])


class Kept:
    """Intervals and p-values of the data sets, by name."""

    def __init__(self) -> None:
        self._bounds: dict[str, list] = {}
        self._p_values: dict[str, list] = {}

    def interval(self, name: str, found) -> None:
        self.bounds(name, found.ci_low, found.ci_high)

    def bounds(self, name: str, low: float, high: float) -> None:
        self._bounds.setdefault(name, []).append((low, high))

    def undefined(self, name: str) -> None:
        self.bounds(name, np.nan, np.nan)

    def test(self, name: str, p_value: float) -> None:
        self._p_values.setdefault(name, []).append(p_value)

    def summary(self, truths: dict[str, float]) -> dict:
        """Coverage among the defined, and the share of those without an interval; level of the tests."""
        found = {}
        for name, pairs in self._bounds.items():
            low, high = np.array(pairs, dtype=float).T
            defined = np.isfinite(low) & np.isfinite(high)
            if defined.any():
                found[name] = coverage((low[defined], high[defined]), truths[name])
            found.setdefault(name, {})["undefined"] = round(1.0 - float(defined.mean()), 5)
        for name, values in self._p_values.items():
            p = np.array(values, dtype=float)
            found[name] = {
                "level": round(float((np.nan_to_num(p, nan=1.0) <= LEVEL).mean()), 5),
                "undefined": round(float(np.isnan(p).mean()), 5),
            }
        return found
