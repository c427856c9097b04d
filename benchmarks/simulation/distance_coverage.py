"""Coverage of the bootstrap intervals of the distances of calibration: ICI, E50, E90, Emax, ECE.

The predictions are too extreme: the logit of the true probability, stretched; by 1 they are true, and each distance
is 0.
"""

from __future__ import annotations

import numpy as np
from binormal import separation
from biomark.stats.bootstrap import bootstrap_interval
from biomark.stats.calibration import DISTANCES, distance_replicates
from kept import Kept
from scipy.special import expit, logit
from scipy.stats import norm

SIZES, AUCS, STRETCHES = (88, 388), (0.8,), (1.0, 1.3, 2.0)
PREVALENCE, REPLICATES, BINS = 0.3, 200, 10
KINDS = ("basic", "percentile")


def cells(n_sets: int) -> list[dict]:
    return [
        {"n": n, "prevalence": PREVALENCE, "auc": a, "stretch": stretch, "sets": n_sets}
        for n in SIZES for a in AUCS for stretch in STRETCHES
    ]  # fmt: skip


def intervals(cell: dict, rng: np.random.Generator) -> dict:
    """Labels are drawn, so that their number varies."""
    mu = separation(cell["auc"], ties=False)
    kept = Kept()
    for _ in range(cell["sets"]):
        labels = np.zeros(cell["n"], dtype=bool)
        while min(labels.sum(), (~labels).sum()) < 2:
            labels = rng.random(cell["n"]) < PREVALENCE
        score = mu * labels + rng.standard_normal(cell["n"])
        said = expit(cell["stretch"] * _linear(score, mu))
        found, replicates = distance_replicates(labels, said, n_bins=BINS, n_boot=REPLICATES, rng=rng)
        for k, name in enumerate(DISTANCES):
            for kind in KINDS:
                bounds = bootstrap_interval(replicates[:, k], kind=kind, estimate=found[k])
                kept.bounds(_worded(name, kind), *np.maximum(bounds, 0.0))
    return kept.summary(
        {_worded(name, kind): value for name, value in truths(cell).items() for kind in KINDS}
    )


def truths(cell: dict) -> dict[str, float]:
    """The same of all patients there could be, on a fine grid of scores."""
    mu = separation(cell["auc"], ties=False)
    score = np.linspace(-9.0, mu + 9.0, 400_001)
    weight = PREVALENCE * norm.pdf(score - mu) + (1.0 - PREVALENCE) * norm.pdf(score)
    weight /= weight.sum()
    linear = _linear(score, mu)
    said = expit(cell["stretch"] * linear)
    excess = expit(linear) - said
    away = np.abs(excess)
    order = np.argsort(away)
    below = np.cumsum(weight[order])
    e50, e90 = (float(away[order][np.searchsorted(below, share)]) for share in (0.5, 0.9))
    widths = np.minimum((said * BINS).astype(int), BINS - 1)
    masses = np.minimum((np.cumsum(weight) * BINS).astype(int), BINS - 1)
    ece, adaptive = (float(np.abs(np.bincount(b, weights=weight * excess)).sum()) for b in (widths, masses))
    found = (float(weight @ away), e50, e90, float(away.max()), ece, adaptive)
    return dict(zip(DISTANCES, found, strict=True))


def _linear(score, mu: float):
    return mu * score - mu**2 / 2.0 + logit(PREVALENCE)


def _worded(name: str, kind: str) -> str:
    word = {"ici": "ICI", "ece": "ECE", "ece_adaptive": "ECE of adaptive bins"}.get(name, name.capitalize())
    return f"{word}, bootstrap-{kind}"
