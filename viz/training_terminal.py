"""What the terminal shows of long work on volumes: a counting bar, and a training run as it goes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isnan
from typing import TYPE_CHECKING, Any

from ..errors import BiomarkWarning
from .control_characters import visible
from .number_format import duration

if TYPE_CHECKING:
    from rich.console import Console

    from ..zoo.cross_validation import CrossValidation
    from ..zoo.training import TrainingProgress, TrainingRun

__all__ = [
    "counting_bar",
    "fold_bar",
    "print_cross_validation",
    "print_frame",
    "print_models",
    "print_run",
    "stage_bar",
    "training_bar",
]

_SHOWN = (
    ("train_loss", "train loss"),
    ("validation_loss", "validation loss"),
    ("validation_macro_auc", "macro AUC"),
    ("validation_dice", "Dice"),
)


@contextmanager
def counting_bar(what: str, *, hidden: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Show how much is done on standard error, as long as that is a terminal.

    Parameters
    ----------
    what : str
    hidden : bool

    Yields
    ------
    callable of (done, total)
    """
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with _bar(columns, hidden) as bar:
        task = bar.add_task(visible(what), total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield tell


@contextmanager
def training_bar(*, hidden: bool = False) -> Iterator[Callable[[TrainingProgress], None]]:
    """Show a training run: a bar that moves with every step, and a line for every epoch.

    Parameters
    ----------
    hidden : bool

    Yields
    ------
    callable of TrainingProgress
    """
    with fold_bar(hidden=hidden) as tell:
        yield lambda state: tell(1, 1, state)


@contextmanager
def fold_bar(*, hidden: bool = False) -> Iterator[Callable[[int, int, TrainingProgress], None]]:
    """Show several training runs that follow each other, each as `training_bar` does.

    Parameters
    ----------
    hidden : bool

    Yields
    ------
    callable of (run from 1, runs, TrainingProgress)
    """
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.text import Text

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[pace]}", markup=False),
    )
    with _bar(columns, hidden) as bar:
        task = bar.add_task("reading the cohort", total=None, pace="")

        def tell(run: int, runs: int, state: TrainingProgress) -> None:
            fold = f"fold {run} of {runs}, " if runs > 1 else ""
            if state.phase == "preprocessing":
                bar.update(task, description="preprocessing", completed=state.done, total=state.total)
                return
            pace = ""
            if not isnan(state.volumes_per_second):
                pace = f"{state.volumes_per_second:.1f} volumes/s, {duration(state.seconds_left)} left"
            bar.update(
                task, description=f"{fold}epoch {state.epoch} of {state.epochs}", completed=state.done,
                total=state.total, pace=pace,
            )  # fmt: skip
            if state.phase == "epoch" and not hidden:
                bar.console.print(Text(fold + _epoch_line(state)), soft_wrap=True)

        yield tell


def print_frame(frame: Any, *, console: Console | None = None) -> None:
    """Print a pandas frame as a plain table; what comes from files is shown harmless.

    Parameters
    ----------
    frame : pandas.DataFrame
    console : rich.console.Console, optional
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False) if console is None else console
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in frame.columns:
        numeric = frame[name].dtype.kind in "iuf"
        table.add_column(Text(visible(str(name))), justify="right" if numeric else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(Text(visible(_cell(value))) for value in row))
    console.print(table)


@contextmanager
def stage_bar(*, hidden: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Show how far each stage of the work is, on standard error, as long as that is a terminal.

    Parameters
    ----------
    hidden : bool

    Yields
    ------
    callable of (what, done, total)
    """
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with _bar(columns, hidden) as bar:
        task = bar.add_task("reading", total=None)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=visible(what), completed=done, total=total)

        yield tell


def print_run(run: TrainingRun, *, console: Console | None = None) -> None:
    """Print what came of a training run.

    Parameters
    ----------
    run : TrainingRun
    console : rich.console.Console, optional
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False) if console is None else console
    chosen = f"best epoch {run.best_epoch} of {run.epochs}{' (stopped early)' if run.stopped_early else ''}"
    area = "undefined" if isnan(run.macro_auc) else f"{run.macro_auc:.3f}"
    console.print(Text(f"{chosen}, macro AUC on the validation set {area}"))
    console.print(Text(f"The run: {visible(run.folder)}"), soft_wrap=True)


def print_cross_validation(found: CrossValidation, *, console: Console | None = None) -> None:
    """Print what came of a cross-validation.

    Parameters
    ----------
    found : CrossValidation
    console : rich.console.Console, optional
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False) if console is None else console
    n = found.frame["patient_id"].nunique()
    console.print(
        Text(f"{n} patients predicted by {len(found.runs)} networks, each by the one that never saw him")
    )
    console.print(Text(f"The predictions: {visible(found.folder)}/preds.csv"), soft_wrap=True)


def print_models(table: Any, *, console: Console | None = None) -> None:
    """Print the table of networks with round numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        As `biomark.zoo.model_table` makes it.
    console : rich.console.Console, optional
    """
    print_frame(
        table.assign(
            parameters=[f"{count / 1e6:.1f} M" for count in table["parameters"]],
            flops=[f"{count / 1e9:.1f} G" for count in table["flops"]],
            scriptable=["yes" if scriptable else "no" for scriptable in table["scriptable"]],
        )
        .rename(columns={"flops": "operations"})
        .drop(columns="summary"),
        console=console,
    )


@contextmanager
def _bar(columns: tuple[Any, ...], hidden: bool) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True, highlight=False)
    disabled = hidden or not console.is_terminal
    with (
        _plain_warnings(console),
        Progress(*columns, console=console, transient=True, disable=disabled) as bar,
    ):
        yield bar


@contextmanager
def _plain_warnings(console: Console) -> Iterator[None]:
    """Say biomark's own warnings in one line above the bar, and leave the others as they are."""
    with warnings.catch_warnings():
        as_before = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, BiomarkWarning):
                console.print(f"Warning: {visible(str(message))}", markup=False, soft_wrap=True)
            else:
                as_before(message, category, *where, **more)

        warnings.showwarning = show
        yield


def _epoch_line(state: TrainingProgress) -> str:
    values = [
        f"{title} {state.metrics[key]:.3f}"
        for key, title in _SHOWN
        if state.metrics.get(key) is not None and not isnan(state.metrics[key])
    ]
    return f"epoch {state.epoch}: {', '.join(values)}"


def _cell(value: Any) -> str:
    from pandas import isna

    if isna(value):
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1e6 else f"{value:g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
