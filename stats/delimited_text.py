"""Comma-, tab- or semicolon-separated text: every cell as text, every row with its number in a spreadsheet."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from .input_table import MOST_COLUMNS, InputTable, ProblemList, named_columns

__all__ = ["DELIMITERS", "table_from_text"]

DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons"}

_BOM = b"\xef\xbb\xbf"
# A record is parsed in one piece: the largest, and the piece of the file in which the header must lie.
_LONGEST_RECORD = 2**24
_HEADER_PIECE = 2**20
_DAMAGED_ROWS = 100_000
# A narrower row is told from a sentence over two lines by nothing.
_LEAST_COLUMNS = 4


def table_from_text(content: bytearray, problems: ProblemList) -> InputTable:
    """Split text into columns of text; what is wrong with single rows is added to ``problems``.

    Parameters
    ----------
    content : bytearray
        UTF-8 with or without byte-order mark, a header and rows. Line ends of any system; fields in double
        quotes may hold delimiters, line ends and doubled quotes.
    problems : ProblemList

    Returns
    -------
    InputTable
        Cells as they are, blanks around them kept. Rows whose fields are all blank are left out, but counted
        in the numbers of the rows after them. Rows with another number of fields than the header are left out
        and reported.

    Raises
    ------
    InputFileError
        If the content is not UTF-8 text, or cannot be split into rows.
    """
    start = len(_BOM) if content.startswith(_BOM) else 0
    _check_encoding(content, start, problems)
    header, header_row, delimiter, length = _header(content, start, problems)
    positions = named_columns(header, problems, row=header_row)
    if len(header) == 1:
        problems.add("has one column; separate the fields by commas, semicolons or tabs", row=header_row)
    if len(header) > MOST_COLUMNS:
        problems.add(f"has {len(header):,} columns; at most {MOST_COLUMNS:,} are read", row=header_row)
        problems.raise_if_any()
    table, numbers = _split(content, start + length, len(header), delimiter, header_row, problems)
    kept = _not_blank(table)
    if not kept.all():
        table, numbers = table.filter(pa.array(kept)), numbers[kept]
    if numbers.size == 0 and not problems.total:
        problems.add("has a header but no row below it", row=header_row)
    return InputTable({name: table.column(at) for name, at in positions.items()}, numbers, header_row)


def _check_encoding(content: bytearray, start: int, problems: ProblemList) -> None:
    zero = content.find(0)
    if zero >= 0:
        problems.add(
            f"is not text: byte 0x00 at position {zero:,}; expected CSV or TSV text, plain or gzip, or Parquet",
            row=_row_of(content, zero),
        )
        problems.raise_if_any()
    if content.isascii():
        return
    # In pieces, so that the decoded text of a large file never stands in memory whole.
    while start < len(content):
        end = min(start + _LONGEST_RECORD, len(content))
        while end < len(content) and content[end] & 0xC0 == 0x80 and end > start + 1:
            end -= 1
        try:
            bytes(content[start:end]).decode("utf-8")
        except UnicodeDecodeError as error:
            at = start + error.start
            problems.add(
                f"unknown encoding: byte 0x{content[at]:02X} at position {at:,} is not UTF-8; "
                "save the file as UTF-8 (in Excel: 'CSV UTF-8')",
                row=_row_of(content, at),
            )
            problems.raise_if_any()
        start = end


def _row_of(content: bytearray, position: int) -> int:
    return content.count(b"\n", 0, position) + 1


def _header(content: bytearray, start: int, problems: ProblemList) -> tuple[list[str], int, str, int]:
    """Return the names, the row where they stand, the delimiter, and how many bytes the header takes."""
    piece = bytes(content[start : start + _HEADER_PIECE]).decode("utf-8", "ignore")
    best: tuple[list[str], int, str, int] = ([], 0, ",", 0)
    for delimiter in DELIMITERS:
        lines = _Counted(piece)
        try:
            for row, fields in enumerate(csv.reader(lines, delimiter=delimiter), start=1):
                if any(field.strip() for field in fields):
                    if len(fields) > len(best[0]):
                        best = (fields, row, delimiter, lines.n_bytes)
                    break
        except csv.Error:
            continue
    if not best[0]:
        problems.add(f"no header: no row of names in the first {_HEADER_PIECE:,} bytes", row=1)
        problems.raise_if_any()
    return best


class _Counted:
    """The lines of a text, counting the bytes handed out."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.n_bytes = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.n_bytes += len(line.encode())
            yield line


