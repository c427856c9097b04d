"""A table as a paper printed it: what `audit` reads. Every figure keeps its text, and so its decimals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .printed_value import PrintedEstimate, PrintedValue

__all__ = [
    "BaselineRow",
    "ClassCounts",
    "PublishedComparison",
    "PublishedRow",
    "PublishedSampleSize",
    "PublishedSet",
    "PublishedTable",
    "PublishedTotal",
]


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Positives and negatives of a label; ``None`` where they are not printed."""

    pos: int | None
    neg: int | None


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One model on one label (label "" for a row over all labels): printed cells by our name of the metric.

    ``names`` keeps the paper's name of each metric.
    """

    model: str
    label: str
    cells: Mapping[str, PrintedEstimate]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PublishedComparison:
    """A printed p-value of two models' AUCs on one label."""

    label: str
    models: tuple[str, str]
    p: PrintedValue


@dataclass(frozen=True, slots=True)
class PublishedSet:
    """One set's tables.

    ``youden`` says that the paper chose each row's cut-off on this very set, by the largest Youden index.
    """

    name: str
    n: int | None
    labels: Mapping[str, ClassCounts]
    rows: tuple[PublishedRow, ...]
    macro: tuple[PublishedRow, ...]
    comparisons: tuple[PublishedComparison, ...]
    youden: bool = False

    @property
    def size(self) -> int | None:
        """Patients: as printed, else those of the first label with counts."""
        if self.n is not None:
            return self.n
        for counts in self.labels.values():
            if counts.pos is not None and counts.neg is not None:
                return counts.pos + counts.neg
        return None


@dataclass(frozen=True, slots=True)
class PublishedTotal:
    """Counts of a union of sets, or a statement about them in the running text."""

    name: str
    of: tuple[str, ...]
    n: int | None
    labels: Mapping[str, ClassCounts]


@dataclass(frozen=True, slots=True)
class PublishedSampleSize:
    """A printed sample-size calculation for one AUC."""

    label: str
    set: str | None
    auc: PrintedValue
    null: PrintedValue
    power: PrintedValue
    alpha: PrintedValue
    total: int | None
    pos: int | None
    neg: int | None


@dataclass(frozen=True, slots=True)
class BaselineRow:
    """One characteristic by group: means with standard deviations, counts with percents, or counts by level."""

    name: str
    mean_sd: Mapping[str, tuple[PrintedValue, PrintedValue]]
    levels: Mapping[str, Mapping[str, tuple[PrintedValue, PrintedValue | None]]]
    p: PrintedValue | None
    complete: bool


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """Everything that was printed.

    Attributes
    ----------
    study : str
    confidence : float
        Level of the printed intervals.
    sets, totals, sample_size : tuples
    groups : dict of str to int
        Groups of the baseline table with their sizes.
    whole : str or None
        The group that all the others make up.
    baseline : tuple of BaselineRow
    """

    study: str
    confidence: float
    sets: tuple[PublishedSet, ...]
    totals: tuple[PublishedTotal, ...]
    sample_size: tuple[PublishedSampleSize, ...]
    groups: Mapping[str, int]
    whole: str | None
    baseline: tuple[BaselineRow, ...]
