"""What the terminal shows of an evaluation: progress while it runs, then its key figures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .control_characters import visible

if TYPE_CHECKING:
    from rich.console import Console

    from ..stats.evaluation import Evaluation

__all__ = ["print_summary", "progress_bar"]


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


def print_summary(
    evaluation: Evaluation, path: str | os.PathLike[str], *, console: Console | None = None
) -> None:
    """Print the key figures of the judged set, how much there is to warn of, and where the report lies.

    Parameters
    ----------
    evaluation : Evaluation
    path : path
        The report's folder.
    console : rich.console.Console, optional
        Standard output by default.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    from .performance_tables import key_table
    from .table_grid import grid

    console = Console(highlight=False) if console is None else console
    table = key_table(evaluation)
    plain = grid(table)
    shown = RichTable(
        title=Text(visible(table.caption)), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for title, numeric in zip(plain.titles, plain.numeric, strict=True):
        shown.add_column(Text(visible(title)), justify="right" if numeric else "left")
    for group in plain.groups:
        for row in group.rows:
            shown.add_row(
                *(
                    Text("\n".join(visible(part) for part in (cell.text, cell.sub) if part) if cell else "")
                    for cell in row
                )
            )
    console.print(shown)
    for note in table.notes:
        console.print(Text(visible(note), style="dim"))
    n_warnings = len(evaluation.warnings)
    if n_warnings:
        console.print(Text(f"{n_warnings} warning{'s' if n_warnings != 1 else ''}, worst first:"))
        kinds = list(dict.fromkeys(warning["kind"] for warning in evaluation.warnings))
        console.print(Text(visible(", ".join(kind.replace("-", " ") for kind in kinds))))
    page = os.path.join(os.fspath(path), "report.html")
    # Not wrapped: a path is to be copied.
    console.print(Text(f"The report: {visible(page)}"), soft_wrap=True)
