"""Whether a planted error can be seen at all: every possibility is tried, without the code of the audit."""

from __future__ import annotations

import numpy as np
from published_tables import number
from scipy import stats

COUNTED = ("acc", "sen", "spec", "ppv", "npv", "f1")


def detectable(kind: str, draft, table: dict, places: list[str]) -> bool:
    """Whether the planted table contradicts itself where the error is, as far as this kind of error can."""
    if kind in ("impossible-counts", "misprint", "swapped-rows"):
        return not all(row_possible(draft, *found) for found in _rows_at(draft, table, places))
    if kind == "asymmetric-interval":
        (_, row), *_ = _rows_at(draft, table, places)
        value, low, high = (number(cell) for cell in row["auc"])
        # Each of the three may be half a unit off.
        return abs((low + high) / 2 - value) > 10**-draft.decimals
    if kind == "wrong-denominator":
        return any(
            row[metric] != old[metric]
            for (name, row), (_, old) in zip(
                _rows_at(draft, table, places), _rows_at(draft, draft.table, places), strict=True
            )
            for metric in ("sen", "spec")
        )
    if kind == "p-value-inconsistent":
        return not _p_possible(draft, table, places[0])
    return True


def row_possible(draft, name: str, row: dict) -> bool:
    """Whether any counts give every printed value of a row, as this table rounds."""
    counts = draft.counts[name, row["model"], row["label"]]
    pos, neg = counts.tp + counts.fn, counts.tn + counts.fp
    tp, tn = (
        grid.astype(float) for grid in np.meshgrid(np.arange(pos + 1), np.arange(neg + 1), indexing="ij")
    )
    fn, fp = pos - tp, neg - tn
    with np.errstate(invalid="ignore", divide="ignore"):
        values = {
            "acc": (tp + tn) / (pos + neg), "sen": tp / pos, "spec": tn / neg, "ppv": tp / (tp + fp),
            "npv": tn / (tn + fn), "f1": 2 * tp / (2 * tp + fp + fn),
        }  # fmt: skip
    unit = 10.0**-draft.decimals
    below, above = (0.0, unit) if draft.style == "cut off" else (unit / 2, unit / 2)
    fits = np.ones_like(tp, dtype=bool)
    for metric in COUNTED:
        if metric in row:
            printed = number(row[metric])
            fits &= (values[metric] >= printed - below - 1e-9) & (values[metric] <= printed + above + 1e-9)
    return bool(fits.any())


def _rows_at(draft, table: dict, places: list[str]) -> list[tuple[str, dict]]:
    wanted = {tuple(place.split("/")[:3]) for place in places}
    return [
        (name, row)
        for name, part in table["sets"].items()
        for row in part["rows"]
        if (name, row["model"], row["label"]) in wanted
    ]


def _p_possible(draft, table: dict, place: str) -> bool:
    """Whether some correlation, and some values that are printed so, give the printed p."""
    name, label, _ = place.split("/")
    part = table["sets"][name]
    printed = next(
        c for c in part["comparisons"] if c["label"] == label and c != _same(draft.table["sets"][name], c)
    )
    a, b = (
        next(row["auc"] for row in part["rows"] if (row["model"], row["label"]) == (model, label))
        for model in printed["models"]
    )
    half = 10.0**-draft.decimals / 2
    (va, la, ha), (vb, lb, hb) = ([number(cell) for cell in cells] for cells in (a, b))
    apart = np.clip(abs(va - vb) + np.linspace(-2 * half, 2 * half, 9), 0, None)[:, None, None, None]
    sa = ((ha - la) + np.linspace(-2 * half, 2 * half, 9))[None, :, None, None] / 3.919928
    sb = ((hb - lb) + np.linspace(-2 * half, 2 * half, 9))[None, None, :, None] / 3.919928
    r = np.linspace(-1, 1, 201)[None, None, None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stats.norm.sf(apart / np.sqrt(np.maximum(sa**2 + sb**2 - 2 * r * sa * sb, 0)))
    p = p[np.isfinite(p)]
    if printed["p"].startswith("<"):
        return bool((p <= float(printed["p"][1:])).any())
    return bool((p.min() <= float(printed["p"]) + 0.0005) and (p.max() >= float(printed["p"]) - 0.0005))


def _same(part: dict, comparison: dict) -> dict:
    return next(
        c for c in part["comparisons"]
        if c["label"] == comparison["label"] and c["models"] == comparison["models"]
    )  # fmt: skip
