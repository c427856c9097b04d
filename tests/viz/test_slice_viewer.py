"""The slice viewer in headless Chromium: what it shows, how it is driven, what it asks for and how large it is."""

import base64
import gzip
import re
import time

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.viz.packed_volume import pack_volume
from biomark.viz.slices import ViewedMap, ViewedPatient, slice_viewer
from biomark.zoo.phantom import simulate_phantom

EVIL = "</script><img src=x onerror=alert(1)>"
SHAPE, SPACING = (20, 32, 24), (1.5, 0.5, 1.0)
MODELS, LABELS = ("multi-task", "single-task"), ("ER", "PR")


def ball(shape, spacing, centre, radius):
    grid = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    return sum(((g - c) * s) ** 2 for g, c, s in zip(grid, centre, spacing, strict=True)) <= radius**2


def patient(name="P1", shift=0, seed=0):
    rng = np.random.default_rng(seed)
    centre = (10, 14 + shift, 12)
    mask = ball(SHAPE, SPACING, centre, 4.0)
    image = rng.random(SHAPE).astype(np.float32) + 2.0 * mask
    maps = []
    for m, model in enumerate(MODELS):
        for k, label in enumerate(LABELS):
            heat = np.zeros(SHAPE)
            heat[10 - m : 14, 10:20, 8 + k : 16] = 1.0 - 0.25 * m
            maps.append(ViewedMap(model, label, heat, (4, 4, 4), "last_map", {"probability": f"0.{m}{k}"}))
    predicted = ball(SHAPE, SPACING, centre, 5.0).astype(float)
    return ViewedPatient(name, image, SPACING, maps, mask, {"multi-task": predicted}, {"ER": "positive"})


class Opened:
    """A viewer and all that it says and asks for."""

    def __init__(self, browser, path, **context):
        self.context = browser.new_context(
            viewport={"width": 1280, "height": 900}, offline=True, reduced_motion="reduce", **context
        )
        self.said, self.asked = [], []
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.address = path.as_uri()
        self.page.goto(self.address)
        self.page.wait_for_selector("html[data-viewer=ready]", timeout=120_000)

    def drawn(self):
        return int(self.page.evaluate("document.documentElement.dataset.drawn"))

    def press(self, *keys):
        for key in keys:
            before = self.drawn()
            self.page.keyboard.press(key)
            self.until(lambda before=before: self.drawn() > before)

    def until(self, condition):
        last = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < last
            self.page.wait_for_timeout(10)

    def readout(self):
        return self.page.inner_text("#readout")

    def labels(self):
        return self.page.evaluate(
            "[...document.querySelectorAll('.plot')].map(p => p.getAttribute('aria-label'))"
        )

    def pixels(self, plane):
        """Return the plane as it is drawn, in 72 x 72 pixels, as an array of shape (5184, 3)."""
        found = self.page.evaluate(
            """which => {
                const copy = document.createElement('canvas');
                copy.width = copy.height = 72;
                const context = copy.getContext('2d', { willReadFrequently: true });
                context.drawImage(document.querySelectorAll('.plane canvas')[which], 0, 0, 72, 72);
                return context.getImageData(0, 0, 72, 72).data.join(',');
            }""",
            plane,
        )
        return np.array(found.split(","), dtype=int).reshape(-1, 4)[:, :3]

    def coloured(self, plane=0):
        return float((np.ptp(self.pixels(plane), axis=1) > 20).mean())

    def contour(self, plane, name):
        """Return the pieces of a contour as (x1, y1, x2, y2), in mm from the left and the top."""
        path = self.page.evaluate(
            "([p, n]) => document.querySelectorAll('.plane')[p].querySelector(`path.${n}.over`).getAttribute('d')",
            [plane, name],
        )
        pieces = []
        for piece in path.split("M")[1:]:
            start, towards, end = re.split("([HV])", piece)
            x, y = (float(v) for v in start.split())
            pieces.append((x, y, float(end), y) if towards == "H" else (x, y, x, float(end)))
        return np.array(pieces).reshape(-1, 4)


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory):
    path = tmp_path_factory.mktemp("viewer") / "viewer.html"
    slice_viewer([patient(), patient("P2", 6, 1)], path, title="Simulated", simulated=True)
    page = Opened(browser, path)
    yield page
    page.context.close()


