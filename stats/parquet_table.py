"""Parquet: one column at a time, so that a table of ten million rows never stands in memory twice."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .input_table import MOST_COLUMNS, MOST_ROWS, InputTable, ProblemList, first_line, named_columns

__all__ = ["ParquetFile", "open_parquet", "table_from_parquet"]

_MAGIC = b"PAR1"
_CHUNK = 2**24


class ParquetFile(NamedTuple):
    """A Parquet file that lies open.

    Attributes
    ----------
    name : str
        As the user named it.
    sha256 : str
    handle : binary file object
    """

    name: str
    sha256: str
    handle: BinaryIO


@contextmanager
def open_parquet(path: object) -> Iterator[ParquetFile | None]:
    """Open a file if it is Parquet on a disk; give None for everything else, which `read_bytes` reads or refuses.

    The digest is made without keeping what it is made of. A file that changes between the digest and the end of the
    block is refused.

    Raises
    ------
    InputFileError
    """
    handle = _parquet_handle(path)
    if handle is None:
        yield None
        return
    with handle:
        name = os.fsdecode(path)  # type: ignore[arg-type]
        before = _stamp(handle)
        digest = hashlib.sha256()
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
        handle.seek(0)
        yield ParquetFile(name, digest.hexdigest(), handle)
        if _stamp(handle) != before:
            problems = ProblemList(name)
            problems.add("changed while it was read; read it again once it is complete")
            problems.raise_if_any()


def table_from_parquet(content: bytearray | BinaryIO, problems: ProblemList) -> InputTable:
    """Read Parquet; the rows are numbered as if its column names were row 1.

    Parameters
    ----------
    content : bytearray, or open file
        A file must stay open as long as columns of the table are asked for.
    problems : ProblemList

    Returns
    -------
    InputTable
        Each column is read when it is asked for, and not kept.

    Raises
    ------
    InputFileError
        If the file is damaged or larger than what is read; the columns raise it too.
    """
    columns = _Columns(content, problems)
    rows = np.arange(2, columns.n_rows + 2, dtype=np.int64)
    return InputTable(columns, rows)


class _Columns(Mapping[str, Any]):
    """The columns of a Parquet file by name, each read when it is asked for."""

    def __init__(self, content: bytearray | BinaryIO, problems: ProblemList) -> None:
        self._problems = problems
        try:
            known = pq.ParquetFile(_source(content))
            schema = known.schema_arrow
            self.n_rows = known.metadata.num_rows
            if self.n_rows > MOST_ROWS or len(schema.names) > MOST_COLUMNS:
                problems.add(
                    f"holds {self.n_rows:,} rows of {len(schema.names):,} columns; "
                    f"at most {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns are read"
                )
                problems.raise_if_any()
            self._at = named_columns(schema.names, problems, row=None)
            problems.raise_if_any()
            # Text stays coded as it is in the file, a name of a million rows stored once; but for identifiers, of
            # which there are as many as rows.
            text = [f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_binary(f.type)]
            coded = [name for name in text if name.strip() != "patient_id"]
            self._file = pq.ParquetFile(_source(content), read_dictionary=coded)
        except (pa.ArrowException, OSError) as error:
            self._refuse(error)
            raise
        self._names = schema.names

    def __getitem__(self, name: str) -> Any:
        given = self._names[self._at[name]]
        try:
            return self._file.read(columns=[given], use_threads=False).column(0)
        except (pa.ArrowException, OSError) as error:
            self._refuse(error)
            raise

    def __iter__(self) -> Iterator[str]:
        return iter(self._at)

    def __len__(self) -> int:
        return len(self._at)

    def __contains__(self, name: object) -> bool:
        return name in self._at

    def _refuse(self, error: BaseException) -> None:
        self._problems.add(
            f"the Parquet data are damaged ({first_line(error)}); write or copy the file again"
        )
        self._problems.raise_if_any()


def _source(content: bytearray | BinaryIO) -> Any:
    if isinstance(content, bytearray):
        return pa.BufferReader(pa.py_buffer(content))
    content.seek(0)
    return content


def _parquet_handle(path: object) -> BinaryIO | None:
    if not isinstance(path, (str, os.PathLike)) or path == "-":
        return None
    try:
        handle = open(path, "rb")
    except (OSError, ValueError):
        return None
    if handle.seekable() and handle.read(len(_MAGIC)) == _MAGIC:
        handle.seek(0)
        return handle
    handle.close()
    return None


def _stamp(handle: BinaryIO) -> tuple[int, int]:
    found = os.fstat(handle.fileno())
    return found.st_size, found.st_mtime_ns
