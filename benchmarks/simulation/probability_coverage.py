"""Coverage and level of what is said of probabilities: Brier score, calibration, net benefit.

Probabilities follow from the scores by Bayes' rule, so that they are calibrated. Labels are drawn, so that their
number varies from set to set; a set with fewer than two of a class is drawn anew.
"""

from __future__ import annotations

import numpy as np
from auc_interval_coverage import PREVALENCES, SIZES
from binormal import EDGES, grid, rating_chances, separation
from biomark import stats
from biomark.stats.brier import scaled_brier_of
from scipy.integrate import quad
from scipy.special import chdtrc, expit, logit, ndtr
from scipy.stats import norm
from vectorised import LEVEL, Z, coverage

AUCS = (0.6, 0.8, 0.95, 0.98)
AT = (0.1, 0.3)
SLOPE, LARGE, BESIDE = (
    "calibration slope",
    "calibration in the large",
    "calibration intercept beside the slope",
)


def cells(n_sets: int) -> list[dict]:
    return grid(SIZES, PREVALENCES, AUCS, n_sets)


def intervals(cell: dict, rng: np.random.Generator) -> dict:
    kept: dict[str, list] = {}
    p_values: dict[str, list] = {}
    chunk = max(1, 60_000 // cell["n"])
    for start in range(0, cell["sets"], chunk):
        labels, linear = drawn(cell, rng, min(chunk, cell["sets"] - start))
        bounds, tests = evaluated(labels, linear)
        if start == 0:
            _check(labels, linear, bounds, tests)
        for into, parts in ((kept, bounds), (p_values, tests)):
            for name, values in parts.items():
                into.setdefault(name, []).append(values)
    found = {}
    for name, truth in truths(cell).items():
        low, high = np.concatenate(kept[name], axis=1)
        defined = ~np.isnan(low)
        found[name] = coverage((low[defined], high[defined]), truth) if defined.any() else {}
        found[name]["undefined"] = round(1.0 - float(defined.mean()), 5)
    for name, parts in p_values.items():
        values = np.concatenate(parts)
        rejected = np.nan_to_num(values, nan=1.0) <= LEVEL
        found[name] = {
            "level": round(float(rejected.mean()), 5),
            "undefined": round(float(np.isnan(values).mean()), 5),
        }
    return found


def drawn(cell: dict, rng: np.random.Generator, n_sets: int):
    """Labels and the logits of the true probabilities, arrays of shape (n_sets, n)."""
    n, prevalence = cell["n"], cell["prevalence"]
    labels = rng.random((n_sets, n)) < prevalence
    while (poor := (labels.sum(axis=1) < 2) | (labels.sum(axis=1) > n - 2)).any():
        labels[poor] = rng.random((int(poor.sum()), n)) < prevalence
    mu = separation(cell["auc"], ties=cell["ties"])
    score = mu * labels + rng.standard_normal((n_sets, n))
    if not cell["ties"]:
        return labels, mu * score - mu**2 / 2.0 + logit(prevalence)
    of_pos, of_neg = rating_chances(mu)
    return labels, (np.log(of_pos / of_neg) + logit(prevalence))[np.digitize(score, mu / 2.0 + EDGES)]


def evaluated(labels, linear):
    """Bounds, of shape (2, sets), NaN where undefined, and p-values, of shape (sets,), by name."""
    n = labels.shape[1]
    chance = expit(linear)
    terms = np.square(chance - labels)
    brier = terms.mean(axis=1)
    bounds = {"Brier score": np.clip(_wald(brier, terms.std(axis=1, ddof=1) / np.sqrt(n)), 0.0, 1.0)}
    share = labels.mean(axis=1)
    worst = share * (1.0 - share)
    influence = (
        brier * (1.0 - 2.0 * share) / worst**2
    )[:, None] * labels - terms / worst[:, None]  # fmt: skip
    scaled = _wald(1.0 - brier / worst, influence.std(axis=1, ddof=1) / np.sqrt(n))
    bounds["scaled Brier score"] = np.minimum(scaled, 1.0)
    slant = 1.0 - 2.0 * chance
    z = ((labels - chance) * slant).sum(axis=1) / np.sqrt((slant**2 * chance * (1.0 - chance)).sum(axis=1))
    tests = {"Spiegelhalter's z": 2.0 * ndtr(-np.abs(z))}
    large, error, _ = _newton(labels, linear, slope=False)
    bounds[LARGE] = _wald(large[:, 0], error[:, 0])
    finite = ~_separated(labels, linear)
    for name in (SLOPE, BESIDE):
        bounds[name] = np.full((2, finite.size), np.nan)
    tests["calibration, intercept and slope"] = np.full(finite.size, np.nan)
    if finite.any():
        fit, errors, deviance = _newton(labels[finite], linear[finite], slope=True)
        for at, name in enumerate((BESIDE, SLOPE)):
            bounds[name][:, finite] = _wald(fit[:, at], errors[:, at])
        gained = np.maximum(_deviance(linear[finite], labels[finite]) - deviance, 0.0)
        tests["calibration, intercept and slope"][finite] = chdtrc(2.0, gained)
    for threshold in AT:
        weight = threshold / (1.0 - threshold)
        called = chance >= threshold
        tp, fp = ((called & of).sum(axis=1) for of in (labels, ~labels))
        value = (tp - weight * fp) / n
        squares = np.maximum(tp + weight**2 * fp - n * value**2, 0.0)
        bounds[f"net benefit at {threshold:g}"] = _wald(value, np.sqrt(squares / (n - 1.0) / n))
    return bounds, tests


def truths(cell: dict) -> dict[str, float]:
    """What the intervals should hold."""
    prevalence = cell["prevalence"]
    mu = separation(cell["auc"], ties=cell["ties"])
    if cell["ties"]:
        of_pos, of_neg = rating_chances(mu)
        mass = prevalence * of_pos + (1.0 - prevalence) * of_neg
        chance = prevalence * of_pos / mass
        brier = float(mass @ (chance * (1.0 - chance)))
        called = {at: (float(of_pos[chance >= at].sum()), float(of_neg[chance >= at].sum())) for at in AT}
    else:
        brier = expected_brier(mu, prevalence)
        cut = {at: (logit(at) - logit(prevalence) + mu**2 / 2.0) / mu for at in AT}
        called = {at: (float(norm.sf(c - mu)), float(norm.sf(c))) for at, c in cut.items()}
    found = {
        "Brier score": brier,
        "scaled Brier score": 1.0 - brier / (prevalence * (1.0 - prevalence)),
        SLOPE: 1.0, LARGE: 0.0, BESIDE: 0.0,
    }  # fmt: skip
    for at, (of_positives, of_negatives) in called.items():
        harm = (1.0 - prevalence) * of_negatives * at / (1.0 - at)
        found[f"net benefit at {at:g}"] = prevalence * of_positives - harm
    return found


def expected_brier(mu: float, prevalence: float) -> float:
    def density(x: float) -> float:
        chance = expit(mu * x - mu**2 / 2.0 + logit(prevalence))
        return float(chance * (1 - chance) * (prevalence * norm.pdf(x - mu) + (1 - prevalence) * norm.pdf(x)))

    return float(quad(density, -9.0, mu + 9.0)[0])


def _wald(value, se):
    return np.stack([value - Z * se, value + Z * se])


def _deviance(linear, labels):
    return 2.0 * (np.logaddexp(0.0, linear) - labels * linear).sum(axis=1)


def _separated(labels, x):
    """Rows in which one distinct value is all there is, or the classes do not overlap."""
    pos_low, neg_low = (np.where(of, x, np.inf).min(axis=1) for of in (labels, ~labels))
    pos_high, neg_high = (np.where(of, x, -np.inf).max(axis=1) for of in (labels, ~labels))
    return (x.min(axis=1) == x.max(axis=1)) | (neg_high <= pos_low) | (pos_high <= neg_low)


def _newton(labels, x, *, slope: bool):
    """Logistic fits of rows at once: intercept (slope held at 1) or both; coefficients, errors and deviance.

    The start is the truth, 0 and 1; a long step that does not improve the likelihood of a row is halved there.
    """
    beta = np.tile([0.0, 1.0], (x.shape[0], 1))
    open_rows = np.arange(x.shape[0])
    for _ in range(60):
        y, z, b = (
            values if open_rows.size == x.shape[0] else values[open_rows] for values in (labels, x, beta)
        )
        step = _solved(y, z, b, slope=slope)[0]
        _shortened(step, y, z, b)
        beta[open_rows] = b + step
        open_rows = open_rows[(np.abs(step) > 1e-7 * (1.0 + np.abs(beta[open_rows]))).any(axis=1)]
        if open_rows.size == 0:
            break
    return beta, _solved(labels, x, beta, slope=slope)[1], _deviance(*_at(beta, x, labels))


def _shortened(step, labels, x, beta) -> None:
    """Halve long steps until they improve the likelihood; short ones near the maximum always do."""
    long = np.flatnonzero(np.abs(step).max(axis=1) > 0.5)
    before = _deviance(*_at(beta[long], x[long], labels[long]))
    while long.size:
        after = _deviance(*_at((beta + step)[long], x[long], labels[long]))
        worse = after > before * (1.0 + 1e-10)
        long, before = long[worse], before[worse]
        step[long] /= 2.0


def _at(beta, x, labels):
    return beta[:, :1] + beta[:, 1:] * x, labels


def _solved(labels, x, beta, *, slope: bool):
    """Newton's step and the standard errors at ``beta``, both of shape (rows, 2)."""
    fitted = expit(beta[:, :1] + beta[:, 1:] * x)
    weight, off = fitted * (1.0 - fitted), labels - fitted
    w0, g0 = weight.sum(axis=1), off.sum(axis=1)
    if not slope:
        nothing = np.zeros_like(w0)
        return np.stack([g0 / w0, nothing], axis=1), np.stack([1.0 / np.sqrt(w0), nothing], axis=1)
    # Around the weighted mean, so that the information has no cancellation in its determinant.
    centre = (weight * x).sum(axis=1) / w0
    moved = x - centre[:, None]
    w2, g1 = (weight * moved**2).sum(axis=1), (off * moved).sum(axis=1)
    rise = g1 / w2
    step = np.stack([g0 / w0 - rise * centre, rise], axis=1)
    return step, np.sqrt(np.stack([1.0 / w0 + centre**2 / w2, 1.0 / w2], axis=1))


def _check(labels, linear, bounds, tests) -> None:
    """Hold the first data sets against the package."""
    for at in range(min(10, labels.shape[0])):
        y, chance = labels[at].astype(int), expit(linear[at])
        fitted = stats.logistic_recalibration(y, chance)
        benefit = stats.net_benefit(y, chance, AT)
        found = {
            "Brier score": stats.brier_score(y, chance),
            "scaled Brier score": scaled_brier_of(y == 1, chance, None, 0.95),
            SLOPE: fitted.slope, LARGE: fitted.intercept, BESIDE: fitted.intercept_beside_slope,
        }  # fmt: skip
        pairs = {name: (one.ci_low, one.ci_high) for name, one in found.items()}
        for k, threshold in enumerate(AT):
            pairs[f"net benefit at {threshold:g}"] = benefit.ci_low[k], benefit.ci_high[k]
        for name, pair in pairs.items():
            np.testing.assert_allclose(pair, bounds[name][:, at], rtol=1e-5, atol=1e-7, err_msg=name)
        expected = stats.spiegelhalter_test(y, chance).p_value, fitted.p_value
        np.testing.assert_allclose([p[at] for p in tests.values()], expected, rtol=1e-5, atol=1e-9)
