"""What every self-contained page is made of: templates, scripts by hash, JSON and bytes that travel inside the page."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from .control_characters import legible
from .theme import DARK, LIGHT

# Plotly reads the canvas on which it writes the letters of 3D axes back again and again, and Chromium then asks on the
# console for this setting. It makes the canvas while its script loads; the page's own canvases are not read.
_READ_BACK = """(() => {
  const plain = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, settings) {
    return plain.call(this, kind, kind === "2d" ? { willReadFrequently: true, ...settings } : settings);
  };
  window.plainContext = plain;
})();
"""
_READ_BACK_NO_MORE = (
    "\nHTMLCanvasElement.prototype.getContext = window.plainContext; delete window.plainContext;\n"
)

__all__ = [
    "asset",
    "csp_hash",
    "json_for_script",
    "packed_bytes",
    "packed_plotly",
    "page_environment",
    "plain_page",
    "plotly_js",
]


@cache
def page_environment() -> jinja2.Environment:
    """Return the templates; what enters them is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = legible
    return environment


def asset(name: str) -> str:
    """Return a file of the templates as it is."""
    loader = page_environment().loader
    assert loader is not None
    return loader.get_source(page_environment(), name)[0]


@cache
def plotly_js() -> str:
    """Return plotly.js so that it can stand in a script element."""
    from plotly.offline import get_plotlyjs

    # What would end the script element cannot stand in it; inside a JavaScript string the two are the same.
    library = str(get_plotlyjs()).replace("</script", "<\\/script").replace("\r", "")
    return _READ_BACK + library + _READ_BACK_NO_MORE


@cache
def packed_plotly() -> str:
    """Return plotly.js as packed bytes, two fifths of its size."""
    return packed_bytes(plotly_js().encode())


def plain_page(
    template: str,
    scripts: Sequence[str],
    data: Any,
    *,
    title: str,
    simulated: bool = False,
    back: str = "",
    blocks: Mapping[str, str] | None = None,
    **context: Any,
) -> str:
    """Return a self-contained page of the template, which fills ``plain_page.html.j2``.

    Parameters
    ----------
    template : str
    scripts : sequence of str
        Files of the templates that make the page's script.
    data : what JSON can hold
        The script reads it from the element ``data``.
    title : str
    simulated : bool
        Say on the page that what it shows is simulated.
    back : str
        Address of the page that leads here.
    blocks : mapping of name to packed bytes, optional
        Further than plotly.js, which every page holds.
    **context
        What else the template asks for.
    """
    script = "".join(asset(name) for name in scripts)
    page = page_environment().get_template(template)
    return (
        page.render(
            title=title,
            simulated=simulated,
            back=back,
            blocks={"plotly": packed_plotly(), **(blocks or {})},
            data=Markup(json_for_script(data)),
            script=Markup(script),
            css=Markup(asset("marks.css") + asset("viewer.css")),
            light=Markup(LIGHT.css()),
            dark=Markup(DARK.css()),
            hashes=[csp_hash(script), csp_hash(plotly_js())],
            **context,
        )
        + "\n"
    )


def csp_hash(script: str) -> str:
    """Return the source by which a content security policy allows one script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def json_for_script(data: Any) -> str:
    """Return JSON that cannot end or change the script element that holds it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def packed_bytes(content: bytes) -> str:
    """Return bytes as base64 of their gzip form, the same at every run.

    Examples
    --------
    >>> gzip.decompress(base64.b64decode(packed_bytes(b"slice")))
    b'slice'
    """
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()
