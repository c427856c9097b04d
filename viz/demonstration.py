"""The whole road on simulated data: a cohort, its check, two networks, their predictions, the report, an export.

It trains, predicts and draws, so it stands on the floor of ``viz``, above all that it calls.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BiomarkError
from ..stats.evaluation import evaluate
from ..stats.inputs import whole_number
from ..stats.predictions import read_predictions
from .csv_table import csv_text
from .report import write_report
from .run_findings import findings_of_runs
from .training_page import CURVES, write_training_page

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation
    from ..zoo.training import TrainingProgress, TrainingRun
    from .run_findings import RunFindings

__all__ = ["TASKS", "Demonstration", "demonstrate"]

TASKS = ("single-task", "multi-task")
"""In the order in which they are trained."""

Progress = Callable[[str, int, int], None]

# Chosen for two processor cores and a few minutes: see examples/phantom_cohort for how well such a network does.
_BEST_AUC = 0.99
_SIDE, _MARGIN_MM = 48, 6.0
_WIDTH, _DECODER_WIDTH = 8, 4
_RATE = 0.005
# At 48 voxels a side the last map has 2: too coarse to tell a lesion from what is around it. This one has 6.
_LAYER = "encoder.stages.1"
_N_BOOT = 1000
_N_VIEWERS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Demonstration:
    """What `demonstrate` made.

    Attributes
    ----------
    folder : Path
        ``cohort/``, ``runs/``, ``preds.csv``, ``report/`` and the exported networks.
    evaluation : Evaluation
    networks : RunFindings
        Where the networks look, and what they have learnt.
    runs : dict of task to TrainingRun
    n_problems : int
        Warnings of the check; an error would have ended the road.
    max_difference : dict of task to float
        Between an exported network and the one that was trained.
    seconds : dict of stage to float
    """

    folder: Path
    evaluation: Evaluation = field(repr=False)
    networks: RunFindings = field(repr=False)
    runs: dict[str, TrainingRun]
    n_problems: int
    max_difference: dict[str, float]
    seconds: dict[str, float]

    @property
    def pages(self) -> dict[str, Path]:
        """What to open: a name for each path."""
        report = self.folder / "report"
        pages = {
            "report": report / "report.html",
            "where the networks look": report / "explanation" / "index.html",
            "what they have learnt": report / "embedding" / "embedding.html",
            "training curves": self.folder / "runs" / CURVES,
        }
        # Ten patients and more are embedded.
        return {name: page for name, page in pages.items() if page.is_file()}


def demonstrate(
    path: str | os.PathLike[str],
    *,
    patients: int = 80,
    epochs: int = 20,
    seed: int = 0,
    progress: Progress | None = None,
) -> Demonstration:
    """Walk the whole road on a simulated cohort.

    Parameters
    ----------
    path : path
        A folder that is empty or not there yet.
    patients : int, 32 or more
        The judged set holds 23 in 100 of them.
    epochs : int
        Of each of the two networks.
    seed : int
        Of the simulation, the sets, the training and the bootstrap.
    progress : function of (what, done, total), optional

    Returns
    -------
    Demonstration

    Raises
    ------
    BiomarkError
        For a folder that holds something else.

    Notes
    -----
    Everything is simulated and says so. The networks are small and trained for a minute; what they reach says that the
    parts work together, and nothing of patients.
    """
    whole_number(patients, name="patients", least=32)
    whole_number(epochs, name="epochs")
    folder = Path(path)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise BiomarkError(f"{folder} holds something already; name another folder, or remove it first")
    return _Road(folder, seed, progress).walked(patients, epochs)


class _Road:
    """The stages, each with its time."""

    def __init__(self, folder: Path, seed: int, progress: Progress | None) -> None:
        self.folder, self.seed, self.progress = folder, seed, progress
        self.table = folder / "cohort" / "cohort.csv"
        self.seconds: dict[str, float] = {}

    def walked(self, patients: int, epochs: int) -> Demonstration:
        with self._stage("simulate"):
            self._simulate(patients)
        with self._stage("check"):
            n_problems = self._check()
        runs = {}
        for task in TASKS:
            with self._stage(f"train {task}"):
                runs[task] = self._train(task, epochs)
        write_training_page(
            [run.folder for run in runs.values()], self.folder / "runs" / CURVES, simulated=True
        )
        with self._stage("predict"):
            self._predict(runs)
        with self._stage("explain and report"):
            evaluation, networks = self._report(runs)
        with self._stage("export"):
            differences = self._export(runs)
        return Demonstration(
            self.folder, evaluation, networks, runs, n_problems, differences, dict(self.seconds)
        )

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        self._tell(name, 0, 1)
        yield
        self.seconds[name] = time.perf_counter() - began

    def _tell(self, what: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(what, done, total)

    def _counted(self, what: str) -> Callable[[int, int], None]:
        return lambda done, total: self._tell(what, done, total)

    def _simulate(self, patients: int) -> None:
        from ..zoo.phantom_cohort import write_phantom_cohort

        write_phantom_cohort(
            self.table.parent,
            patients=patients,
            best_auc=_BEST_AUC,
            seed=self.seed,
            progress=self._counted(f"simulating {patients} patients"),
        )

    def _check(self) -> int:
        from ..zoo.cohort_check import check_cohort

        found = check_cohort(self.table, progress=self._counted("checking every volume"))
        if not found.ok:
            raise BiomarkError(f"{self.table}: {found}")
        return len(found.problems)

    def _train(self, task: str, epochs: int) -> TrainingRun:
        from ..zoo.preprocessing import Preprocessing
        from ..zoo.training import train
        from ..zoo.training_config import TrainingConfig

        config = TrainingConfig(
            cohort=str(self.table),
            out=str(self.folder / "runs" / task),
            task=task,
            model="resnet10_3d",
            model_options={"width": _WIDTH}
            | ({"decoder_width": _DECODER_WIDTH} if task == "multi-task" else {}),
            preprocessing=Preprocessing(size=_SIDE, margin_mm=_MARGIN_MM),
            epochs=epochs,
            learning_rate=_RATE,
            schedule="cosine",
            seed=self.seed,
            checkpoint_every=epochs,
        )

        def tell(state: TrainingProgress) -> None:
            if state.phase == "preprocessing":
                self._tell("preprocessing", state.done, state.total)
            elif state.phase == "epoch":
                self._tell(f"training the {task} network, epochs", state.done, epochs)

        return train(config, progress=tell)

    def _predict(self, runs: dict[str, TrainingRun]) -> None:
        import pandas as pd

        from ..zoo.checkpoint import write_text
        from ..zoo.prediction import predict

        frames = [predict(self.table, runs=run.folder, progress=self.progress).frame for run in runs.values()]
        write_text(self.folder / "preds.csv", csv_text(pd.concat(frames, ignore_index=True)))

    def _report(self, runs: dict[str, TrainingRun]) -> tuple[Evaluation, RunFindings]:
        evaluation = evaluate(
            read_predictions(self.folder / "preds.csv"),
            n_boot=_N_BOOT,
            rng=self.seed,
            progress=lambda done, total, what: self._tell(what, done, total),
        )
        networks = findings_of_runs(
            [run.folder for run in runs.values()],
            self.table,
            set_name=evaluation.main_set,
            layer=_LAYER,
            n_viewers=_N_VIEWERS,
            rng=self.seed,
            progress=self.progress,
        )
        self._tell("writing the report", 1, 1)
        write_report(
            evaluation,
            self.folder / "report",
            title="Simulated breast ultrasound",
            networks=networks,
            simulated=True,
        )
        return evaluation, networks

    def _export(self, runs: dict[str, TrainingRun]) -> dict[str, float]:
        from ..zoo.exporting import export

        differences = {}
        for at, (task, run) in enumerate(runs.items()):
            self._tell("exporting to TorchScript", at, len(runs))
            differences[task] = export(run.folder, self.folder / f"{task}.pt").max_difference
        return differences
