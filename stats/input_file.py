"""The bytes of an input file: from a path, standard input or an open file; inflated, hashed, limited."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import sys
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import BiomarkError, InputFileError, Problem

__all__ = ["LARGEST", "InputBytes", "is_parquet", "read_bytes", "refuse_binary", "shown_name"]

LARGEST = 4 * 2**30
"""Most bytes that are read, counted after decompression: a small gzip file may hide a huge one."""

_CHUNK = 2**24

# What people hand in instead of a table, told by its first bytes.
_OTHER_FORMATS = (
    (b"PK\x03\x04", "an Excel workbook or another ZIP archive; save the sheet as 'CSV UTF-8'"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file; save the sheet as 'CSV UTF-8'"),
    (b"\xff\xfe", "UTF-16 text (Excel's 'Unicode Text'); save it as 'CSV UTF-8'"),
    (b"\xfe\xff", "UTF-16 text; save it as 'CSV UTF-8'"),
    (b"\x1f\x8b", "gzip inside gzip; decompress it once"),
    (b"BZh91AY&SY", "bzip2 data; decompress it, or use gzip"),
    (b"\xfd7zXZ\x00", "xz data; decompress it, or use gzip"),
    (b"\x28\xb5\x2f\xfd", "zstandard data; decompress it, or use gzip"),
    (b"%PDF-", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"ARROW1", "an Arrow or Feather file; save it as Parquet"),
)


@dataclass(frozen=True, slots=True)
class InputBytes:
    """What was read.

    Attributes
    ----------
    name : str
        The file as the user named it, ``<stdin>``, or the name of the open file.
    sha256 : str
        Digest of the bytes as they came, before decompression.
    content : bytearray
        The bytes after decompression.
    """

    name: str
    sha256: str
    content: bytearray


def read_bytes(path: str | os.PathLike[str] | BinaryIO, *, limit: int = LARGEST) -> InputBytes:
    """Read a file whole; ``-`` is standard input; gzip is recognised by its first bytes and inflated.

    Parameters
    ----------
    path : str, path or binary file object
    limit : int
        Most bytes to accept, before and after decompression.

    Raises
    ------
    InputFileError
        If the file is not there, a folder, unreadable, empty, larger than ``limit``, or damaged gzip.
    BiomarkError
        If ``path`` is none of these, or a file opened as text.
    """
    if isinstance(path, (str, os.PathLike)):
        name = os.fspath(path)
        if not isinstance(name, str):
            raise BiomarkError(f"path must be text, found {name!r}")
        if name == "-":
            return _whole(sys.stdin.buffer, "<stdin>", limit)
        try:
            with open(name, "rb") as handle:
                return _whole(handle, name, limit)
        except InputFileError:
            raise
        except FileNotFoundError:
            raise _refusal(name, "no such file; check the name and the folder") from None
        except IsADirectoryError:
            raise _refusal(name, "is a folder; name a file in it") from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise _refusal(name, f"cannot be read: {reason}") from None
    if not hasattr(path, "read"):
        raise BiomarkError(f"expected a path, '-' or a binary file object, found {type(path).__name__}")
    given = getattr(path, "name", None)
    return _whole(path, given if isinstance(given, str) else "<stream>", limit)


def is_parquet(content: bytearray) -> bool:
    """Whether the content begins as Parquet does."""
    return content.startswith(b"PAR1")


def refuse_binary(name: str, content: bytearray) -> None:
    """Raise InputFileError if the content is of a known format that is not text, naming the format."""
    for magic, what in _OTHER_FORMATS:
        if content.startswith(magic):
            raise _refusal(name, f"is {what}. Expected CSV or TSV text, plain or gzip, or Parquet")
    if content[257:262] == b"ustar":
        raise _refusal(
            name, "is a tar archive; unpack it. Expected CSV or TSV text, plain or gzip, or Parquet"
        )


def shown_name(name: str) -> str:
    """Return a file name with control characters made visible, otherwise as it is."""
    return name if name.isprintable() else repr(name)[1:-1]


def _whole(handle: BinaryIO, name: str, limit: int) -> InputBytes:
    digest = hashlib.sha256()
    raw = bytearray()
    # One reading of the system at a time: between two of them an interruption is heard.
    read = getattr(handle, "read1", handle.read)
    while chunk := read(_CHUNK):
        if not isinstance(chunk, bytes):
            raise BiomarkError("the file object must be opened in binary mode ('rb'), found text")
        digest.update(chunk)
        raw += chunk
        if len(raw) > limit:
            raise _too_large(name, limit, "")
    content = _inflated(raw, name, limit) if raw.startswith(b"\x1f\x8b") else raw
    # The first bytes are enough to know that a large file holds something.
    if not content[:_CHUNK].strip(b"\xef\xbb\xbf \t\r\n"):
        raise _refusal(name, "the file is empty; expected a header and at least one row")
    return InputBytes(name, digest.hexdigest(), content)


def _inflated(raw: bytearray, name: str, limit: int) -> bytearray:
    content = bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            while chunk := stream.read(_CHUNK):
                content += chunk
                if len(content) > limit:
                    raise _too_large(name, limit, " after decompression")
    except EOFError:
        raise _refusal(
            name, "the gzip data stop before their end: the file is truncated; copy it again"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _refusal(
            name, f"the gzip data are damaged ({error}); copy or compress the file again"
        ) from None
    return content


def _too_large(name: str, limit: int, when: str) -> InputFileError:
    size = f"{limit / 2**30:g} GiB" if limit >= 2**30 else f"{limit:,} bytes"
    return _refusal(
        name,
        f"holds more than {size}{when}, the most that is read; leave out the columns and rows not needed",
    )


def _refusal(name: str, message: str) -> InputFileError:
    return InputFileError(shown_name(name), [Problem(message)])
