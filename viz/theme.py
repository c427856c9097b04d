"""The one visual language of biomark's figures and pages: colours, marks, type, light and dark.

A model is a colour and a dash, a label is a marker shape, so that nothing is told by colour alone. Figures
are drawn for light paper; ``recoloured`` turns a finished figure to dark (and the page's script does the same
with the same table), so that no figure knows about schemes.

The seven model colours were chosen so that any two differ by at least 18 (the first four by 24) in CIELAB for
normal, deuteranopic, protanopic and tritanopic sight, in Machado's simulation [1]_, and so that each reaches
the contrast of 3:1 that WCAG 2.2 asks of graphics on its background.

References
----------
.. [1] Machado GM, Oliveira MM, Fernandes LAF (2009). A physiologically-based model for simulation of color
   vision deficiency. IEEE Trans Vis Comput Graph 15:1291-1298.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from .control_characters import legible

__all__ = [
    "DARK",
    "FONT_FAMILY",
    "JOURNAL_WIDTH_MM",
    "LIGHT",
    "ModelStyle",
    "Scheme",
    "base_axis",
    "base_layout",
    "dark_counterparts",
    "label_symbols",
    "literal",
    "model_styles",
    "recoloured",
    "shortened",
    "translucent",
]

FONT_FAMILY = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"

JOURNAL_WIDTH_MM = {"single": 85.0, "one-and-a-half": 114.0, "double": 174.0}
"""Widths of a figure in print, in mm, as most journals of the field set their columns."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """The colours of one appearance, as ``#RRGGBB``.

    Attributes
    ----------
    name : str
        ``light`` or ``dark``.
    paper : str
        Background of pages and figures.
    ink, muted : str
        Text, and text of second rank; both reach 4.5:1 on ``paper``.
    line, grid : str
        Axis lines, and the grid behind the data.
    neutral : str
        What belongs to no model: negatives, chance, reference lines; 3:1 on ``paper``.
    models : tuple of str
        Colours of the models, in the order in which they are given out.
    soft : str
        Background of headings and controls.
    accent, good, caution, bad : str
        Text of links, and of what is reached, flatters, or fails; 4.5:1 on ``paper`` and on ``soft``.
    """

    name: str
    paper: str
    ink: str
    muted: str
    line: str
    grid: str
    neutral: str
    models: tuple[str, ...]
    soft: str
    accent: str
    good: str
    caution: str
    bad: str

    def css(self) -> str:
        """Return the colours as declarations of CSS variables."""
        single = {
            name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("name", "models")
        }
        models = {f"model-{slot}": colour for slot, colour in enumerate(self.models)}
        return "".join(f"--{name}:{colour};" for name, colour in (single | models).items())


LIGHT = Scheme(
    name="light",
    paper="#FFFFFF",
    ink="#1B1F24",
    muted="#59616B",
    line="#8A929C",
    grid="#E6E9ED",
    neutral="#767E88",
    models=("#0B49A5", "#CC6B00", "#12946C", "#B46BAE", "#6B4A1F", "#5E86F5", "#2E2038"),
    soft="#F4F6F8",
    accent="#0B49A5",
    good="#0B6B4D",
    caution="#8A4B00",
    bad="#A4301A",
)
DARK = Scheme(
    name="dark",
    paper="#14181D",
    ink="#E8EAED",
    muted="#A9B1BB",
    line="#6F7883",
    grid="#2A3038",
    neutral="#8E97A3",
    models=("#6E9BFF", "#EE7A2E", "#54DDB0", "#C07DB4", "#EFD04B", "#B4DBFF", "#F5F6F8"),
    soft="#1C2128",
    accent="#8FB2FF",
    good="#54DDB0",
    caution="#F0B060",
    bad="#FF9B82",
)

_DASHES = ("solid", "7px,3px", "2px,2px", "9px,3px,2px,3px", "14px,4px")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "hexagon", "triangle-down", "x")
# The project's own two models keep their colours on every page, whichever of them a page shows.
_HOUSE_SLOTS = {"multitask": 0, "singletask": 1}
_COLOUR_KEYS = ("color", "fillcolor")


@dataclass(frozen=True, slots=True)
class ModelStyle:
    """How one model is drawn.

    Attributes
    ----------
    slot : int
        Place in ``Scheme.models``; the page's style sheet knows the colour as ``--model-<slot>``.
    colour : str
        ``#RRGGBB`` in the light scheme.
    dash : str
        Plotly's dash: ``solid``, or lengths of strokes and gaps.
    """

    slot: int
    colour: str
    dash: str


def model_styles(models: Sequence[str]) -> dict[str, ModelStyle]:
    """Give every model its colour and dash.

    ``multi-task`` and ``single-task`` have colours of their own; the others take the free ones in the order
    given. Colours repeat after seven models, then with another dash.

    Examples
    --------
    >>> styles = model_styles(["single-task", "radiomics"])
    >>> styles["single-task"] == model_styles(["multi-task", "single-task"])["single-task"]
    True
    """
    slots = {model: slot for model in models if (slot := _house_slot(model)) is not None}
    if len(set(slots.values())) < len(slots):  # 'multi-task' beside 'MultiTask': neither can claim the slot
        slots = {}
    # Beside one of the house's models the other's colour stays free, for the page that shows both.
    taken = set(_HOUSE_SLOTS.values()) if slots else set()
    free = (slot for slot in count() if slot not in taken)
    styles = {}
    for model in models:
        slot = slots[model] if model in slots else next(free)
        turn, colour = divmod(slot, len(LIGHT.models))
        styles[model] = ModelStyle(colour, LIGHT.models[colour], _DASHES[(colour + turn) % len(_DASHES)])
    return styles


def label_symbols(labels: Sequence[str]) -> dict[str, str]:
    """Give every label its Plotly marker symbol, in the order given.

    Examples
    --------
    >>> label_symbols(["ER", "PR"])
    {'ER': 'circle', 'PR': 'square'}
    """
    return {label: _SYMBOLS[at % len(_SYMBOLS)] for at, label in enumerate(labels)}


def base_layout(**layout: Any) -> dict[str, Any]:
    """Return the layout that every figure starts from; keywords add to it.

    Plain paper, type in the reader's system font at 13 px, no title (the page's caption says it), hover
    labels that look like paper, and a legend below the axes, where it covers no data.
    """
    return {
        "template": "none",
        "font": {"family": FONT_FAMILY, "size": 13, "color": LIGHT.ink},
        "paper_bgcolor": LIGHT.paper,
        "plot_bgcolor": LIGHT.paper,
        "margin": {"l": 52, "r": 14, "t": 30, "b": 48},
        "hoverlabel": {
            "bgcolor": LIGHT.paper,
            "bordercolor": LIGHT.line,
            "font": {"family": FONT_FAMILY, "size": 13, "color": LIGHT.ink},
            "align": "left",
            "namelength": -1,
        },
        "hovermode": "closest",
        "legend": {"orientation": "v", "x": 0, "xanchor": "left", "yanchor": "top", "traceorder": "normal"},
        "dragmode": "zoom",
        **layout,
    }


def base_axis(title: str, **axis: Any) -> dict[str, Any]:
    """Return an axis with an outside tick, a light grid and ``title``; keywords add to it."""
    return {
        "title": {"text": title, "font": {"size": 13}, "standoff": 8},
        "showline": True,
        "linecolor": LIGHT.line,
        "gridcolor": LIGHT.grid,
        "tickcolor": LIGHT.line,
        "ticks": "outside",
        "ticklen": 4,
        "zeroline": False,
        **axis,
    }


def translucent(colour: str, alpha: float) -> str:
    """Return ``#RRGGBB`` with an opacity, as Plotly wants it.

    Examples
    --------
    >>> translucent("#0B49A5", 0.15)
    'rgba(11,73,165,0.15)'
    """
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def dark_counterparts() -> dict[str, str]:
    """Return the dark colour of every light one; the page's script gets the same table."""
    names = ("paper", "ink", "muted", "line", "grid", "neutral")
    pairs = {getattr(LIGHT, name): getattr(DARK, name) for name in names}
    return pairs | dict(zip(LIGHT.models, DARK.models, strict=True))


