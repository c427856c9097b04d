"""One call from a predictions table to every table and figure of the report."""

from __future__ import annotations

import json
import os
import platform
import tempfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import BiomarkError
from .individual import (
    AT_CUTOFF,
    Cell,
    CutoffChoice,
    comparison_rows,
    curve_of_cell,
    individual_row,
    optimism_rows,
    overfitting_row,
    sample_size_rows,
    scores_of_cell,
    youden_cutoff,
)
from .inputs import Seed, fraction, whole_number
from .multilabel import METRICS
from .overall import overall_performance
from .predictions import Predictions, SetArrays
from .referee import referee_warnings
from .results import FloatArray, plain
from .strata import Strata, stratify
from .subgroups import interaction_rows, macro_stratum_tables, stratum_rows
from .tests_of_difference import holm

__all__ = ["Evaluation", "evaluate"]

TRAINING_NAMES = ("train", "training", "development")
POWER, ALPHA = 0.8, 0.05
PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "scikit-learn", "plotly")
Progress = Callable[[int, int, str], None]

_INTERVAL = ("difference", "ci_low", "ci_high")
COLUMNS: dict[str, tuple[str, ...]] = {
    "cohort": ("set", "label", "n_patients", "n_labelled", "n_missing", "n_pos", "n_neg", "prevalence"),
    "individual": (
        "set", "label", "model", "cutoff", "cutoff_set", "n", "n_pos", "n_neg", "auc", "auc_se",
        "auc_ci_low", "auc_ci_high", "auc_logit_ci_low", "auc_logit_ci_high", "auc_method", "threshold",
        "tp", "fp", "tn", "fn",
        *(column for name in AT_CUTOFF for column in (name, f"{name}_ci_low", f"{name}_ci_high")),
        "note",
    ),
    "comparisons": (
        "set", "label", "model_a", "model_b", "n", "auc_a", "auc_b", *_INTERVAL, "statistic", "p_value",
        "p_holm", "family", "note",
    ),
    "overall": (
        "set", "model", "cutoff", "n_patients",
        *(column for name in METRICS for column in (name, f"{name}_ci_low", f"{name}_ci_high")),
        "note",
    ),
    "overall_differences": (
        "set", "metric", "cutoff", "model_a", "model_b", *_INTERVAL, "p_value", "note",
    ),
    "overfitting": (
        "label", "model", "set_a", "set_b", "auc_a", "auc_b", *_INTERVAL, "statistic", "df", "p_value",
        "p_holm", "note",
    ),
    "strata": (
        "set", "variable", "stratum", "label", "model", "n", "n_pos", "n_neg", "auc", "ci_low", "ci_high",
        "note",
    ),
    "interaction": (
        "set", "variable", "label", "model", "stratum_a", "stratum_b", *_INTERVAL, "statistic", "p_value",
        "p_holm", "note",
    ),
    "sample_size": (
        "set", "label", "model", "auc", "n_pos", "n_neg", "ratio", "method", "required_pos", "required_neg",
        "required_total", "adequate", "power", "note",
    ),
    "optimism": (
        "set", "label", "model", "metric", "apparent", "optimism", "corrected", "ci_low", "ci_high",
        "n_boot", "note",
    ),
    "calibration": (),
    "net_benefit": (),
    "baseline": (),
}  # fmt: skip


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
    sample_size, optimism, calibration, net_benefit, baseline : pandas.DataFrame
        The tables; ``note`` says why a cell is empty.
    curves, scores : tuple of dict
        ROC curves with bands and score distributions, ready to be drawn.
    warnings : tuple of dict
        What a referee would raise: kind, where, message; worst first.
    provenance : dict
        Version, date, seed, input with its SHA-256, package versions.
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
    baseline: pd.DataFrame
    curves: tuple[dict[str, Any], ...]
    scores: tuple[dict[str, Any], ...]
    warnings: tuple[dict[str, str], ...] = field(default=())
    provenance: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a plain dictionary: frames as lists of rows, NaN as ``None``."""
        record: dict[str, Any] = {}
        for name, value in vars(self).items():
            rows = value.to_dict(orient="records") if isinstance(value, pd.DataFrame) else value
            record[name] = plain(rows)
        return record

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write `to_dict` as JSON at full precision; the file appears whole or not at all.

        Raises
        ------
        OSError
            If the folder cannot be written.
        """
        target = Path(path)
        text = json.dumps(self.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)
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
    return _Work(predictions, cutoff_from, size_threshold_mm, n_boot, seed, confidence, progress).run()


