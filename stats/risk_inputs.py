"""The door of everything that judges predicted probabilities: outcomes beside probabilities, at least one patient."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .inputs import binary_labels, probabilities
from .results import FloatArray

__all__ = ["outcomes_and_risks"]


def outcomes_and_risks(
    y_true: ArrayLike, y_prob: ArrayLike, *, name: str = "y_prob"
) -> tuple[NDArray[np.bool_], FloatArray]:
    """Return outcomes (one class alone is allowed) and probabilities in [0, 1], both of shape (n,), n > 0.

    Raises
    ------
    BiomarkError
        For labels other than 0 and 1, probabilities outside [0, 1], or no patient.
    """
    positive = binary_labels(y_true, both=False)
    prob = probabilities(y_prob, positive.size, name=name)
    if positive.size == 0:
        raise BiomarkError("y_true must hold at least one patient, found none")
    return positive, prob
