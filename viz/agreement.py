"""What the terminal shows of a reconstruction: the printed figures that the found data give, and those they do not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .control_characters import visible

if TYPE_CHECKING:
    from rich.console import Console

    from ..stats.reconstruction import Reconstruction

__all__ = ["print_agreement"]

WILSON = "Wilson's interval"


def print_agreement(
    found: Reconstruction, path: str | os.PathLike[str], *, console: Console | None = None
) -> None:
    """Print how many printed figures agree, each that does not beside what the data give, and where they lie.

    Parameters
    ----------
    found : Reconstruction
    path : path
        Of the predictions table.
    console : rich.console.Console, optional
        Standard output by default.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False) if console is None else console
    of_proportions = found.agreement["note"].eq(WILSON)
    for chosen, what in (
        (~of_proportions, "values, AUC intervals and p-values"),
        (of_proportions, WILSON + "s"),
    ):
        part = found.agreement[chosen]
        if part.empty:
            continue
        agreeing = int(part["agrees"].sum())
        console.print(
            Text(visible(f"{found.set}: {agreeing} of {len(part)} {what} as printed"), style="bold")
        )
        if agreeing == len(part):
            continue
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for title in ("Not as printed", "Printed", "Found", "Note"):
            table.add_column(title, overflow="fold")
        for row in part[~part["agrees"]].itertuples():
            note = "" if row.note == WILSON else row.note
            shown = (str(row.where).removeprefix(f"{found.set}/"), row.printed, row.reconstructed, note)
            table.add_row(*(Text(visible(str(cell))) for cell in shown))
        console.print(table)
    console.print(
        "Intervals of means over labels are not compared: they depend on how the labels go together in one patient, "
        "which is not printed."
    )
    console.print(Text(f"The predictions: {visible(os.fspath(path))}"), soft_wrap=True)
