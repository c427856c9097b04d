"""The tables of a report as one Word document."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from .control_characters import visible
from .page_table import Cell, Table
from .table_grid import Grid, grid

__all__ = ["docx_tables"]

_SMALL, _TINY = Pt(8), Pt(7)
# The earliest date that a zip file knows: the document's own date is in its properties.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def docx_tables(tables: Iterable[Table], *, title: str, date: datetime) -> bytes:
    """Return a Word document with a caption, a table with three rules, and notes for each table.

    Parameters
    ----------
    tables : iterable of Table
    title : str
        In the document's properties.
    date : datetime
        When the numbers were made; the only date in the file, so that the same tables give the same bytes.

    Returns
    -------
    bytes
        Of a ``.docx`` file; landscape A4.
    """
    document = Document()
    _properties(document, title, date)
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21.0)
    section.left_margin = section.right_margin = Cm(1.5)
    section.top_margin = section.bottom_margin = Cm(1.5)
    for at, table in enumerate(tables, start=1):
        caption = document.add_paragraph(style="Caption")
        caption.paragraph_format.keep_with_next = True
        caption.add_run(visible(f"Table {at}. {table.caption}"))
        _add_grid(document, grid(table))
        for note in table.notes:
            document.add_paragraph().add_run(visible(note)).font.size = _SMALL
        document.add_paragraph()
    buffer = io.BytesIO()
    document.save(buffer)
    return _undated(buffer.getvalue())


def _properties(document: Any, title: str, date: datetime) -> None:
    properties = document.core_properties
    properties.title = visible(title)[:255]
    properties.author = properties.last_modified_by = "biomark"
    properties.comments = ""
    properties.created = properties.modified = date


def _add_grid(document: Any, plain: Grid) -> None:
    n_rows = 1 + sum(len(group.rows) + bool(group.heading) for group in plain.groups)
    word = document.add_table(rows=n_rows, cols=len(plain.titles))
    # A list: python-docx walks the whole table for every cell that is asked of it.
    rows: list[Sequence[Any]] = [tuple(row.cells) for row in word.rows]
    for cell, title, numeric in zip(rows[0], plain.titles, plain.numeric, strict=True):
        _write(cell, title, numeric=numeric, bold=True)
    _repeat_on_every_page(word.rows[0])
    at, ruled = 1, {0: ("top", "bottom")}
    for group in plain.groups:
        if group.heading:
            merged = rows[at][0].merge(rows[at][-1])
            _write(merged, group.heading, italic=True)
            at += 1
        for row in group.rows:
            for column, cell in enumerate(row):
                if cell is not None:
                    _merge_down(rows, at, column, cell)
                    _write(rows[at][column], cell.text, numeric=plain.numeric[column], second=_second(cell))
            at += 1
    ruled[n_rows - 1] = (*ruled.get(n_rows - 1, ()), "bottom")
    for row_at, edges in ruled.items():
        for cell in rows[row_at]:
            _rule(cell, edges)


def _second(cell: Cell) -> str:
    return "; ".join(part for part in (cell.sub, cell.tag) if part)


def _merge_down(rows: list[Sequence[Any]], at: int, column: int, cell: Cell) -> None:
    if cell.rows > 1:
        rows[at][column].merge(rows[min(at + cell.rows, len(rows)) - 1][column])


def _write(
    cell: Any, text: str, *, numeric: bool = False, bold: bool = False, italic: bool = False, second: str = ""
) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(0)
    if numeric:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    run = paragraph.add_run(visible(text))
    run.bold, run.italic, run.font.size = bold or None, italic or None, _SMALL
    if second:
        run.add_break()
        paragraph.add_run(visible(second)).font.size = _TINY


def _rule(cell: Any, edges: Sequence[str]) -> None:
    borders = OxmlElement("w:tcBorders")
    for edge in edges:
        border = OxmlElement(f"w:{edge}")
        border.set(qn("w:val"), "single")
        border.set(qn("w:sz"), "8")
        borders.append(border)
    cell._tc.get_or_add_tcPr().append(borders)


def _repeat_on_every_page(row: Any) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _undated(document: bytes) -> bytes:
    """Return the same zip file without the times of its members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name, _ZIP_DATE), source.read(name), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
