"""The figure of cases for print, and how it becomes a file."""

import base64
import re
import struct
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.viz.png_image import png_bytes
from biomark.viz.representative_cases import cases_figure
from biomark.viz.slices import ViewedMap, ViewedPatient
from biomark.viz.static_export import find_browser, write_drawing

SVG = "{http://www.w3.org/2000/svg}"
EVIL = '</svg><script>alert(1)</script>"&'


def decoded(png):
    """Return the pixels of an 8-bit RGB PNG whose rows have no filter."""
    columns, rows = struct.unpack(">II", png[16:24])
    at, packed = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        content = png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + content)
        packed += content if kind == b"IDAT" else b""
        at += 12 + length
    raw = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(rows, 1 + 3 * columns)
    return raw[:, 1:].reshape(rows, columns, 3)


def patient(name="P1", models=("multi-task", "single-task")):
    image = np.zeros((6, 8, 10))
    image[2, 3, 4] = 1.0
    mask = np.zeros(image.shape, dtype=bool)
    mask[2:4, 3:5, 4:7] = True
    mask[2, 5, 4] = True
    heat = np.zeros(image.shape)
    heat[2, 1, 8] = 1.0
    maps = [ViewedMap(m, "ER", heat, facts={"probability": "0.81"}) for m in models]
    return ViewedPatient(name, image, (2.0, 0.5, 1.0), maps, mask, facts={"ER": "positive"})


def images_of(svg):
    root = ET.fromstring(svg)
    found = [
        (
            float(e.get("width")),
            float(e.get("height")),
            decoded(base64.b64decode(e.get("href").split(",")[1])),
        )
        for e in root.iter(f"{SVG}image")
    ]
    return root, found


def test_png_holds_the_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decoded(png_bytes(pixels)), pixels)


def test_slices_are_those_with_most_of_the_lesion_at_true_proportions():
    root, images = images_of(cases_figure([patient()], "ER", planes=("axial", "coronal", "sagittal")))
    assert len(images) == 3 * 3 + 1
    wide, high, axial = images[0]
    assert axial.shape == (8, 10, 3) and abs(high / wide - 8 * 0.5 / 10) < 1e-3
    assert axial[3, 4].tolist() == [255, 255, 255] and axial.sum() == 3 * 255  # slice 2, seen from the feet
    wide, high, coronal = images[3]
    assert coronal.shape == (6, 10, 3) and abs(high / wide - 6 * 2 / 10) < 1e-3
    assert coronal[5 - 2, 4].tolist() == [255, 255, 255]  # head up
    wide, high, sagittal = images[6]
    assert sagittal.shape == (6, 8, 3) and abs(high / wide - 6 * 2 / (8 * 0.5)) < 1e-3
    assert sagittal[5 - 2, 3].tolist() == [255, 255, 255]
    assert root.get("width") == "174mm"


def test_the_overlay_covers_what_reaches_the_threshold_and_nothing_else():
    _, images = images_of(cases_figure([patient()], "ER", planes=("axial",), opacity=1.0, threshold=0.5))
    plain, covered = images[0][2].astype(int), images[1][2].astype(int)
    changed = np.argwhere((plain != covered).any(axis=2)).tolist()
    assert changed == [[1, 8]]
    assert covered[1, 8].tolist() == [122, 4, 2]  # the end of turbo


def test_the_outline_is_the_border_of_the_mask():
    root, _ = images_of(cases_figure([patient()], "ER", planes=("axial",)))
    path = next(e.get("d") for e in root.iter(f"{SVG}path") if "h" in e.get("d"))
    across, down = len(re.findall("h", path)), len(re.findall("v", path))
    assert (across, down) == (6, 6)  # 2 x 3 voxels and one below: 3 above, 3 below; 3 left, 3 right


def test_names_stay_text():
    svg = cases_figure([patient(EVIL, (EVIL,))], "ER", simulated=True)
    root = ET.fromstring(svg)
    texts = [e.text for e in root.iter(f"{SVG}text")]
    assert any(EVIL in text for text in texts) and not list(root.iter(f"{SVG}script"))
    assert any("Simulated volumes" in text for text in texts)
    assert any("probability 0.81" in text for text in texts) and "10 mm" in texts


def test_three_patients_fit_a_page_and_no_text_leaves_the_figure():
    for width, planes in (("double", ("axial", "coronal")), ("single", ("axial",))):
        root = ET.fromstring(
            cases_figure([patient(f"P{k}") for k in range(3)], "ER", planes=planes, width=width)
        )
        wide, high = (float(root.get(side).removesuffix("mm")) for side in ("width", "height"))
        assert high < 230
        for element in root.iter(f"{SVG}image"):
            assert float(element.get("x")) + float(element.get("width")) <= wide
        for element in root.iter(f"{SVG}text"):
            if element.get("text-anchor") == "start":
                assert (
                    float(element.get("x")) + 0.62 * float(element.get("font-size")) * len(element.text)
                    <= wide + 1
                )


def test_what_cannot_be_drawn_is_refused():
    for given, says in (
        (([], "ER"), "at least one"),
        (([patient()], "PR"), "no patient has a heat map"),
    ):
        with pytest.raises(BiomarkError, match=says):
            cases_figure(*given)
    with pytest.raises(BiomarkError, match="planes"):
        cases_figure([patient()], "ER", planes=("oblique",))
    with pytest.raises(BiomarkError, match="width"):
        cases_figure([patient()], "ER", width="triple")


def test_without_a_browser_svg_is_written_and_png_says_why_not(tmp_path, monkeypatch):
    monkeypatch.setenv("BIOMARK_BROWSER", "no-such-browser")
    svg = cases_figure([patient()], "ER")
    write_drawing(svg, tmp_path / "cases.svg")
    assert (tmp_path / "cases.svg").read_text(encoding="utf-8") == svg
    with pytest.raises(BiomarkError, match=r"none was found \(looked for no-such-browser\)"):
        write_drawing(svg, tmp_path / "cases.png")
    with pytest.raises(BiomarkError, match=r"\.svg, \.png or \.pdf"):
        write_drawing(svg, tmp_path / "cases.gif")
    with pytest.raises(BiomarkError, match="in mm"):
        write_drawing("<svg/>", tmp_path / "cases.pdf")
    assert [p.name for p in tmp_path.iterdir()] == ["cases.svg"]


@pytest.mark.browser
@pytest.mark.usefixtures("browser")
def test_a_browser_makes_png_and_pdf(tmp_path):
    svg = cases_figure([patient()], "ER", planes=("axial",), width="single")
    assert find_browser()
    write_drawing(svg, tmp_path / "cases.png", dpi=300)
    head = (tmp_path / "cases.png").read_bytes()[:24]
    columns, _ = struct.unpack(">II", head[16:24])
    assert head[:8] == b"\x89PNG\r\n\x1a\n" and abs(columns - 85 / 25.4 * 300) <= 4
    write_drawing(svg, tmp_path / "cases.pdf")
    assert (tmp_path / "cases.pdf").read_bytes()[:5] == b"%PDF-"
