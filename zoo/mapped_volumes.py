"""Preprocessed volumes of a cohort in two files that are mapped into memory: for cohorts larger than the machine's.

The operating system reads the pages that a batch touches and forgets those that were not touched for long. A file is
the volumes one after the other, so a batch of n patients is n stretches to read.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BiomarkError
from ..stats.inputs import choice
from .preprocessing_cache import CachedCohort

__all__ = ["STORAGES", "available_memory", "mapped_arrays", "stored_arrays"]

STORAGES = ("auto", "memory", "mapped")
# Of the memory that is free, what volumes may take before they are mapped instead.
_SHARE = 0.5


def stored_arrays(
    cached: CachedCohort, rows: NDArray[np.intp], storage: str = "auto"
) -> tuple[NDArray[Any], NDArray[np.uint8], NDArray[np.bool_]]:
    """Return images, masks and whether there is a mask, as `CachedCohort.arrays`, in memory or mapped.

    Parameters
    ----------
    cached : CachedCohort
    rows : array of positions in the cohort
    storage : "auto", "memory" or "mapped"
        auto: mapped where the volumes would take more than half of the memory that is free.
    """
    choice(storage, STORAGES, name="storage")
    voxels = len(rows) * int(np.prod(cached.settings.shape))
    size = voxels * (np.dtype(cached.dtype).itemsize + 1)
    if storage == "memory" or (storage == "auto" and size <= _SHARE * available_memory()):
        return cached.arrays(rows)
    return mapped_arrays(cached, rows)


def mapped_arrays(
    cached: CachedCohort, rows: NDArray[np.intp]
) -> tuple[NDArray[Any], NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the arrays mapped from files beside the cached volumes, which are made where they are absent."""
    named = hashlib.sha256("".join(cached.keys[row] for row in rows.tolist()).encode()).hexdigest()[:40]
    shape = (len(rows), *cached.settings.shape)
    kinds = {"images": np.dtype(cached.dtype), "masks": np.dtype(np.uint8), "has_mask": np.dtype(bool)}
    shapes = {"images": shape, "masks": shape, "has_mask": shape[:1]}
    paths = {name: cached.folder / f"{named}.{name}" for name in kinds}
    sizes = {name: kinds[name].itemsize * int(np.prod(shapes[name])) for name in kinds}
    if not all(path.is_file() and path.stat().st_size == sizes[name] for name, path in paths.items()):
        _pack(cached, rows, paths)
    # Written to in memory alone: torch warns of arrays that cannot be.
    images, masks, has_mask = (
        np.memmap(paths[name], dtype=kinds[name], mode="c", shape=shapes[name]) for name in kinds
    )
    return images, masks, np.array(has_mask)


def available_memory() -> float:
    """Return the bytes of memory that can be had without swapping; infinite where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError, AttributeError):
        return float("inf")


def _pack(cached: CachedCohort, rows: NDArray[np.intp], paths: dict[str, Path]) -> None:
    parts = {name: path.with_name(f".{path.name}.{os.getpid()}.part") for name, path in paths.items()}
    try:
        with open(parts["images"], "wb") as images, open(parts["masks"], "wb") as masks:
            has_mask = []
            for row in rows.tolist():
                image, mask = cached.entry(row)
                images.write(image.tobytes())
                masks.write(bytes(image.size) if mask is None else mask.astype(np.uint8).tobytes())
                has_mask.append(mask is not None)
            parts["has_mask"].write_bytes(np.array(has_mask, dtype=bool).tobytes())
        for name, part in parts.items():
            os.replace(part, paths[name])
    except OSError as error:
        raise BiomarkError(f"{paths['images']}: cannot be written: {error.strerror or error}") from None
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
