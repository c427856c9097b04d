"""From trained networks and a cohort to a predictions table, with segmentations where they are asked for."""

from __future__ import annotations

import io
import itertools
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from ..errors import BiomarkError, InputFileError
from ..stats.results import FloatArray, Result
from .checkpoint import write_whole
from .cohort import Cohort, read_cohort
from .crop import Box
from .exporting import load_script
from .inference import run_network
from .precision import choose_precision
from .preprocessing import Preprocessing, resampled
from .preprocessing_cache import CachedCohort, cache_cohort
from .process_group import Processes, device_of, process_group
from .run_folder import RunFolder, load_model
from .segmentation_scores import segmentation_score
from .training_data import VolumeData, volume_data
from .volume import read_mask, read_volume
from .volume_writing import write_volume

__all__ = ["PredictedCohort", "predict"]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class PredictedCohort(Result):
    """What `predict` found.

    Attributes
    ----------
    frame : pandas.DataFrame
        The tidy predictions table, one row per patient and label: what ``biomark report`` reads.
    segmentations : pandas.DataFrame
        One row per patient with a segmentation: ``patient_id, set, file, dice, hausdorff_mm, hausdorff95_mm,
        volume_mm3, reference_volume_mm3``, and ``origin`` where the patients are simulated; empty where none was asked
        for.
    features : array of shape (patients, F)
        Of the first network.
    patient_id : tuple of str
        The patients of ``features``, in the order of the cohort.
    """

    frame: pd.DataFrame = field(repr=False)
    segmentations: pd.DataFrame = field(repr=False)
    features: FloatArray = field(repr=False)
    patient_id: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Predictor:
    """A network, and what must be known to feed it."""

    name: str
    model: nn.Module
    labels: tuple[str, ...]
    task: str
    preprocessing: Preprocessing
    cache_dtype: str


def predict(
    cohort: str | os.PathLike[str] | Cohort,
    *,
    runs: Sequence[str | os.PathLike[str]] | str | os.PathLike[str] = (),
    torchscript: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    name: str | None = None,
    which: str = "best",
    flips: bool = False,
    segmentations: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    batch_size: int = 8,
    device: str = "auto",
    precision: str = "auto",
    progress: Progress | None = None,
) -> PredictedCohort:
    """Predict the labels of every patient of a cohort, whatever the set.

    Parameters
    ----------
    cohort : path or Cohort
    runs : path or sequence of paths
        Folders of runs. The probabilities of several (the folds of a cross-validation, say) are averaged; they must
        share labels and preprocessing.
    torchscript : path, optional
        A file of ``biomark export`` instead of runs.
    out : path, optional
        CSV file of the table, written whole or not at all.
    name : str, optional
        Of the model in the table; the run's task (single-task, multi-task) if not given.
    which : "best" or "last"
        Weights of the runs.
    flips : bool
        Average over mirror images (`biomark.zoo.inference.run_network`).
    segmentations : path, optional
        Folder for one NIfTI mask per patient on the grid of the patient's volume, and ``scores.csv``; multi-task only.
    cache : path, optional
        Folder of preprocessed volumes; ``cache`` beside the run's folder (the file's, for TorchScript) if not given.
    batch_size : int
    device, precision : str
        As in `biomark.zoo.TrainingConfig`.
    progress : function of (what, done, total), optional

    Returns
    -------
    PredictedCohort

    Raises
    ------
    BiomarkError
        For runs that do not fit each other or the cohort, or files that cannot be read or written.

    Notes
    -----
    ``y_score`` is the probability; a missing label stays empty. Rows without a set are of the set ``unassigned``.
    Where the crop is made around the mask, so it is here: patients without one are cropped around the breast.
    """
    with process_group(device) as processes:
        return _predict(
            cohort, runs, torchscript, out, name, which, flips, segmentations, cache, batch_size, device, precision,
            progress, processes,
        )  # fmt: skip