def recoloured(figure: Any) -> Any:
    """Return a figure's dictionary with every colour of the light scheme turned to the dark one.

    Parameters
    ----------
    figure : dict, list or a value inside one
        Plotly's JSON, as ``figure.to_plotly_json()`` gives it. Only values under a key that names a colour
        are touched: a label that is called ``#FFFFFF`` stays what it is.
    """
    if isinstance(figure, dict):
        return {
            key: _dark(value) if key.endswith(_COLOUR_KEYS) else recoloured(value)
            for key, value in figure.items()
        }
    if isinstance(figure, (list, tuple)):
        return [recoloured(item) for item in figure]
    return figure


def literal(text: str) -> str:
    """Return ``text`` so that Plotly draws exactly these characters.

    Plotly reads a little HTML (``<b>``, links) and ``%{...}`` in every text that it draws, and decodes
    character references: each character that could start one becomes a reference itself.

    Examples
    --------
    >>> literal("<b>ER</b> & 5%{x}")
    '&#60;b&#62;ER&#60;/b&#62; &#38; 5&#37;{x}'
    """
    return "".join(
        f"&#{ord(character)};" if character in "<>&%$" else character for character in legible(text)
    )


def shortened(text: str, most: int = 28) -> str:
    """Return ``text`` cut in its middle to at most ``most`` characters, where a legend has no room for more.

    Examples
    --------
    >>> shortened("a-model-with-a-very-long-name-v2", 16)
    'a-model-…name-v2'
    """
    if len(text) <= most:
        return text
    head = (most - 1) - (most - 1) // 2
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def _house_slot(model: str) -> int | None:
    return _HOUSE_SLOTS.get("".join(character for character in model.casefold() if character.isalnum()))


def _dark(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_dark(item) for item in value]
    if not isinstance(value, str):
        return recoloured(value)
    table = dark_counterparts()
    if value.startswith("rgba("):
        red, green, blue, alpha = value[5:-1].split(",")
        colour = f"#{int(red):02X}{int(green):02X}{int(blue):02X}"
        return translucent(table[colour], float(alpha)) if colour in table else value
    return table.get(value.upper(), value)
