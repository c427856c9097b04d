"""The predictions table: what models said of patients, read from a file or a frame and checked once, here."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import BiomarkError
from .delimited_text import table_from_text
from .input_file import is_parquet, read_bytes, refuse_binary
from .input_table import ProblemList, table_from_frame
from .inputs import choice
from .parquet_table import open_parquet, table_from_parquet
from .predictions_check import tidy_frame
from .predictions_layout import KEYS, OPTIONAL
from .results import FloatArray, Result

__all__ = ["Predictions", "SetArrays", "Source", "read_predictions"]

NATURAL_ORDER = ("train", "validation", "test")
# Scores of one set as an array: beyond this (16 GiB) something else than labels and models was given.
_MOST_CELLS = 2**31
# Columns that say which prediction a row is, and nothing of the patient.
_NOT_KNOWLEDGE = frozenset(KEYS + OPTIONAL) - {"size_mm"}


@dataclass(frozen=True, slots=True)
class Source(Result):
    """Where predictions came from.

    Attributes
    ----------
    name : str
        The file as the user named it, ``<stdin>``, or ``<frame>``.
    sha256 : str or None
        Digest of the file's bytes as they are on disk (of a gzip file, compressed); None for a frame.
    layout : "tidy", "wide" or "frame"
    n_rows : int
        Rows of data in the file.
    """

    name: str
    sha256: str | None
    layout: str
    n_rows: int


@dataclass(frozen=True, slots=True, eq=False)
class SetArrays:
    """The predictions of one set as arrays: n patients in ascending order of their text, L labels, M models.

    Attributes
    ----------
    patient_id : array of shape (n,), str
    y_true : array of shape (n, L), 0 or 1
        NaN where the label is missing.
    y_score : array of shape (M, n, L), finite
        NaN where a model has no row for that patient and label.
    size_mm : array of shape (n,), millimetres, or None
        NaN where the size is not known; None where the table has no such column.
    cluster : array of shape (n,), str, or None
        Which rows belong together (lesions of one patient); None where the table does not say.
    """

    patient_id: NDArray[np.object_]
    y_true: FloatArray
    y_score: FloatArray
    size_mm: FloatArray | None
    cluster: NDArray[np.object_] | None


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """A predictions table that passed every check, in the tidy layout; made by `read_predictions`.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per patient, label and model: ``patient_id`` (text), ``set, model, label`` (categories, which compare
        and print as text), ``y_true`` (0, 1, or NaN where missing), ``y_score`` (float64, finite); then, where the
        table has them, ``size_mm`` (float64, in millimetres), ``cluster_id`` and ``fold`` (text), and every other
        column.
    labels, models : tuple of str
        In order of first appearance.
    sets : tuple of str
        train, validation and test first, in this order, then others in order of first appearance.
    source : Source

    Notes
    -----
    A table without ``set`` has the one set "all", one without ``model`` the one model "model".
    """

    frame: pd.DataFrame = field(repr=False)
    labels: tuple[str, ...]
    models: tuple[str, ...]
    sets: tuple[str, ...]
    source: Source

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Predictions:
        """Check a pandas frame in the tidy or the wide layout, as `read_predictions` does a file.

        Parameters
        ----------
        frame : pandas.DataFrame
            Left as it is. Its index plays no part. NaN, None and NA are empty cells; identifiers may be whole
            numbers (7 becomes "7").

        Returns
        -------
        Predictions

        Raises
        ------
        InputFileError
            With every problem found; rows are counted by position, from 0.

        Examples
        --------
        >>> frame = pd.DataFrame({"patient_id": [1, 2], "ER": [1, 0], "net:ER": [0.9, 0.2]})
        >>> Predictions.from_frame(frame).arrays("all").y_score.tolist()
        [[[0.9], [0.2]]]
        """
        problems = ProblemList("<frame>")
        table = table_from_frame(frame, problems)
        return cls._checked(table, problems, None)

    @classmethod
    def _checked(cls, table: Any, problems: ProblemList, sha256: str | None) -> Predictions:
        tidy, labels, models, sets, layout = tidy_frame(table, problems)
        natural = [name for name in NATURAL_ORDER if name in sets]
        others = [name for name in sets if name not in NATURAL_ORDER]
        source = Source(problems.name, sha256, layout if sha256 else "frame", table.rows.size)
        return cls(tidy, labels, models, (*natural, *others), source)

    def arrays(self, set_name: str) -> SetArrays:
        """Return one set as arrays, patients sorted, so that the order of the file's rows plays no part.

        Parameters
        ----------
        set_name : str
            One of ``sets``.

        Raises
        ------
        BiomarkError
            For an unknown set.
        """
        rows = self._rows(set_name)
        at, patients = pd.factorize(rows["patient_id"], sort=True)
        label = pd.Index(self.labels).get_indexer(pd.Index(rows["label"]))
        model = pd.Index(self.models).get_indexer(pd.Index(rows["model"]))
        n, n_labels, n_models = len(patients), len(self.labels), len(self.models)
        if n_models * n * n_labels > _MOST_CELLS:
            raise BiomarkError(
                f"set {set_name!r} has {n:,} patients, {n_labels:,} labels and {n_models:,} models, "
                f"too many to compare them all ({_MOST_CELLS:,} scores at most)"
            )
        y_true = np.full((n, n_labels), np.nan)
        y_true[at, label] = rows["y_true"].to_numpy()
        y_score = np.full((n_models, n, n_labels), np.nan)
        y_score[model, at, label] = rows["y_score"].to_numpy()
        size: FloatArray | None = None
        if "size_mm" in rows:
            size = np.full(n, np.nan)
            size[at] = rows["size_mm"].to_numpy()
        cluster: NDArray[np.object_] | None = None
        if "cluster_id" in rows:
            cluster = np.empty(n, dtype=object)
            cluster[at] = rows["cluster_id"].to_numpy(dtype=object)
        return SetArrays(np.asarray(patients, dtype=object), y_true, y_score, size, cluster)

    def patient_columns(self, set_name: str) -> pd.DataFrame:
        """Return what is known of each patient of a set: ``size_mm`` and the carried columns, for strata.

        Parameters
        ----------
        set_name : str
            One of ``sets``.

        Returns
        -------
        pandas.DataFrame
            One row per patient, the index being ``arrays(set_name).patient_id``. Columns that differ between
            the rows of some patient of the set are left out.
        """
        rows = self._rows(set_name)
        at, patients = pd.factorize(rows["patient_id"], sort=True)
        first = np.empty(len(patients), dtype=np.intp)
        first[at[::-1]] = np.arange(at.size)[::-1]
        names = [name for name in rows if name not in _NOT_KNOWLEDGE]
        kept = [name for name in names if _is_constant(rows[name], at, first)]
        known = rows[kept].iloc[first]
        known.index = pd.Index(np.asarray(patients, dtype=object), name="patient_id")
        return known

    def _rows(self, set_name: str) -> pd.DataFrame:
        choice(set_name, self.sets, name="set")
        return self.frame.loc[(self.frame["set"] == set_name).to_numpy(dtype=bool)]


def read_predictions(path: str | os.PathLike[str] | BinaryIO) -> Predictions:
    r"""Read a predictions table and check all of it.

    Parameters
    ----------
    path : str, path or binary file object
        CSV (commas, semicolons or tabs) in UTF-8, plain or gzip, or Parquet; told by content, not by name.
        ``-`` is standard input. Tidy layout: ``patient_id, label, y_true, y_score`` and optionally ``set,
        model, size_mm, cluster_id, fold``. Wide layout, known by a colon in some name: ``patient_id``, one
        column of truth per label, one column ``<model>:<label>`` per model and label, and optionally ``set,
        size_mm, cluster_id, fold``. Any other column is carried along.

    Returns
    -------
    Predictions

    Raises
    ------
    InputFileError
        With every problem found, each with its row as a spreadsheet counts it (the header is row 1), its
        column, the value found and what would be right.

    Notes
    -----
    Scores are converted as Python's ``float`` does. Blanks around a value do not count. Identifiers stay text:
    "007" is not "7". A set or label with one class only is no reason for refusal.

    ``patient_id`` names what is scored. Where one patient gives several lesions, it names the lesion and
    ``cluster_id`` the patient.

    Examples
    --------
    >>> import io
    >>> text = b"patient_id,label,y_true,y_score\n007,ER,1,0.9\n008,ER,,0.2\n"
    >>> predictions = read_predictions(io.BytesIO(text))
    >>> predictions.labels, predictions.models, predictions.sets
    (('ER',), ('model',), ('all',))
    >>> predictions.arrays("all").patient_id.tolist(), predictions.arrays("all").y_true.tolist()
    (['007', '008'], [[1.0], [nan]])
    """
    with open_parquet(path) as file:
        if file is not None:
            problems = ProblemList(file.name)
            table = table_from_parquet(file.handle, problems)
            return Predictions._checked(table, problems, file.sha256)
    data = read_bytes(path)
    name = data.name
    problems = ProblemList(name)
    if is_parquet(data.content):
        table = table_from_parquet(data.content, problems)
    else:
        refuse_binary(name, data.content)
        table = table_from_text(data.content, problems)
    sha256 = data.sha256
    # The text is no longer needed: the table has its own copy.
    del data
    return Predictions._checked(table, problems, sha256)


def _is_constant(values: pd.Series[Any], at: NDArray[np.intp], first: NDArray[np.intp]) -> bool:
    try:
        codes, _ = pd.factorize(values)
    except TypeError:
        # Lists and the like cannot be compared, and are of no use as strata.
        return False
    return bool((codes == codes[first][at]).all())
