"""What every self-contained page is made of: templates, scripts by hash, JSON and bytes that travel inside the page."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from functools import cache
from typing import Any

import jinja2

from .control_characters import legible

__all__ = [
    "asset",
    "csp_hash",
    "json_for_script",
    "packed_bytes",
    "packed_plotly",
    "page_environment",
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
    return str(get_plotlyjs()).replace("</script", "<\\/script").replace("\r", "")


@cache
def packed_plotly() -> str:
    """Return plotly.js as packed bytes, two fifths of its size."""
    return packed_bytes(plotly_js().encode())


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