@pytest.fixture
def fresh(opened):
    """Reload, so that each test begins at the first patient."""
    opened.page.reload()
    opened.page.wait_for_selector("html[data-viewer=ready]", timeout=120_000)
    yield opened
    assert opened.said == []
    others = [u for u in opened.asked if u != opened.address and not u.startswith(("data:", "blob:"))]
    assert others == []


pytestmark = pytest.mark.browser


def test_it_begins_at_the_lesion_and_says_what_it_shows(fresh):
    assert "voxel 12, 14, 10" in fresh.readout() and "in the lesion" in fresh.readout()
    assert "x 12.5, y 7.3, z 15.8 mm" in fresh.readout()
    assert fresh.labels()[0] == "Axial plane of P1, slice 11 of 20, heat map of multi-task for ER"
    text = fresh.page.inner_text("body")
    assert "Simulated volumes." in text and "4 × 4 × 4 voxels of 7.5 × 4.0 × 6.0 mm" in text
    assert "P1 · ER positive" in text and "probability 0.00" in text


def test_planes_keep_the_proportions_of_the_body_at_one_scale(fresh):
    boxes = fresh.page.evaluate(
        "[...document.querySelectorAll('.plane canvas')].map(c => [c.getBoundingClientRect().width,"
        " c.getBoundingClientRect().height])"
    )
    mm = np.array([[24.0, 16.0], [24.0, 30.0], [16.0, 30.0]])
    scale = np.array(boxes) / mm
    np.testing.assert_allclose(scale, scale[0, 0], rtol=1e-3)


def test_the_axes_lie_where_the_slice_lies(fresh):
    for plane in range(3):
        found = fresh.page.evaluate(
            """p => { const box = document.querySelectorAll('.plane')[p];
                const area = box.querySelector('.plot')._fullLayout._size;
                const plot = box.querySelector('.plot').getBoundingClientRect();
                const c = box.querySelector('canvas').getBoundingClientRect();
                return [c.left - plot.left - area.l, c.top - plot.top - area.t,
                        c.width - area.w, c.height - area.h]; }""",
            plane,
        )
        assert max(map(abs, found)) < 0.6


def test_scale_bar_is_true(fresh):
    for plane, mm_wide in enumerate((24.0, 24.0, 16.0)):
        length, px, wide = fresh.page.evaluate(
            "p => { const b = document.querySelectorAll('.plane')[p];"
            " return [+b.dataset.scaleMm, +b.dataset.scalePx, b.querySelector('canvas').clientWidth]; }",
            plane,
        )
        assert length in (1, 2, 5, 10)
        assert abs(px / length - wide / mm_wide) < 0.05 * wide / mm_wide


@pytest.mark.parametrize(
    ("keys", "slices"),
    [
        (["ArrowUp"], [12, 15, 13]),
        (["ArrowDown", "ArrowDown"], [9, 15, 13]),
        (["PageUp"], [20, 15, 13]),
        (["PageDown"], [1, 15, 13]),
        (["PageUp", "Home"], [11, 15, 13]),
    ],
    ids=["up", "down twice", "page up", "page down", "home"],
)
def test_keys_turn_the_slices_of_the_active_plane(fresh, keys, slices):
    fresh.press(*keys)
    shown = [int(label.split("slice ")[1].split(" ")[0]) for label in fresh.labels()]
    assert shown == slices


def test_left_and_right_choose_the_plane(fresh):
    fresh.page.keyboard.press("ArrowRight")
    fresh.press("ArrowUp")
    fresh.page.keyboard.press("ArrowRight")
    fresh.press("PageDown")
    assert "voxel 2, 15, 10" in fresh.readout()
    assert fresh.page.evaluate(
        "document.querySelector('.plane.active') === document.querySelectorAll('.plane')[2]"
    )


def test_slices_end_at_the_border(fresh):
    fresh.press("PageUp")
    fresh.page.keyboard.press("PageUp")
    frames = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
    assert fresh.page.evaluate(frames)
    assert "slice 20 of 20" in fresh.labels()[0]


