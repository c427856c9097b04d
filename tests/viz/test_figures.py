"""Every trace of a figure is what was computed, and says what it shows."""

import numpy as np
import plotly.graph_objects as go
import pytest
from biomark import viz
from biomark.viz.forest import ForestRow
from biomark.viz.page_figures import page_figures
from biomark.viz.theme import model_styles


def parts(figure, part):
    return [trace for trace in figure.data if trace.meta["part"] == part]


@pytest.fixture(scope="module")
def curves(evaluation_of):
    return [c for c in evaluation_of("plain").curves if c["set"] == "test" and c["label"] == "ER"]


def test_public_figures_are_plotly_figures(curves, evaluation_of):
    assert isinstance(viz.roc_figure(curves), go.Figure)
    assert isinstance(viz.score_figure(evaluation_of("plain").scores[0]), go.Figure)
    assert set(viz.__all__) <= set(dir(viz))


def test_roc_traces_are_the_computed_curves(curves):
    figure = viz.roc_figure(curves)
    drawn = parts(figure, "curve")
    assert [trace.meta["model"] for trace in drawn] == [curve["model"] for curve in curves]
    for trace, curve in zip(drawn, curves, strict=True):
        np.testing.assert_allclose(trace.x, curve["fpr"], atol=5e-6)
        np.testing.assert_allclose(trace.y, curve["tpr"], atol=5e-6)
        area = np.trapezoid(trace.y, trace.x)
        assert area == pytest.approx(curve["auc"], abs=1e-4)
        assert f"{curve['auc']:.3f}" in trace.name


def test_roc_points_and_bands_are_the_computed_ones(curves):
    figure = viz.roc_figure(curves, cutoff_names={"locked": "locked on validation"})
    for kind, filled in (("locked", True), ("same-set", False)):
        for trace, curve in zip(parts(figure, kind), curves, strict=True):
            point = next(p for p in curve["points"] if p["cutoff"] == kind)
            assert trace.x[0] == pytest.approx(1.0 - point["specificity"], abs=5e-6)
            assert trace.y[0] == pytest.approx(point["sensitivity"], abs=5e-6)
            assert (trace.marker.color != "#FFFFFF") == filled
            # The chosen point lies on the curve.
            at = np.argmin(np.hypot(curve["fpr"] - trace.x[0], curve["tpr"] - trace.y[0]))
            assert curve["tpr"][at] == pytest.approx(trace.y[0], abs=1e-5)
    for trace, curve in zip(parts(figure, "band"), curves, strict=True):
        half = len(trace.x) // 2
        np.testing.assert_allclose(trace.x[:half], 1.0 - np.asarray(curve["band_specificity"]), atol=5e-6)
        np.testing.assert_allclose(trace.y[:half], curve["band_high"], atol=5e-6)
        np.testing.assert_allclose(trace.y[half:][::-1], curve["band_low"], atol=5e-6)


def test_bands_and_points_can_be_left_out(curves):
    figure = viz.roc_figure(curves, bands=False, points=False)
    assert {trace.meta["part"] for trace in figure.data} == {"chance", "curve"}


def test_long_curves_are_thinned_without_moving_the_line():
    rng = np.random.default_rng(5)
    x = np.concatenate([[0.0], np.sort(rng.random(20_000)), [1.0]])
    y = np.sqrt(x)
    curve = {
        "set": "s", "label": "l", "model": "m", "auc": 2 / 3, "fpr": x, "tpr": y, "thresholds": 1.0 - x,
        "band_specificity": [], "band_low": [], "band_high": [], "points": [],
    }  # fmt: skip
    (trace,) = parts(viz.roc_figure([curve]), "curve")
    assert len(trace.x) < 200
    assert (
        np.max(np.abs(np.interp(x[1:], trace.x, trace.y) - y[1:]) * np.minimum(1.0, 2 * np.sqrt(x[1:])))
        < 0.0015
    )


def test_score_bars_are_the_counts_of_both_classes(evaluation_of):
    evaluation = evaluation_of("plain")
    for scores in evaluation.scores:
        figure = viz.score_figure(scores, models=evaluation.models)
        (positive,), (negative,) = parts(figure, "positive"), parts(figure, "negative")
        assert list(positive.y) == list(scores["count_pos"])
        assert [-value for value in negative.y] == list(scores["count_neg"])
        row = evaluation.individual.query(
            "set == @scores['set'] and label == @scores['label'] and model == @scores['model']"
        ).iloc[0]
        assert sum(positive.y) == row["n_pos"]
        assert -sum(negative.y) == row["n_neg"]
        edges = np.asarray(scores["edges"])
        np.testing.assert_allclose(np.asarray(positive.x) + np.asarray(positive.width) / 2, edges[1:])
        for kind, cut in scores["thresholds"].items():
            (line,) = parts(figure, kind)
            assert set(line.x) == {cut}
        assert [note.text for note in figure.layout.annotations] == [
            f"positive (n = {row['n_pos']})",
            f"negative (n = {row['n_neg']})",
        ]
        assert figure.layout.xaxis.title.text == "Score"
        assert figure.layout.yaxis.title.text == "Patients"


