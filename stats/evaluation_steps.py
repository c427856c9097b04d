"""The steps of one evaluation, in the order of the report."""

from __future__ import annotations

import platform
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd

from ..errors import BiomarkError
from .companion_tables import contrast_rows, cutoff_rows, paired_accuracy_rows, precision_recall_rows
from .evaluation_columns import COLUMNS
from .individual import (
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
from .overall import overall_performance
from .patient_baseline import baseline_rows
from .predictions import Predictions, SetArrays
from .probability_tables import (
    calibration_curve_of_cell,
    calibration_rows,
    net_benefit_difference_rows,
    net_benefit_rows,
    not_probabilities,
)
from .referee import referee_warnings
from .results import FloatArray
from .strata import Strata, stratify
from .subgroups import interaction_rows, macro_stratum_tables, stratum_rows
from .tests_of_difference import holm

__all__ = ["EvaluationSteps", "Progress"]

TRAINING_NAMES = ("train", "training", "development")
POWER, ALPHA = 0.8, 0.05
PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "scikit-learn", "plotly")
# More values than this are a number that needs thresholds, or names.
MOST_STRATA = 12
Progress = Callable[[int, int, str], None]


class EvaluationSteps:
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
        stratify_by: Mapping[str, Sequence[float] | None],
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
        self.calibration_curves: list[dict[str, Any]] = []
        self.scores: list[dict[str, Any]] = []
        self.stratify_by = stratify_by
        self._progress, self._done = progress, 0
        self._total = len(self.sets) * (len(self.labels) + 2) + len(self.labels) + 1

    def run(self) -> dict[str, Any]:
        """Take every step and return the fields of an `Evaluation`."""
        cutoffs = self._cutoffs()
        for name in self.sets:
            self._cohort(name)
            for label in self.labels:
                self._tell(f"{name}: {label}")
                self._single_label(name, label, cutoffs)
            self._tell(f"{name}: all labels together")
            self._overall(name, cutoffs)
            self._tell(f"{name}: strata")
            self._by_size(name)
            self._by_columns(name)
        for label in self.labels:
            self._tell(f"{self.main_set}: {label}, calibration and net benefit")
            self._as_probabilities(label)
        self._tell("baseline")
        self.rows["baseline"] += baseline_rows(self.predictions)
        self._overfitting()
        frames = self._frames()
        settings = {
            "cutoff_from": self.cutoff_set, "size_threshold_mm": self.size_threshold_mm,
            "n_boot": self.n_boot, "seed": self.seed, "confidence": self.confidence,
            "criterion": "youden", "ties": "lowest cut-off", "auc_interval": "delong",
            "proportion_interval": "wilson", "overall_interval": "percentile bootstrap of whole patients",
            "correction": "holm", "power": POWER, "alpha": ALPHA, "null_auc": 0.5,
            "clustered": any(arrays.cluster is not None for arrays in self.arrays.values()),
            "stratify_by": [_with_thresholds(*item) for item in self.stratify_by.items()],
        }  # fmt: skip
        warnings = referee_warnings(
            frames, settings=settings, main_set=self.main_set, cutoff_set=self.cutoff_set, sets=self.sets,
            ties={key: choice.n_ties for key, choice in cutoffs.items()}, origins=_origin(self.predictions.frame),
        )  # fmt: skip
        if self._progress is not None:
            self._progress(self._total, self._total, "done")
        return {
            "settings": settings, "labels": self.labels, "models": self.models, "sets": self.sets,
            "main_set": self.main_set, "cutoff_set": self.cutoff_set, **frames,
            "curves": tuple(self.curves), "scores": tuple(self.scores),
            "calibration_curves": tuple(self.calibration_curves), "warnings": tuple(warnings),
            "provenance": self._provenance(),
        }  # fmt: skip

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
            self.rows["precision_recall"] += precision_recall_rows(cell, self.confidence)
            self.rows["cutoffs"] += cutoff_rows(cell)
        self.rows["comparisons"] += comparison_rows(cells, self.confidence)
        self.rows["contrast"] += contrast_rows(cells)
        kind = self._kinds(name)[0]
        main = {cell.model: cutoffs[name, label, cell.model, kind] for cell in cells}
        self.rows["paired_accuracy"] += paired_accuracy_rows(cells, main, self.confidence)

    def _as_probabilities(self, label: str) -> None:
        cells = self.cells[self.main_set, label]
        for cell in cells:
            self.rows["calibration"] += calibration_rows(cell, self.confidence)
            self.rows["net_benefit"] += net_benefit_rows(cell, self.confidence)
            curve = calibration_curve_of_cell(cell, self.confidence)
            if curve is not None:
                self.calibration_curves.append(curve)
        if not any(not_probabilities(cell) for cell in cells):
            self.rows["net_benefit_differences"] += net_benefit_difference_rows(cells, self.confidence)

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

    def _by_columns(self, name: str) -> None:
        known = self.predictions.patient_columns(name)
        for column, thresholds in self.stratify_by.items():
            self._stratified(name, strata_of_column(known, column, thresholds, name), column)

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
            ("paired_accuracy", ["set"]),
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
                "origin": _origin(self.predictions.frame),
            },
            "packages": {name: _version(name) for name in PACKAGES},
            "python": platform.python_version(),
        }


def _origin(frame: pd.DataFrame) -> list[str]:
    """Say what a column ``origin`` says of where the rows come from: simulated, reconstructed; empty without one."""
    return sorted(frame["origin"].dropna().astype(str).unique()) if "origin" in frame else []


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


def _with_thresholds(column: str, thresholds: Sequence[float] | None) -> str:
    return column if thresholds is None else f"{column}:{','.join(f'{cut:g}' for cut in thresholds)}"


def strata_of_column(
    known: pd.DataFrame, column: str, thresholds: Sequence[float] | None, set_name: str
) -> Strata:
    """Divide the patients of a set by a carried column.

    Parameters
    ----------
    known : pandas.DataFrame
        One row per patient, as ``Predictions.patient_columns`` gives it.
    column : str
    thresholds : sequence of float, optional
    set_name : str
        For the message.
    """
    if column not in known:
        raise BiomarkError(
            f"cannot stratify by {column!r}: set {set_name!r} has no such column with one value per patient; it has "
            f"{', '.join(map(str, known.columns)) or 'none'}"
        )
    values = known[column]
    if thresholds is not None:
        numbers = pd.to_numeric(values.replace("", np.nan), errors="coerce")
        if (numbers.isna() & values.notna() & (values != "")).any():
            raise BiomarkError(f"cannot stratify by {column!r} with thresholds: it holds text")
        return stratify(numbers.to_numpy(dtype=np.float64), thresholds=list(thresholds))
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64").astype(object).where(values.notna(), None)  # a code is 3, not 3.0
    strata = stratify(values.to_numpy(dtype=object))
    if len(strata.names) > MOST_STRATA:
        raise BiomarkError(
            f"cannot stratify by {column!r}: it has {len(strata.names)} different values; name thresholds, for "
            f"instance '{column}:50', or a column with at most {MOST_STRATA} values"
        )
    return strata
