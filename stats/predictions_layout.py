"""The two layouts of a predictions table, told apart by their header: tidy and wide."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .input_table import ProblemList, listed, shown

__all__ = ["KEYS", "OPTIONAL", "WideScore", "tidy_columns", "wide_scores"]

KEYS = ("patient_id", "set", "model", "label", "y_true", "y_score")
OPTIONAL = ("size_mm", "cluster_id", "fold")

_TIDY_ONLY = ("model", "label", "y_true", "y_score")
_TIDY_REQUIRED = ("patient_id", "label", "y_true", "y_score")
_RESERVED = frozenset(KEYS + OPTIONAL)

# What others call these columns; compared in lower case without punctuation.
_ALSO_CALLED = {
    "patient_id": ("patient", "id", "pid", "subject", "subjectid", "case", "caseid", "studyid"),
    "set": ("split", "subset", "partition"),
    "label": ("biomarker", "marker", "target", "task", "endpoint", "labelname"),
    "y_true": ("truth", "true", "groundtruth", "gt", "outcome", "actual", "ytest", "reference"),
    "y_score": ("score", "prob", "probability", "pred", "prediction", "ypred", "yprob", "yhat", "logit"),
}


@dataclass(frozen=True, slots=True)
class WideScore:
    """A column of scores in the wide layout: ``<model>:<label>``, split at the last colon."""

    column: str
    model: str
    label: str


def wide_scores(names: Sequence[str], problems: ProblemList, *, row: int | None) -> tuple[WideScore, ...]:
    """Return the score columns if the header is wide, nothing if it is tidy.

    A header is wide where a name holds a colon. Mixed layouts, a score column without a truth column, and
    wrong or missing names are added to ``problems``.
    """
    candidates = [name for name in names if ":" in name]
    if not candidates:
        return ()
    tidy = [name for name in _TIDY_ONLY if name in names]
    if tidy:
        problems.add(
            f"mixes the layouts: {listed(tidy)} belong to the tidy one, {listed(candidates, 5)} to the wide one "
            "(score columns are named <model>:<label>); keep one layout, and no colon in other names",
            row=row,
        )
        problems.raise_if_any()
    scores: list[WideScore] = []
    for name in candidates:
        model, label = (part.strip() for part in name.rsplit(":", 1))
        if not model or not label:
            problems.add("a score column must be named <model>:<label>", row=row, column=name)
        elif label in _RESERVED:
            problems.add(
                f"{shown(label)} cannot be a label: the name has a meaning of its own", row=row, column=name
            )
        elif label not in names:
            problems.add(
                f"there is no column {shown(label)} with the truth of these scores; found {listed(names)}"
                + _suggestion(label, names),
                row=row,
                column=name,
            )
        elif any((model, label) == (score.model, score.label) for score in scores):
            problems.add(
                f"model {shown(model)} has two score columns for {shown(label)}", row=row, column=name
            )
        else:
            scores.append(WideScore(name, model, label))
    _check_names(names, ("patient_id",), problems, row=row)
    if not scores:
        problems.raise_if_any()
    return tuple(scores)


def tidy_columns(names: Sequence[str], problems: ProblemList, *, row: int | None) -> None:
    """Add to ``problems`` what the header of a tidy table lacks."""
    if not names:
        problems.add("found no columns")
        problems.raise_if_any()
    if not any(_closest(name, names) for name in _TIDY_REQUIRED) and any(_is_number(name) for name in names):
        problems.add(
            f"no header: the first row holds {listed(names, 6)}; it must name the columns "
            "(patient_id, set, model, label, y_true, y_score)",
            row=row,
        )
        problems.raise_if_any()
    _check_names(names, _TIDY_REQUIRED, problems, row=row)


def _check_names(
    names: Sequence[str], required: Sequence[str], problems: ProblemList, *, row: int | None
) -> None:
    for name in required:
        if name not in names:
            hint = _suggestion(name, names) or (_OR_WIDE if name in ("label", "y_score") else "")
            problems.add(f"the column is missing; found {listed(names)}{hint}", row=row, column=name)
    # Pooling two sets in silence would be worse than asking for another name.
    for name in ("set", "model", *OPTIONAL):
        variant = None if name in names else _spelt_otherwise(name, names)
        if variant is not None:
            problems.add(
                f"is not read as {shown(name)}; rename it to that, or to a name unlike it",
                row=row,
                column=variant,
            )


_OR_WIDE = "; in the wide layout, score columns are named <model>:<label>"


def _suggestion(name: str, names: Sequence[str]) -> str:
    near = _closest(name, names)
    return "" if near is None else f"; rename {shown(near)} to {shown(name)}?"


def _closest(name: str, names: Sequence[str]) -> str | None:
    """Return the column that is probably meant by ``name``: itself, spelt otherwise, or mistyped."""
    if name in names:
        return name
    variant = _spelt_otherwise(name, names)
    if variant is not None:
        return variant
    free = _free_names(names)
    near = difflib.get_close_matches(_bare(name), [bare for bare in free if len(bare) < 40], n=1, cutoff=0.8)
    return free[near[0]] if near else None


def _spelt_otherwise(name: str, names: Sequence[str]) -> str | None:
    free = _free_names(names)
    also = [_bare(name), *_ALSO_CALLED.get(name, ())]
    return next((free[bare] for bare in also if bare in free), None)


def _free_names(names: Sequence[str]) -> dict[str, str]:
    # A name with a meaning of its own is never a misspelling of another one.
    return {_bare(name): name for name in names if name not in _RESERVED and ":" not in name}


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name[:100].lower())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
