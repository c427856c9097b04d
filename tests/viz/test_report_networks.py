"""The report with the networks behind its predictions: one page, the folders beside it, and what they say."""

import dataclasses
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from biomark import evaluate, read_predictions
from biomark.stats import explanation_scores
from biomark.stats.results import plain
from biomark.viz import report as report_module
from biomark.viz import report_html, write_report
from biomark.viz.attention import lesion_attention
from biomark.viz.embedding_of_runs import embed
from biomark.viz.explaining import ExplainedCase, explain
from biomark.viz.prose import manuscript
from biomark.viz.report_networks import network_frames
from biomark.viz.run_findings import RunFindings, fitting_perplexity
from biomark.zoo import create_model
from docx import Document

TASKS = ("multi-task", "single-task")


def cases(evil, n=12):
    rng = np.random.default_rng(0)
    made = []
    for k in range(n):
        image = rng.random((24, 24, 24)).astype(np.float32)
        mask = np.zeros(image.shape, dtype=bool)
        mask[6 + k % 4 : 14, 8:18, 10:16] = True
        name = evil if k == n - 1 else f"P{k}"
        made.append(ExplainedCase(name, image, (0.5, 0.5, 0.5), mask, {"ER": k % 2, "PR": (k // 2) % 2}))
    return made


@pytest.fixture(scope="module")
def found(names):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    models = {
        task: create_model("resnet10_3d", task=task, labels=("ER", "PR"), width=4).eval() for task in TASKS
    }
    patients = cases(f"{names.evil}-patient")
    explanation = explain(models, patients, layer="encoder.stages.0")
    rng = np.random.default_rng(1)
    y = {label: [case.y_true[label] for case in patients] for label in ("ER", "PR")}
    embeddings = embed(
        {task: rng.normal(size=(len(patients), 6)) for task in TASKS},
        y,
        [case.patient_id for case in patients],
        perplexity=fitting_perplexity(len(patients)),
        n_permutations=49,
    )
    return RunFindings(
        explanation, embeddings, "the 12 patients of the test set", TASKS, "cohort.csv", n_viewers=3
    )


@pytest.fixture(scope="module")
def folder(found, evaluation_of, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report"
    write_report(evaluation_of("one label"), path, networks=found, simulated=True)
    return path


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.tags = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href" and tag == "a"]


def test_every_link_leads_to_a_file_of_the_folder(folder):
    pages = sorted(folder.rglob("*.html"))
    assert len(pages) == 1 + 1 + 3 + 1
    for page in pages:
        for link in Links(page.read_text(encoding="utf-8")).links:
            target = link.partition("#")[0]
            assert not re.match(r"[a-z]+:|/", link), link
            assert not target or (page.parent / target).is_file(), (page, link)
    report = Links((folder / "report.html").read_text(encoding="utf-8"))
    assert sum(link.startswith("explanation/patients/") for link in report.links) == 3
    assert {"explanation/index.html", "embedding/embedding.html"} <= set(report.links)


def test_simulated_data_say_so_wherever_they_are_shown(folder):
    for page in folder.rglob("*.html"):
        assert re.search(r"<strong>Simulated (patients|volumes)\.</strong>", page.read_text("utf-8")), page
    for drawing in folder.glob("explanation/cases-*.svg"):
        assert "Simulated volumes" in drawing.read_text(encoding="utf-8")
    for table in folder.glob("tables/*.tex"):
        assert "(simulated patients)" in table.read_text(encoding="utf-8"), table
    for table in folder.glob("tables/*.csv"):
        assert set(pd.read_csv(table)["origin"]) == {"simulated"}, table
    captions = [p.text for p in Document(str(folder / "tables" / "tables.docx")).paragraphs]
    assert any("(simulated patients)" in text for text in captions)


def test_real_data_are_not_called_simulated(found, evaluation_of):
    text = report_html(evaluation_of("one label"), figures=False, networks=found)
    assert "imulated patients" not in text.replace("biomark simulate", "")


def test_a_table_that_says_that_it_was_simulated_is_believed(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    frame = pd.DataFrame({"patient_id": [f"P{i}" for i in range(40)], "label": "ER", "y_true": y})
    frame = frame.assign(y_score=(y + rng.normal(size=40)), origin="simulated")
    frame.to_csv(tmp_path / "preds.csv", index=False)
    evaluation = evaluate(read_predictions(tmp_path / "preds.csv"), n_boot=20)
    assert evaluation.provenance["input"]["origin"] == ["simulated"]
    text = report_html(evaluation, figures=False)
    assert "Simulated patients." in text and "All patients were simulated." in text
    assert "--simulated" in text


def test_the_tables_hold_the_numbers_of_the_statistics(folder, found):
    frames = network_frames(found)
    assert set(frames) == {"attention", "attention_differences", "separation"}
    for name, frame in frames.items():
        read = pd.read_csv(folder / "tables" / f"{name}.csv")
        numeric = frame.select_dtypes("number").columns
        np.testing.assert_array_equal(read[numeric], frame[numeric])
    text = (folder / "report.html").read_text(encoding="utf-8")
    row = frames["attention"].iloc[0]
    assert f"{row['mean']:.3f} ({row['ci_low']:.3f} to {row['ci_high']:.3f})" in text
    assert len(frames["separation"]) == 4 and set(frames["separation"]["k"]) == {3}


def test_the_record_holds_the_numbers_of_the_tables(folder, found):
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    networks = record["networks"]
    assert networks["simulated"] and len(networks["patients"]) == len(found.explanation.patients)
    for name, frame in network_frames(found).items():
        assert networks[name] == plain(frame.to_dict(orient="records"))
    assert list(record)[-1] == "networks"


def test_a_failure_leaves_the_earlier_report_whole(found, evaluation_of, tmp_path, monkeypatch):
    evaluation = evaluation_of("one label")
    write_report(evaluation, tmp_path / "report", figures=False)
    before = {name: (tmp_path / "report" / name).read_bytes() for name in files(tmp_path / "report")}

    def fail(*_arguments, **_options):
        raise OSError("no space left")

    monkeypatch.setattr(report_module, "write_tables", fail)
    with pytest.raises(OSError, match="no space left"):
        write_report(evaluation, tmp_path / "report", figures=False, networks=found)
    assert {name: (tmp_path / "report" / name).read_bytes() for name in files(tmp_path / "report")} == before
    assert os.listdir(tmp_path) == ["report"]


def test_what_an_earlier_report_told_of_its_networks_goes_with_it(found, evaluation_of, tmp_path):
    evaluation = evaluation_of("one label")
    write_report(evaluation, tmp_path / "report", figures=False, networks=found)
    mine = tmp_path / "report" / "explanation" / "mine.txt"
    mine.write_text("mine")
    write_report(evaluation, tmp_path / "report", figures=False)
    left = files(tmp_path / "report")
    assert {name for name in left if name.startswith(("explanation", "embedding"))} == {
        "explanation/mine.txt"
    }
    assert not {"tables/attention.csv", "tables/attention.tex", "tables/separation.csv"} & left


def test_the_page_alone_has_the_numbers_and_no_dead_link(found, evaluation_of, names):
    text = report_html(evaluation_of("one label"), networks=found)
    page = Links(text)
    assert all(link.startswith("#") for link in page.links)
    assert "Agreement of the heat maps with the lesion" in text and 'id="learnt"' in text
    assert "img" not in page.tags and names.evil not in text
    assert text == report_html(evaluation_of("one label"), networks=found)


def test_the_first_screen_says_how_much_of_the_maps_lies_in_the_lesion(found, evaluation_of):
    text = report_html(evaluation_of("one label"), figures=False, networks=found)
    screen = text[text.index('id="found"') : text.index('id="read"')]
    assert "<dt>Attention</dt>" in screen
    rows = network_frames(found)["attention_differences"].query("metric == 'energy'")
    for _, row in rows.iterrows():
        assert f"{abs(row['difference']):.3f}" in screen


def test_methods_and_results_tell_of_the_networks(found, evaluation_of):
    plain = manuscript(evaluation_of("one label"))
    written = manuscript(evaluation_of("one label"), networks=found, simulated=True)
    methods, results = written.methods.text, written.results.text
    assert methods.startswith("All patients were simulated. ") and plain.methods.text in methods
    for cited in ("Chattopadhay", "Score-CAM", "Top-down neural attention", "t-SNE", "Silhouettes"):
        place = next(at for at, entry in enumerate(written.references, 1) if cited in entry)
        assert f"[{place}]" in methods
    rows = network_frames(found)
    row = rows["attention"].iloc[0]
    estimate = f"{row['mean']:.3f} (95% CI {row['ci_low']:.3f} to {row['ci_high']:.3f}) with {row['model']}"
    assert estimate in results and results.count("nearest neighbours for") == 2
    assert f"{rows['separation'].iloc[0]['neighbour_auc']:.3f} with multi-task" in results
    assert "sign-flip" in methods and "over 6 comparisons" in methods


def test_one_network_alone_is_compared_with_nothing(found, evaluation_of):
    alone = {
        label: lesion_attention(label, {"multi-task": one.scores["multi-task"]}, one.patient_id)
        for label, one in found.explanation.attention.items()
    }
    explanation = dataclasses.replace(found.explanation, attention=alone, models=("multi-task",))
    one = dataclasses.replace(found, explanation=explanation, embeddings=None)
    written = manuscript(evaluation_of("one label"), networks=one)
    assert "sign-flip" not in written.methods.text and "t-SNE" not in written.methods.text
    assert "difference" not in written.results.text.partition("heat map’s energy")[2]
    text = report_html(evaluation_of("one label"), figures=False, networks=one)
    assert "against chance" in text and 'id="learnt"' not in text


def test_networks_whose_maps_are_0_everywhere_are_told_of(found, evaluation_of):
    labels, patients = found.explanation.labels, [p.patient_id for p in found.explanation.patients]
    masks = np.zeros((len(patients), 6, 6, 6), dtype=int)
    masks[:, 1:4, 1:4, 1:4] = 1
    nothing = {task: explanation_scores(np.zeros(masks.shape), masks) for task in TASKS}
    attention = {label: lesion_attention(label, nothing, patients) for label in labels}
    explanation = dataclasses.replace(found.explanation, attention=attention)
    text = report_html(
        evaluation_of("one label"), networks=dataclasses.replace(found, explanation=explanation)
    )
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1])
    energy = next(g for g in data["groups"] if g["name"] == "attention")["panels"][0]["figures"][0]
    assert {y for t in energy["data"] if t["meta"]["part"] == "mean" for y in t["y"]} == {None}


def test_the_command_makes_the_same_again(found, evaluation_of):
    text = report_html(evaluation_of("one label"), figures=False, networks=found)
    assert "--run multi-task --run single-task --cohort cohort.csv" in text


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_draws_switches_and_leads_to_the_viewers(browser, faint, folder, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "report.html").as_uri())
    page.wait_for_selector("html[data-figures=ready]", timeout=120_000)
    dots = "document.querySelectorAll('#attention-energy .scatterlayer .points path').length"
    assert page.evaluate(dots) >= 24
    assert page.evaluate("document.getElementById('embedding-0').data.length") >= 2
    assert page.evaluate("document.querySelectorAll('.panels.embedding canvas').length") >= 2
    name = "document.getElementById('embedding-1').getAttribute('aria-label')"
    assert "coloured by ER" in page.evaluate(name)
    page.locator("[data-group=embedding] label", has_text="PR").click()
    assert "coloured by PR" in page.evaluate(name)
    page.locator("[data-group=attention] label", has_text="PR").click()
    alternative = page.evaluate("document.getElementById('attention-iou').getAttribute('aria-label')")
    assert "IoU at matched volume, multi-task, PR" in alternative
    assert page.locator(".cases svg").first.is_visible()
    assert faint(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("summary", has_text="Slice viewers").click()
    page.locator(".patients a").first.click()
    page.wait_for_selector("html[data-viewer=ready]", timeout=120_000)
    assert "Simulated volumes." in page.inner_text("body")
    page.get_by_role("link", name="All patients").click()
    page.wait_for_selector("html[data-viewer=ready]", timeout=120_000)
    assert faint(page) == []
    page.get_by_role("link", name="Back to the report").click()
    page.wait_for_selector("html[data-figures=ready]", timeout=120_000)
    page.locator("#learnt").get_by_role("link").click()
    page.wait_for_selector("html[data-viewer=ready]", timeout=120_000)
    assert Path(page.url).name == "embedding.html"
    assert faint(page) == []
    assert said == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)
    context.close()
