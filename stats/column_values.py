"""The values of one column that a user gave: as identifiers, as numbers, as 0/1 truth; or what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .input_table import InputTable, ProblemList, as_arrow, shown
from .results import FloatArray

__all__ = ["Coded", "carried_values", "identifiers", "narrow", "numbers", "truths"]

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
# A carried column counts as numbers when no value would be changed by it: 007 stays text.
_PLAIN_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_MISSING_WORDS = frozenset(
    {"na", "n/a", "nan", "null", "none", "nil", "missing", "unknown", ".", "?", "-", "#n/a"}
)
_TRUTH_WORDS = frozenset(
    {"true", "false", "yes", "no", "pos", "neg", "positive", "negative", "t", "f", "y", "n", "+"}
)


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of text as codes into its distinct values, which stand in order of first appearance.

    Attributes
    ----------
    codes : array of shape (n,), int8 or int64 as `narrow` makes them
    values : Arrow array of text, shape (k,), without blanks around
    """

    codes: NDArray[np.signedinteger[Any]]
    values: Any

    def value(self, position: int) -> str:
        """Return the text at a position."""
        return str(self.values[int(self.codes[position])])

    def names(self) -> tuple[str, ...]:
        """Return the distinct values."""
        return tuple(self.values.to_pylist())

    def empty(self) -> NDArray[np.bool_]:
        """Where the text is empty."""
        blank = pc.equal(self.values, "").to_numpy(zero_copy_only=False)
        return np.asarray(np.asarray(blank)[self.codes])

    def series(self, codes: NDArray[np.signedinteger[Any]] | None = None) -> pd.Series[Any]:
        """Return the text as a pandas series, a missing value where it is empty."""
        values = pc.if_else(pc.equal(self.values, ""), pa.scalar(None, self.values.type), self.values)
        return pd.Series(values.take(pa.array(self.codes if codes is None else codes)).to_pandas())

    def categories(self, codes: NDArray[np.signedinteger[Any]] | None = None) -> pd.Series[Any]:
        """Return the text as a pandas categorical, which sorts as text and takes a byte a row; no text may be empty."""
        known = np.array(self.values.to_pylist(), dtype=object)
        order = np.argsort(known)
        place = np.argsort(order)
        codes = place[self.codes if codes is None else codes]
        return pd.Series(pd.Categorical.from_codes(codes, pd.Index(known[order])))


def identifiers(
    table: InputTable, name: str, problems: ProblemList, *, required: bool = True
) -> Coded | None:
    """Read a column of identifiers or names as text; whole numbers of a frame or of Parquet are written out.

    Returns None (and adds a problem) where the column holds another kind of values. Where ``required``, each
    empty cell is a problem.
    """
    column = as_arrow(table.columns[name])
    kind = _value_type(column)
    if pa.types.is_floating(kind):
        column = _whole_numbers(column.cast(kind))
    elif pa.types.is_null(kind):
        column = column.cast(pa.large_string())
    kind = _value_type(column)
    if not (_is_text(kind) or pa.types.is_integer(kind)):
        problems.add(f"holds values of type {kind}; identifiers and names must be text", column=name)
        return None
    if _is_text(column.type):
        # The column is let go before its texts are hashed.
        column = _trimmed(column)
        coded = _coded_text(column)
    else:
        coded = _coded(column)
    if required:
        at = np.flatnonzero(coded.empty())
        problems.add_rows(at, table.rows, name, lambda _: f"is empty; every row needs its {name}")
    return coded


