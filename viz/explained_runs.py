"""Trained runs and a cohort, as the networks and preprocessed patients that explanations take."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import BiomarkError
from .explaining import ExplainedCase
from .lazy_volume import LazyVolume

if TYPE_CHECKING:
    from torch import nn

    from ..zoo.preprocessing_cache import CachedCohort

__all__ = ["RunsOnCohort", "read_runs"]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class RunsOnCohort:
    """What `read_runs` found.

    Attributes
    ----------
    models : dict of name to network, on the chosen device, in evaluation mode
    cached : CachedCohort
        All patients of the cohort.
    rows : array of positions in ``cached``
        The patients that were asked for.
    labels : tuple of str
        Those of all runs.
    set_name : str
        The set that is shown; empty where patients were named or the cohort has no sets.
    """

    models: dict[str, nn.Module]
    cached: CachedCohort
    rows: NDArray[np.intp]
    labels: tuple[str, ...]
    set_name: str

    @property
    def patient_id(self) -> tuple[str, ...]:
        """Names of the patients that were asked for."""
        names = self.cached.cohort.patient_id
        return tuple(str(names[row]) for row in self.rows)

    @property
    def simulated(self) -> bool:
        """Whether the cohort says that it was simulated."""
        return self.cached.cohort.simulated

    def y_true(self, label: str) -> NDArray[np.float64]:
        """Return a label of the patients that were asked for: 0, 1 or NaN."""
        cohort = self.cached.cohort
        return np.asarray(cohort.y_true[self.rows, cohort.labels.index(label)])

    def cases(self) -> list[ExplainedCase]:
        """Return the patients that were asked for, their images read when they are looked at."""
        names = self.patient_id
        made = []
        for at, row in enumerate(self.rows.tolist()):
            mask = self.cached.entry(row)[1]
            spacing = self.cached.geometry(row)["spacing"]
            truth = {label: float(self.y_true(label)[at]) for label in self.labels}
            image = LazyVolume(lambda row=row: _image(self.cached, row))  # type: ignore[misc]
            made.append(
                ExplainedCase(
                    names[at],
                    image,
                    (spacing[0], spacing[1], spacing[2]),
                    None if mask is None else mask.astype(bool),
                    truth,
                )
            )
        return made


def read_runs(
    runs: Sequence[str | os.PathLike[str]],
    cohort: str | os.PathLike[str],
    *,
    patients: Sequence[str] = (),
    set_name: str | None = None,
    which: str = "best",
    device: str = "auto",
    cache: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> RunsOnCohort:
    """Load runs and preprocess a cohort as they were trained.

    Parameters
    ----------
    runs : sequence of paths, at least one
        Folders of ``biomark train``, of one preprocessing.
    cohort : path
    patients : sequence of str
        By default all of the set.
    set_name : str, optional
        By default "test" where the cohort has one, else every patient.
    which : "best" or "last"
        Weights.
    device : str
        auto, cpu, cuda, cuda:1.
    cache : path, optional
        Folder of preprocessed volumes; ``cache`` beside the first run if not given.
    progress : function of (what, done, total), optional

    Returns
    -------
    RunsOnCohort
        Models are called by their task, and by their folder too where two share it.

    Raises
    ------
    BiomarkError
        Without a run, for runs of different preprocessing or without a common label, or unknown patients or sets.
    """
    from ..zoo.cohort import read_cohort
    from ..zoo.precision import choose_device
    from ..zoo.preprocessing_cache import cache_cohort
    from ..zoo.run_folder import RunFolder, load_model

    if not runs:
        raise BiomarkError("name at least one run")
    configs = [RunFolder(Path(run)).read_config() for run in runs]
    for config, run in zip(configs[1:], runs[1:], strict=True):
        if (config.preprocessing, config.cache_dtype) != (configs[0].preprocessing, configs[0].cache_dtype):
            raise BiomarkError(
                f"{run} was trained on other volumes than {runs[0]}: its preprocessing differs"
            )
    tasks = [config.task for config in configs]
    names = [
        task if tasks.count(task) == 1 else f"{task}, {Path(run).name}"
        for task, run in zip(tasks, runs, strict=True)
    ]
    if len(set(names)) < len(names):
        raise BiomarkError(f"runs must differ in their task or the name of their folder, found {names}")
    labels = tuple(label for label in configs[0].labels if all(label in config.labels for config in configs))
    if not labels:
        raise BiomarkError("the runs have no label in common")
    table = read_cohort(cohort, labels=configs[0].labels)
    chosen = choose_device(device)
    models = {
        name: load_model(Path(run), which=which).to(chosen) for name, run in zip(names, runs, strict=True)
    }
    rows, shown = _rows(table, patients, set_name)
    cached = cache_cohort(
        table,
        cache if cache is not None else Path(runs[0]).parent / "cache",
        configs[0].preprocessing,
        dtype=configs[0].cache_dtype,
        progress=None if progress is None else lambda done, total: progress("preprocessing", done, total),
    )
    return RunsOnCohort(models, cached, rows, labels, shown)


def _rows(table: object, patients: Sequence[str], set_name: str | None) -> tuple[NDArray[np.intp], str]:
    from ..zoo.cohort import Cohort

    assert isinstance(table, Cohort)
    if not patients:
        if set_name is None:
            set_name = "test" if "test" in table.sets else ""
        return (table.rows(set_name), set_name) if set_name else (np.arange(len(table)), "")
    known = {str(name): row for row, name in enumerate(table.patient_id)}
    missing = [name for name in patients if name not in known]
    if missing:
        raise BiomarkError(f"{table.name} has no patient {', '.join(repr(name) for name in missing[:5])}")
    return np.array([known[name] for name in dict.fromkeys(patients)], dtype=np.intp), ""


def _image(cached: CachedCohort, row: int) -> NDArray[np.float32]:
    image = cached.entry(row)[0]
    scale = 255.0 if image.dtype == np.uint8 else 1.0
    return np.asarray(image, dtype=np.float32) / np.float32(scale)
