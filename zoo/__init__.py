"""Networks, and the road from volumes to a predictions file. Needs the extra ``biomark[zoo]``.

The names below load what they need on first use: the readers need no torch, the networks no SimpleITK.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .augmentation import Augmentation, augment
    from .cohort import Cohort, read_cohort
    from .crop import Box
    from .lesion_size import largest_diameter_mm
    from .preprocessing import Preprocessed, Preprocessing, preprocess
    from .preprocessing_cache import CachedCohort, cache_cohort
    from .volume import Volume, read_mask, read_volume

__all__ = [
    "Augmentation",
    "Box",
    "CachedCohort",
    "Cohort",
    "Preprocessed",
    "Preprocessing",
    "Volume",
    "augment",
    "cache_cohort",
    "largest_diameter_mm",
    "preprocess",
    "read_cohort",
    "read_mask",
    "read_volume",
]

_HOME = {
    "Augmentation": "augmentation",
    "Box": "crop",
    "CachedCohort": "preprocessing_cache",
    "Cohort": "cohort",
    "Preprocessed": "preprocessing",
    "Preprocessing": "preprocessing",
    "Volume": "volume",
    "augment": "augmentation",
    "cache_cohort": "preprocessing_cache",
    "largest_diameter_mm": "lesion_size",
    "preprocess": "preprocessing",
    "read_cohort": "cohort",
    "read_mask": "volume",
    "read_volume": "volume",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module 'biomark.zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
