"""From networks and patients to the folder that `biomark explain` writes."""

import csv
import json

import numpy as np
import pytest
import torch
from biomark.errors import BiomarkError
from biomark.stats import explanation_scores
from biomark.viz.explaining import ExplainedCase, explain
from biomark.viz.explanation_folder import cases_by_rank, write_explanation
from biomark.viz.gradcam import gradcam_plus_plus
from biomark.zoo import create_model


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    return {
        task: create_model("resnet10_3d", task=task, labels=("ER", "PR"), width=4)
        for task in ("multi-task", "single-task")
    }


@pytest.fixture(scope="module")
def cases():
    rng = np.random.default_rng(0)
    made = []
    for k in range(5):
        image = rng.random((32, 32, 32)).astype(np.float32)
        mask = np.zeros(image.shape, dtype=bool)
        mask[8 + k : 16, 8:20, 10:18] = True
        image[mask] += 0.5
        name = f"case {k}/<b>" if k == 4 else f"case-{k}"
        made.append(
            ExplainedCase(name, image, (0.5, 0.5, 0.5), None if k == 3 else mask, {"ER": k % 2, "PR": np.nan})
        )
    return made


@pytest.fixture(scope="module")
def found(models, cases):
    torch.set_num_threads(1)
    return explain(models, cases)


def test_each_map_is_grad_cam_of_its_model_and_label(found, models, cases):
    patient = found.patients[1]
    assert [(m.model, m.label) for m in patient.maps] == [
        ("multi-task", "ER"), ("multi-task", "PR"), ("single-task", "ER"), ("single-task", "PR"),
    ]  # fmt: skip
    made = gradcam_plus_plus(models["single-task"], cases[1].image, "PR")
    np.testing.assert_array_equal(patient.maps[3].heat_map, made.heat_map)
    assert patient.maps[3].facts["probability"] == f"{torch.sigmoid(torch.tensor(made.logit)).item():.2f}"
    assert patient.facts == {"ER": "positive", "PR": "unknown"}
    assert list(patient.segmentations) == ["multi-task"]
    assert all(model.training for model in models.values())


def test_attention_is_that_of_the_patients_with_a_mask(found, cases):
    one = found.attention["ER"]
    judged = [0, 1, 2, 4]
    assert one.patient_id == tuple(cases[k].patient_id for k in judged)
    maps = [found.patients[k].maps[0].heat_map for k in judged]
    expected = explanation_scores(maps, [cases[k].mask for k in judged])
    np.testing.assert_array_equal(one.scores["multi-task"].energy, expected.energy)
    assert f"{expected.energy[1]:.3f} (chance" in found.patients[1].maps[0].facts["energy in the lesion"]
    assert "energy in the lesion" not in found.patients[3].maps[0].facts


def test_cases_are_chosen_by_rank_and_not_by_look(found):
    one = found.attention["ER"]
    energy = one.scores["multi-task"].energy
    order = [one.patient_id[k] for k in np.argsort(energy)]
    assert cases_by_rank(one, 2) == [order[0], order[-1]]
    assert cases_by_rank(one, 9) == order
    assert cases_by_rank(one, 1) == [order[0]]


def test_the_folder_is_complete(found, tmp_path):
    write_explanation(found, tmp_path / "out", simulated=True)
    names = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    patients = ["0001-case-0", "0002-case-1", "0003-case-2", "0004-case-3", "0005-case-4-b"]
    beside = {"index.html", "attention.csv", "attention.json", "cases-ER.svg", "cases-PR.svg"}
    assert names == beside | {f"patients/{name}.html" for name in patients}
    with (tmp_path / "out" / "attention.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 4 * 2 * 2 and rows[0]["patient_id"] == "case-0"
    summary = json.loads((tmp_path / "out" / "attention.json").read_text(encoding="utf-8"))
    assert len(summary["PR"]["models"]) == 6 and len(summary["PR"]["differences"]) == 3


def test_labels_and_patients_are_checked(models, cases):
    assert explain(models, cases[:1], labels=["PR"]).labels == ("PR",)
    for given, says in (
        ((models, []), "at least one"),
        (({}, cases), "at least one"),
        ((models, [cases[0], cases[0]]), "named once"),
    ):
        with pytest.raises(BiomarkError, match=says):
            explain(*given)
    with pytest.raises(BiomarkError, match="ER, PR"):
        explain(models, cases[:1], labels=["HER2"])


def test_without_masks_nothing_is_judged(models, cases, tmp_path):
    alone = explain({"single-task": models["single-task"]}, [cases[3]])
    assert alone.attention == {}
    write_explanation(alone, tmp_path / "out")
    assert "agreement cannot be measured" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert not (tmp_path / "out" / "attention.csv").exists()


@pytest.mark.browser
def test_the_first_page_draws_and_leads_to_each_patient(browser, found, tmp_path):
    write_explanation(found, tmp_path / "out", simulated=True)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "out" / "index.html").as_uri())
    page.wait_for_selector("html[data-viewer=ready]", timeout=120_000)
    marks = (
        "[...document.querySelectorAll('.plot')].map(p => p.querySelectorAll('.scatterlayer .trace').length)"
    )
    assert page.evaluate(marks) == [7] * 6
    assert "Energy in the lesion" in page.evaluate(
        "document.getElementById('plot-0').getAttribute('aria-label')"
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("text=case 4/<b>")
    page.wait_for_selector("html[data-viewer=ready]", timeout=120_000)
    assert "energy in the lesion" in page.inner_text(".row h2")
    assert said == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)
    context.close()
