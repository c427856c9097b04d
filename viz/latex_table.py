"""A table of the page as LaTeX with the rules of booktabs."""

from __future__ import annotations

import re

from .control_characters import visible
from .page_table import Cell, Table
from .table_grid import Grid, grid

__all__ = ["latex_escape", "latex_table"]

# Brackets and the star are arguments where a row begins with them; the others are specials of TeX, or other
# characters in its old font encoding.
_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "_": r"\_", "#": r"\#", "$": r"\$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "[": "{[}", "]": "{]}", "*": "{*}", "<": r"$<$",
    ">": r"$>$", "|": r"\textbar{}", "`": r"\textasciigrave{}", '"': r"\textquotedbl{}",
    "−": "$-$", "–": r"\textendash{}", "’": r"\textquoteright{}", "∞": r"$\infty$",
    "≥": r"$\ge$", "≤": r"$\le$", "×": r"$\times$", "±": r"$\pm$", "·": r"$\cdot$", "\N{NO-BREAK SPACE}": "~",
}  # fmt: skip
_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon "
    "phi chi psi omega"
).split()
_SMALL = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", _GREEK, strict=True))
_LARGE = {letter.upper(): name.capitalize() for letter, name in _SMALL.items()}
_LARGE_OF_TEX = ("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega")
_ESCAPES |= {letter: rf"$\{name}$" for letter, name in _SMALL.items() if name != "omicron"}
_ESCAPES |= {letter: rf"$\{name}$" for letter, name in _LARGE.items() if name in _LARGE_OF_TEX}
_TABLE = str.maketrans(_ESCAPES)

# Two of these in a row become another character.
_LIGATURE = re.compile("(?<=-)-|(?<=')'|(?<=,),")
_HEAD = r"% Needs \usepackage[T1]{fontenc} and \usepackage{booktabs,graphicx}."
_OTHER_LETTERS = "% Holds letters that pdfLaTeX lacks: use LuaLaTeX or XeLaTeX with a font that has them."


def latex_escape(text: str) -> str:
    r"""Return ``text`` such that LaTeX prints it and does nothing else.

    Examples
    --------
    >>> print(latex_escape(r"\input{x} 5%_a"))
    \textbackslash{}input\{x\} 5\%\_a
    >>> print(latex_escape("single-task -- [a]"))
    single-task -{}- {[}a{]}
    """
    return _LIGATURE.sub(r"{}\g<0>", visible(text).translate(_TABLE))


def latex_table(table: Table) -> str:
    r"""Return a ``table`` environment with caption, label, rules and notes.

    Parameters
    ----------
    table : Table

    Returns
    -------
    str
        To be included with ``\input``; the label is ``tab:biomark-<name>``. What does not fit the width of the
        text is scaled down to it. The quieter second line of a cell (counts, kind of the cut-off) is a
        second row in small print.
    """
    plain = grid(table)
    body = "\n".join(_lines(plain))
    notes = "".join(f"\n\n{{\\footnotesize {latex_escape(note)}\\par}}" for note in table.notes)
    text = "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering",
            rf"\caption{{{latex_escape(table.caption)}}}",
            rf"\label{{tab:biomark-{table.name}}}",
            # As wide as it is, unless that is wider than the text.
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            body + "}" + notes,
            r"\end{table}",
        ]
    )
    head = [_HEAD] if _is_latin(text) else [_HEAD, _OTHER_LETTERS]
    return "\n".join([*head, text]) + "\n"


def _lines(plain: Grid) -> list[str]:
    columns = "".join("r" if numeric else "l" for numeric in plain.numeric)
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule"]
    lines.append(_row([latex_escape(title) for title in plain.titles]))
    for group in plain.groups:
        lines.append(r"\midrule")
        if group.heading:
            heading = rf"\emph{{{latex_escape(group.heading)}}}"
            lines.append(_row([rf"\multicolumn{{{len(plain.titles)}}}{{l}}{{{heading}}}"]))
        for row in group.rows:
            lines += _rows_of(row)
    return [*lines, r"\bottomrule", r"\end{tabular}"]


def _rows_of(row: list[Cell | None]) -> list[str]:
    first = [latex_escape(cell.text) if cell else "" for cell in row]
    second = ["; ".join(part for part in (cell.sub, cell.tag) if part) if cell else "" for cell in row]
    lines = [_row(first)]
    if any(second):
        lines.append(_row([rf"{{\footnotesize {latex_escape(part)}}}" if part else "" for part in second]))
    return lines


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _is_latin(text: str) -> bool:
    return all(ord(character) < 0x180 for character in text)
