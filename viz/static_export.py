"""An SVG drawing as a file for a paper: SVG by itself, PNG and PDF where a browser is at hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..errors import BiomarkError
from .png_image import with_density

__all__ = ["BROWSERS", "browser_command", "find_browser", "write_drawing"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_SECONDS = 120


def find_browser() -> str:
    """Return the browser that the variable ``BIOMARK_BROWSER`` names, or the first of `BROWSERS` on the path.

    Raises
    ------
    BiomarkError
        Where there is none; the message says what to do.
    """
    named = os.environ.get("BIOMARK_BROWSER")
    for name in (named,) if named else BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    looked = named or ", ".join(BROWSERS)
    raise BiomarkError(
        f"figures for paper are drawn by a browser, and none was found (looked for {looked}); install Chromium, or "
        "name one in BIOMARK_BROWSER"
    )


def browser_command(folder: str | os.PathLike[str] | None = None) -> list[str]:
    """Return how the browser is started to draw: without window, and with its profile in ``folder``.

    Raises
    ------
    BiomarkError
        Where there is none.
    """
    command = [find_browser(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    return command if folder is None else [*command, f"--user-data-dir={folder}/profile"]


def write_drawing(svg: str, path: str | os.PathLike[str], *, dpi: int = 300) -> None:
    """Write an SVG drawing as .svg, .png or .pdf, by the ending of ``path``.

    Parameters
    ----------
    svg : str
        With width and height in mm, as this package makes it.
    path : path
    dpi : int
        Pixels per inch of a PNG; journals ask for 300 at least.

    Raises
    ------
    BiomarkError
        For another ending, a drawing without size in mm, or where no browser is found or it fails.
    """
    target = Path(path)
    kind = target.suffix.lower()
    if kind not in (".svg", ".png", ".pdf"):
        raise BiomarkError(f"a drawing is written as .svg, .png or .pdf, found {target.name!r}")
    if kind == ".svg":
        target.write_text(svg, encoding="utf-8", newline="\n")
        return
    size = re.search(r'<svg[^>]*\bwidth="([\d.]+)mm" height="([\d.]+)mm"', svg)
    if size is None:
        raise BiomarkError("the drawing must state its width and height in mm")
    wide, high = float(size[1]), float(size[2])
    with tempfile.TemporaryDirectory(prefix="biomark-") as folder:
        page, made = Path(folder) / "page.html", Path(folder) / f"made{kind}"
        page.write_text(
            f"<!DOCTYPE html><meta charset='utf-8'><style>@page{{size:{wide}mm {high}mm;margin:0}}"
            f"body{{margin:0}}svg{{display:block}}</style>{svg}",
            encoding="utf-8",
        )
        command = browser_command(folder)
        browser = command[0]
        if kind == ".png":
            pixels = (int(mm / 25.4 * 96.0 + 0.999) for mm in (wide, high))
            command.append("--window-size=" + ",".join(str(n) for n in pixels))
            command += [f"--force-device-scale-factor={dpi / 96.0:.6g}", f"--screenshot={made}"]
        else:
            command += ["--no-pdf-header-footer", f"--print-to-pdf={made}"]
        try:
            subprocess.run([*command, page.as_uri()], check=False, capture_output=True, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            raise BiomarkError(f"{browser} did not finish within {_SECONDS} s; write .svg instead") from None
        if not made.exists():
            raise BiomarkError(f"{browser} made no {kind} of the drawing; write .svg instead")
        content = made.read_bytes()
        target.write_bytes(with_density(content, dpi) if kind == ".png" else content)