def _split(
    content: bytearray, start: int, n_columns: int, delimiter: str, header_row: int, problems: ProblemList
) -> tuple[pa.Table, NDArray[np.int64]]:
    """Return the rows below the header as columns of text, and the number of each row."""
    names = [str(position) for position in range(n_columns)]
    quoted = content.find(b'"', start) >= 0
    if quoted:
        # One blank row more: a quotation mark that is never closed swallows it.
        blank_row = b"\n" + delimiter.encode() * (n_columns - 1) + b"\n"
        body = pa.py_buffer(b"".join([memoryview(content)[start:], blank_row]))
    else:
        body = pa.py_buffer(content).slice(start)
    left_out: list[tuple[int, int, bool]] = []

    def other_length(row: arrow_csv.InvalidRow) -> str:
        if len(left_out) >= _DAMAGED_ROWS:
            return "error"
        # An empty row may have been written as "" or with some of its delimiters.
        blank = not row.text.strip(f'" \t\r\n{delimiter}')
        left_out.append((row.number, row.actual_columns, blank))
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(body),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=_LONGEST_RECORD, column_names=names
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=quoted,
                ignore_empty_lines=False,
                invalid_row_handler=other_length,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        table = pa.table({name: pa.array([], pa.large_string()) for name in names})
        if "Empty CSV" not in str(error):
            long = "straddling" in str(error)
            row = _row_of_longest_field(content, start, delimiter) if long else None
            _add_unreadable(str(error), len(left_out), None if row is None else header_row + row, problems)
            problems.raise_if_any()
    numbers = np.arange(1, table.num_rows + len(left_out) + 1, dtype=np.int64)
    last = numbers.size
    if left_out:
        numbers = np.delete(numbers, np.array([number for number, _, _ in left_out]) - 1)
    if quoted:
        ends_blank = (
            numbers.size > 0 and numbers[-1] == last and not _not_blank(table.slice(numbers.size - 1)).any()
        )
        if not ends_blank:
            problems.add("a quotation mark is opened in this row and never closed", row=header_row + last)
            left_out = [row for row in left_out if row[0] != last]
            table, numbers = table.slice(0, np.count_nonzero(numbers < last)), numbers[numbers < last]
        for number in _swallowing(table, n_columns, delimiter):
            problems.add(
                "a quotation mark that is opened in this row takes in rows below it; close it, or double it within "
                "a quoted value",
                row=header_row + int(numbers[number]),
            )
    for number, found, blank in left_out:
        if not blank:
            problems.add(_other_length(found, n_columns, delimiter), row=header_row + number)
    return table, numbers + header_row


def _swallowing(table: pa.Table, n_columns: int, delimiter: str) -> list[int]:
    """Rows with a value whose first line ends a row of the file and whose last one begins another."""
    rows: set[int] = set()
    if n_columns < _LEAST_COLUMNS:
        return []
    for k, column in enumerate(table.columns):
        several = pc.match_substring_regex(column, r"[\r\n]")
        values = column.filter(several).to_pylist()
        for row, value in zip(np.flatnonzero(several.to_numpy()).tolist(), values, strict=True):
            lines = value.splitlines()
            if lines[0].count(delimiter) == n_columns - 1 - k and lines[-1].count(delimiter) == k:
                rows.add(row)
    return sorted(rows)


def _other_length(found: int, expected: int, delimiter: str) -> str:
    if found < expected:
        return f"has {found} fields where the header has {expected}; leave a field empty rather than out"
    if delimiter == ",":
        hint = "put a value that holds a comma in double quotes, and write decimals with a point"
    else:
        hint = f"put a value that holds one of the {DELIMITERS[delimiter]} between fields in double quotes"
    return f"has {found} fields where the header has {expected}; {hint}"


def _row_of_longest_field(content: bytearray, start: int, delimiter: str) -> int | None:
    """Return the row below the header in which a field outgrows the csv module's limit."""
    lines = io.TextIOWrapper(io.BytesIO(memoryview(content)[start:]), encoding="utf-8", newline="")
    records = csv.reader(lines, delimiter=delimiter)
    for row in itertools.count(1):
        try:
            next(records)
        except csv.Error:
            return row
        except StopIteration:
            break
    return None


def _add_unreadable(reason: str, n_left_out: int, row: int | None, problems: ProblemList) -> None:
    if n_left_out >= _DAMAGED_ROWS:
        problems.add(f"more than {_DAMAGED_ROWS:,} rows have another number of fields than the header")
    elif "straddling" in reason:
        problems.add(
            f"holds a row of more than {_LONGEST_RECORD // 2**20} MiB; is a quotation mark opened and never closed?",
            row=row,
        )
    else:
        problems.add(f"cannot be split into rows: {reason.splitlines()[0]}")


def _not_blank(table: pa.Table) -> NDArray[np.bool_]:
    """Rows in which some field holds more than blanks."""
    some = np.zeros(table.num_rows, dtype=bool)
    open_rows = np.arange(table.num_rows)
    for column in table.columns:
        cells = column if open_rows.size == table.num_rows else column.take(pa.array(open_rows))
        filled = pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(cells)), 0).to_numpy()
        some[open_rows[filled]] = True
        open_rows = open_rows[~filled]
        if open_rows.size == 0:
            break
    return some