def _predict(
    cohort: str | os.PathLike[str] | Cohort,
    runs: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    torchscript: str | os.PathLike[str] | None,
    out: str | os.PathLike[str] | None,
    name: str | None,
    which: str,
    flips: bool,
    segmentations: str | os.PathLike[str] | None,
    cache: str | os.PathLike[str] | None,
    batch_size: int,
    device: str,
    precision: str,
    progress: Progress | None,
    processes: Processes,
) -> PredictedCohort:
    if out is not None and not Path(out).parent.is_dir():
        raise BiomarkError(f"{out}: cannot be written: there is no folder {Path(out).parent}")
    predictors = _predictors(runs, torchscript, which)
    first = predictors[0]
    if segmentations is not None and any(p.task != "multi-task" for p in predictors):
        raise BiomarkError("segmentations need networks of the task multi-task")
    table = cohort if isinstance(cohort, Cohort) else _labelled(cohort, first.labels)
    missing = [label for label in first.labels if label not in table.labels]
    if missing:
        raise BiomarkError(
            f"{table.name} has no column of the label {missing[0]!r} that the network predicts"
        )
    chosen = device_of(device, processes)

    def tell(what: str) -> Callable[[int, int], None]:
        return lambda done, total: progress(what, done, total) if progress is not None else None

    home = Path(cache) if cache is not None else _beside(runs, torchscript)
    cached = cache_cohort(
        table, home, first.preprocessing, dtype=first.cache_dtype, progress=tell("preprocessing"),
        processes=processes,
    )  # fmt: skip
    with processes.first_before_others():
        data = volume_data(cached).placed(chosen)
    rows = np.arange(len(data))
    probability: FloatArray = np.zeros((len(data), len(first.labels)))
    maps = None
    if segmentations is not None:
        maps = torch.zeros((len(data), *data.images.shape[2:]), dtype=torch.float16)
    features: FloatArray | None = None
    kind = choose_precision(precision, chosen)
    for at, predictor in enumerate(predictors):
        found = run_network(
            kind.placed(predictor.model, chosen),
            _for_labels(data, first.labels),
            rows,
            batch_size=batch_size,
            device=chosen,
            precision=kind,
            flips=flips,
            on_map=None if maps is None else _adder(maps, len(predictors)),
            processes=processes,
        )
        probability += found.probability / len(predictors)
        features = found.features if features is None else features
        tell("predicting")(at + 1, len(predictors))
    assert features is not None
    frame = _tidy(cached.cohort, first.labels, probability, name or first.name)
    scores = pd.DataFrame()
    if maps is not None and segmentations is not None:
        scores = _write_segmentations(
            cached, maps, Path(segmentations), tell("writing segmentations"), processes
        )
    if out is not None and processes.is_first:
        _write_csv(frame, Path(out))
    return PredictedCohort(frame, scores, features, data.patient_id)


def _predictors(
    runs: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    torchscript: str | os.PathLike[str] | None,
    which: str,
) -> list[_Predictor]:
    folders = [runs] if isinstance(runs, (str, os.PathLike)) else list(runs)
    if bool(folders) == (torchscript is not None):
        raise BiomarkError("name the folder of a run, or of several, or else one file of TorchScript")
    if which not in ("best", "last"):
        raise BiomarkError(f"which must be best or last, found {which!r}")
    if torchscript is not None:
        script, facts = load_script(torchscript)
        settings: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in facts["preprocessing"].items()
        }
        return [
            _Predictor(
                facts["task"],
                script,
                tuple(facts["labels"]),
                facts["task"],
                Preprocessing(**settings),
                facts["cache_dtype"],
            )
        ]
    predictors = []
    for folder in folders:
        config = RunFolder(Path(folder)).read_config()
        predictors.append(
            _Predictor(
                config.task,
                load_model(Path(folder), which=which),
                config.labels,
                config.task,
                config.preprocessing,
                config.cache_dtype,
            )
        )
    for other, folder in zip(predictors[1:], folders[1:], strict=True):
        for what in ("labels", "preprocessing", "cache_dtype"):
            mine, theirs = getattr(predictors[0], what), getattr(other, what)
            if mine != theirs:
                raise BiomarkError(
                    f"{folder} cannot be averaged with {folders[0]}: its {what} is {theirs}, not {mine}"
                )
    return predictors


def _labelled(path: str | os.PathLike[str], labels: tuple[str, ...]) -> Cohort:
    """Read a cohort with the usual labels if the network's are among them, else with the network's."""
    try:
        cohort = read_cohort(path)
    except InputFileError:
        return read_cohort(path, labels=labels)
    return cohort if set(labels) <= set(cohort.labels) else read_cohort(path, labels=labels)


def _for_labels(data: VolumeData, labels: tuple[str, ...]) -> VolumeData:
    at = [data.labels.index(label) for label in labels]
    return replace(data, labels=labels, y_true=data.y_true[:, at])