def test_forest_draws_each_interval_on_its_line():
    rows = [
        ForestRow("small", "a", 0.7, 0.6, 0.8, "ER", patients="n = 30"),
        ForestRow("small", "b", 0.6, 0.5, 0.7, "ER", patients="n = 30"),
        ForestRow("large", "a", 0.8, 0.75, 0.85, "ER", patients="n = 58"),
        ForestRow("large", "b", float("nan"), float("nan"), float("nan"), "ER", "one class only"),
    ]
    figure = viz.forest_figure(rows, axis_title="AUC", reference=0.5)
    first, second = figure.data
    assert list(first.x) == [0.6, 0.7, 0.8, None, 0.75, 0.8, 0.85, None]
    assert list(second.x) == [0.5, 0.6, 0.7, None]
    assert first.y[0] < second.y[0] < first.y[4]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # the first row on top
    assert list(figure.layout.yaxis.ticktext) == ["small<br>n = 30", "large<br>n = 58"]
    assert [note.text for note in figure.layout.annotations] == ["not estimable"]
    assert figure.layout.shapes[0].x0 == 0.5
    assert figure.layout.xaxis.title.text == "AUC"


def test_colour_is_never_alone(evaluation_of):
    evaluation = evaluation_of("three models")
    curves = [c for c in evaluation.curves if c["set"] == "test" and c["label"] == "ER"]
    figure = viz.roc_figure(curves, models=evaluation.models)
    assert len({trace.line.dash for trace in parts(figure, "curve")}) == 3
    assert {trace.line.color for trace in parts(figure, "curve")} == {
        style.colour for style in model_styles(evaluation.models).values()
    }


def test_page_has_a_panel_for_every_label_and_model(evaluation_of):
    evaluation = evaluation_of("three models")
    groups = page_figures(evaluation)
    assert [panel.heading for panel in groups["roc"].panels] == list(evaluation.labels)
    assert len(groups["scores"].panels) == len(evaluation.labels) * len(evaluation.models)
    assert groups["roc"].sets == ("test", "validation")
    for group in groups.values():
        for panel in group.panels:
            assert set(panel.figures) == set(panel.alternatives) <= set(group.sets)
            for name, figure in panel.figures.items():
                assert figure["data"]
                assert figure["layout"]["xaxis"]["title"]["text"]
                assert f"{name} set" in panel.alternatives[name]


def test_roc_panels_carry_their_patients(evaluation_of):
    evaluation = evaluation_of("plain")
    panel = page_figures(evaluation)["roc"].panels[0]
    row = evaluation.individual.query("set == 'test' and label == 'ER'").iloc[0]
    title = panel.figures["test"]["layout"]["legend"]["title"]["text"]
    assert title == f"AUC (95&#37; CI); {row['n_pos']} positive, {row['n_neg']} negative"


def test_a_set_without_curves_is_left_out(evaluation_of):
    assert "roc" not in page_figures(evaluation_of("one class everywhere"))


def test_calibration_and_decision_panels_show_the_judged_probabilities(evaluation_of):
    evaluation = evaluation_of("mixed scales")
    groups = page_figures(evaluation)
    row = evaluation.calibration.query("label == 'PR' and model == 'multi-task'").iloc[0]
    panel = groups["calibration"].panels[1]
    slope = f"{row['slope']:.2f} ({row['slope_ci_low']:.2f} to {row['slope_ci_high']:.2f})"
    assert panel.alternatives["test"] == (
        f"Calibration curves for PR in the test set, 88 patients: multi-task, slope {slope}."
    )
    drawn = {trace["meta"]["model"] for trace in panel.figures["test"]["data"] if "model" in trace["meta"]}
    assert drawn == {"multi-task"}
    decision = groups["decision"].panels[1]
    near = evaluation.net_benefit.query(
        "label == 'PR' and model == 'multi-task' and 0.495 < threshold < 0.505"
    )
    assert f"multi-task {near['net_benefit'].iloc[0]:.3f} (" in decision.alternatives["test"]
    (curve,) = [trace for trace in decision.figures["test"]["data"] if trace["meta"]["part"] == "curve"]
    assert len(curve["x"]) == 99
    assert not {"calibration", "decision"} & set(page_figures(evaluation_of("strong")))


def test_groups_of_patients_are_left_out_where_many_models_share_a_plot(evaluation_of):
    def parts_of(case):
        group = page_figures(evaluation_of(case))["calibration"]
        drawn = {trace["meta"]["part"] for trace in group.panels[0].figures["test"]["data"]}
        return drawn, dict(group.toggles), group.caption

    drawn, toggles, caption = parts_of("plain")
    assert "bin" in drawn and "bin" in toggles and "groups of equal numbers" in caption
    drawn, toggles, caption = parts_of("three models")
    assert "bin" not in drawn and "bin" not in toggles and "groups" not in caption


def test_further_strata_have_panels_for_each_column_and_label(evaluation_of):
    groups = page_figures(evaluation_of("carried columns"))
    assert [panel.heading for panel in groups["strata-forest"].panels] == ["ER", "PR", "macro AUC"]
    headings = [panel.heading for panel in groups["strata-more-forest"].panels]
    assert headings[:4] == ["ER by grade", "PR by grade", "macro AUC by grade", "ER by age"]
    assert len(headings) == 9
    ticks = groups["strata-more-forest"].panels[3].figures["test"]["layout"]["yaxis"]["ticktext"]
    assert [tick.split("<br>")[0] for tick in ticks] == ["age: ≤ 50", "age: &#62; 50 to 65", "age: &#62; 65"]
    assert "strata-more-forest" not in page_figures(evaluation_of("plain"))
