import json

import numpy as np
import pandas as pd
import pytest
from biomark import stats
from biomark.stats.individual import Cell
from biomark.stats.probability_tables import calibration_curve_of_cell, net_benefit_rows
from biomark.viz.calibration import calibration_figure
from biomark.viz.decision_curves import net_benefit_figure

MODELS = ("multi-task", "single-task")


def cells(label="ER", n=120):
    """Cells of simulated patients."""
    rng = np.random.default_rng(1)
    truth = rng.random(n) < 0.4
    scores = [1 / (1 + np.exp(-rng.normal(size=n) - truth)) for _ in MODELS]
    return [Cell("test", label, m, truth, s, np.arange(n), None) for m, s in zip(MODELS, scores, strict=True)]


def parts(figure, part):
    return [trace for trace in figure.data if trace.meta["part"] == part]


@pytest.fixture(scope="module")
def curves():
    return [calibration_curve_of_cell(cell, 0.95) for cell in cells()]


@pytest.fixture(scope="module")
def benefits():
    return pd.DataFrame([row for cell in cells() for row in net_benefit_rows(cell, 0.95)])


def test_every_number_of_the_calibration_figure_is_the_result_s(curves):
    figure = calibration_figure(curves)
    for curve, line, band, bins in zip(
        curves, parts(figure, "curve"), parts(figure, "band"), parts(figure, "bin"), strict=True
    ):
        assert line.x == pytest.approx(curve["predicted"], abs=1e-5)
        assert line.y == pytest.approx(curve["observed"], abs=1e-5)
        assert max(band.y) == pytest.approx(curve["band_high"].max(), abs=1e-5)
        assert bins.y == pytest.approx(curve["bin_observed"], abs=1e-5)
        top = np.array(bins.y) + np.array(bins.error_y.array)
        assert top == pytest.approx(curve["bin_high"], abs=2e-5)
        assert line.meta["model"] == curve["model"] == line.name
    (ideal,) = parts(figure, "ideal")
    assert list(ideal.x) == list(ideal.y) == [0, 1] and figure.layout.yaxis.scaleanchor == "x"


def test_slopes_stand_in_the_legend(curves):
    found = {}
    for cell in cells():
        slope = stats.logistic_recalibration(cell.y_true, cell.y_score).slope
        found[cell.set, cell.label, cell.model] = (slope.value, slope.ci_low, slope.ci_high)
    figure = calibration_figure(curves, slopes=found)
    value, low, high = found["test", "ER", "multi-task"]
    assert parts(figure, "curve")[0].name == f"multi-task: {value:.2f} ({low:.2f} to {high:.2f})"
    assert figure.layout.legend.title.text == "Calibration slope (interval)"


def test_parts_can_be_left_out_and_a_label_is_named_where_there_are_several(curves):
    figure = calibration_figure(curves, bands=False, bins=False)
    assert {trace.meta["part"] for trace in figure.data} == {"ideal", "curve"}
    other = calibration_curve_of_cell(cells("PR")[0], 0.95)
    figure = calibration_figure([*curves, other])
    assert [line.name for line in parts(figure, "curve")][0::2] == ["multi-task, ER", "multi-task, PR"]
    assert [trace.marker.symbol for trace in parts(figure, "bin")] == ["circle", "circle", "square"]


def test_a_single_prediction_is_drawn_as_a_point():
    one = Cell("test", "ER", "m", np.arange(6) % 2 == 0, np.full(6, 0.4), np.arange(6), None)
    (line,) = parts(calibration_figure([calibration_curve_of_cell(one, 0.95)]), "curve")
    assert line.mode == "markers" and list(line.x) == [0.4]


def test_names_are_drawn_as_they_are_written(curves):
    figure = calibration_figure([curves[0] | {"model": "<b>%{x}</b>"}])
    assert "<b>%" not in parts(figure, "curve")[0].name and "%{x}<" not in figure.to_json()


def test_every_number_of_the_decision_curve_is_the_table_s(benefits):
    figure = net_benefit_figure(benefits)
    for model, line in zip(MODELS, parts(figure, "curve"), strict=True):
        rows = benefits[benefits["model"] == model]
        assert line.x == pytest.approx(rows["threshold"]) and line.y == pytest.approx(
            rows["net_benefit"], abs=1e-5
        )
        assert line.customdata[0][0] == "1%"
    (all_of_them,), (none,) = parts(figure, "treat-all"), parts(figure, "treat-none")
    assert all_of_them.y == pytest.approx(benefits["treat_all"][:99], abs=1e-5) and list(none.y) == [0, 0]
    low, high = figure.layout.yaxis.range
    assert -0.2 < low < 0 and benefits["net_benefit"].max() < high < 1


def test_range_measure_and_bands_of_the_decision_curve_can_be_chosen(benefits):
    figure = net_benefit_figure(benefits, measure="standardized", bands=False, thresholds=(0.1, 0.5))
    assert {trace.meta["part"] for trace in figure.data} == {"treat-none", "curve"}
    line = parts(figure, "curve")[0]
    assert min(line.x) == pytest.approx(0.1) and max(line.x) == pytest.approx(0.5)
    assert figure.layout.yaxis.title.text == "Standardized net benefit"


def test_curves_that_are_missing_leave_an_empty_figure_that_json_can_hold(benefits):
    note = pd.DataFrame(
        [{"set": "test", "label": "ER", "model": "m", "n": 3, "threshold": np.nan, "note": "no"}]
    )
    empty = net_benefit_figure(note.reindex(columns=benefits.columns))
    assert [trace.meta["part"] for trace in empty.data] == ["treat-none"]
    for figure in (empty, net_benefit_figure(benefits)):
        assert "NaN" not in json.dumps(json.loads(figure.to_json()), allow_nan=False)


def test_each_label_has_its_own_line_of_treating_all(benefits):
    both = pd.concat([benefits, pd.DataFrame(net_benefit_rows(cells("PR")[0], 0.95))])
    figure = net_benefit_figure(both)
    assert [line.name for line in parts(figure, "treat-all")] == ["treat all, ER", "treat all, PR"]
    assert parts(figure, "curve")[-1].name == "multi-task, PR"
