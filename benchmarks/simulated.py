"""Simulated data for the benchmarks: 34% positive, scores without ties."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np


def two_models(n: int, seed: int = 1):
    """Labels and the scores of two correlated models."""
    rng = np.random.default_rng([seed, n])
    labels = np.zeros(n, dtype=np.int64)
    labels[: round(0.34 * n)] = 1
    rng.shuffle(labels)
    shared = rng.standard_normal(n)
    return (
        labels,
        labels + 0.7 * shared + rng.standard_normal(n),
        0.8 * labels + 0.7 * shared + rng.standard_normal(n),
    )


def three_labels(n: int, seed: int = 2):
    """Labels and probabilities of shape (n, 3)."""
    rng = np.random.default_rng([seed, n])
    labels = (rng.random((n, 3)) < [0.7, 0.65, 0.35]).astype(np.int64)
    return labels, 1.0 / (1.0 + np.exp(0.5 - labels - rng.standard_normal((n, 3))))


def absent(package: str) -> str | None:
    """Why a rival is skipped, if it is."""
    return None if find_spec(package) else f"{package} is not installed"
