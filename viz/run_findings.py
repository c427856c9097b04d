"""What the report tells of the networks behind its predictions: where they look, and what they have learnt."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BiomarkError
from ..stats.inputs import Seed

if TYPE_CHECKING:
    from ..zoo.cohort import Cohort
    from .embedding_of_runs import Embeddings
    from .explaining import Explanation

__all__ = ["RunFindings", "check_runs", "findings_of_runs", "fitting_perplexity"]

Progress = Callable[[str, int, int], None]
_FEWEST = 10
"""Patients below which neighbours say nothing and no embedding is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class RunFindings:
    """What `findings_of_runs` found.

    Attributes
    ----------
    explanation : Explanation
    embeddings : Embeddings or None
        None with fewer than ten patients.
    patients : str
        Who was looked at, in words.
    runs, cohort : tuple of str, str
        As they were given.
    simulated : bool
        Whether the cohort says that it was simulated.
    n_viewers : int or None
        How many patients get a slice viewer; all where it is None.
    """

    explanation: Explanation
    embeddings: Embeddings | None
    patients: str
    runs: tuple[str, ...]
    cohort: str
    simulated: bool = False
    n_viewers: int | None = None


def findings_of_runs(
    runs: Sequence[str | os.PathLike[str]],
    cohort: str | os.PathLike[str],
    *,
    set_name: str | None = None,
    layer: str | None = None,
    which: str = "best",
    device: str = "auto",
    cache: str | os.PathLike[str] | None = None,
    n_viewers: int | None = None,
    rng: Seed = 0,
    progress: Progress | None = None,
) -> RunFindings:
    """Explain trained runs on a cohort and embed their features, for the report.

    Parameters
    ----------
    runs : sequence of paths, at least one
        Folders of ``biomark train``, of one preprocessing.
    cohort : path
    set_name : str, optional
        The set that is looked at; without it, or where the cohort has no such set, "test" where there is one, else
        every patient. The page says who was looked at.
    layer : str, optional
        Of the heat maps; by default the encoder's last map.
    which : "best" or "last"
        Weights.
    device : str
        auto, cpu, cuda, cuda:1.
    cache : path, optional
        Folder of preprocessed volumes; ``cache`` beside the first run if not given.
    n_viewers : int, optional
        Patients who get a slice viewer, at evenly spaced ranks; by default all. The statistics are always of all.
    rng : seed or numpy.random.Generator
        Of the tests between models, of t-SNE and of the permutations.
    progress : function of (what, done, total), optional

    Returns
    -------
    RunFindings

    Raises
    ------
    BiomarkError
        As `biomark.viz.explained_runs.read_runs` and `biomark.viz.explain`, or for fewer than one viewer.

    Notes
    -----
    The perplexity of t-SNE is the paper's 30, lowered where three times as many neighbours are not there.
    """
    from .embedding_of_runs import embed, features_of_runs
    from .explained_runs import read_runs
    from .explaining import explain

    if n_viewers is not None and n_viewers < 1:
        raise BiomarkError(f"at least one patient must have a viewer, found {n_viewers}")
    if set_name is not None and set_name not in _cohort_of(runs, cohort).sets:
        set_name = None
    read = read_runs(
        runs, cohort, set_name=set_name, which=which, device=device, cache=cache, progress=progress
    )
    explanation = explain(
        read.models, read.cases(), labels=read.labels, layer=layer, rng=rng, progress=progress
    )
    n = len(read.patient_id)
    embeddings = None
    if n >= _FEWEST:
        embeddings = embed(
            features_of_runs(read, progress=progress),
            {label: read.y_true(label) for label in read.labels},
            read.patient_id,
            perplexity=fitting_perplexity(n),
            rng=rng,
            progress=progress,
        )
    return RunFindings(
        explanation,
        embeddings,
        f"the {n} patients of the {read.set_name} set" if read.set_name else f"all {n} patients",
        tuple(Path(run).name for run in runs),
        Path(cohort).name,
        read.simulated,
        n_viewers,
    )


def check_runs(runs: Sequence[str | os.PathLike[str]], cohort: str | os.PathLike[str]) -> None:
    """Find out before a long computation whether the runs and the cohort can be read.

    Raises
    ------
    BiomarkError
        Where a folder holds no run, or the cohort cannot be read.
    """
    _cohort_of(runs, cohort)


def _cohort_of(runs: Sequence[str | os.PathLike[str]], cohort: str | os.PathLike[str]) -> Cohort:
    """Return the cohort with the labels of the first run."""
    from ..zoo.cohort import read_cohort
    from ..zoo.run_folder import RunFolder

    configs = [RunFolder(Path(run)).read_config() for run in runs]
    return read_cohort(cohort, labels=configs[0].labels if configs else None)


def fitting_perplexity(n: int, wanted: float = 30.0) -> float:
    """Return the largest perplexity up to ``wanted`` whose neighbours, three times as many, are there.

    Examples
    --------
    >>> fitting_perplexity(300), fitting_perplexity(22)
    (30.0, 7.0)
    """
    return min(wanted, max(1.0, float((n - 1) // 3)))
