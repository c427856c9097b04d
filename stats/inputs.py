"""The checks that every function of ``stats`` applies to what it is given, in one place."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError, OneClassError
from .results import FloatArray

__all__ = [
    "binary_labels",
    "choice",
    "cluster_codes",
    "finite_scores",
    "fraction",
    "generator",
    "probabilities",
    "real_numbers",
    "whole_number",
]

Seed = int | np.random.Generator | None


def binary_labels(y_true: ArrayLike, *, name: str = "y_true", both: bool = True) -> NDArray[np.bool_]:
    """Return the labels as booleans of shape (n,), refusing anything but 0 and 1.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1 (or booleans)
    name : str
        What the message calls the array.
    both : bool
        Whether positives and negatives must both be present.

    Raises
    ------
    BiomarkError
        For another shape or another value than 0 and 1 (missing labels included).
    OneClassError
        Where ``both`` is asked and one class is absent.
    """
    _refuse_masked(y_true, name)
    array = np.asarray(y_true)
    if array.ndim != 1:
        raise BiomarkError(f"{name} must have one dimension, found shape {array.shape}")
    if array.dtype == np.bool_:
        positive = array
    else:
        try:
            number = array.astype(np.float64)
        except (TypeError, ValueError):
            raise BiomarkError(f"{name} must hold 0 and 1, found values of type {array.dtype}") from None
        positive = number == 1.0
        wrong = ~(positive | (number == 0.0))
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise BiomarkError(f"{name} must hold 0 and 1 only, found {array[at]!r} at position {at}")
    if both:
        n_pos = int(np.count_nonzero(positive))
        if n_pos == 0 or n_pos == positive.size:
            raise OneClassError(
                f"{name} must hold positives and negatives, found {n_pos} positives and "
                f"{positive.size - n_pos} negatives"
            )
    return positive


def finite_scores(y_score: ArrayLike, n: int, *, name: str = "y_score", of: str = "y_true") -> FloatArray:
    """Return the scores as float64 of shape (n,), refusing NaN, infinities and other lengths."""
    score = real_numbers(y_score, name=name)
    if score.ndim != 1 or score.size != n:
        raise BiomarkError(f"{name} must have shape ({n},) like {of}, found {score.shape}")
    finite = np.isfinite(score)
    if not finite.all():
        at = int(np.flatnonzero(~finite)[0])
        raise BiomarkError(f"{name} must be finite, found {score[at]} at position {at}")
    return score


def real_numbers(values: ArrayLike, *, name: str) -> FloatArray:
    """Return an array of any shape as float64, refusing what is no real number or would become another one.

    Raises
    ------
    BiomarkError
        For text, complex numbers, times, masked or missing values, and whole numbers so large that different ones
        would be equal.
    """
    _refuse_masked(values, name)
    try:
        array = np.asarray(values)
        if array.dtype.kind in "cmM":
            raise BiomarkError(f"{name} must hold numbers, found values of type {array.dtype}")
        number = array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        if isinstance(error, BiomarkError):
            raise
        raise BiomarkError(f"{name} must hold numbers") from None
    if array.dtype.kind in "iu" and array.size and max(int(array.max()), -int(array.min())) > 2**53:
        if np.unique(array).size != np.unique(number).size:
            raise BiomarkError(
                f"{name} holds whole numbers beyond 2**53 that no floating-point number tells apart; give ranks"
            )
    return number


def _refuse_masked(values: ArrayLike, name: str) -> None:
    several: list[object] = [values]
    if isinstance(values, (list, tuple)) and len(values) > 0 and isinstance(values[0], np.ndarray):
        several = list(values)
    if any(np.ma.is_masked(each) for each in several):
        raise BiomarkError(f"{name} holds masked or missing values; leave their patients out")


def probabilities(y_prob: ArrayLike, n: int, *, name: str = "y_prob") -> FloatArray:
    """Return ``y_prob`` as float64 of shape (n,), refusing values outside [0, 1]."""
    prob = finite_scores(y_prob, n, name=name)
    outside = (prob < 0.0) | (prob > 1.0)
    if outside.any():
        at = int(np.flatnonzero(outside)[0])
        raise BiomarkError(f"{name} must lie in [0, 1], found {prob[at]:g} at position {at}")
    return prob


def fraction(value: float, *, name: str) -> float:
    """Return ``value`` as a float strictly between 0 and 1 (a confidence, a power, a prevalence)."""
    if not 0.0 < value < 1.0:
        raise BiomarkError(f"{name} must lie strictly between 0 and 1, found {value!r}")
    return float(value)


def whole_number(value: int, *, name: str, least: int = 1) -> int:
    """Return ``value`` as an int of at least ``least``."""
    if isinstance(value, bool) or int(value) != value or value < least:
        raise BiomarkError(f"{name} must be a whole number of at least {least}, found {value!r}")
    return int(value)


def choice(value: str, choices: tuple[str, ...], *, name: str) -> str:
    """Return ``value`` if it is one of ``choices``; the message lists them."""
    if value not in choices:
        raise BiomarkError(f"{name} must be one of {', '.join(choices)}; found {value!r}")
    return value


def cluster_codes(cluster: ArrayLike, n: int, *, name: str = "cluster") -> NDArray[np.intp]:
    """Return cluster identifiers of any type as codes 0..K-1 of shape (n,), in order of value."""
    array = np.asarray(cluster)
    if array.ndim != 1 or array.size != n:
        raise BiomarkError(f"{name} must have shape ({n},), found {array.shape}")
    _refuse_masked(cluster, name)
    # A missing identifier is equal to no other, and would join all patients without one.
    missing = pd.isna(array)
    if missing.any():
        raise BiomarkError(
            f"{name} must not be missing, found {array[missing][0]!r} at position {missing.argmax()}"
        )
    try:
        return np.unique(array, return_inverse=True)[1].astype(np.intp)
    except TypeError:
        raise BiomarkError(f"{name} must hold identifiers of one kind, numbers or text") from None


def generator(rng: Seed) -> np.random.Generator:
    """Return a generator from a seed, a generator (used as it is) or ``None`` (fresh entropy)."""
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is not None and (isinstance(rng, bool) or int(rng) != rng or rng < 0):
        raise BiomarkError(f"rng must be a seed of 0 or more or a numpy.random.Generator, found {rng!r}")
    return np.random.default_rng(rng)
