"""The page of training curves of one run or of several side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from .figure_group import plain_figure
from .interval_mark import line_sample
from .number_format import UNDEFINED, count, duration, number
from .page_assets import plain_page
from .page_table import Cell, Column, Group, Table, model_cell, name_cell
from .theme import dark_counterparts
from .training_curves import Curve, RunHistory, curve_panels, run_styles, training_figure

__all__ = ["CURVES", "read_run_history", "training_html", "write_training_page"]

CURVES = "curves.html"
"""The page in a run's folder."""


def write_training_page(
    runs: Sequence[str | os.PathLike[str]],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "Training curves",
    simulated: bool = False,
) -> Path:
    """Draw the epochs of runs, finished or not, into one page.

    Parameters
    ----------
    runs : sequence of paths, at least one
        Folders of ``biomark train``.
    path : path, optional
        By default ``curves.html`` in the folder of the run, or beside the first where there are several.
    title : str
    simulated : bool
        Say on the page that the patients are simulated; a run on simulated volumes says so itself.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    BiomarkError
        Without a run, for a folder that holds none or no epoch yet, or for the same run twice.
    """
    from ..zoo.checkpoint import write_text

    folders = [Path(run) for run in runs]
    names = _names(folders)
    histories = [read_run_history(folder, name) for folder, name in zip(folders, names, strict=True)]
    page = training_html(
        histories, title=title, simulated=simulated or any(_is_simulated(folder) for folder in folders)
    )
    where = folders[0] if len(folders) == 1 else folders[0].parent
    target = where / CURVES if path is None else Path(path)
    write_text(target, page)
    return target


def read_run_history(run: str | os.PathLike[str], name: str | None = None) -> RunHistory:
    """Return the epochs of a run's folder, called by its task or, where ``name`` is given, so.

    Raises
    ------
    BiomarkError
        Where the folder holds no run, or no epoch has ended.
    """
    from ..errors import InputFileError, Problem
    from ..zoo.run_folder import RunFolder, read_metrics

    folder = RunFolder(Path(run))
    config = folder.read_config()
    epochs = read_metrics(folder.path)
    if not epochs:
        raise InputFileError(str(folder.metrics), [Problem("holds no epoch yet")])
    device = ""
    if folder.environment.is_file():
        held = folder.read_environment()
        device = str(held.get("device_name", held.get("device", "")))
    return RunHistory(name or config.task, epochs, config.task, config.model, device, config.epochs)


def training_html(
    runs: Sequence[RunHistory], *, title: str = "Training curves", simulated: bool = False
) -> str:
    """Return the page of training curves; it needs no network, and the same input gives the same text.

    Parameters
    ----------
    runs : sequence of RunHistory, at least one, of different names
    title : str
    simulated : bool
        Say that the patients are simulated.

    Raises
    ------
    BiomarkError
        Without a run, or for two of the same name.
    """
    styles = run_styles(runs)
    panels = curve_panels(runs)
    data = {
        "figures": [
            {"figure": plain_figure(training_figure(runs, panel)), "alternative": _in_words(runs, panel)}
            for panel in panels
        ],
        "runs": [run.name for run in runs],
        "dark": dark_counterparts(),
    }
    return plain_page(
        "training.html.j2",
        ("shown_figure.js", "figures.js", "training.js"),
        data,
        title=title,
        simulated=simulated,
        runs=[(run.name, line_sample(styles[run.name])) for run in runs],
        panels=panels,
        table=_table(runs),
    )


def _table(runs: Sequence[RunHistory]) -> Table:
    styles = run_styles(runs)
    rows = []
    for run in runs:
        best = run.best or {}
        speed = [value for value in run.values("volumes_per_second") if value is not None]
        seconds = sum(v or 0.0 for key in ("seconds", "validation_seconds") for v in run.values(key))
        of = f" of {count(run.planned)}" if run.planned is not None and run.planned != len(run.epochs) else ""
        rows.append(
            [
                model_cell(run.name, styles[run.name]),
                name_cell(", ".join(part for part in (run.task, run.model) if part), head=False),
                Cell(f"{count(len(run.epochs))}{of}"),
                Cell(count(best["epoch"]) if best else UNDEFINED),
                Cell(_value(best.get("validation_macro_auc"))),
                Cell(_value(best.get("validation_loss"))),
                Cell(_value(best.get("validation_dice"))),
                Cell(f"{median(speed):.3g}" if speed else UNDEFINED),
                Cell(duration(seconds)),
                name_cell(run.device or UNDEFINED, head=False),
            ]
        )
    columns = [
        Column("Run", numeric=False),
        Column("Task, model", numeric=False),
        Column("Epochs"),
        Column("Best epoch"),
        Column("Macro AUC there"),
        Column("Loss there"),
        Column("Dice there"),
        Column("Volumes per second"),
        Column("Time"),
        Column("Device", numeric=False),
    ]
    note = (
        "On the validation set. The best epoch is the one whose macro AUC was largest there, so that this AUC is "
        "the best of many and flatters: judge on the test set."
    )
    return Table("runs", "The runs", columns, [Group("", rows)], [note])


def _in_words(runs: Sequence[RunHistory], panel: Curve) -> str:
    said = []
    for run in runs:
        for part, key in (("training", panel.training), ("validation", panel.validation)):
            known = [value for value in run.values(key) if value is not None] if key else []
            if known and run.has(key):
                of = f", {part}" if panel.validation else ""
                said.append(f"{run.name}{of}: from {known[0]:.3g} to {known[-1]:.3g}")
    return f"{panel.title} by epoch. {'; '.join(said)}."


def _names(folders: Sequence[Path]) -> list[str]:
    """Return the name of each run's folder, with the one above it where two share it."""
    short = [folder.resolve().name for folder in folders]
    return [
        name if short.count(name) == 1 else f"{folder.resolve().parent.name}/{name}"
        for name, folder in zip(short, folders, strict=True)
    ]


def _is_simulated(folder: Path) -> bool:
    from ..errors import BiomarkError
    from ..zoo.run_folder import RunFolder

    try:
        return bool(RunFolder(folder).read_data().get("simulated", False))
    except BiomarkError:  # a folder with metrics alone
        return False


def _value(value: Any) -> str:
    return number(float(value), 3) if isinstance(value, (int, float)) else UNDEFINED
