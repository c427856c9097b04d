"""The one door to SimpleITK, which is imported when a volume is read or written and not before."""

from __future__ import annotations

from typing import Any

from ..errors import MissingExtraError

__all__ = ["simpleitk"]


def simpleitk() -> Any:
    """Return the module SimpleITK, its warnings off: what they tell is checked here and said in the error.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        import SimpleITK
    except ImportError:
        raise MissingExtraError("reading and writing volumes", "zoo") from None
    sitk: Any = SimpleITK
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    return sitk
