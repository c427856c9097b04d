"""Simulated predictions tables, each difficult in one way, their evaluations, and a browser."""

import os
import shutil
import time
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import biomark
import numpy as np
import pandas as pd
import pytest

EVIL = "</script><img src=x onerror=\"window.hit=1;alert('hit')\">"
LONG = ("a long model name that nobody would choose but somebody did " * 2).strip()
RIGHT_TO_LEFT = "\u0645\u0633\u062a\u0642\u0628\u0644\u0627\u062a \u05d0\u05d1\u05d2"
OVERRIDE = "\u202ereversed\u2028line"
MARKUP = "<b>bold</b> %{x} {{ 7*7 }} &amp; $f$"
# The renderer is named because the one that Chromium would find by itself prints how long it took on the console.
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def simulated(sets, labels, models, *, effect=1.0, size=True):
    """Return a table of Gaussian scores through a logistic function; sizes are gamma distributed."""
    rng = np.random.default_rng(len(labels) * 100 + len(models))
    rows = []
    for name, n in sets.items():
        for i in range(n):
            millimetres = float(np.round(rng.gamma(4.0, 6.0), 1))
            for label in labels:
                positive = int(rng.random() < 0.6)
                for at, model in enumerate(models):
                    raw = effect * (1.0 + 0.2 * at) * positive + rng.normal()
                    score = round(1.0 / (1.0 + np.exp(-raw)), 4)
                    rows.append((f"{name}-{i}", name, model, label, positive, score, millimetres))
    columns = ["patient_id", "set", "model", "label", "y_true", "y_score", "size_mm"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame if size else frame.drop(columns="size_mm")


def _table(case):
    pair, three = ["multi-task", "single-task"], ["ER", "PR", "HER2"]
    two_sets = {"validation": 60, "test": 88}
    if case == "plain":
        return simulated({"train": 90} | two_sets, three[:2], pair)
    if case == "one set":
        return simulated({"all": 60}, three, pair).drop(columns="set")
    if case == "one of each":
        return simulated({"all": 40}, ["ER"], ["m"]).drop(columns=["set", "model"])
    if case == "one label":
        return simulated(two_sets, ["ER"], pair)
    if case == "one model":
        return simulated(two_sets, three, ["multi-task"])
    if case == "three models":
        return simulated(two_sets, three, [*pair, "radiomics"])
    if case == "many":
        labels, models = [f"label {i}" for i in range(4)], [f"model {i}" for i in range(4)]
        return simulated(two_sets, labels, models)
    if case == "no size":
        return simulated(two_sets, three, pair, size=False)
    if case == "carried columns":
        frame = simulated(two_sets, three[:2], pair)
        known = frame["patient_id"].str.extract(r"(\d+)")[0].astype(int)
        missing = known % 11 == 0
        return frame.assign(
            age=40 + (known * 7) % 41, grade=(known % 3 + 1).where(~missing), site="site " + known.astype(str),
            menopause=np.where(known % 2 == 0, "post", "pre"), **{f"{EVIL}-column": np.where(known % 3 == 0, "a", "b")},
        )  # fmt: skip
    if case == "mixed scales":
        frame = simulated(two_sets, three[:2], pair)
        logit = np.log(frame["y_score"].clip(0.001, 0.999) / (1 - frame["y_score"].clip(0.001, 0.999)))
        return frame.assign(y_score=frame["y_score"].where(frame["model"] == pair[0], logit))
    if case == "five sets":
        more = {"train": 80, "external A": 40, "external B": 30}
        return simulated(more | two_sets, three[:2], pair)
    if case == "perfect":
        return simulated(two_sets, three[:2], pair, effect=40.0)
    if case == "strong":
        return simulated(two_sets, three[:2], ["weak", "radiomics"], effect=1.0).assign(
            y_score=lambda f: np.where(
                f["model"] == "weak", np.sin(f.index * 12.9), f["y_true"] + np.cos(f.index)
            )
        )
    frame = simulated(two_sets, three, pair)
    if case == "one class":
        frame.loc[(frame["set"] == "test") & (frame["label"] == "HER2"), "y_true"] = 1
    elif case == "one class everywhere":
        frame["y_true"] = 1
    elif case == "missing labels":
        frame["y_true"] = frame["y_true"].astype("Int64")
        some = frame["patient_id"].str.endswith(("3", "5"))
        frame.loc[some & (frame["label"] == "PR"), "y_true"] = pd.NA
        frame.loc[(frame["set"] == "test") & (frame["label"] == "HER2"), "y_true"] = pd.NA
    elif case == "tiny strata":
        frame["size_mm"] = np.where(frame["patient_id"].str.endswith("17"), 9.0, 30.0)
    elif case == "hostile":
        names = {"ER": f"{EVIL}-ER", "PR": RIGHT_TO_LEFT, "HER2": MARKUP}
        frame = simulated(two_sets, three, ["a", "b", "c"])
        frame["label"] = frame["label"].map(names)
        frame["model"] = frame["model"].map({"a": EVIL, "b": LONG, "c": OVERRIDE})
        frame["set"] = frame["set"].replace({"test": f"{EVIL}-set"})
    else:
        raise KeyError(case)
    return frame


CASES = (
    "plain", "one set", "one of each", "one label", "one model", "three models", "many", "no size", "five sets",
    "perfect", "strong", "carried columns", "mixed scales", "one class", "one class everywhere", "missing labels",
    "tiny strata", "hostile",
)  # fmt: skip


@pytest.fixture(params=CASES)
def case(request):
    """Return the name of one difficult table after another."""
    return request.param


@pytest.fixture(scope="session")
def names():
    """Return the names of the hostile table."""
    return SimpleNamespace(
        evil=EVIL, long=LONG, right_to_left=RIGHT_TO_LEFT, override=OVERRIDE, markup=MARKUP
    )


@pytest.fixture(scope="session")
def evaluation_of(tmp_path_factory):
    """Return the evaluation of a case, computed once."""
    folder = tmp_path_factory.mktemp("tables")

    @cache
    def evaluated(case):
        path = folder / f"{case.replace(' ', '-')}.csv"
        _table(case).to_csv(path, index=False)
        further = ("grade", "age:50,65", f"{EVIL}-column") if case == "carried columns" else ()
        return biomark.evaluate(biomark.read_predictions(path), n_boot=30, stratify_by=further)

    return evaluated


@pytest.fixture(scope="session")
def until():
    """Return a wait for a condition; Playwright's own compiles code in the page, which the policy forbids."""

    def wait(page, condition, seconds=120):
        last = time.monotonic() + seconds
        while not page.evaluate(condition):
            assert time.monotonic() < last, condition
            page.wait_for_timeout(20)

    return wait


@pytest.fixture(scope="session")
def faint():
    """Return what finds the texts of a page that stand out too little from what lies behind them."""
    script = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
    return lambda page: page.evaluate(script)["found"]


@pytest.fixture(scope="session")
def browser():
    """Start headless Chromium; without one skip, or fail where it is required."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        reason = f"no browser found (looked for {', '.join(BROWSERS)})"
        if os.environ.get("BIOMARK_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{reason}, and BIOMARK_REQUIRE_BROWSER=1")
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()
