"""Cross-validation: every patient is predicted by a network that never saw him."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import BiomarkError
from ..stats.inputs import whole_number
from ..stats.results import Result
from .checkpoint import write_text
from .cohort import Cohort, read_cohort
from .cohort_split import fold_cohort, split_cohort
from .learner import seed_of
from .prediction import predict
from .preprocessing_cache import CachedCohort, cache_cohort
from .process_group import Processes, process_group
from .training import TrainingProgress, TrainingRun, fit
from .training_config import TrainingConfig
from .training_data import volume_data

__all__ = ["OUT_OF_FOLD", "CrossValidation", "cross_validate"]

OUT_OF_FOLD = "out-of-fold"
"""The set of the predictions."""

_VALIDATION = 0.15

Progress = Callable[[int, int, TrainingProgress], None]


@dataclass(frozen=True, slots=True)
class CrossValidation(Result):
    """What `cross_validate` did.

    Attributes
    ----------
    frame : pandas.DataFrame
        The tidy predictions table: each patient of a fold once per label, of the set ``out-of-fold``, with the ``fold``
        he was held out in.
    runs : dict of fold to TrainingRun
    folder : str
        ``fold-<name>`` of each run, ``folds.csv`` (who is in which fold) and ``preds.csv``.
    """

    frame: pd.DataFrame = field(repr=False)
    runs: dict[str, TrainingRun]
    folder: str


def cross_validate(
    config: TrainingConfig,
    *,
    folds: int | None = None,
    name: str | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> CrossValidation:
    """Train one network for each fold, on the patients outside it, and predict the fold with it.

    Parameters
    ----------
    config : TrainingConfig
        ``out`` receives all folds. ``train_set`` and ``validation_set`` are not used.
    folds : int, 2 or more, optional
        Make that many folds, stratified, from ``config.seed``. By default those of the cohort's column ``fold``
        (``biomark split --folds``); patients without a fold are then neither learnt from nor predicted.
    name : str, optional
        Of the model in the table; the task if not given.
    resume : bool
        Go on where an earlier call with the same folds and settings stopped.
    progress : function of (fold from 1, folds, TrainingProgress), optional

    Returns
    -------
    CrossValidation

    Raises
    ------
    BiomarkError
        Without folds, with one alone, where a cluster or a volume lies in two of them, for a folder that holds other
        folds, or for what `biomark.zoo.train` refuses.

    Notes
    -----
    A fold's network sees the other folds only: 85 in 100 of their patients to learn from, the rest, drawn with the same
    mix of labels, to choose the epoch. Volumes and labels of the fold itself are not loaded until it is trained.

    The table pools the scores of several networks, whose scales may differ a little; that tends to lower a pooled AUC,
    not to raise it. Its intervals treat the networks as given: how much another training would differ, they do not say.

    Under torchrun all processes train one fold together, then the next (`biomark.zoo.process_group`).
    """
    with process_group(config.device) as processes:
        return _cross_validate(config, folds, name, resume, progress, processes)


def _cross_validate(
    config: TrainingConfig,
    folds: int | None,
    name: str | None,
    resume: bool,
    progress: Progress | None,
    processes: Processes,
) -> CrossValidation:
    table = read_cohort(config.cohort, labels=config.labels or None)
    config = replace(config, labels=table.labels)
    if folds is not None:
        table = fold_cohort(table, folds=whole_number(folds, name="folds", least=2), rng=config.seed)
    table = _folded(table)
    column = table.frame["fold"].astype(str).to_numpy()
    names = sorted(set(column), key=lambda fold: (len(fold), fold))
    home = Path(config.out)
    who = _csv(table.frame[["patient_id", "fold"]])
    _check_folder(home, who, resume)
    # All have looked before the first one writes.
    processes.wait()

    def tell_preprocessing(done: int, total: int) -> None:
        if progress is not None:
            progress(1, len(names), TrainingProgress("preprocessing", done, total))

    cached = cache_cohort(
        table,
        config.cache_folder,
        config.preprocessing,
        dtype=config.cache_dtype,
        progress=tell_preprocessing,
        processes=processes,
    )
    _check_apart(cached, column)
    if processes.is_first:
        _write_folds(home, who)
    runs: dict[str, TrainingRun] = {}
    parts: list[pd.DataFrame] = []
    for at, fold in enumerate(names, start=1):

        def tell(state: TrainingProgress, at: int = at) -> None:
            if progress is not None:
                progress(at, len(names), state)

        held_out = np.flatnonzero(column == fold)
        own = replace(
            config,
            out=str(home / f"fold-{fold}"),
            cache=str(config.cache_folder),
            train_set="train",
            validation_set="validation",
        )
        rest = _rest(cached, np.flatnonzero(column != fold), seed_of(config.seed, at))
        with processes.first_before_others():
            data = volume_data(rest, storage=config.storage)
        runs[fold] = fit(own, data, progress=tell, resume=resume, processes=processes)
        test = table.take(held_out)
        found = predict(
            test.with_frame(test.frame.assign(set=OUT_OF_FOLD)),
            runs=own.out,
            name=name or config.task,
            cache=config.cache_folder,
            batch_size=config.batch_size,
            device=config.device,
            precision=config.precision,
        )
        parts.append(found.frame)
    frame = pd.concat(parts, ignore_index=True)
    if processes.is_first:
        write_text(home / "preds.csv", _csv(frame))
    return CrossValidation(frame, runs, str(home))


def _folded(table: Cohort) -> Cohort:
    """Return the patients who have a fold, once it is sure that the folds are apart."""
    if "fold" not in table.frame:
        raise BiomarkError(
            f"{table.name} has no column fold; make one (biomark split --folds), or name their number"
        )
    rows = np.flatnonzero(table.frame["fold"].notna())
    table = table.take(rows)
    names = sorted(table.frame["fold"].unique())
    if len(names) < 2:
        raise BiomarkError(f"{table.name} must have two folds or more, found {', '.join(names) or 'none'}")
    for fold in names:
        if not all(letter.isalnum() or letter in "-_" for letter in str(fold)):
            raise BiomarkError(f"a fold's name becomes that of a folder: letters and digits, found {fold!r}")
    if "cluster_id" in table.frame:
        known = table.frame.dropna(subset=["cluster_id"])
        per_cluster = known.groupby("cluster_id")["fold"].nunique()
        if (per_cluster > 1).any():
            raise BiomarkError(
                f"{table.name}: cluster {per_cluster.index[per_cluster > 1][0]!r} lies in two folds; all lesions of a "
                "patient belong to one"
            )
    return table


def _check_apart(cached: CachedCohort, column: NDArray[np.object_]) -> None:
    """Refuse one volume under two patients in two folds: it would be learnt and predicted."""
    first: dict[str, int] = {}
    for row, key in enumerate(cached.keys):
        origin = first.setdefault(key, row)
        if column[origin] != column[row]:
            one, other = cached.cohort.patient_id[origin], cached.cohort.patient_id[row]
            raise BiomarkError(
                f"{cached.cohort.name}: {one!r} in fold {column[origin]} and {other!r} in fold {column[row]} have the "
                "same volume"
            )


def _rest(cached: CachedCohort, rows: NDArray[np.intp], seed: int) -> CachedCohort:
    """Return the patients at the given positions alone, divided into train and validation."""
    divided = split_cohort(
        cached.cohort.take(rows), fractions={"train": 1 - _VALIDATION, "validation": _VALIDATION}, rng=seed
    )
    return replace(cached, cohort=divided, keys=tuple(cached.keys[row] for row in rows.tolist()))


def _check_folder(home: Path, who: str, resume: bool) -> None:
    path = home / "folds.csv"
    if not path.is_file():
        return
    if not resume:
        raise BiomarkError(
            f"{home} holds a cross-validation already; go on with it (--resume), or name another folder"
        )
    if path.read_text(encoding="utf-8") != who:
        raise BiomarkError(f"{home} was begun with other folds; it goes on with its own")


def _write_folds(home: Path, who: str) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BiomarkError(f"{home}: the folder cannot be made: {error.strerror}") from None
    write_text(home / "folds.csv", who)


def _csv(frame: pd.DataFrame) -> str:
    text = io.StringIO()
    frame.to_csv(text, index=False, lineterminator="\n")
    return text.getvalue()
