"""Training curves: what is drawn is what the run wrote, and the page works in a browser."""

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.viz.training_curves import RunHistory, curve_panels, training_figure
from biomark.viz.training_page import training_html

EVIL = "</script><img src=x onerror=alert(1)>"


def history(name="multi-task", n=9, segmentation=True, labels=("ER", EVIL)):
    rng = np.random.default_rng(n)
    epochs, top = [], -1.0
    for epoch in range(1, n + 1):
        macro = None if epoch == 2 else float(rng.random())
        best = macro is not None and macro > top
        top = macro if best else top
        part = 1.0 / epoch if segmentation else 0.0
        epochs.append(
            {
                "epoch": epoch, "learning_rate": 1e-3 / epoch, "train_loss": 2.0 / epoch,
                "train_classification": 1.0 / epoch,
                "train_segmentation": part, "gradient_norm": 1.0, "seconds": 2.0, "volumes_per_second": 5.0 + epoch,
                "validation_loss": 2.2 / epoch, "validation_classification": 1.1 / epoch,
                "validation_segmentation": part,
                "validation_macro_auc": macro, "validation_dice": 0.5 if segmentation else None,
                "validation_seconds": 1.0,
                "best": best, **{f"validation_auc_{label}": float(rng.random()) for label in labels},
            }
        )  # fmt: skip
    return RunHistory(name, epochs, "multi-task", "resnet10_3d", "cpu", 12)


def test_panels_are_those_that_have_something_to_show():
    names = [panel.name for panel in curve_panels([history()])]
    assert names == [
        "loss", "classification", "segmentation", "macro", "auc-0", "auc-1", "dice", "rate", "norm", "speed",
    ]  # fmt: skip
    alone = [panel.name for panel in curve_panels([history("single-task", segmentation=False)])]
    assert alone == ["loss", "macro", "auc-0", "auc-1", "rate", "norm", "speed"]


def test_a_figure_draws_every_epoch_and_the_best():
    runs = [history(), history("single-task", 5, segmentation=False)]
    panels = {panel.name: panel for panel in curve_panels(runs)}
    figure = training_figure(runs, panels["loss"])
    drawn = {(t.meta["model"], t.meta["part"]): t for t in figure.data}
    assert set(drawn) == {(run.name, part) for run in runs for part in ("training", "validation", "best")}
    assert drawn["single-task", "training"].y == tuple(2.0 / k for k in range(1, 6))
    macro = training_figure(runs, panels["macro"])
    validation, best = (
        next(t for t in macro.data if (t.meta["model"], t.meta["part"]) == ("multi-task", part))
        for part in ("validation", "best")
    )
    assert validation.y[1] is None  # undefined in that epoch
    known = [value for value in validation.y if value is not None]
    assert best.y == (max(known),) and best.x[0] == validation.y.index(max(known)) + 1
    parts = [t.meta["model"] for t in training_figure(runs, panels["segmentation"]).data]
    assert set(parts) == {"multi-task"}


def test_runs_are_named_once_and_there_is_one_at_least():
    with pytest.raises(BiomarkError, match="at least one"):
        training_html([])
    with pytest.raises(BiomarkError, match="differ"):
        training_html([history(), history()])


def test_one_epoch_is_a_point():
    run = history(n=1)
    panel = curve_panels([run])[0]
    assert {trace.mode for trace in training_figure([run], panel).data} == {"markers"}


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_draws_and_switches_runs(browser, until, faint, tmp_path, width):
    runs = [history(EVIL), history("single-task", 5, segmentation=False)]
    path = tmp_path / "curves.html"
    path.write_text(training_html(runs, title=EVIL, simulated=True), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme="dark", offline=True)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-viewer=ready]", timeout=120_000)
    lines = "document.querySelectorAll('#loss .scatterlayer .trace').length"
    assert page.evaluate(lines) == 6
    assert page.evaluate("document.querySelectorAll('.plot .main-svg').length") >= 10
    assert "Loss by epoch." in page.evaluate("document.getElementById('loss').getAttribute('aria-label')")
    page.locator("#controls label", has_text="single-task").click()
    until(page, f"{lines} === 3")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.query_selector("img") is None and "Simulated patients." in page.inner_text("body")
    assert said == [] and faint(page) == []
    assert [url for url in asked if url != path.as_uri() and not url.startswith(("data:", "blob:"))] == []
    context.close()