def test_h_takes_the_heat_map_away_and_back(fresh):
    assert fresh.coloured() > 0.1
    fresh.press("h")
    assert fresh.coloured() < 0.001
    assert not fresh.page.is_checked("#heat")
    fresh.press("h")
    assert fresh.coloured() > 0.1


def test_m_s_and_c_switch_contours_and_crosshair(fresh):
    assert len(fresh.contour(0, "mask")) > 10 and len(fresh.contour(0, "segmentation")) > 10
    assert len(fresh.contour(0, "cross")) == 4
    fresh.press("m")
    assert len(fresh.contour(0, "mask")) == 0 and len(fresh.contour(0, "segmentation")) > 10
    fresh.press("s")
    assert len(fresh.contour(0, "segmentation")) == 0
    fresh.press("c")
    assert len(fresh.contour(0, "cross")) == 0
    fresh.press("c", "m")
    assert len(fresh.contour(0, "cross")) == 4 and len(fresh.contour(0, "mask")) > 10


def test_crosshair_lies_on_the_voxel(fresh):
    # z runs up: 20 slices of 1.5 mm, voxel 10 lies 15.75 mm above the lower edge.
    for plane, (x, y) in enumerate([(12.5, 7.25), (12.5, 30 - 15.75), (7.25, 30 - 15.75)]):
        lines = fresh.contour(plane, "cross")
        assert {*lines[:2, 1]} == {y} and {*lines[2:, 0]} == {x}


def test_contour_encloses_the_voxels_of_the_mask(fresh):
    mask = np.asarray(patient().mask)
    planes = [(mask[10], 1.0, 0.5), (mask[::-1, 14], 1.0, 1.5), (mask[::-1, :, 12], 0.5, 1.5)]
    for plane, (cut, across, down) in enumerate(planes):
        pieces = fresh.contour(plane, "mask")
        rows, columns = np.nonzero(cut)
        assert (pieces[:, ::2].min(), pieces[:, ::2].max()) == (
            columns.min() * across,
            (columns.max() + 1) * across,
        )
        assert (pieces[:, 1::2].min(), pieces[:, 1::2].max()) == (rows.min() * down, (rows.max() + 1) * down)
        steps = np.abs(pieces[:, 2:] - pieces[:, :2]).sum(axis=0) / (across, down)
        edges = [np.count_nonzero(np.diff(np.pad(cut, 1).astype(int), axis=axis)) for axis in (0, 1)]
        np.testing.assert_allclose(steps, edges)


def slide(page, name, value):
    page.evaluate(
        "([id, v]) => { const s = document.getElementById(id); s.value = v;"
        " s.dispatchEvent(new Event('input', {bubbles: true})); }",
        [name, str(value)],
    )


def test_opacity_and_threshold_rule_the_overlay(fresh):
    shown = fresh.coloured()
    slide(fresh.page, "opacity", 0)
    assert fresh.coloured() < 0.001
    slide(fresh.page, "opacity", 100)
    assert fresh.coloured() >= shown
    fresh.page.check("input[name=model][value='1']")  # its map is 0.75 where it is not 0
    slide(fresh.page, "threshold", 70)
    assert fresh.coloured() > 0.05
    slide(fresh.page, "threshold", 80)
    assert fresh.coloured() < 0.001
    assert fresh.page.inner_text("#out-threshold") == "80%"


def test_window_and_level_rule_the_greys(fresh):
    fresh.press("h", "m", "s", "c")
    before = fresh.pixels(0)[:, 0].mean()
    slide(fresh.page, "level", 100)
    assert fresh.pixels(0)[:, 0].mean() < 0.8 * before
    slide(fresh.page, "level", 0)
    assert fresh.pixels(0)[:, 0].mean() > 1.2 * before
    slide(fresh.page, "level", 50)
    slide(fresh.page, "window", 2)
    assert fresh.pixels(1)[:, 0].min() < 20 and fresh.pixels(1)[:, 0].max() == 255


def test_slice_sliders_move_and_follow(fresh):
    before = fresh.drawn()
    slide(fresh.page, "slice-2", 3)
    fresh.until(lambda: fresh.drawn() > before)
    assert "voxel 3, 14, 10" in fresh.readout()
    fresh.press("ArrowUp")
    assert fresh.page.input_value("#slice-2") == "4"
    assert fresh.page.inner_text("#out-slice-2") == "5 / 24"


