"""Make the picture of the README: the first screen of the report on the breast cohorts.

Run from the repository, with a browser at hand: ``python docs/make_screenshots.py``. The browser is chromium or
chrome as found on the path, or the one named with ``--browser``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import biomark
from biomark.viz import report_html

ROOT = Path(__file__).resolve().parents[1]
MAKE_PREDICTIONS = ROOT / "examples" / "breast_cohorts" / "make_predictions.py"
PICTURE = ROOT / "docs" / "images" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# What a desktop shows first; at one pixel per pixel the file stays small.
WIDTH, HEIGHT = 1280, 900
MOST_BYTES = 300_000
TITLE = "ER and PR from clinical data: Rotterdam to Germany"


def main() -> int:
    """Render the example and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--browser", default=next(filter(None, map(shutil.which, BROWSERS)), None))
    browser = parser.parse_args().browser
    if browser is None:
        print(f"no browser found; looked for {', '.join(BROWSERS)}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(MAKE_PREDICTIONS), "--out", folder], check=True)
        predictions = biomark.read_predictions(Path(folder) / "preds.csv")
        page = Path(folder) / "report.html"
        page.write_text(report_html(biomark.evaluate(predictions), title=TITLE), encoding="utf-8")
        picture = first_screen(page, browser)
    if len(picture) > MOST_BYTES:
        print(f"the picture has {len(picture):,} bytes, more than {MOST_BYTES:,}", file=sys.stderr)
        return 1
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_bytes(picture)
    print(f"{PICTURE.relative_to(ROOT)}: {len(picture):,} bytes")
    return 0


def first_screen(page: Path, browser: str) -> bytes:
    """Return the first screen of a page as PNG."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        view = started.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        view.goto(page.as_uri())
        view.wait_for_selector("html[data-figures=ready]", timeout=60_000)
        shot = view.screenshot()
        started.close()
    return shot


if __name__ == "__main__":
    sys.exit(main())
