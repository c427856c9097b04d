"""The errors that biomark raises for bad input, each a ``ValueError``.

The command line turns any of them into one readable message and exit code 2, so a message says what was
found, where, and what would be right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = [
    "BiomarkError",
    "BiomarkWarning",
    "FailedWorkError",
    "InputFileError",
    "MaskMismatchError",
    "MissingExtraError",
    "OneClassError",
    "Problem",
]


class BiomarkError(ValueError):
    """Something that the caller gave cannot be used; the message says what would be right."""


class BiomarkWarning(UserWarning):
    """Something was done otherwise than was asked, and better so; the message says what and why."""


class FailedWorkError(RuntimeError):
    """The work itself failed, whatever was given: exit code 1. The message says at what."""


class OneClassError(BiomarkError):
    """A statistic that needs positives and negatives was asked of one class only."""


class MissingExtraError(BiomarkError):
    """An optional part of biomark is not installed.

    Parameters
    ----------
    what : str
        The command or function that was asked for.
    extra : str
        The extra that brings it, as in ``pip install 'biomark[zoo]'``.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs packages that are not installed; install them with: pip install 'biomark[{extra}]'"
        )
        self.extra = extra


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in an input file.

    Attributes
    ----------
    message : str
        What was found and what would be right.
    row : int or None
        Row of the file, counted as a spreadsheet does: the header is row 1.
    column : str or None
        Name of the column.
    """

    message: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        where = [f"row {self.row}"] if self.row is not None else []
        if self.column is not None:
            where.append(f"column {self.column!r}")
        return f"{', '.join(where)}: {self.message}" if where else self.message


class InputFileError(BiomarkError):
    """A file cannot be used; ``problems`` lists every reason found, not the first alone.

    Parameters
    ----------
    path : str
        The file, as the user named it.
    problems : sequence of Problem
        What is wrong, in the order of the file.
    total : int, optional
        How many problems there are when ``problems`` holds only the first of them.
    """

    shown = 20

    def __init__(self, path: str, problems: Sequence[Problem], *, total: int | None = None) -> None:
        self.path = path
        self.problems = tuple(problems)
        self.total = len(self.problems) if total is None else total
        lines = [f"{path}: {problem}" for problem in self.problems[: self.shown]]
        if self.total > len(lines):
            lines.append(f"{path}: and {self.total - len(lines):,} more problems of the same file")
        super().__init__("\n".join(lines))

    def __reduce__(
        self,
    ) -> tuple[Callable[..., InputFileError], tuple[type[InputFileError], str, tuple[Problem, ...], int]]:
        """Let the error cross from one process to another, as it must from a pool of workers."""
        return _input_file_error, (type(self), self.path, self.problems, self.total)


class MaskMismatchError(InputFileError):
    """A mask is not that of its image: another shape, or another place."""


def _input_file_error(
    kind: type[InputFileError], path: str, problems: Sequence[Problem], total: int
) -> InputFileError:
    return kind(path, problems, total=total)
