"""What the terminal shows of an evaluation: progress while it runs, then its key figures."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .captions import cutoff_label, digits_of, interval_level, main_cutoff, set_heading
from .control_characters import visible
from .number_format import count, duration, interval, number
from .page_table import notes_of, parts, rows_of

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table as RichTable

    from ..stats.evaluation import Evaluation
    from ..stats.predictions import Predictions
    from .demonstration import Demonstration

__all__ = ["announce_time", "print_demonstration", "print_summary", "progress_bar"]


@contextmanager
def progress_bar(*, hidden: bool = False) -> Iterator[Callable[[int, int, str], None]]:
    """Show progress on standard error, as long as that is a terminal.

    Parameters
    ----------
    hidden : bool
        Show nothing, wherever it is.

    Yields
    ------
    callable
        To be called with units done, units in all, and what is being done.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(
        *columns, console=console, transient=True, disable=hidden or not console.is_terminal
    ) as bar:
        task = bar.add_task("reading", total=None)

        def tell(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=visible(what))

        yield tell


def announce_time(
    predictions: Predictions,
    n_boot: int | None,
    tell: Callable[[int, int, str], None],
    *,
    hidden: bool = False,
    console: Console | None = None,
) -> None:
    """Say beforehand how long the statistics of a large table will take; nothing of a table that takes seconds.

    Parameters
    ----------
    predictions : Predictions
    n_boot : int or None
        Replicates; `biomark.evaluate`'s default if None.
    tell : callable
        Of `progress_bar`.
    hidden : bool
        Say nothing, and measure nothing.
    console : rich.console.Console, optional
        Standard error by default.
    """
    from ..stats.expected_time import LARGE_TABLE, expected_seconds

    rows = len(predictions.frame)
    if hidden or rows < LARGE_TABLE:
        return
    from rich.console import Console

    tell(0, 1, "measuring how long it will take")
    seconds = (
        expected_seconds(predictions) if n_boot is None else expected_seconds(predictions, n_boot=n_boot)
    )
    console = Console(stderr=True, highlight=False) if console is None else console
    console.print(f"{count(rows)} rows: the statistics will take about {duration(seconds)}", markup=False)


def print_summary(
    evaluation: Evaluation, path: str | os.PathLike[str], *, console: Console | None = None
) -> None:
    """Print the key figures of the judged set, what there is to warn of, and where the report lies.

    Parameters
    ----------
    evaluation : Evaluation
    path : path
        The report's folder.
    console : rich.console.Console, optional
        Standard output by default.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False) if console is None else console
    name = evaluation.main_set
    kind = main_cutoff(evaluation, name)
    console.print(
        Text(
            visible(f"{set_heading(evaluation, name)}, cut-offs {cutoff_label(evaluation, kind)}"),
            style="bold",
        )
    )
    frame = rows_of(evaluation.individual, set=name, cutoff=kind)
    console.print(_key_figures(evaluation, frame))
    for note in notes_of(frame):
        console.print(Text(visible(note)))
    if evaluation.warnings:
        kinds = Counter(warning["kind"].replace("-", " ") for warning in evaluation.warnings)
        each = ", ".join(f"{kind} ({n})" if n > 1 else kind for kind, n in kinds.items())
        n_warnings = len(evaluation.warnings)
        console.print(
            Text(visible(f"{n_warnings} warning{'s' if n_warnings != 1 else ''}, worst first: {each}")),
            style="yellow",
        )
    # Not wrapped: a path is to be copied.
    console.print(
        Text(f"The report: {visible(os.path.join(os.fspath(path), 'report.html'))}"), soft_wrap=True
    )


def print_demonstration(made: Demonstration, *, console: Console | None = None) -> None:
    """Print what a demonstration found, how long its stages took, and the paths to open.

    Parameters
    ----------
    made : Demonstration
    console : rich.console.Console, optional
        Standard output by default.
    """
    from rich.console import Console
    from rich.text import Text

    from .attention import METRIC_TITLES, attention_in_words

    console = Console(highlight=False) if console is None else console
    console.print(Text("SIMULATED patients: what follows says nothing of patients", style="bold"))
    print_summary(made.evaluation, made.folder / "report", console=console)
    for one in made.networks.explanation.attention.values():
        for line in attention_in_words(one):
            if line.startswith(METRIC_TITLES["energy"]):
                console.print(Text(visible(line)))
    for task, difference in made.max_difference.items():
        said = f"{task}.pt: TorchScript, at most {difference:.1g} from the network that was trained"
        console.print(Text(said))
    spent = ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in made.seconds.items())
    console.print(Text(f"{spent}; {duration(sum(made.seconds.values()))} in all"))
    console.print(Text("To open:", style="bold"))
    for name, page in made.pages.items():
        console.print(Text(f"  {name}: {visible(str(page.resolve()))}"), soft_wrap=True)


def _key_figures(evaluation: Evaluation, frame: pd.DataFrame) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    digits = digits_of(evaluation)
    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    for title in ("Label", "Positive\nnegative", "Model"):
        table.add_column(title, overflow="fold")
    for title in ("AUC", "Sensitivity", "Specificity"):
        table.add_column(f"{title}\n{interval_level(evaluation)}", justify="right", no_wrap=True)
    for label, cells in parts(frame, "label", evaluation.labels):
        for at, (_, row) in enumerate(cells.iterrows()):
            first = [visible(label), f"{count(row['n_pos'])}\n{count(row['n_neg'])}"] if at == 0 else ["", ""]
            values = [
                f"{number(row[name], digits)}\n{interval(row[f'{name}_ci_low'], row[f'{name}_ci_high'], digits)}"
                for name in ("auc", "sensitivity", "specificity")
            ]
            table.add_row(*(Text(text) for text in (*first, visible(row["model"]), *values)))
    return table
