"""Figures for paper: their size, their type, their names, and what is said where no browser is found."""

import re
import struct
import subprocess
from xml.etree import ElementTree

import plotly.graph_objects as go
import pytest
from biomark.__main__ import main
from biomark.errors import BiomarkError
from biomark.viz.embedding import EmbeddingPanel, embedding_figure
from biomark.viz.figure_export import PaperFigure, read_formats, write_figure, write_figures
from biomark.viz.neighbour_embedding import pca
from biomark.viz.report import write_report
from biomark.viz.theme import JOURNAL_WIDTH_MM, base_axis, base_layout


def figure(**layout):
    made = go.Figure(
        go.Scatter(x=[0, 1, 2], y=[0.2, 0.9, 0.4], name="a & <b>"), layout=base_layout(height=300, **layout)
    )
    made.update_xaxes(base_axis("Epoch"))
    return made


@pytest.fixture(scope="module")
def files(browser, tmp_path_factory):
    """Every width in every format, drawn once."""
    folder = tmp_path_factory.mktemp("figures")
    figures = {width: PaperFigure(figure(), width, "ER & <i>PR</i>") for width in JOURNAL_WIDTH_MM}
    figures["square"] = PaperFigure(figure(meta={"square": True}))
    rng = pytest.importorskip("numpy").random.default_rng(0)
    points = pca(rng.normal(size=(20, 5)))
    panel = EmbeddingPanel(
        "multi-task", "ER", points, [k % 2 for k in range(20)], [f"P{k}" for k in range(20)]
    )
    figures["turned"] = PaperFigure(embedding_figure(panel))
    write_figures(figures, folder, formats=("svg", "png"))
    return folder


@pytest.mark.browser
@pytest.mark.parametrize("width", list(JOURNAL_WIDTH_MM))
def test_a_figure_is_as_wide_as_the_column(files, width):
    svg = (files / f"{width}.svg").read_text(encoding="utf-8")
    size = re.match(r'<svg width="([\d.]+)mm" height="([\d.]+)mm" viewBox="0 0 (\d+) (\d+)"', svg)
    mm, high, wide_px, high_px = (float(part) for part in size.groups())
    assert mm == JOURNAL_WIDTH_MM[width] and high_px == 300
    assert abs(high / mm - high_px / wide_px) < 1e-3
    points_per_pixel = mm / 25.4 * 72 / wide_px
    assert abs(13 * points_per_pixel - 7.5) < 0.02  # of the type
    png = (files / f"{width}.png").read_bytes()
    columns, _ = struct.unpack(">II", png[16:24])
    assert abs(columns - mm / 25.4 * 300) <= 2
    assert struct.unpack(">I", png[png.index(b"pHYs") + 4 :][:4]) == (11811,)


@pytest.mark.browser
def test_text_is_drawn_as_it_is_written(files):
    said = "".join(ElementTree.parse(files / "single.svg").getroot().itertext())
    assert "ER & <i>PR</i>" in said and "Epoch" in said


@pytest.mark.browser
def test_a_square_plot_is_square_and_a_turned_one_is_drawn(files):
    svg = (files / "square.svg").read_text(encoding="utf-8")
    plot = re.search(r'class="plotclip"><rect width="([\d.]+)" height="([\d.]+)"', svg)
    assert abs(float(plot[1]) - float(plot[2])) <= 1
    turned = (files / "turned.svg").read_text(encoding="utf-8")
    assert "data:image/png;base64," in turned and len(turned) > 20_000


@pytest.mark.browser
def test_one_figure_becomes_a_pdf(browser, tmp_path):
    write_figure(figure(), tmp_path / "one.pdf", width="single")
    content = (tmp_path / "one.pdf").read_bytes()
    assert content.startswith(b"%PDF") and content.count(b"/Type /Page\n") == 1
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content)
    assert abs(float(box[1]) / 72 * 25.4 - 85.0) < 0.5


@pytest.mark.browser
def test_the_report_writes_the_judged_set_and_takes_away_old_figures(browser, evaluation_of, tmp_path):
    evaluation = evaluation_of("one label")
    write_report(evaluation, tmp_path / "report", figures=False, paper=("svg",), simulated=True)
    names = sorted(path.name for path in (tmp_path / "report" / "figures").iterdir())
    assert names == [
        "calibration-ER.svg", "decision-ER.svg", "roc-ER.svg", "scores-ER-multi-task.svg", "scores-ER-single-task.svg",
        "strata-forest-ER.svg",
    ]  # fmt: skip
    assert "ER (simulated patients)" in (tmp_path / "report" / "figures" / "roc-ER.svg").read_text(
        encoding="utf-8"
    )
    (tmp_path / "report" / "figures" / "mine.svg").write_text("mine")
    write_report(evaluation, tmp_path / "report", figures=False)
    assert [path.name for path in (tmp_path / "report" / "figures").iterdir()] == ["mine.svg"]


@pytest.mark.browser
def test_names_from_a_file_stay_names(browser, evaluation_of, tmp_path, names):
    write_report(evaluation_of("hostile"), tmp_path / "report", figures=False, paper=("svg",))
    made = list((tmp_path / "report" / "figures").iterdir())
    assert len([path for path in made if path.name.startswith("scores-")]) == 9
    for path in made:
        for element in ElementTree.parse(path).getroot().iter():
            assert not element.tag.endswith(("script", "foreignObject"))
            assert not [name for name in element.attrib if name.startswith("on")]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda folder: write_figure(figure(), folder / "x.gif"), "x.gif"),
        (lambda folder: write_figures({"x": PaperFigure(figure())}, folder, formats=("bmp",)), "bmp"),
        (lambda folder: write_figures({"x": PaperFigure(figure(), "triple")}, folder), "triple"),
        (lambda folder: write_figures({"x": PaperFigure(figure())}, folder, dpi=1), "72 to 2400"),
        (lambda folder: read_formats("svg,gif"), "gif"),
        (lambda folder: read_formats(" , "), "name one or more"),
    ],
    ids=["ending", "format", "width", "dpi", "list", "nothing"],
)
def test_what_cannot_be_written_is_refused(call, says, tmp_path):
    with pytest.raises(BiomarkError, match=says):
        call(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_browser_the_command_says_so_at_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BIOMARK_BROWSER", "no-such-browser")
    given = ["--preds", "nowhere.csv", "--figures", "svg", "--out", str(tmp_path / "out")]
    assert main(["report", *given]) == 2
    assert "none was found (looked for no-such-browser)" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    with pytest.raises(BiomarkError, match="no-such-browser"):
        write_figure(figure(), tmp_path / "x.svg")


@pytest.mark.browser
def test_a_browser_that_fails_is_told_of(browser, tmp_path, monkeypatch):
    true = subprocess.run(["which", "true"], capture_output=True, encoding="utf-8", check=True).stdout.strip()
    monkeypatch.setenv("BIOMARK_BROWSER", true)
    with pytest.raises(BiomarkError, match="could not draw the figures: it gave no result"):
        write_figure(figure(), tmp_path / "x.svg")