def test_labels_models_and_patients_are_switched(fresh):
    page = fresh.page
    page.check("input[name=label][value='1']")
    assert fresh.labels()[0].endswith("heat map of multi-task for PR")
    page.check("input[name=model][value='1']")
    assert fresh.labels()[0].endswith("heat map of single-task for PR")
    assert len(fresh.contour(0, "segmentation")) == 0  # it predicts no lesion
    page.check("input[name=model][value='all']")
    assert len(fresh.labels()) == 6 and fresh.labels()[3].endswith("heat map of single-task for PR")
    assert "heat of multi-task" in fresh.readout() and "heat of single-task" in fresh.readout()
    page.select_option("#patient", "1")
    page.wait_for_selector("html[data-viewer=ready]")
    fresh.until(lambda: "P2" in fresh.labels()[0])
    assert "voxel 12, 20, 10" in fresh.readout()


def test_a_click_moves_the_crosshair_of_all_planes(fresh):
    box = fresh.page.evaluate(
        "(() => { const r = document.querySelectorAll('.plane canvas')[1].getBoundingClientRect();"
        " return [r.left, r.top, r.width, r.height]; })()"
    )
    before = fresh.drawn()
    fresh.page.mouse.click(box[0] + box[2] * (5.5 / 24), box[1] + box[3] * (1 - 3.5 / 20))
    fresh.until(lambda: fresh.drawn() > before)
    assert "Coronal" in fresh.readout() and "voxel 5, 14, 3" in fresh.readout()
    assert "slice 4 of 20" in fresh.labels()[0] and "slice 6 of 24" in fresh.labels()[2]


def test_the_pointer_is_told_where_it_is_and_on_what(fresh):
    image, mask = np.asarray(patient().image), np.asarray(patient().mask)
    box = fresh.page.evaluate(
        "(() => { const r = document.querySelectorAll('.plane canvas')[0].getBoundingClientRect();"
        " return [r.left, r.top, r.width, r.height]; })()"
    )
    for y, x in ((14, 12), (2, 20)):
        fresh.page.mouse.move(box[0] + box[2] * (x + 0.5) / 24, box[1] + box[3] * (y + 0.5) / 32)
        told = fresh.readout()
        assert f"voxel {x}, {y}, 10" in told
        grey = float(told.split("grey ")[1].split(" ")[0])
        assert abs(grey - image[10, y, x]) <= 0.51 * np.ptp(image) / 255 + 0.005 * grey
        assert ("in the lesion" in told) == bool(mask[10, y, x])
    fresh.page.mouse.move(5, 5)
    assert "voxel 12, 14, 10" in fresh.readout()


def test_the_wheel_turns_slices(fresh):
    fresh.page.hover(".plane:nth-child(2)")
    before = fresh.drawn()
    fresh.page.mouse.wheel(0, 100)
    fresh.until(lambda: fresh.drawn() > before)
    assert "slice 16 of 32" in fresh.labels()[1]


def test_zoom_keeps_the_crosshair_in_view_and_goes_back(fresh):
    ranges = "[...document.querySelectorAll('.plot')].map(p => [...p.layout.xaxis.range])"
    whole = fresh.page.evaluate(ranges)
    fresh.press("+", "+")
    near = fresh.page.evaluate(ranges)
    for (a, b), (c, d), at in zip(whole, near, (12.5, 12.5, 7.25), strict=True):
        assert abs((d - c) * 2.25 - (b - a)) < 1e-6 and c < at < d
    fresh.press("0")
    assert fresh.page.evaluate(ranges) == whole


def test_keys_of_a_focused_slider_stay_with_it(fresh):
    fresh.page.focus("#opacity")
    before = fresh.readout()
    fresh.page.keyboard.press("ArrowUp")
    assert fresh.page.inner_text("#out-opacity") == "51%"
    assert fresh.readout() == before