class _Work:
    """The steps of one evaluation, in the order of the report."""

    def __init__(
        self,
        predictions: Predictions,
        cutoff_from: str | None,
        size_threshold_mm: float,
        n_boot: int,
        seed: int,
        confidence: float,
        progress: Progress | None,
    ) -> None:
        self.predictions = predictions
        self.labels, self.models, self.sets = predictions.labels, predictions.models, predictions.sets
        self.main_set, self.cutoff_set = _roles(self.sets, cutoff_from)
        self.size_threshold_mm, self.n_boot = size_threshold_mm, n_boot
        self.seed, self.confidence = seed, confidence
        self.arrays = {name: predictions.arrays(name) for name in self.sets}
        self.cells = {
            (name, label): [
                _cell(self.arrays[name], name, m, model, k, label) for m, model in enumerate(self.models)
            ]
            for name in self.sets
            for k, label in enumerate(self.labels)
        }
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in COLUMNS}
        self.curves: list[dict[str, Any]] = []
        self.scores: list[dict[str, Any]] = []
        self._progress, self._done = progress, 0
        self._total = len(self.sets) * (len(self.labels) + 2)

    def run(self) -> Evaluation:
        cutoffs = self._cutoffs()
        for name in self.sets:
            self._cohort(name)
            for label in self.labels:
                self._tell(f"{name}: {label}")
                self._single_label(name, label, cutoffs)
            self._tell(f"{name}: all labels together")
            self._overall(name, cutoffs)
            self._tell(f"{name}: lesion size")
            self._by_size(name)
        self._overfitting()
        frames = self._frames()
        settings = {
            "cutoff_from": self.cutoff_set, "size_threshold_mm": self.size_threshold_mm,
            "n_boot": self.n_boot, "seed": self.seed, "confidence": self.confidence,
            "criterion": "youden", "ties": "lowest cut-off", "auc_interval": "delong",
            "proportion_interval": "wilson", "overall_interval": "percentile bootstrap of whole patients",
            "correction": "holm", "power": POWER, "alpha": ALPHA, "null_auc": 0.5,
            "clustered": any(arrays.cluster is not None for arrays in self.arrays.values()),
        }  # fmt: skip
        warnings = referee_warnings(
            frames, settings=settings, main_set=self.main_set, cutoff_set=self.cutoff_set, sets=self.sets,
            ties={key: choice.n_ties for key, choice in cutoffs.items()},
        )  # fmt: skip
        if self._progress is not None:
            self._progress(self._total, self._total, "done")
        return Evaluation(
            settings=settings, labels=self.labels, models=self.models, sets=self.sets,
            main_set=self.main_set, cutoff_set=self.cutoff_set, **frames,
            curves=tuple(self.curves), scores=tuple(self.scores), warnings=tuple(warnings),
            provenance=self._provenance(),
        )  # fmt: skip

    def _tell(self, what: str) -> None:
        if self._progress is not None:
            self._progress(self._done, self._total, what)
        self._done += 1

    def _rng(self, *names: str) -> np.random.Generator:
        """Return a stream of its own for each named purpose."""
        return np.random.default_rng([self.seed, *(zlib.crc32(name.encode()) for name in names)])

    def _cutoffs(self) -> dict[tuple[str, str, str, str], CutoffChoice]:
        """Cut-offs by (set, label, model, kind)."""
        found: dict[tuple[str, str, str, str], CutoffChoice] = {}
        for (name, label), cells in self.cells.items():
            for m, cell in enumerate(cells):
                found[name, label, cell.model, "same-set"] = youden_cutoff(cell, "same-set")
                if self.cutoff_set is not None and name != self.cutoff_set:
                    source = self.cells[self.cutoff_set, label][m]
                    found[name, label, cell.model, "locked"] = youden_cutoff(source, "locked")
        return found

    def _kinds(self, name: str) -> tuple[str, ...]:
        return ("same-set",) if self.cutoff_set in (None, name) else ("locked", "same-set")

    def _cohort(self, name: str) -> None:
        arrays = self.arrays[name]
        for k, label in enumerate(self.labels):
            truth = arrays.y_true[:, k]
            n_pos, n_neg = int(np.sum(truth == 1.0)), int(np.sum(truth == 0.0))
            self.rows["cohort"].append(
                {
                    "set": name,
                    "label": label,
                    "n_patients": truth.size,
                    "n_labelled": n_pos + n_neg,
                    "n_missing": truth.size - n_pos - n_neg,
                    "n_pos": n_pos,
                    "n_neg": n_neg,
                    "prevalence": n_pos / (n_pos + n_neg) if n_pos + n_neg else float("nan"),
                }
            )

    def _single_label(
        self, name: str, label: str, cutoffs: dict[tuple[str, str, str, str], CutoffChoice]
    ) -> None:
        cells = self.cells[name, label]
        for cell in cells:
            chosen = [cutoffs[name, label, cell.model, kind] for kind in self._kinds(name)]
            self.rows["individual"] += [individual_row(cell, cut, self.confidence) for cut in chosen]
            self.rows["sample_size"] += sample_size_rows(cell, power=POWER, alpha=ALPHA)
            self.rows["optimism"] += optimism_rows(
                cell, n_boot=self.n_boot, rng=self._rng("optimism", name, label, cell.model),
                confidence=self.confidence,
            )  # fmt: skip
            if not cell.note:
                self.curves.append(
                    curve_of_cell(
                        cell,
                        chosen,
                        n_boot=self.n_boot,
                        rng=self._rng("band", name, label, cell.model),
                        confidence=self.confidence,
                    )
                )
                self.scores.append(scores_of_cell(cell, chosen))
        self.rows["comparisons"] += comparison_rows(cells, self.confidence)

    def _complete_models(self, arrays: SetArrays) -> list[int]:
        """Models that have a score for every label; the others cannot be compared overall."""
        observed = ~np.isnan(arrays.y_score) & ~np.isnan(arrays.y_true)
        return [m for m in range(len(self.models)) if observed[m].any(axis=0).all()]

    def _overall(self, name: str, cutoffs: dict[tuple[str, str, str, str], CutoffChoice]) -> None:
        arrays = self.arrays[name]
        complete = self._complete_models(arrays)
        if len(self.labels) < 2 or not complete:
            return
        models = tuple(self.models[m] for m in complete)
        thresholds = {
            kind: np.array(
                [[cutoffs[name, label, model, kind].threshold for label in self.labels] for model in models]
            )
            for kind in self._kinds(name)
        }
        performance = overall_performance(
            name, models, arrays.y_true, arrays.y_score[complete], thresholds,
            n_boot=self.n_boot, cluster=_codes(arrays), rng=self._rng("overall", name),
        )  # fmt: skip
        self.rows["overall"] += performance.rows(self.confidence)
        self.rows["overall_differences"] += performance.difference_rows(self.confidence)

    def _by_size(self, name: str) -> None:
        arrays = self.arrays[name]
        if arrays.size_mm is None or np.isnan(arrays.size_mm).all():
            return
        strata = stratify(arrays.size_mm, thresholds=self.size_threshold_mm, unit="mm")
        self._stratified(name, strata, "size_mm")

    def _stratified(self, name: str, strata: Strata, variable: str) -> None:
        arrays = self.arrays[name]
        for label in self.labels:
            cells = self.cells[name, label]
            for cell in cells:
                self.rows["strata"] += stratum_rows(cell, strata, variable, self.confidence)
            self.rows["interaction"] += interaction_rows(cells, strata, variable, self.confidence)
        complete = self._complete_models(arrays)
        if len(self.labels) > 1 and complete:
            rows, interactions = macro_stratum_tables(
                name, tuple(self.models[m] for m in complete), arrays.y_true, arrays.y_score[complete],
                strata, variable, n_boot=self.n_boot, cluster=_codes(arrays),
                rng=self._rng("strata", name, variable), confidence=self.confidence,
            )  # fmt: skip
            self.rows["strata"] += rows
            self.rows["interaction"] += interactions

    def _overfitting(self) -> None:
        earlier = [name for name in self.sets if name != self.main_set and _before(name, self.cutoff_set)]
        for name in earlier:
            for label in self.labels:
                for a, b in zip(self.cells[name, label], self.cells[self.main_set, label], strict=True):
                    self.rows["overfitting"].append(overfitting_row(a, b, self.confidence))

    def _frames(self) -> dict[str, pd.DataFrame]:
        frames = {}
        for name, columns in COLUMNS.items():
            frame = pd.DataFrame(self.rows[name], columns=list(columns) or None)
            if "note" in frame:
                frame["note"] = frame["note"].fillna("")
            frames[name] = frame
        for name, family in (
            ("comparisons", ["set"]), ("overfitting", ["set_a"]), ("interaction", ["set", "variable"]),
        ):  # fmt: skip
            frames[name] = _with_holm(frames[name], family)
        return frames

    def _provenance(self) -> dict[str, Any]:
        source = self.predictions.source
        return {
            "biomark": _version("biomark"),
            "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "seed": self.seed,
            "input": {
                "name": source.name,
                "sha256": source.sha256,
                "layout": source.layout,
                "rows": source.n_rows,
                "patients": sum(a.patient_id.size for a in self.arrays.values()),
            },
            "packages": {name: _version(name) for name in PACKAGES},
            "python": platform.python_version(),
        }


