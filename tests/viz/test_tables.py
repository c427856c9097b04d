"""The tables for the paper: the page's numbers in LaTeX and DOCX, raw ones in CSV."""

import io
import re
import shutil
import subprocess
import zipfile
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from biomark import evaluate
from biomark.stats.predictions import Predictions
from biomark.viz.control_characters import visible
from biomark.viz.csv_table import csv_text, neutralised
from biomark.viz.docx_tables import docx_tables
from biomark.viz.latex_table import latex_escape, latex_table
from biomark.viz.page_table import Cell, Column, Group, Table
from biomark.viz.table_grid import grid
from biomark.viz.tables import main_tables, write_tables
from docx import Document

DATE = datetime(2026, 1, 2, 3, 4)


@pytest.fixture(scope="module")
def evaluation():
    rng = np.random.default_rng(2)
    rows = []
    for name in ("validation", "test"):
        for i in range(50):
            size = float(rng.uniform(5, 30))
            for label in ("ER", "PR_%"):
                truth = int(rng.random() < 0.6)
                rows += [
                    (f"{name}{i}", name, m, label, truth, rng.normal(truth), size) for m in ("net-a", "net-b")
                ]
    columns = ["patient_id", "set", "model", "label", "y_true", "y_score", "size_mm"]
    return evaluate(Predictions.from_frame(pd.DataFrame(rows, columns=columns)), n_boot=30)


@pytest.fixture(scope="module")
def folder(evaluation, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "tables"
    write_tables(evaluation, path)
    return path


def spanning():
    """Two rows of one label; a drawing; a group with a heading."""
    rows = [
        [
            Cell("ER", numeric=False, rows=2),
            Cell("net-a", numeric=False),
            Cell(drawing="<svg>"),
            Cell("0.7", sub="7/10"),
        ],
        [Cell("net-b", numeric=False), Cell(drawing="<svg>"), Cell("0.8", tag="locked")],
    ]
    columns = [
        Column("Label", numeric=False),
        Column("Model", numeric=False),
        Column("AUC", drawing="<svg>"),
        Column("AUC"),
    ]
    return Table(
        "small", "A small table", columns, [Group("test set", rows), Group("nothing", [])], ["A note."]
    )


def test_a_grid_has_one_place_per_row_and_column():
    plain = grid(spanning())
    assert plain.titles == ["Label", "Model", "AUC"]
    assert plain.numeric == [False, False, True]
    (group,) = plain.groups
    assert [[cell and cell.text for cell in row] for row in group.rows] == [
        ["ER", "net-a", "0.7"],
        [None, "net-b", "0.8"],
    ]


def test_every_row_of_every_table_has_all_columns(evaluation):
    tables = main_tables(evaluation)
    assert {"cohort", "individual", "comparisons", "overall", "strata", "sample-size"} <= tables.keys()
    for table in tables.values():
        plain = grid(table)
        for group in plain.groups:
            assert {len(row) for row in group.rows} == {len(plain.titles)}, table.name


# CSV


def test_csv_gives_every_number_back(evaluation, folder):
    for name, frame in vars(evaluation).items():
        if not isinstance(frame, pd.DataFrame) or frame.empty:
            assert not (folder / f"{name}.csv").exists()
            continue
        found = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
        assert list(found.columns) == list(frame.columns)
        for column in frame.columns:
            if pd.api.types.is_float_dtype(frame[column]):
                numbers = [float(text) if text else np.nan for text in found[column]]
                np.testing.assert_array_equal(numbers, frame[column].to_numpy())
            else:
                assert found[column].tolist() == ["" if pd.isna(x) else str(x) for x in frame[column]], column


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "﹢1",
        "﹣1",
        "﹦1",
        "﹫x",
    ],
)
def test_what_a_spreadsheet_would_evaluate_gets_an_apostrophe(text):
    assert neutralised(text) == f"'{text}"


@pytest.mark.parametrize("text", ["ER", "", " ", "a=b", "0.5", "−0.5", "'x", "multi-task"])
def test_other_text_is_left_alone(text):
    assert neutralised(text) == text


def test_numbers_stay_numbers_and_headers_are_text():
    frame = pd.DataFrame({"=x": [-0.5, np.inf], "mixed": [-1, "-a"], "whole": [-3, 4]})
    assert csv_text(frame) == "'=x,mixed,whole\n-0.5,-1,-3\ninf,'-a,4\n"


def test_csv_leaves_the_frame_as_it_is():
    frame = pd.DataFrame({"a": ["=x"]})
    csv_text(frame)
    assert frame.equals(pd.DataFrame({"a": ["=x"]}))