def test_phone_and_dark_screen(browser, tmp_path):
    path = tmp_path / "viewer.html"
    slice_viewer([patient()], path)
    page = Opened(browser, path, color_scheme="dark")
    page.page.set_viewport_size({"width": 390, "height": 844})
    page.until(lambda: page.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
    assert page.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"
    assert page.page.evaluate("document.querySelector('.plot').layout.font.color").upper() == "#E8EAED"
    assert page.said == []
    page.context.close()


def test_a_patient_without_mask_map_or_segmentation(browser, tmp_path):
    path = tmp_path / "viewer.html"
    slice_viewer([ViewedPatient("bare", np.random.default_rng(0).random((8, 9, 10)), (1, 1, 1))], path)
    page = Opened(browser, path)
    assert page.labels()[0] == "Axial plane of bare, slice 5 of 8"
    page.page.keyboard.press("h")
    page.press("ArrowUp")
    assert page.said == [] and "lesion" not in page.readout()
    page.context.close()


def test_names_never_become_markup(browser, tmp_path):
    path = tmp_path / "viewer.html"
    shape = (6, 6, 6)
    found = [
        ViewedMap(EVIL, EVIL, np.ones(shape), facts={EVIL: EVIL}),
        ViewedMap("other", "x", np.ones(shape)),
    ]
    bad = ViewedPatient(EVIL, np.eye(6)[:, :, None] * np.ones(6), (1, 1, 1), found, facts={EVIL: EVIL})
    slice_viewer([bad, patient()], path, title=EVIL)
    page = Opened(browser, path)
    assert page.said == [] and page.page.query_selector("img") is None
    assert EVIL in page.page.inner_text("h1") and EVIL in page.page.inner_text("#facts")
    page.context.close()


def test_a_phantom_of_128_cubed_with_six_maps_stays_below_6_mb():
    # Speckle packs worst of all: a simulated breast resampled as the networks take it would pack better.
    phantom = simulate_phantom([0.5] * 6, rng=np.random.default_rng(1))
    image = np.tile(phantom.volume.array, (2, 1, 2))[:128, :128, :128]
    mask = np.tile(phantom.mask, (2, 1, 2))[:128, :128, :128]
    ramp = np.linspace(0, 1, 128)
    heat = np.sqrt(np.multiply.outer(np.multiply.outer(ramp, ramp), ramp[::-1]))
    maps = [ViewedMap(model, label, heat) for model in MODELS for label in ("ER", "PR", "HER2")]
    page = slice_viewer([ViewedPatient("P", image, (0.3, 0.3, 0.3), maps, mask, {"multi-task": mask})])
    assert len(page.encode()) < 6_000_000


def test_packed_steps_come_back():
    volume = np.random.default_rng(0).normal(size=(3, 4, 5))
    packed = pack_volume(volume)
    apart = np.frombuffer(gzip.decompress(base64.b64decode(packed.text)), dtype=np.uint8).reshape(3, 4, 5)
    steps = np.cumsum(apart, axis=2, dtype=np.uint8)
    back = packed.low + steps / 255 * (packed.high - packed.low)
    np.testing.assert_allclose(back, volume, atol=0.51 * np.ptp(volume) / 255)
    flat = pack_volume(np.full((2, 2, 2), 7.0))
    assert (flat.low, flat.high) == (7.0, 8.0)


def test_the_same_input_gives_the_same_page():
    assert slice_viewer([patient()]) == slice_viewer([patient()])


@pytest.mark.parametrize(
    ("patients", "says"),
    [
        ([], "at least one"),
        ([patient(), patient()], "differ in patient_id"),
        ([ViewedPatient("a", np.zeros((2, 2)), (1, 1, 1))], "(D, H, W)"),
        ([ViewedPatient("a", np.full((2, 2, 2), np.nan), (1, 1, 1))], "finite"),
        ([ViewedPatient("a", np.zeros((2, 2, 2)), (1, 1))], "spacing"),
        ([ViewedPatient("a", np.zeros((2, 2, 2)), (1, 1, 0))], "spacing"),
        ([ViewedPatient("a", np.zeros((2, 2, 2)), (1, 1, 1), mask=np.zeros((2, 2, 3)))], "image's shape"),
        ([ViewedPatient("a", np.zeros((2, 2, 2)), (1, 1, 1), [ViewedMap("m", "l", np.full((2, 2, 2), 2.))])], "[0, 1]"),
    ],
    ids=[f"case {i}" for i in range(8)],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused(patients, says):
    with pytest.raises(BiomarkError) as caught:
        slice_viewer(patients)
    assert says in str(caught.value)
