"""A folder of results that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import BiomarkError

__all__ = ["check_folder", "replace_folder"]


def check_folder(path: str | os.PathLike[str]) -> None:
    """Find out before a long computation whether `replace_folder` can write to ``path``; nothing stays behind.

    Raises
    ------
    BiomarkError
        If ``path`` or a part of it is a file.
    OSError
        If it cannot be written.
    """
    target = Path(path).resolve()
    nearest = target
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        where = path if nearest == target else f"{path}: {nearest}"
        raise BiomarkError(f"{where} is a file; name a folder")
    # A folder that is there is filled from one beside it.
    for folder in {nearest, target.parent} if nearest == target else {nearest}:
        try:
            os.rmdir(tempfile.mkdtemp(prefix=".biomark-", dir=folder))
        except OSError as error:
            raise OSError(error.errno, error.strerror, os.fspath(path)) from None


@contextmanager
def replace_folder(path: str | os.PathLike[str], *, outdated: Iterable[str] = ()) -> Iterator[Path]:
    """Give a temporary folder to fill; once the block has ended without error, its files move to ``path``.

    Parameters
    ----------
    path : path
        Where the files are to be. Files of the same names there are replaced, all others are kept.
    outdated : iterable of str
        Files in ``path``, relative to it, that go where no new one of their name is made.

    Yields
    ------
    pathlib.Path
        An empty folder beside ``path``, on the same file system, so that moving is renaming.

    Raises
    ------
    BiomarkError
        If ``path`` is a file.
    OSError
        If it cannot be written; what was there before is then put back.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_dir():
        raise BiomarkError(f"{path} is a file; name a folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        fresh = work / "new"
        fresh.mkdir()
        yield fresh
        if target.exists():
            _move_files(fresh, target, work / "old", outdated)
        else:
            os.rename(fresh, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _move_files(fresh: Path, target: Path, old: Path, outdated: Iterable[str]) -> None:
    """Move each file over the one of its name, a copy of which waits in ``old`` until all have moved."""
    gone = [
        Path(name) for name in sorted(outdated) if not (fresh / name).exists() and (target / name).is_file()
    ]
    moved: list[Path] = []
    made: list[Path] = []
    try:
        for source in sorted(fresh.rglob("*")):
            part = source.relative_to(fresh)
            if source.is_dir():
                if not (target / part).is_dir():
                    (target / part).mkdir()
                    made.append(target / part)
                continue
            if (target / part).exists():
                (old / part).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(target / part, old / part)
            moved.append(part)
            os.replace(source, target / part)
        for part in gone:
            (old / part).parent.mkdir(parents=True, exist_ok=True)
            moved.append(part)
            os.replace(target / part, old / part)
    except BaseException:
        for part in reversed(moved):
            if (old / part).exists():
                os.replace(old / part, target / part)
            else:
                (target / part).unlink(missing_ok=True)
        for folder in reversed(made):
            folder.rmdir()
        raise
