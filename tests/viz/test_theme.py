"""Colours that can be told apart and read, and one look for every name."""

import itertools

import numpy as np
import pytest
from biomark.viz.theme import (
    DARK,
    LIGHT,
    dark_counterparts,
    label_symbols,
    model_styles,
    recoloured,
    shortened,
)

SCHEMES = [LIGHT, DARK]
# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def linear(colour):
    coded = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255.0
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    x, y, z = np.array(to_xyz) @ rgb / (0.95047, 1.0, 1.08883)
    fx, fy, fz = (np.cbrt(t) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def contrast(first, second):
    weights = (0.2126, 0.7152, 0.0722)
    high, low = sorted((float(linear(first) @ weights), float(linear(second) @ weights)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def smallest_distance(colours, sight):
    seen = [lab(np.clip(np.array(SIGHT[sight]) @ linear(colour), 0.0, 1.0)) for colour in colours]
    return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_models_are_told_apart_by_every_eye(scheme, sight):
    assert smallest_distance(scheme.models, sight) >= 18.0
    assert smallest_distance(scheme.models[:4], sight) >= 24.0


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_text_and_marks_reach_their_contrast(scheme):
    for colour in (*scheme.models, scheme.neutral):
        assert contrast(colour, scheme.paper) >= 3.0
    for name in ("ink", "muted", "accent", "good", "caution", "bad"):
        assert contrast(getattr(scheme, name), scheme.paper) >= 4.5, name
        assert contrast(getattr(scheme, name), scheme.soft) >= 4.5, name


def test_neighbouring_models_differ_in_dash_too():
    styles = list(model_styles([f"m{i}" for i in range(5)]).values())
    assert len({style.dash for style in styles}) == 5
    many = list(model_styles([f"m{i}" for i in range(14)]).values())
    assert len({(style.colour, style.dash) for style in many}) == 14


def test_house_models_keep_their_colours_on_every_page():
    both = model_styles(["single-task", "multi-task"])
    assert model_styles(["radiomics", "Multi Task"])["Multi Task"] == both["multi-task"]
    assert model_styles(["radiomics", "single-task"])["radiomics"] not in both.values()


def test_every_label_has_its_shape():
    assert len(set(label_symbols([str(i) for i in range(9)]).values())) == 9


def test_dark_counterparts_cover_every_light_colour_once():
    pairs = dark_counterparts()
    assert len(set(pairs.values())) == len(pairs)
    assert pairs[LIGHT.paper] == DARK.paper


def test_recolouring_touches_colours_and_no_names():
    figure = {"line": {"color": "#0B49A5"}, "name": "#0B49A5", "fillcolor": "rgba(11,73,165,0.15)", "marker": [{
        "color": ["#0b49a5", 3]}]}  # fmt: skip
    dark = recoloured(figure)
    assert dark["line"]["color"] == "#6E9BFF"
    assert dark["name"] == "#0B49A5"
    assert dark["fillcolor"] == "rgba(110,155,255,0.15)"
    assert dark["marker"][0]["color"] == ["#6E9BFF", 3]
    assert figure["line"]["color"] == "#0B49A5"


def test_short_names_stay_and_long_ones_lose_their_middle():
    assert shortened("multi-task") == "multi-task"
    cut = shortened("x" * 40 + "-v2")
    assert len(cut) == 28
    assert cut.endswith("-v2")
