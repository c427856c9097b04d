"""Preprocessed volumes on disk: made once per content and settings, in parallel, resumable, read back as arrays."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BiomarkError, InputFileError, Problem
from ..stats.inputs import choice, whole_number
from ..stats.results import FloatArray
from .cohort import Cohort
from .content_digest import content_digest, content_stamp
from .header_lock import HEADER_LOCK
from .lesion_size import largest_diameter_mm
from .preprocessing import Preprocessing, preprocess
from .process_group import ALONE, Processes
from .volume import read_mask, read_volume

__all__ = ["CachedCohort", "cache_cohort"]

DTYPES = ("uint8", "float16")
# Raised when a change of preprocessing makes old entries wrong.
_VERSION = 1

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class CachedCohort:
    """A cohort whose volumes are preprocessed; made by `cache_cohort`.

    Attributes
    ----------
    cohort : Cohort
        With sizes measured from the masks where the table had none.
    settings : Preprocessing
    dtype : "uint8" or "float16"
        How intensities of 0..1 are stored; uint8 in steps of 1/255.
    folder : Path
    keys : tuple of str
        Of each patient; digests of content and settings, so they change with either.
    n_made : int
        Entries made by this call; the others were there.
    """

    cohort: Cohort
    settings: Preprocessing
    dtype: str
    folder: Path
    keys: tuple[str, ...] = field(repr=False)
    n_made: int

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def digest(self) -> str:
        """Digest of all entries in their order and of the labels: what a training run saw."""
        digest = hashlib.sha256("".join(self.keys).encode())
        digest.update(np.ascontiguousarray(self.cohort.y_true).tobytes())
        return digest.hexdigest()

    def arrays(
        self, rows: NDArray[np.intp] | None = None
    ) -> tuple[NDArray[Any], NDArray[np.uint8], NDArray[np.bool_]]:
        """Return volumes as arrays, of all patients or of those at the given positions.

        Returns
        -------
        images : array of shape (n, D, H, W), ``dtype``
            Divide uint8 by 255 for 0..1.
        masks : array of shape (n, D, H, W), uint8, 0 or 1
            0 where the patient has no mask.
        has_mask : array of shape (n,), bool
        """
        chosen = np.arange(len(self)) if rows is None else np.asarray(rows)
        shape = (len(chosen), *self.settings.shape)
        images = np.empty(shape, dtype=self.dtype)
        masks = np.zeros(shape, dtype=np.uint8)
        has_mask = np.zeros(len(chosen), dtype=bool)
        for at, row in enumerate(chosen.tolist()):
            images[at], mask = self.entry(row)
            if mask is not None:
                masks[at], has_mask[at] = mask, True
        return images, masks, has_mask

    def entry(self, row: int) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
        """Return the image (``dtype``) and mask (uint8, or None) of one patient."""
        with np.load(_file(self.folder, self.keys[row]), allow_pickle=False) as held:
            return held["image"], held["mask"] if "mask" in held else None

    def geometry(self, row: int) -> dict[str, list[Any]]:
        """Return where one patient's cube lies.

        ``box`` (3, 2) in voxels of the volume, ``shape`` of the volume, ``spacing`` (dz, dy, dx) in mm of the cube.
        """
        with np.load(_file(self.folder, self.keys[row]), allow_pickle=False) as held:
            return {name: held[name].tolist() for name in ("box", "shape", "spacing")}


def cache_cohort(
    cohort: Cohort,
    folder: str | os.PathLike[str],
    settings: Preprocessing | None = None,
    *,
    dtype: str = "uint8",
    workers: int | None = None,
    progress: Progress | None = None,
    processes: Processes = ALONE,
) -> CachedCohort:
    """Preprocess every volume of a cohort, once per content and settings.

    Parameters
    ----------
    cohort : Cohort
    folder : str or path
        Made if need be. Several cohorts and settings may share one.
    settings : Preprocessing, optional
    dtype : "uint8" or "float16"
    workers : int, optional
        Threads; the number of processors, at most 8, if not given.
    progress : function of (done, total), optional
        Called from the calling thread after each patient.
    processes : Processes
        That share a folder: each makes the entries of its share of the patients.

    Returns
    -------
    CachedCohort

    Raises
    ------
    InputFileError
        With every patient whose volumes cannot be used; the others' entries are kept for the next call.

    Notes
    -----
    An entry is written under another name, synced and renamed, so it is complete or absent, and a call that was cut off
    goes on where it stopped. Entries are named by digests and hold numbers alone: no name, path or tag of a patient. A
    file is read again for its digest only if its size or time of change differ from the last call.
    """
    settings = Preprocessing() if settings is None else settings
    choice(dtype, DTYPES, name="dtype")
    count = min(os.cpu_count() or 1, 8) if workers is None else whole_number(workers, name="workers")
    home = Path(folder)
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BiomarkError(f"{home}: the folder cannot be made: {error.strerror}") from None
    memory = _DigestMemory(home / "digests.json")
    keys = [""] * len(cohort)
    sizes = cohort.size_mm.copy()
    problems: list[tuple[int, str]] = []
    n_made = 0
    mine = processes.share(np.arange(len(cohort))).tolist()
    pool = ThreadPoolExecutor(count)
    try:
        tasks = {pool.submit(_ensure, cohort, row, home, settings, dtype, memory): row for row in mine}
        for done, task in enumerate(as_completed(tasks), start=1):
            row = tasks[task]
            try:
                keys[row], made, size = task.result()
            except BiomarkError as error:
                problems.append((row, str(error)))
            else:
                n_made += made
                sizes[row] = size if np.isnan(sizes[row]) else sizes[row]
            if progress is not None:
                progress(done, len(mine))
    finally:
        pool.shutdown(cancel_futures=True)
        if not processes.several:
            memory.save()
    if processes.several:
        keys, sizes, problems, n_made = _together(processes, mine, keys, sizes, problems, n_made, memory)
    if problems:
        problems.sort()
        patients = cohort.patient_id
        raise InputFileError(
            cohort.name, [Problem(f"patient {patients[row]!r}: {text}") for row, text in problems]
        )
    measured = cohort.with_frame(cohort.frame.assign(size_mm=sizes))
    return CachedCohort(measured, settings, dtype, home, tuple(keys), n_made)


def _together(
    processes: Processes,
    mine: list[int],
    keys: list[str],
    sizes: FloatArray,
    problems: list[tuple[int, str]],
    n_made: int,
    memory: _DigestMemory,
) -> tuple[list[str], FloatArray, list[tuple[int, str]], int]:
    """Put together what each process found of its patients; the first one keeps the digests of all."""
    keys, sizes, problems_of_all, made = list(keys), sizes.copy(), [], 0
    held = (mine, [keys[row] for row in mine], sizes[mine], problems, n_made, memory.known)
    for rows, their_keys, their_sizes, their_problems, their_n, known in processes.gathered(held):
        for row, key, size in zip(rows, their_keys, their_sizes.tolist(), strict=True):
            keys[row], sizes[row] = key, size
        problems_of_all += their_problems
        made += their_n
        memory.known.update(known)
    if processes.is_first:
        memory.save()
    return keys, sizes, problems_of_all, made


def _ensure(
    cohort: Cohort, row: int, folder: Path, settings: Preprocessing, dtype: str, memory: _DigestMemory
) -> tuple[str, bool, float]:
    """Make one entry if it is not there; return its key, whether it was made, and the lesion's size in mm."""
    image, mask = cohort.image_path(row), cohort.mask_path(row)
    told = {
        "version": _VERSION,
        "image": memory.digest(image),
        "mask": None if mask is None else memory.digest(mask),
        "settings": settings.to_dict(),
        "dtype": dtype,
    }
    key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:40]
    path = _file(folder, key)
    size = _size_of(path)
    if size is not None:
        return key, False, size
    arrays = _made(image, mask, settings, dtype)
    _write(path, arrays)
    return key, True, float(arrays["size_mm"])


