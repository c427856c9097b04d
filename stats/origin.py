"""Whether data say of themselves that they were simulated, or reconstructed from a published table."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

__all__ = ["frame_is_simulated", "says_reconstructed", "says_simulated"]


def says_simulated(origins: Iterable[object]) -> bool:
    """Return whether one of the values of a column ``origin`` says that its row was simulated.

    Examples
    --------
    >>> says_simulated(["Rotterdam"]), says_simulated(["simulated"]), says_simulated([])
    (False, True, False)
    """
    return any("simulated" in str(origin).casefold() for origin in origins)


def frame_is_simulated(frame: pd.DataFrame) -> bool:
    """Return whether a table has a column ``origin`` that says so, as those of ``biomark phantom`` have."""
    return "origin" in frame and says_simulated(frame["origin"].dropna().unique())


def says_reconstructed(origins: Iterable[object]) -> bool:
    """Return whether one of the values of a column ``origin`` says that its row was, as `reconstruct` writes it.

    Examples
    --------
    >>> says_reconstructed(["Rotterdam"]), says_reconstructed(["reconstruction"])
    (False, True)
    """
    return any("reconstruct" in str(origin).casefold() for origin in origins)