def numbers(
    table: InputTable, name: str, problems: ProblemList, *, required: bool, minimum: float = -np.inf
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Read a column of finite numbers; what is wrong is added to ``problems``.

    Text is converted as Python's ``float`` does, to the nearest double.

    Parameters
    ----------
    required : bool
        Whether an empty cell is a problem.
    minimum : float
        Least value that is allowed.

    Returns
    -------
    values : array of shape (n,)
        NaN where the cell is empty or wrong.
    valid : array of shape (n,), bool
        Where the cell holds an allowed number, or may be and is empty.
    """
    column = as_arrow(table.columns[name])
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if _is_text(column.type):
        text = _trimmed(column)
        values = _parsed(text)
        absent = np.asarray(pc.equal(text, "").to_numpy(zero_copy_only=False))
    elif _is_numeric(column.type):
        text = column
        values = _as_floats(column)
        # A NaN that the frame or the Parquet file holds is its way to write an empty cell.
        absent = np.isnan(values)
    else:
        problems.add(f"holds values of type {column.type}; it must hold numbers", column=name)
        return np.full(len(column), np.nan), np.zeros(len(column), dtype=bool)

    def wrong(position: int) -> str:
        if absent[position]:
            return "is missing; it must be a finite number"
        if values[position] < minimum and np.isfinite(values[position]):
            return f"found {shown(text[position])}; it cannot be less than {minimum:g}"
        return _wrong_number(str(text[position]), required=required)

    # Nothing is less than minimum but a number: a comparison with NaN is false.
    valid = np.where(absent, not required, np.isfinite(values) & ~(values < minimum))
    problems.add_rows(np.flatnonzero(~valid), table.rows, name, wrong)
    values[~valid] = np.nan
    return values, valid


def truths(table: InputTable, name: str, problems: ProblemList) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Read a column of 0/1 truth.

    Returns
    -------
    values : array of shape (n,)
        0, 1, or NaN where the cell is empty or wrong.
    valid : array of shape (n,), bool
        Where the cell holds 0, 1 or nothing.
    """
    column = as_arrow(table.columns[name])
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if _is_text(column.type):
        coded = _coded(column)
        values = _parsed(coded.values)[coded.codes]
        missing = coded.empty()

        def found(position: int) -> str:
            return coded.value(position)

    elif _is_numeric(column.type) or pa.types.is_boolean(column.type):
        values = _as_floats(column)
        missing = np.isnan(values)

        def found(position: int) -> str:
            return f"{values[position]:g}"

    else:
        problems.add(f"holds values of type {column.type}; it must hold 0 and 1", column=name)
        return np.full(len(column), np.nan), np.zeros(len(column), dtype=bool)
    valid = missing | (values == 0.0) | (values == 1.0)
    problems.add_rows(np.flatnonzero(~valid), table.rows, name, lambda at: _wrong_truth(found(at)))
    values[~valid] = np.nan
    return values, valid


def carried_values(column: Any) -> pd.Series[Any]:
    """Return a column that biomark does not know by name.

    Text whose every value is a number becomes float64, other text stays text; an empty cell is a missing
    value. Columns of a frame or of Parquet keep their type.
    """
    if isinstance(column, pd.Series):
        return column
    if not _is_text(_value_type(column)):
        return pd.Series(column.to_pandas())
    coded = _coded(column)
    filled = coded.values.filter(pc.not_equal(coded.values, ""))
    if len(filled) and pc.all(pc.match_substring_regex(filled, _PLAIN_NUMBER)).as_py():
        return pd.Series(_parsed(coded.values)[coded.codes])
    return coded.series()


def _coded(column: Any) -> Coded:
    if _is_text(column.type):
        return _coded_text(_trimmed(column))
    column = _in_one_piece(column if pa.types.is_dictionary(column.type) else column.dictionary_encode())
    # Trimmed values may coincide, and a null is an empty text: number them anew.
    values = pc.fill_null(_trimmed(column.dictionary.cast(pa.large_string())), "")
    values = pa.concat_arrays([values, pa.array([""], pa.large_string())]).dictionary_encode()
    recoded = values.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    at = pc.fill_null(column.indices, len(recoded) - 1).to_numpy(zero_copy_only=False)
    codes, used = pd.factorize(recoded[at])
    return Coded(narrow(codes, len(used)), values.dictionary.take(pa.array(used)))


def _coded_text(trimmed: Any) -> Coded:
    """Make codes of texts without blanks around, of which there may be as many as rows."""
    encoded = _in_one_piece(trimmed.dictionary_encode())
    coded = Coded(narrow(encoded.indices.to_numpy(), len(encoded.dictionary)), encoded.dictionary)
    # What the hashing of millions of texts took is given back before the next column is read.
    pa.default_memory_pool().release_unused()
    return coded


def _in_one_piece(encoded: Any) -> Any:
    """Join the pieces of a column that is coded already, under one list of values."""
    if not isinstance(encoded, pa.ChunkedArray):
        return encoded
    joined = encoded.unify_dictionaries().combine_chunks()
    if not isinstance(joined, pa.ChunkedArray):
        return joined
    return joined.chunk(0) if joined.num_chunks else pa.array([], pa.large_string()).dictionary_encode()


def narrow(codes: NDArray[np.signedinteger[Any]], n_values: int) -> NDArray[np.signedinteger[Any]]:
    """Return codes in a byte a row where they are few, and else in what indexes an array without a copy."""
    return codes.astype(np.int8 if n_values <= 127 else np.int64, copy=False)


def _trimmed(column: Any) -> Any:
    return pc.fill_null(pc.utf8_trim_whitespace(column.cast(pa.large_string())), "")


def _parsed(text: Any) -> FloatArray:
    """Convert text without blanks around; NaN for what is no number, infinity beyond the range of doubles."""
    given = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.large_string()), text)
    try:
        values = _as_floats(given.cast(pa.float64()))
        named = bool(np.isinf(values).any()) or int(np.isnan(values).sum()) != given.null_count
    except pa.ArrowInvalid:
        named = True
    if named:
        # Some cell is no number, or is one by name ("nan", "inf"): keep what looks like one.
        number = pc.match_substring_regex(given, _NUMBER)
        digits = pc.if_else(
            pc.fill_null(number, False), pc.utf8_ltrim(given, "+"), pa.scalar(None, pa.large_string())
        )
        values = _as_floats(digits.cast(pa.float64()))
    return values