def _beside(
    runs: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    torchscript: str | os.PathLike[str] | None,
) -> Path:
    if torchscript is not None:
        return Path(torchscript).parent / "cache"
    first = runs if isinstance(runs, (str, os.PathLike)) else next(iter(runs))
    return Path(first).parent / "cache"


def _adder(maps: torch.Tensor, n: int) -> Callable[[int, torch.Tensor], None]:
    def add(row: int, segmentation: torch.Tensor) -> None:
        maps[row] += (segmentation / n).to(maps.dtype)

    return add


def _tidy(cohort: Cohort, labels: tuple[str, ...], probability: FloatArray, name: str) -> pd.DataFrame:
    """One row per patient and label, patients in the order of the cohort; what the cohort knows is carried."""
    frame = cohort.frame
    known = {
        column: frame[column]
        for column in ("size_mm", "cluster_id", "fold", *cohort.baseline)
        if column in frame
    }
    known = {
        column: values
        for column, values in known.items()
        if column not in ("model", "label", "y_true", "y_score")
    }
    parts = []
    for i, label in enumerate(labels):
        columns: dict[str, Any] = {"patient_id": frame["patient_id"]}
        if cohort.sets:
            columns["set"] = frame["set"].fillna("unassigned")
        columns |= {"model": name, "label": label}
        columns["y_true"] = frame[label].astype("Int64")
        columns["y_score"] = probability[:, i]
        parts.append(pd.DataFrame(columns | known))
    tidy = pd.concat(parts)
    return tidy.sort_index(kind="stable").reset_index(drop=True)


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    text = io.StringIO()
    frame.to_csv(text, index=False, lineterminator="\n")
    write_whole(path, lambda handle: handle.write(text.getvalue().encode()))


def _write_segmentations(
    cached: CachedCohort,
    maps: torch.Tensor,
    folder: Path,
    tell: Callable[[int, int], None],
    processes: Processes,
) -> pd.DataFrame:
    """Put each map back on the grid of its volume, cut it at one half, write and score it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BiomarkError(f"{folder}: the folder cannot be made: {error.strerror}") from None
    cohort = cached.cohort
    files = _file_names([str(patient) for patient in cohort.patient_id])
    rows: list[dict[str, Any]] = []
    mine = processes.share(np.arange(len(cohort))).tolist()
    for row in mine:
        volume = read_volume(cohort.image_path(row))
        lesion = _on_grid(maps[row].float().numpy(), cached.geometry(row)["box"], volume.array.shape) >= 0.5
        note = "predicted by a network" + (" from a SIMULATED volume" if cohort.simulated else "")
        write_volume(folder / files[row], volume, lesion, note=note)
        held: dict[str, Any] = {"patient_id": cohort.patient_id[row], "set": cohort.frame["set"].iloc[row]}
        held["file"] = files[row]
        path = cohort.mask_path(row)
        if path is not None:
            held |= segmentation_score(lesion, read_mask(path, volume), volume.spacing).to_dict()
        if cohort.simulated:
            held["origin"] = "simulated"
        rows.append(held)
        tell(len(rows), len(mine))
    scores = pd.DataFrame([held for part in processes.gathered(rows) for held in part])
    if processes.is_first:
        _write_csv(scores, folder / "scores.csv")
    return scores


def _on_grid(cube: FloatArray, box: list[list[float]], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Resample a cube to the grid of the volume that its box was cut from; 0 outside the box."""
    sides = []
    for (start, stop), n, m in zip(box, shape, cube.shape, strict=True):
        factor = (stop - start) / m
        sides.append((-start / factor, (n - start) / factor))
    d, h, w = shape
    return resampled(cube.astype(np.float32), Box(*sides), (d, h, w))[0]


def _file_names(patients: list[str]) -> list[str]:
    """Return one file name per patient, made of letters that every file system takes; numbered where two are alike."""
    taken: set[str] = set()
    names = []
    for patient in patients:
        safe = re.sub(r"[^A-Za-z0-9._-]+", "_", patient).strip(".") or "patient"
        tries = (safe if count == 1 else f"{safe}-{count}" for count in itertools.count(1))
        name = next(name for name in tries if name.lower() not in taken)
        taken.add(name.lower())
        names.append(f"{name}.nii.gz")
    return names
