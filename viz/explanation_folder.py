"""An explanation as a folder: its first page, a viewer for each patient, the numbers, and figures of cases."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..stats.results import plain
from .attention import Attention, attention_in_words
from .csv_table import csv_text
from .file_name import file_name
from .representative_cases import cases_figure
from .slices import slice_viewer

if TYPE_CHECKING:
    from .explaining import Explanation

__all__ = [
    "case_drawings",
    "cases_by_rank",
    "files_of_explanation",
    "fill_explanation",
    "viewed_patients",
    "write_explanation",
]


def write_explanation(
    found: Explanation,
    path: str | os.PathLike[str],
    *,
    title: str = "Where the networks look",
    simulated: bool = False,
    n_cases: int = 3,
    n_viewers: int | None = None,
) -> None:
    """Write an explanation as a folder: index.html, a viewer per patient, tables, and a figure of cases.

    ``index.html`` holds the figure of attention and its numbers and leads to the viewers in ``patients/``;
    ``attention.csv`` has a row per patient, model and label, ``attention.json`` the means and tests,
    ``cases-<label>.svg`` the cases at evenly spaced ranks of the first model's energy in the lesion, lowest to
    highest, so that nobody picked them. An earlier explanation in the folder is replaced once the new one is
    complete; other files in it are left alone.

    Parameters
    ----------
    found : Explanation
    path : path
    title : str
    simulated : bool
        Say everywhere that the volumes are simulated.
    n_cases : int
        Patients in the figure of cases.
    n_viewers : int, optional
        Patients who get a slice viewer, at evenly spaced ranks; by default all.
    """
    from .report_folder import replace_folder

    with replace_folder(path, outdated=files_of_explanation(path)) as folder:
        fill_explanation(
            found, folder, title=title, simulated=simulated, n_cases=n_cases, n_viewers=n_viewers
        )


def fill_explanation(
    found: Explanation,
    folder: Path,
    *,
    title: str = "Where the networks look",
    simulated: bool = False,
    n_cases: int = 3,
    n_viewers: int | None = None,
    back: str = "",
) -> dict[str, str]:
    """Write the files of `write_explanation` into an empty folder.

    Parameters
    ----------
    found, title, simulated, n_cases, n_viewers
        As for `write_explanation`.
    folder : Path
        Made where it does not exist.
    back : str
        Address of the page that leads here, relative to the folder.

    Returns
    -------
    dict of patient to the viewer's address, relative to the folder
    """
    import pandas as pd

    from .explanation_page import explanation_html

    (folder / "patients").mkdir(parents=True)
    seen = viewed_patients(found, n_viewers)
    pages = {}
    for k, patient in enumerate(found.patients):
        if patient.patient_id not in seen:
            continue
        name = f"patients/{k + 1:04d}-{file_name(patient.patient_id)}.html"
        slice_viewer(
            [patient],
            folder / name,
            title=f"{title}: {patient.patient_id}",
            simulated=simulated,
            back="../index.html",
        )
        pages[patient.patient_id] = name
    _write(folder / "index.html", explanation_html(found, pages, title=title, simulated=simulated, back=back))
    if not found.attention:
        return pages
    frames = [one.to_frame() for one in found.attention.values()]
    _write(folder / "attention.csv", csv_text(pd.concat(frames, ignore_index=True)))
    summary = {
        label: {
            "models": one.models.to_dict("records"),
            "differences": one.differences.to_dict("records"),
            "sentences": attention_in_words(one),
        }
        for label, one in found.attention.items()
    }
    text = json.dumps(plain(summary), indent=1, ensure_ascii=False, allow_nan=False)
    _write(folder / "attention.json", text + "\n")
    for label, drawing in case_drawings(found, n_cases=n_cases, simulated=simulated).items():
        _write(folder / f"cases-{file_name(label)}.svg", drawing)
    return pages


def case_drawings(found: Explanation, *, n_cases: int = 3, simulated: bool = False) -> dict[str, str]:
    """Return the figure of cases of each label that has an attention, as SVG."""
    drawings = {}
    for label, one in found.attention.items():
        rows = cases_by_rank(one, n_cases)
        chosen = [p for name in rows for p in found.patients if p.patient_id == name]
        drawings[label] = cases_figure(chosen, label, simulated=simulated)
    return drawings


def files_of_explanation(path: str | os.PathLike[str]) -> list[str]:
    """Return the files in a folder, relative to it, that an earlier `write_explanation` made."""
    folder = Path(path)
    patterns = (
        "index.html",
        "attention.csv",
        "attention.json",
        "cases-*.svg",
        "patients/[0-9][0-9][0-9][0-9]-*.html",
    )
    return [found.relative_to(folder).as_posix() for pattern in patterns for found in folder.glob(pattern)]


def viewed_patients(found: Explanation, n_viewers: int | None) -> set[str]:
    """Return who gets a viewer: all, or those at evenly spaced ranks of the first label's attention."""
    names = [patient.patient_id for patient in found.patients]
    if n_viewers is None or n_viewers >= len(names):
        return set(names)
    first = next(iter(found.attention.values()), None)
    return set(names[:n_viewers] if first is None else cases_by_rank(first, n_viewers))


def cases_by_rank(found: Attention, n_cases: int) -> list[str]:
    """Return patients at evenly spaced ranks of the first model's energy in the lesion, lowest to highest."""
    energy = next(iter(found.scores.values())).energy
    known = np.flatnonzero(~np.isnan(energy))
    order = known[np.argsort(energy[known], kind="stable")]
    if order.size == 0:
        return list(found.patient_id[:n_cases])
    at = np.unique(np.rint(np.linspace(0, order.size - 1, min(n_cases, order.size))).astype(int))
    return [found.patient_id[int(order[k])] for k in at]


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