# LaTeX


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"50% & a_b #1 $x$ {y}", r"50\% \& a\_b \#1 \$x\$ \{y\}"),
        ("~^\\", r"\textasciitilde{}\textasciicircum{}\textbackslash{}"),
        ("[red]*", "{[}red{]}{*}"),
        ("single-task --- ''", "single-task -{}-{}- '{}'"),
        ("−0.5 – β", r"$-$0.5 \textendash{} $\beta$"),
        ("a\x00\x1b\u202eb", r"a\textbackslash{}x00\textbackslash{}x1b\textbackslash{}u202eb"),
        ("<x> | ?`", r"$<$x$>$ \textbar{} ?\textasciigrave{}"),
    ],
)
def test_latex_prints_text_as_it_is(text, expected):
    assert latex_escape(text) == expected


def test_latex_has_rules_caption_label_and_small_second_rows():
    text = latex_table(spanning())
    assert [text.count(rf"\{rule}rule") for rule in ("top", "mid", "bottom")] == [1, 1, 1]
    assert r"\caption{A small table}" in text
    assert r"\label{tab:biomark-small}" in text
    assert r"\multicolumn{3}{l}{\emph{test set}} \\" in text
    assert "ER & net-a & 0.7 \\\\\n &  & {\\footnotesize 7/10} \\\\\n & net-b & 0.8 \\\\" in text
    assert r"{\footnotesize A note.\par}" in text
    assert "<svg>" not in text


def test_latex_says_when_letters_ask_for_another_engine():
    table = spanning()
    assert "LuaLaTeX" not in latex_table(table)
    assert "LuaLaTeX" in latex_table(Table("t", "漢", table.columns, table.groups))


def test_latex_holds_every_cell_of_the_page(evaluation, folder):
    for table in main_tables(evaluation).values():
        text = (folder / f"{table.name.replace('-', '_')}.tex").read_text(encoding="utf-8")
        for cell in (cell for group in table.groups for row in group.rows for cell in row):
            assert latex_escape(cell.text) in text
            assert latex_escape(cell.sub) in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles(folder, tmp_path):
    parts = [rf"\input{{{path}}}\clearpage" for path in sorted(folder.glob("*.tex"))]
    packages = r"\usepackage[T1]{fontenc}\usepackage{booktabs,graphicx}"
    document = "\n".join(
        [rf"\documentclass{{article}}{packages}\begin{{document}}", *parts, r"\end{document}"]
    )
    (tmp_path / "all.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-draftmode", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert b"Overfull \\hbox" not in done.stdout


# DOCX


def test_docx_holds_every_cell_of_the_page(evaluation, folder):
    document = Document(folder / "tables.docx")
    tables = list(main_tables(evaluation).values())
    captions = [p.text for p in document.paragraphs if p.style.name == "Caption"]
    assert captions == [f"Table {at}. {table.caption}" for at, table in enumerate(tables, start=1)]
    for table, word in zip(tables, document.tables, strict=True):
        shown = {cell.text for row in word.rows for cell in row.cells}
        plain = grid(table)
        assert set(plain.titles) <= shown
        for group in plain.groups:
            assert group.heading in shown or not group.heading
            for cell in (cell for row in group.rows for cell in row if cell):
                second = "; ".join(part for part in (cell.sub, cell.tag) if part)
                assert (f"{cell.text}\n{second}" if second else cell.text) in shown
        notes = [p.text for p in document.paragraphs]
        assert all(note in notes for note in table.notes)


def test_docx_merges_what_spans_rows_and_repeats_its_head():
    data = docx_tables([spanning()], title="t", date=DATE)
    (word,) = Document(io.BytesIO(data)).tables
    assert word.cell(2, 0)._tc is word.cell(3, 0)._tc
    assert word.cell(2, 0).text == "ER"
    assert word.cell(1, 0)._tc is word.cell(1, 2)._tc
    assert word.rows[0]._tr.xpath("w:trPr/w:tblHeader")
    assert not word.rows[1]._tr.xpath("w:trPr/w:tblHeader")


def test_docx_knows_no_other_date_than_the_given_one():
    data = docx_tables([spanning()], title="A title", date=DATE)
    assert data == docx_tables([spanning()], title="A title", date=DATE)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core)) == {"2026-01-02T03:04:00Z"}
    properties = Document(io.BytesIO(data)).core_properties
    assert (properties.title, properties.author, properties.comments) == ("A title", "biomark", "")


def test_docx_takes_characters_that_xml_does_not():
    table = Table("t", "a\x00b\ufffe", [Column("\x1b")], [Group("\x08", [[Cell("\x0c\ud800")]])], ["\x01"])
    document = Document(io.BytesIO(docx_tables([table], title="\x00", date=DATE)))
    assert document.tables[0].cell(2, 0).text == r"\x0c\ud800"


# Characters that are not seen


def test_visible_keeps_what_it_is_asked_to_keep():
    assert visible("a\nb\r", keep="\n") == "a\nb\\r"


@pytest.mark.parametrize(
    "character", ["\x00", "\x07", "\x1b", "\x7f", "\x9b", "\u200f", "\u202e", "\u2066", "\u2028", "\ud800"]
)
def test_visible_writes_out_what_acts_on_a_terminal(character):
    shown = visible(f"a{character}b")
    assert shown.isascii() and shown.isprintable()
    assert shown.startswith("a\\") and shown.endswith("b")
