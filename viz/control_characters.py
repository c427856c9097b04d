"""Characters that do something instead of being seen: escapes of terminals, marks that reverse text, NUL."""

from __future__ import annotations

import unicodedata

__all__ = ["legible", "visible"]

# Control, format, surrogate, unassigned; line and paragraph separators.
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"))


def legible(text: str) -> str:
    r"""Return ``text`` as `visible` does, for a page: the joiners that some scripts are written with stay.

    Examples
    --------
    >>> print(legible("a" + chr(0x202E) + "b"), len(legible("a" + chr(0x200D) + "b")))
    a\u202eb 3
    """
    return visible(text, keep="\u200c\u200d")


def visible(text: str, *, keep: str = "") -> str:
    r"""Return ``text`` with every character that is not seen written as its escape.

    Parameters
    ----------
    text : str
        For instance a name from a file, on its way to a terminal, to LaTeX or to Word.
    keep : str
        Characters to leave as they are, such as the line feed of a message with several lines.

    Examples
    --------
    >>> print(visible("a\x1b[31mb\u202ec\n"))
    a\x1b[31mb\u202ec\n
    >>> visible("β, 漢, é") == "β, 漢, é"
    True
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character in keep or unicodedata.category(character) not in _INVISIBLE
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
