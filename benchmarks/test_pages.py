"""The other pages: their size, how soon they are whole, and how fast they answer in headless Chromium.

All data are simulated, of the seed paper's size: 88 patients judged, two models, three labels. ``ready`` is from the
address to the last figure; ``reaction`` from a switch to the frame that shows it. Chromium draws three dimensions in
software here, so that a graphics card can only do better.
"""

from __future__ import annotations

import shutil
import statistics
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from biomark import evaluate
from biomark.stats import explanation_scores
from biomark.stats.predictions import Predictions
from biomark.viz.attention import lesion_attention
from biomark.viz.embedding_of_runs import Embeddings, embed
from biomark.viz.embedding_page import embedding_html
from biomark.viz.explaining import Explanation
from biomark.viz.explanation_page import explanation_html
from biomark.viz.report import report_html
from biomark.viz.run_findings import RunFindings
from biomark.viz.slices import ViewedMap, ViewedPatient
from biomark.viz.training_curves import RunHistory
from biomark.viz.training_page import training_html

MODELS, LABELS = ("multi-task", "single-task"), ("ER", "PR", "HER2")
N, REPEATS = 88, 10
# Chooses the inputs in turn, and waits for the frame after the one that was drawn for it.
SWITCH = """async ([selector, repeats]) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())));
    const inputs = [...document.querySelectorAll(selector)];
    const found = [];
    for (let i = 1; i <= repeats; i++) {
        await frame();
        const pressed = performance.now();
        inputs[i % inputs.length].click();
        await frame();
        found.push((await frame()) - pressed);
    }
    return found;
}"""
TURN = """async ([id, repeats]) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())));
    const found = [];
    for (let i = 1; i <= repeats; i++) {
        await frame();
        const turned = performance.now();
        await Plotly.relayout(id, { 'scene.camera.eye': { x: 1.6 * Math.cos(i / 5), y: 1.6 * Math.sin(i / 5), z: 1 } });
        found.push((await frame()) - turned);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def browser():
    found = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


def test_report(benchmark, record, browser, tmp_path):
    text = benchmark.pedantic(report_html, args=(_evaluation(),), kwargs={"networks": _findings()}, rounds=1)
    page, ready = _opened(browser, tmp_path, text, "html[data-figures=ready]")
    _record(
        record, "report with attention and embeddings", text, browser, ready,
        page.evaluate(SWITCH, ["[data-group=roc] input[type=radio]", REPEATS]), 8.0,
    )  # fmt: skip
    page.close()


def test_embedding_page(benchmark, record, browser, tmp_path):
    text = benchmark.pedantic(embedding_html, args=(_embeddings().panels,), rounds=1)
    page, ready = _opened(browser, tmp_path, text, "html[data-viewer=ready]")
    switched = page.evaluate(SWITCH, ["input[name=label]", REPEATS])
    turned = page.evaluate(TURN, ["plot-0", REPEATS])
    _record(
        record, "embeddings, t-SNE and PCA", text, browser, ready, switched, 3.0,
        turn_ms=round(statistics.median(turned), 1),
    )  # fmt: skip
    page.close()


def test_explanation_page(benchmark, record, browser, tmp_path):
    found = _findings().explanation
    pages = {patient.patient_id: f"patients/{patient.patient_id}.html" for patient in found.patients}
    text = benchmark.pedantic(explanation_html, args=(found, pages), kwargs={"title": "Simulated"}, rounds=1)
    page, ready = _opened(browser, tmp_path, text, "html[data-viewer=ready]")
    _record(record, "first page of an explanation", text, browser, ready, [], 3.0)
    page.close()


def test_curves_page(benchmark, record, browser, tmp_path):
    rng = np.random.default_rng(0)
    keys = ("train_loss", "validation_loss", "validation_macro_auc", *(f"validation_auc_{k}" for k in LABELS))
    runs = [
        RunHistory(
            name, [{"epoch": e, "best": e == 100, **{k: float(rng.random()) for k in keys}} for e in range(1, 251)]
        )
        for name in MODELS
    ]  # fmt: skip
    text = benchmark.pedantic(training_html, args=(runs,), rounds=1)
    page, ready = _opened(browser, tmp_path, text, "html[data-viewer=ready]")
    switched = page.evaluate(SWITCH, ["#controls input", REPEATS])
    _record(record, "training curves, two runs of 250 epochs", text, browser, ready, switched, 3.0)
    page.close()


def _opened(browser, folder: Path, text: str, ready: str):
    path = folder / "page.html"
    path.write_text(text, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    start = time.perf_counter()
    page.goto(path.as_uri())
    page.wait_for_selector(ready, timeout=300_000)
    return page, time.perf_counter() - start


def _record(record, what, text, browser, ready, switched, most_mb, **more) -> None:
    mb = len(text.encode()) / 1e6
    record(
        {
            "what": what, "browser": f"Chromium {browser.version}", "page_mb": round(mb, 2), "ready_s": round(ready, 2),
            **({"reaction_ms": round(statistics.median(switched), 1)} if switched else {}), **more,
            "goal": {"page_mb": most_mb}, "reached": mb < most_mb,
        }
    )  # fmt: skip


def _evaluation():
    rng = np.random.default_rng(0)
    rows = []
    for name, n in (("train", 240), ("validation", 58), ("test", N)):
        y = rng.random((n, len(LABELS))) < 0.6
        size = rng.gamma(4.0, 6.0, n).round(1)
        for model in MODELS:
            score = 1.0 / (1.0 + np.exp(-(y + rng.normal(size=y.shape))))
            for k, label in enumerate(LABELS):
                rows.append(
                    pd.DataFrame(
                        {
                            "patient_id": [f"{name}-{i}" for i in range(n)], "set": name, "model": model,
                            "label": label,
                            "y_true": y[:, k].astype(int), "y_score": score[:, k], "size_mm": size,
                        }
                    )
                )  # fmt: skip
    return evaluate(Predictions.from_frame(pd.concat(rows, ignore_index=True)), n_boot=200)


def _embeddings() -> Embeddings:
    rng = np.random.default_rng(1)
    truth = {label: (rng.random(N) < 0.6).astype(float) for label in LABELS}
    features = {model: rng.normal(size=(N, 512)) for model in MODELS}
    return embed(features, truth, [f"test-{i}" for i in range(N)], perplexity=29.0, n_permutations=199)


def _findings() -> RunFindings:
    """Heat maps of 4 cubed random voxels on cubes of 32 voxels, a lesion in the middle of each."""
    rng = np.random.default_rng(2)
    mask = np.zeros((32, 32, 32), dtype=bool)
    mask[12:20, 12:20, 12:20] = True
    patients = []
    for i in range(N):
        maps = [
            ViewedMap(m, k, rng.random(mask.shape), (4, 4, 4), "last_map") for m in MODELS for k in LABELS
        ]
        patients.append(ViewedPatient(f"test-{i}", rng.random(mask.shape), (0.5, 0.5, 0.5), maps, mask))
    attention = {}
    for at, label in enumerate(LABELS):
        scores = {
            model: explanation_scores([p.maps[3 * k + at].heat_map for p in patients], [mask] * N)
            for k, model in enumerate(MODELS)
        }
        attention[label] = lesion_attention(label, scores, [p.patient_id for p in patients], rng=0)
    explanation = Explanation(tuple(patients), attention, MODELS, LABELS, False)
    return RunFindings(explanation, _embeddings(), f"the {N} patients of the test set", MODELS, "cohort.csv")