def _as_floats(column: Any) -> FloatArray:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    # Piece by piece into the one array that is kept.
    floats = np.empty(len(column))
    at = 0
    for piece in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        floats[at : at + len(piece)] = piece.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        at += len(piece)
    return floats


def _whole_numbers(column: Any) -> Any:
    """Return floats as integers where all of them are whole (pandas makes them of integers with gaps)."""
    whole = pc.and_(pc.equal(pc.round(column), column), pc.less(pc.abs(column), 2.0**53))
    return column if pc.all(whole).as_py() is False else column.cast(pa.int64())


def _value_type(column: Any) -> Any:
    return column.type.value_type if pa.types.is_dictionary(column.type) else column.type


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_numeric(kind: Any) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    )


def _wrong_number(found: str, *, required: bool) -> str:
    if found.lower() in _MISSING_WORDS:
        advice = "it must be a finite number" if required else "leave the cell empty where there is no number"
        return f"found {shown(found)}; {advice}"
    point = found.replace(",", ".", 1)
    if "," in found and _looks_like_number(point):
        return f"found {shown(found)}; write the decimal mark as a point: {shown(point)}"
    if found.endswith("%") and _looks_like_number(found[:-1].strip()):
        return f"found {shown(found)}; write a number without a percent sign"
    if _looks_like_number(found) or found.lower().lstrip("+-") in ("inf", "infinity"):
        return f"found {shown(found)}; it must be a finite number"
    return f"found {shown(found)}; it must be a number such as 0.73"


def _looks_like_number(text: str) -> bool:
    return bool(pc.match_substring_regex(pa.scalar(text, pa.large_string()), _NUMBER).as_py())


def _wrong_truth(found: str) -> str:
    word = found.lower()
    if word in _MISSING_WORDS:
        return f"found {shown(found)}; leave the cell empty where the label is missing"
    if word in _TRUTH_WORDS:
        return f"found {shown(found)}; write 1 for positive and 0 for negative"
    return f"found {shown(found)}; it must be 0, 1, or empty where the label is missing"
