"""What the manuscript says of scores taken as probabilities, and of models at their cut-offs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from .captions import interval_level, one_unnamed_set
from .page_table import rows_of
from .traced_cells import counted, extreme, traced_estimate
from .traced_text import Cite, Fragment, Name, listed

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = ["calibration_methods", "calibration_sentence", "paired_accuracy_methods"]

# A slope and a ratio are read to a hundredth at most.
_DIGITS = 2
# A paragraph names no more than these and leaves the rest to the table.
_SPELT_OUT = 6


def calibration_methods(evaluation: Evaluation) -> list[Fragment]:
    """Say how calibration and net benefit were judged, where any scores were probabilities."""
    if not evaluation.calibration["brier"].notna().any():
        return []
    where: list[Fragment] = ["in the ", Name(evaluation.main_set), " set "]
    where = [] if one_unnamed_set(evaluation) else where
    return [
        "Where scores were probabilities, calibration was judged ", *where, "by the intercept and slope of a "
        "logistic recalibration ", Cite(("cox",)), ", the Brier score ", Cite(("brier",)), " and the integrated "
        "calibration index of a smoothed curve ", Cite(("austin-steyerberg",)), ", and clinical usefulness by net "
        "benefit ", Cite(("vickers-elkin",)), ".",
    ]  # fmt: skip


def paired_accuracy_methods(evaluation: Evaluation) -> list[Fragment]:
    """Say how sensitivities and specificities were compared, where there were models to compare."""
    judged = rows_of(evaluation.paired_accuracy, set=evaluation.main_set)
    if not judged["p_value"].notna().any():
        return []
    return [
        "Sensitivities and specificities of models were compared on the same patients by McNemar’s exact test ",
        Cite(("mcnemar",)), " with Holm’s correction ", Cite(("holm",)), ".",
    ]  # fmt: skip


def calibration_sentence(evaluation: Evaluation) -> list[Fragment]:
    """Give the slopes and the ratios of observed to expected positives, and name the slopes that are off."""
    frame = evaluation.calibration
    judged = frame[frame["slope"].notna()]
    if not len(judged):
        return []
    if len(judged) == 1:
        row, level = judged.iloc[0], interval_level(evaluation)
        said: list[Fragment] = ["The calibration slope was "]
        said += traced_estimate("calibration", row, "slope", _DIGITS, level=level)
        if row["observed_expected"] == row["observed_expected"]:
            said += [", and observed over expected positives "]
            said += traced_estimate("calibration", row, "observed_expected", _DIGITS, level=level)
        return [*said, "."]
    where = {"set": evaluation.main_set}
    said = ["Calibration slopes ranged ", *_span(judged, "slope", where)]
    if frame["observed_expected"].notna().any():
        said += [" and ratios of observed to expected positives ", *_span(frame, "observed_expected", where)]
    number = counted("calibration", judged, "slope", **where)
    above, below = judged[judged["slope_ci_low"] > 1.0], judged[judged["slope_ci_high"] < 1.0]
    if not len(above) and not len(below):
        return [*said, "; all ", number, " intervals of the slope contain the ideal value of one."]
    off: list[list[Fragment]] = []
    if len(above):
        passed = counted("calibration", above, "slope", **where, slope_ci_low="> 1")
        off.append([passed, " above the ideal value of one, predictions too moderate (", *_named(above), ")"])
    if len(below):
        passed = counted("calibration", below, "slope", **where, slope_ci_high="< 1")
        off.append([passed, " below the ideal value of one, predictions too extreme (", *_named(below), ")"])
    return [*said, "; of ", number, " intervals of the slope there lay ", *listed(off), "."]


def _span(judged: pd.DataFrame, column: str, where: dict[str, str]) -> list[Fragment]:
    ends = [
        extreme("calibration", judged, column, which, _DIGITS, **where) for which in ("smallest", "largest")
    ]
    return ["from ", ends[0], " to ", ends[1]]


def _named(off: pd.DataFrame) -> list[Fragment]:
    """Name the first labels and models."""
    items: list[list[Fragment]] = [
        [Name(row["label"]), " with ", Name(row["model"])] for _, row in off.head(_SPELT_OUT).iterrows()
    ]
    return [*listed(items), *([" among others"] if len(off) > _SPELT_OUT else [])]
