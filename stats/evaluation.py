"""One call from a predictions table to every table and figure of the report."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import BiomarkError
from .evaluation_columns import COLUMNS
from .evaluation_steps import EvaluationSteps, Progress
from .inputs import Seed, fraction, whole_number
from .predictions import Predictions
from .results import plain

__all__ = ["COLUMNS", "Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """Everything that the report prints, computed.

    Attributes
    ----------
    settings : dict
        The options in force, defaults included.
    labels, models, sets : tuple of str
    main_set : str
        The set that the main tables judge.
    cutoff_set : str or None
        Where the locked cut-offs were found; None where there is no other set than the judged one.
    cohort, individual, comparisons, overall, overall_differences, overfitting, strata, interaction,
    sample_size, optimism, calibration, net_benefit, net_benefit_differences, precision_recall, cutoffs,
    paired_accuracy, contrast, baseline : pandas.DataFrame
        The tables; ``note`` says why a cell is empty. Calibration and net benefit are those of the judged set, and
        given where the scores are probabilities.
    curves, scores, calibration_curves : tuple of dict
        ROC curves with bands, score distributions and calibration curves, ready to be drawn.
    warnings : tuple of dict
        What a referee would raise: kind, where, message; worst first.
    provenance : dict
        Version, date, seed, input with its SHA-256 and what its column ``origin`` says, package versions.
    """

    settings: dict[str, Any]
    labels: tuple[str, ...]
    models: tuple[str, ...]
    sets: tuple[str, ...]
    main_set: str
    cutoff_set: str | None
    cohort: pd.DataFrame
    individual: pd.DataFrame
    comparisons: pd.DataFrame
    overall: pd.DataFrame
    overall_differences: pd.DataFrame
    overfitting: pd.DataFrame
    strata: pd.DataFrame
    interaction: pd.DataFrame
    sample_size: pd.DataFrame
    optimism: pd.DataFrame
    calibration: pd.DataFrame
    net_benefit: pd.DataFrame
    net_benefit_differences: pd.DataFrame
    precision_recall: pd.DataFrame
    cutoffs: pd.DataFrame
    paired_accuracy: pd.DataFrame
    contrast: pd.DataFrame
    baseline: pd.DataFrame
    curves: tuple[dict[str, Any], ...]
    scores: tuple[dict[str, Any], ...]
    calibration_curves: tuple[dict[str, Any], ...]
    warnings: tuple[dict[str, str], ...] = field(default=())
    provenance: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a plain dictionary: frames as lists of rows, NaN as ``None``."""
        record: dict[str, Any] = {}
        for name, value in vars(self).items():
            rows = value.to_dict(orient="records") if isinstance(value, pd.DataFrame) else value
            record[name] = plain(rows)
        return record

    def to_json(self, path: str | os.PathLike[str], *, further: Mapping[str, Any] | None = None) -> None:
        """Write `to_dict` as JSON at full precision; the file appears whole or not at all.

        Parameters
        ----------
        path : path
        further : mapping, optional
            What stands after it in the same file.

        Raises
        ------
        OSError
            If the folder cannot be written.
        """
        target = Path(path)
        text = json.dumps(
            self.to_dict() | plain(dict(further or {})), indent=1, allow_nan=False, ensure_ascii=False
        )
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text + "\n")
            os.chmod(temporary, 0o644)
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def __repr__(self) -> str:
        return (
            f"Evaluation of {', '.join(self.models)} on {', '.join(self.labels)}: "
            f"main set {self.main_set!r}, cut-offs from {self.cutoff_set or self.main_set!r}"
        )


def evaluate(
    predictions: Predictions,
    *,
    cutoff_from: str | None = "validation",
    size_threshold_mm: float = 15.0,
    n_boot: int = 2000,
    rng: Seed = 0,
    confidence: float = 0.95,
    stratify_by: Mapping[str, Sequence[float] | None] | Sequence[str] = (),
    progress: Progress | None = None,
) -> Evaluation:
    """Compute all statistics of a report from a predictions table.

    Parameters
    ----------
    predictions : Predictions
    cutoff_from : str or None
        Set on which the Youden cut-offs are found; they are then locked and applied to the other sets. A table
        without a set of the default's name, or ``None``, has no locked cut-offs: each set's own are used, which
        flatters, and the bootstrap-corrected optimism is given.
    size_threshold_mm : float > 0
        Lesions of at most this diameter are small.
    n_boot : int >= 2
        Bootstrap replicates. Bands and optimism of very large sets use fewer and say so.
    rng : seed or numpy.random.Generator
        Every table draws from its own stream, named after set, label and model, so that the numbers depend
        neither on the order of rows nor on what else is in the table.
    confidence : float in (0, 1)
    stratify_by : mapping of column to thresholds, or sequence of columns
        Carried columns whose values (``None``), or parts of whose range, are strata too. In a sequence,
        ``"age:50,65"`` names thresholds.
    progress : callable, optional
        Called with units done, units in all, and what is being done.

    Returns
    -------
    Evaluation

    Raises
    ------
    BiomarkError
        For options out of range, or a set to lock cut-offs on that is not in the table.

    Notes
    -----
    Individual AUCs: DeLong (or Obuchowski's variance where ``cluster_id`` is given), with the logit interval
    beside it. Proportions: Wilson. Overall metrics: percentile bootstrap of whole patients, all models on the
    same replicates. Holm's correction runs within one set over all labels and pairs of models.
    """
    fraction(confidence, name="confidence")
    n_boot = whole_number(n_boot, name="n_boot", least=2)
    if not size_threshold_mm > 0.0:
        raise BiomarkError(f"size_threshold_mm must be positive, found {size_threshold_mm!r}")
    if cutoff_from not in (None, "validation") and cutoff_from not in predictions.sets:
        raise BiomarkError(
            f"no set {cutoff_from!r} to take the cut-offs from; the table has {', '.join(predictions.sets)}"
        )
    if isinstance(rng, np.random.Generator):
        seed = int(rng.integers(2**63))
    elif rng is None:
        seed = int(np.random.default_rng().integers(2**63))
    else:
        seed = whole_number(rng, name="rng", least=0)
    steps = EvaluationSteps(
        predictions,
        cutoff_from,
        size_threshold_mm,
        n_boot,
        seed,
        confidence,
        progress,
        _thresholds(stratify_by),
    )
    return Evaluation(**steps.run())


def _thresholds(
    stratify_by: Mapping[str, Sequence[float] | None] | Sequence[str],
) -> dict[str, Sequence[float] | None]:
    if isinstance(stratify_by, str):
        stratify_by = (stratify_by,)
    if isinstance(stratify_by, Mapping):
        return dict(stratify_by)
    found: dict[str, Sequence[float] | None] = {}
    for text in stratify_by:
        column, colon, numbers = text.partition(":")
        try:
            found[column] = [float(number) for number in numbers.split(",")] if colon else None
        except ValueError:
            raise BiomarkError(
                f"cannot stratify by {text!r}: expected a column, or a column with thresholds such as 'age:50,65'"
            ) from None
    return found