def _roles(sets: tuple[str, ...], cutoff_from: str | None) -> tuple[str, str | None]:
    """Which set is judged, and which one gives the cut-offs (None: no other set can)."""
    others = [name for name in sets if name != cutoff_from]
    judged = [name for name in others if name.lower() not in TRAINING_NAMES] or others or list(sets)
    main = "test" if "test" in judged else judged[-1]
    return main, cutoff_from if cutoff_from in sets and cutoff_from != main else None


def _before(name: str, cutoff_set: str | None) -> bool:
    return name == cutoff_set or name.lower() in TRAINING_NAMES


def _cell(arrays: SetArrays, name: str, m: int, model: str, k: int, label: str) -> Cell:
    truth, score = arrays.y_true[:, k], arrays.y_score[m, :, k]
    patients = np.flatnonzero(~np.isnan(truth) & ~np.isnan(score))
    cluster = None if arrays.cluster is None else arrays.cluster[patients]
    return Cell(name, label, model, truth[patients] == 1.0, score[patients], patients, cluster)


def _codes(arrays: SetArrays) -> np.ndarray | None:
    return None if arrays.cluster is None else np.unique(arrays.cluster, return_inverse=True)[1]


def _with_holm(frame: pd.DataFrame, family: Iterable[str]) -> pd.DataFrame:
    """Fill ``p_holm`` (and ``family``, the number of tests corrected for) within each family of tests."""
    adjusted: FloatArray = np.full(len(frame), np.nan)
    sizes = np.zeros(len(frame), dtype=int)
    if len(frame):
        for positions in frame.groupby(list(family), sort=False).indices.values():
            p_values = frame["p_value"].to_numpy(dtype=float)[positions]
            adjusted[positions] = holm(p_values)
            sizes[positions] = int(np.sum(~np.isnan(p_values)))
    frame["p_holm"] = adjusted
    if "family" in frame:
        frame["family"] = sizes
    return frame


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
