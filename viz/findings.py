"""What the terminal shows of an audit: the proven first, cells with the same trouble together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from .control_characters import visible

if TYPE_CHECKING:
    from rich.console import Console

    from ..stats.finding import Finding

__all__ = ["print_findings"]

TOGETHER = 3


def print_findings(findings: Sequence[Finding], *, console: Console | None = None) -> None:
    """Print findings with their evidence.

    Parameters
    ----------
    findings : sequence of Finding
        In the order of `audit`.
    console : rich.console.Console, optional
        Standard output by default.
    """
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False) if console is None else console
    if not findings:
        console.print("No finding: every printed figure can be had from some data by some usual method.")
        return
    for weight, part in groupby(findings, key=lambda finding: finding.weight):
        console.print(Text(weight.capitalize(), style="bold"))
        for kind, places, evidence in _blocks(list(part)):
            console.print(Text.assemble("  ", (kind, "bold cyan"), "  ", visible(places)), soft_wrap=False)
            console.print(Padding(Text(visible(evidence)), (0, 0, 1, 4)))
    n = len(findings)
    console.print(f"{n} finding{'s' if n != 1 else ''}")


def _blocks(findings: list[Finding]) -> Iterator[tuple[str, str, str]]:
    """Yield findings one by one, or many cells of one set and kind in one block with the evidence of the first."""

    def trouble(finding: Finding) -> tuple[str, str]:
        return finding.kind, finding.where.partition("/")[0]

    for (kind, name), part in groupby(findings, key=trouble):
        group = list(part)
        # One reason for many cells is told once; reasons that differ are told one by one.
        if kind in ("wrong-denominator", "invalid-interval-method") and len(group) >= TOGETHER:
            cells = ", ".join(finding.where.partition("/")[2] for finding in group)
            yield kind, f"{name}, {len(group)} cells: {cells}", f"For instance: {group[0].evidence}"
        else:
            yield from ((finding.kind, finding.where, finding.evidence) for finding in group)
