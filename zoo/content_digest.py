"""A digest of the bytes that make up a volume, of all its files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from .claimed_size import refusal
from .metaimage import is_metaimage, metaimage_claim
from .nrrd import nrrd_claim

__all__ = ["content_digest", "content_stamp"]

_CHUNK = 2**22


def content_digest(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a volume's bytes: of the file, of header and data file, or of every file of a folder.

    Names play no part but for their order in a folder: a renamed copy has the digest of the original.
    """
    digest = hashlib.sha256()
    for file in _files(Path(path)):
        try:
            with open(file, "rb") as handle:
                digest.update(os.fstat(handle.fileno()).st_size.to_bytes(8, "little"))
                while chunk := handle.read(_CHUNK):
                    digest.update(chunk)
        except OSError as error:
            raise refusal(os.fspath(path), f"cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def content_stamp(path: str | os.PathLike[str]) -> str:
    """Return a digest of where a volume lies, how large it is and when it was changed, for a memory of digests.

    It is made without reading the volume, and holds no name in clear.
    """
    digest = hashlib.sha256()
    for file in _files(Path(path)):
        try:
            status = file.stat()
        except OSError as error:
            raise refusal(os.fspath(path), f"cannot be read: {error.strerror}") from None
        digest.update(
            f"{file.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\0".encode(errors="surrogateescape")
        )
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.is_file())
    if not path.is_file():
        raise refusal(os.fspath(path), "no such file; check the name and the folder")
    with open(path, "rb") as handle:
        head = handle.read(512)
    data = path
    if head.startswith(b"NRRD00"):
        data = nrrd_claim(os.fspath(path)).data
    elif is_metaimage(head):
        data = metaimage_claim(os.fspath(path)).data
    return [path] if data.resolve() == path.resolve() else [path, data]
