"""A name from a file as part of a file's name."""

from __future__ import annotations

import re

__all__ = ["file_name"]


def file_name(text: str) -> str:
    """Return ``text`` with everything but plain letters, digits, dots, dashes and underscores as a dash.

    Examples
    --------
    >>> file_name("ER, multi-task"), file_name("../x"), file_name("?")
    ('ER-multi-task', 'x', 'unnamed')
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")[:60] or "unnamed"
