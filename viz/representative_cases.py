"""Representative cases for print: slices through each lesion, plain and under the heat map of each model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BiomarkError
from ..stats.inputs import choice
from .control_characters import legible
from .png_image import png_uri
from .slices import ViewedMap, ViewedPatient
from .theme import JOURNAL_WIDTH_MM, LIGHT, ModelStyle, model_styles, shortened
from .turbo import turbo_colours

__all__ = ["PLANES", "cases_figure"]

PLANES = ("axial", "coronal", "sagittal")
# Of each plane: the axis that is fixed, the one across, the one down, and whether down shows the high end first.
_AXES = {"axial": (0, 2, 1, False), "coronal": (1, 2, 0, True), "sagittal": (2, 1, 0, True)}
_LEFT, _GAP, _APART, _HEAD, _LINE, _FONT = 6.0, 1.5, 3.0, 5.0, 3.4, 2.47  # mm; the font is 7 points
_SMALLEST = 22.0  # mm, of a panel
_SANS = "Arial, Helvetica, 'Liberation Sans', sans-serif"


def cases_figure(
    patients: Sequence[ViewedPatient],
    label: str,
    *,
    planes: Sequence[str] = ("axial", "coronal"),
    width: str = "double",
    opacity: float = 0.5,
    threshold: float = 0.3,
    simulated: bool = False,
) -> str:
    """Draw patients for a paper, one row per patient: in each plane the image, then the heat map of each model over it.

    In a narrow column the planes stand below each other.

    Parameters
    ----------
    patients : sequence of ViewedPatient, at least one
        Say in the caption how they were chosen: cases that were picked by their look prove nothing.
    label : str
        Whose heat maps are drawn.
    planes : sequence of "axial", "coronal" and "sagittal"
        The slice with most of the lesion is drawn, in the middle where there is no mask.
    width : "single", "one-and-a-half" or "double"
        Column of the journal.
    opacity, threshold : float in [0, 1]
    simulated : bool
        Say on the figure that the volumes are simulated.

    Returns
    -------
    str
        SVG, its size in mm; `biomark.viz.write_drawing` makes PNG and PDF of it.

    Raises
    ------
    BiomarkError
        Without a patient or a heat map of the label, or for an unknown plane or width.
    """
    if not patients:
        raise BiomarkError("a figure of cases needs at least one patient")
    for plane in planes:
        choice(plane, PLANES, name="planes")
    choice(width, tuple(JOURNAL_WIDTH_MM), name="width")
    models = list(dict.fromkeys(m.model for p in patients for m in p.maps if m.label == label))
    if not models or not planes:
        raise BiomarkError(f"no patient has a heat map of label {label!r}")
    total = JOURNAL_WIDTH_MM[width]
    panels = 1 + len(models)
    # A page is higher than wide: planes stand side by side, as long as they do not become stamps.
    beside = (total - _LEFT - (len(planes) - 1) * _APART) / (panels * len(planes)) - _GAP >= _SMALLEST
    blocks = len(planes) if beside else 1
    column = (total - (_LEFT if not beside else 0.0) - (blocks - 1) * _APART) / (panels * blocks) - _GAP
    start = 0.0 if beside else _LEFT
    styles = model_styles(models)
    heads = [
        _head(
            start + block * (panels * (column + _GAP) + _APART),
            column,
            label,
            styles,
            planes[block] if beside else "",
        )
        for block in range(blocks)
    ]
    parts, y = heads, _HEAD
    for patient in patients:
        facts = "; ".join(f"{key} {value}" for key, value in patient.facts.items())
        parts.append(_text(start, y + 2.4, patient.patient_id + (f": {facts}" if facts else "")))
        y += _LINE
        found = {m.model: m for m in patient.maps if m.label == label}
        highest = 0.0
        for at, plane in enumerate(planes):
            left = start + (at * (panels * (column + _GAP) + _APART) if beside else 0.0)
            high = 0.0
            for k, name in enumerate([None, *models]):
                drawn, high = _panel(
                    patient, None if name is None else found.get(name), plane,
                    left + k * (column + _GAP), y, column, opacity=opacity, threshold=threshold,
                )  # fmt: skip
                parts.append(drawn)
            highest = max(highest, high)
            if not beside:
                parts.append(_text(-(y + high / 2), 3.4, plane, anchor="middle", rotate=True))
                y += high + (_GAP if at < len(planes) - 1 else 0.0)
        y += 0.6 + (highest if beside else 0.0)
        for model in models:
            if model in found:
                y += 2.7
                told = "; ".join(f"{key} {value}" for key, value in found[model].facts.items())
                parts.append(
                    f'<rect x="{start:g}" y="{y - 1.9:.2f}" width="1.6" height="1.6" fill="{styles[model].colour}"/>'
                )
                parts.append(_text(start + 2.4, y - 0.4, f"{shortened(model, 22)}: {told}", size=2.1))
        y += 2.2
    bar = max(column, 36.0)
    parts.append(_colour_bar(start, y, bar, threshold))
    note = "Outline: lesion mask."
    note += " Simulated volumes, no patient." if simulated else ""
    parts.append(_text(start + bar + 3.0, y + 2.6, note))
    y += 8.0
    shown = f"{', '.join(planes)}, with heat maps of {', '.join(models)} for {label}"
    alternative = f"Slices of {len(patients)} patients, {shown}."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total:g}mm" height="{y:.2f}mm" '
        f'viewBox="0 0 {total:g} {y:.2f}" role="img" font-family="{_SANS}" fill="{LIGHT.ink}">'
        f"<title>{_safe(alternative)}</title>"
        f'<rect width="100%" height="100%" fill="#FFFFFF"/>{"".join(parts)}</svg>\n'
    )


def _head(x: float, column: float, label: str, styles: Mapping[str, ModelStyle], plane: str) -> str:
    """Return what stands above a block of panels: the plane, the image, the models."""
    room = max(4, int((column - 3.0) / 1.45))
    drawn = _text(x, 3.0, plane.capitalize() or "Image", weight="bold")
    for k, (model, style) in enumerate(styles.items(), 1):
        at = x + k * (column + _GAP)
        drawn += f'<rect x="{at:.2f}" y="1" width="2" height="2" fill="{style.colour}"/>'
        drawn += _text(at + 2.8, 3.0, shortened(f"{model}, {label}", room), weight="bold")
    return drawn


def _panel(
    patient: ViewedPatient,
    found: ViewedMap | None,
    plane: str,
    x: float,
    y: float,
    column: float,
    *,
    opacity: float,
    threshold: float,
) -> tuple[str, float]:
    fixed, across, down, flip = _AXES[plane]
    image = np.asarray(patient.image, dtype=np.float64)
    mask = None if patient.mask is None else np.asarray(patient.mask) != 0
    at = _slice_of(mask, fixed, image.shape)
    wide_mm, high_mm = (
        image.shape[across] * patient.spacing[across],
        image.shape[down] * patient.spacing[down],
    )
    scale = column / wide_mm
    high = high_mm * scale

    def cut(volume: NDArray[Any]) -> NDArray[Any]:
        plain = np.take(
            volume, at, axis=fixed
        )  # the two axes that are left, in their order: down, then across
        return np.asarray(plain[::-1]) if flip else plain

    low, top = float(image.min()), float(image.max())
    grey = 255.0 * (cut(image) - low) / (top - low if top > low else 1.0)
    pixels = np.repeat(grey[:, :, None], 3, axis=2)
    if found is not None:
        heat = cut(np.asarray(found.heat_map, dtype=np.float64))
        colours = np.asarray(turbo_colours(), dtype=np.float64)[np.rint(heat * 255.0).astype(int)]
        over = np.where(heat >= max(threshold, 1 / 255), opacity, 0.0)[:, :, None]
        pixels = pixels + over * (colours - pixels)
    uri = png_uri(np.rint(np.clip(pixels, 0, 255)).astype(np.uint8))
    drawn = (
        f'<image x="{x:.3f}" y="{y:.3f}" width="{column:.3f}" height="{high:.3f}" preserveAspectRatio="none" '
        f'href="{uri}"/>'
    )
    if mask is not None:
        d = _outline(cut(mask), x, y, column / image.shape[across], high / image.shape[down])
        if d:
            drawn += f'<path d="{d}" fill="none" stroke="#000" stroke-width="0.5"/>'
            drawn += f'<path d="{d}" fill="none" stroke="#FFF" stroke-width="0.22"/>'
    if found is None:
        bar = 10.0 * scale
        right, bottom = x + column - 1.5, y + high - 1.5
        drawn += f'<path d="M{right - bar:.3f} {bottom:.3f}H{right:.3f}" stroke="#000" stroke-width="1"/>'
        drawn += f'<path d="M{right - bar:.3f} {bottom:.3f}H{right:.3f}" stroke="#FFF" stroke-width="0.5"/>'
        drawn += _text(right, bottom - 1.0, "10 mm", anchor="end", fill="#FFF", size=2.1, halo=True)
    return drawn, high


def _slice_of(mask: NDArray[np.bool_] | None, fixed: int, shape: tuple[int, ...]) -> int:
    if mask is None or not mask.any():
        return shape[fixed] // 2
    areas = mask.sum(axis=tuple(axis for axis in range(3) if axis != fixed))
    return int(np.argmax(areas))


def _outline(inside: NDArray[np.bool_], x: float, y: float, dx: float, dy: float) -> str:
    """Return the borders of the voxels as an SVG path."""
    framed = np.pad(inside, 1)
    path = []
    for j, i in np.argwhere(framed[1:, 1:-1] != framed[:-1, 1:-1]):
        path.append(f"M{x + i * dx:.2f} {y + j * dy:.2f}h{dx:.3f}")
    for j, i in np.argwhere(framed[1:-1, 1:] != framed[1:-1, :-1]):
        path.append(f"M{x + i * dx:.2f} {y + j * dy:.2f}v{dy:.3f}")
    return "".join(path)


def _colour_bar(x: float, y: float, width: float, threshold: float) -> str:
    strip = np.asarray([turbo_colours()], dtype=np.uint8)
    drawn = (
        f'<image x="{x:g}" y="{y + 0.6:.2f}" width="{width:.2f}" height="2" preserveAspectRatio="none" '
        f'href="{png_uri(strip)}"/>'
    )
    for value, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        drawn += _text(x + value * width, y + 5.0, f"{value:g}", anchor=anchor, size=2.1)
    said = f"share of the map's peak, shown from {threshold:g}"
    return drawn + _text(x, y + 7.4, said, size=2.1)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal", size: float = _FONT,
    fill: str = "", rotate: bool = False, halo: bool = False,
) -> str:  # fmt: skip
    extra = f' fill="{fill}"' if fill else ""
    extra += ' transform="rotate(-90)"' if rotate else ""
    extra += ' stroke="#000" stroke-width="0.5" paint-order="stroke"' if halo else ""
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}"{extra}>'
        f"{_safe(text)}</text>"
    )


def _safe(text: str) -> str:
    return escape(legible(text))