def _made(image: Path, mask: Path | None, settings: Preprocessing, dtype: str) -> dict[str, NDArray[Any]]:
    volume = read_volume(image)
    lesion = None if mask is None else read_mask(mask, volume)
    try:
        result = preprocess(
            volume,
            lesion,
            size=settings.size,
            crop=settings.crop,
            margin_mm=settings.margin_mm,
            isotropic=settings.isotropic,
            percentiles=settings.percentiles,
        )
    except InputFileError:
        raise
    except BiomarkError as error:
        raise BiomarkError(f"{image}: {error}") from None
    size: FloatArray = np.array(np.nan if lesion is None else largest_diameter_mm(lesion, volume.spacing))
    scaled = np.rint(result.image * 255) if dtype == "uint8" else result.image
    arrays: dict[str, NDArray[Any]] = {
        "image": scaled.astype(dtype),
        "box": np.array(result.box.sides()),
        "shape": np.array(volume.array.shape),
        "spacing": np.array(result.spacing),
        "size_mm": size,
    }
    if result.mask is not None:
        arrays["mask"] = result.mask.astype(np.uint8)
    return arrays


def _write(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        with open(part, "wb") as handle:
            np.savez(handle, **arrays)  # type: ignore[arg-type]
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(part, path)
    except OSError as error:
        raise BiomarkError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def _size_of(path: Path) -> float | None:
    """Return the size that an entry holds; None if there is no entry or it cannot be read."""
    try:
        # Opened here, because numpy leaves a file open that turns out to be no archive.
        with HEADER_LOCK, open(path, "rb") as handle, np.load(handle, allow_pickle=False) as held:
            return float(held["size_mm"]) if "image" in held else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _file(folder: Path, key: str) -> Path:
    return folder / f"{key}.npz"


class _DigestMemory:
    """Digests of files that were read before, by where they lie, their size and time of change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            held = {}
        self.known: dict[str, str] = held if isinstance(held, dict) else {}
        self.at_start = len(self.known)

    def digest(self, path: Path) -> str:
        stamp = content_stamp(path)
        with self.lock:
            known = self.known.get(stamp)
        if known is None:
            known = content_digest(path)
            with self.lock:
                self.known[stamp] = known
        return known

    def save(self) -> None:
        if len(self.known) == self.at_start:
            return
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            part.write_text(json.dumps(self.known), encoding="utf-8")
            os.replace(part, self.path)
        except OSError as error:
            raise BiomarkError(f"{self.path}: cannot be written: {error.strerror}") from None
        finally:
            part.unlink(missing_ok=True)
