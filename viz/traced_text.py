"""Running text in which every number knows the cell that it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from .control_characters import legible
from .references import REFERENCES

__all__ = ["Cite", "Fragment", "Name", "Paragraph", "Traced", "listed", "reference_list"]


@dataclass(frozen=True, slots=True)
class Traced:
    """A number in the text.

    Attributes
    ----------
    text : str
        How it is printed.
    frame, column : str
        Table of the evaluation and its column (or ``settings`` and the key).
    where : tuple of (column, value)
        What identifies the row, or the rows where several are counted or the extreme of several is given.
    how : str
        ``cell``, or how the rows are put together: ``count``, ``smallest``, ``largest``.
    """

    text: str
    frame: str
    column: str
    where: tuple[tuple[str, str], ...] = ()
    how: str = "cell"

    @property
    def source(self) -> str:
        """Where the number comes from, readable."""
        rows = ", ".join(f"{column} {value}" for column, value in self.where)
        how = "" if self.how == "cell" else f"{self.how} of "
        return f"{how}{self.frame}.{self.column}" + (f" ({rows})" if rows else "")


@dataclass(frozen=True, slots=True)
class Name:
    """A name that came from a file: a label, a model, a set."""

    text: str


@dataclass(frozen=True, slots=True)
class Cite:
    """Citation of one or more sources by their keys in ``REFERENCES``."""

    keys: tuple[str, ...]


Fragment = str | Traced | Name | Cite


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Fragments that make one paragraph.

    Attributes
    ----------
    fragments : tuple of Fragment
    numbering : tuple of str
        Keys of the references in the order of their numbers, shared by the paragraphs of one report.
    """

    fragments: tuple[Fragment, ...]
    numbering: tuple[str, ...] = ()

    @property
    def cited(self) -> list[str]:
        """Keys of the sources in the order of their first citation."""
        return list(
            dict.fromkeys(key for part in self.fragments if isinstance(part, Cite) for key in part.keys)
        )

    @property
    def text(self) -> str:
        """Plain text, ready to paste."""
        return "".join(self._plain(part) for part in self.fragments)

    def __html__(self) -> str:
        """Return the paragraph as HTML; every number shows its source on hover."""
        return str(Markup("").join(self._marked(part) for part in self.fragments))

    def _plain(self, part: Fragment) -> str:
        if isinstance(part, Cite):
            return self._citation(part)
        return part if isinstance(part, str) else part.text

    def _marked(self, part: Fragment) -> Markup:
        if isinstance(part, Traced):
            return Markup('<span class="traced" title="{}">{}</span>').format(legible(part.source), part.text)
        if isinstance(part, Name):
            return Markup("<bdi>{}</bdi>").format(legible(part.text))
        return escape(self._plain(part))

    def _citation(self, part: Cite) -> str:
        numbers = sorted(self.numbering.index(key) + 1 for key in part.keys)
        return f"[{', '.join(str(number) for number in numbers)}]"


def reference_list(keys: Iterable[str]) -> list[str]:
    """Return the references of the given keys, in their order."""
    return [REFERENCES[key] for key in keys]


def listed(items: Sequence[Sequence[Fragment]], *, last: str = " and ") -> list[Fragment]:
    """Join items with commas and ``last`` before the last one.

    Examples
    --------
    >>> "".join(str(part) for part in listed([["a"], ["b"], ["c"]]))
    'a, b and c'
    """
    joined: list[Fragment] = []
    for at, item in enumerate(items):
        if at:
            joined.append(last if at == len(items) - 1 else ", ")
        joined += item
    return joined
