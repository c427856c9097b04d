"""What a page says of data that were simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..stats.origin import says_simulated

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = ["SIMULATED_SENTENCE", "evaluation_is_simulated"]

SIMULATED_SENTENCE = "All patients were simulated. "
"""How Methods begin."""


def evaluation_is_simulated(evaluation: Evaluation) -> bool:
    """Return whether the predictions that were read say so."""
    return says_simulated(evaluation.provenance["input"].get("origin", ()))
