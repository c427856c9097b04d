"""biomark: referee-proof statistics for imaging biomarkers, with the networks and explanations behind them.

The names below load what they need on first use, so that ``import biomark`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import stats as stats
    from . import viz as viz
    from . import zoo as zoo
    from .stats.evaluation import Evaluation, evaluate
    from .stats.predictions import Predictions, read_predictions

__version__ = "0.1.0"
__all__ = ["Evaluation", "Predictions", "__version__", "evaluate", "read_predictions", "stats", "viz", "zoo"]

_HOME = {
    "Evaluation": ".stats.evaluation",
    "Predictions": ".stats.predictions",
    "evaluate": ".stats.evaluation",
    "read_predictions": ".stats.predictions",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(_HOME[name], __name__), name)
    if name in ("stats", "viz", "zoo"):
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module 'biomark' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
