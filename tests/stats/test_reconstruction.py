"""Reconstructed data: they give what is printed wherever that is consistent, and say where it is not."""

import json
from itertools import combinations
from pathlib import Path

import biomark
import numpy as np
import pandas as pd
import pytest
from biomark import stats
from biomark.__main__ import main
from biomark.errors import BiomarkError
from biomark.stats.model_pairing import match_rankings
from biomark.stats.printed_value import printed_value
from biomark.stats.rank_pattern import CurveWish, curve_of, placements_of, search_pattern

PUBLISHED = Path(__file__).parents[2] / "examples" / "huang2024" / "published.yaml"
TABLE_3 = {"auc": "auc", "acc": "accuracy", "sen": "sensitivity", "spec": "specificity"}
TABLE_4 = {
    "auc": "macro_auc", "acc": "macro_accuracy", "precision": "macro_precision", "recall": "macro_recall",
    "f1": "macro_f1",
}  # fmt: skip

FIGURES = {
    "individual": (*TABLE_3.values(), "auc_ci_low", "auc_ci_high"),
    "comparisons": ("p_value",),
    "overall": tuple(TABLE_4.values()),
}


@pytest.fixture(scope="module")
def paper():
    return stats.reconstruct(PUBLISHED, set="test")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What `biomark reconstruct` and then `biomark report` leave of the paper's test set."""
    home = tmp_path_factory.mktemp("huang2024")
    preds, out = str(home / "preds.csv"), home / "report"
    assert main(["reconstruct", str(PUBLISHED), "--set", "test", "--out", preds, "--quiet"]) == 0
    assert main(["report", "--preds", preds, "--out", str(out), "--n-boot", "50", "--quiet"]) == 0
    told = json.loads((out / "report.json").read_text(encoding="utf-8"))
    tables = {name: pd.read_csv(out / "tables" / f"{name}.csv") for name in FIGURES}
    for name, columns in FIGURES.items():
        # What the page draws from and the tables beside it are the same.
        in_json = pd.DataFrame(told[name])[list(columns)].astype(float)
        pd.testing.assert_frame_equal(tables[name][list(columns)], in_json, rtol=1e-9)
    assert told["warnings"][0]["kind"] == "reconstruction"
    return tables


@pytest.fixture(scope="module")
def published():
    return next(part for part in stats.read_published_table(PUBLISHED).sets if part.name == "test")


def test_table_3_comes_out_of_the_commands_to_the_third_decimal_wherever_it_is_consistent(published, written):
    individual = written["individual"].set_index(["model", "label"])
    assert len(individual) == len(published.rows) == 6
    exchanged = {"multi-task": "0.660", "single-task": "0.600"}
    for row in published.rows:
        ours = individual.loc[row.model, row.label]
        for metric, column in TABLE_3.items():
            printed = row.cells[metric].value
            if (row.label, metric) == ("HER2", "spec"):
                printed = printed_value(exchanged[row.model])
            assert printed.unit == 0.001 and printed.fits(ours[column]), (row.model, row.label, metric)
        assert row.cells["auc"].ci_low.fits(ours["auc_ci_low"])
        assert row.cells["auc"].ci_high.fits(ours["auc_ci_high"])


def test_the_p_values_of_table_3_come_out_of_the_commands_to_the_third_decimal(published, written):
    p = written["comparisons"].set_index("label")["p_value"]
    assert {row.label for row in published.comparisons} == {"ER", "PR", "HER2"}
    for row in published.comparisons:
        assert row.p.fits(p[row.label]), row.label


def test_table_4_comes_out_of_the_commands_to_the_third_decimal(published, written):
    overall = written["overall"].set_index("model")
    assert len(overall) == len(published.macro) == 2
    for row in published.macro:
        for metric, column in TABLE_4.items():
            assert row.cells[metric].value.fits(overall.loc[row.model, column]), (row.model, metric)


def test_what_cannot_be_met_is_said(paper):
    unmet = paper.unmet[paper.unmet["note"] != "Wilson's interval"]
    assert set(unmet["where"]) == {"test/multi-task/HER2/spec", "test/single-task/HER2/spec"}
    assert unmet["note"].str.contains("exchanged").all()
    # Every interval of a proportion is on the wrong patients, so that none is Wilson's.
    assert (paper.unmet["note"] == "Wilson's interval").sum() == 18


def test_the_validation_set_comes_out_but_for_what_the_audit_found():
    found = stats.reconstruct(PUBLISHED, set="validation")
    unmet = found.unmet[found.unmet["note"] != "Wilson's interval"]
    assert set(unmet["where"]) == {
        "validation/single-task/PR/spec", "validation/multi-task/HER2/auc", "validation/multi-task/auc",
        "validation/multi-task/recall", "validation/single-task/recall",
    }  # fmt: skip


def test_every_row_says_that_it_is_a_reconstruction(paper, tmp_path):
    assert set(paper.frame["origin"]) == {"reconstruction"}
    paper.to_csv(tmp_path / "preds.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["preds.csv"]
    read = biomark.read_predictions(tmp_path / "preds.csv")
    assert len(read.frame) == 88 * 2 * 3
    assert set(read.frame["origin"]) == {"reconstruction"}


def test_the_same_seed_gives_the_same_data_and_another_seed_others(paper):
    assert stats.reconstruct(PUBLISHED, set="test").frame.equals(paper.frame)
    assert not stats.reconstruct(PUBLISHED, set="test", rng=1).frame.equals(paper.frame)


def one_row(**cells):
    return {
        "sets": {
            "t": {"labels": {"L": {"pos": 20, "neg": 30}}, "rows": [{"model": "A", "label": "L"} | cells]}
        }
    }


def test_a_table_without_an_auc_is_reconstructed_too():
    found = stats.reconstruct(one_row(sen="0.850", spec="0.700"))
    assert found.agreement["agrees"].all()


HALF = {"label": "L", "sen": "0.5000", "spec": "0.5000"}


@pytest.mark.parametrize(
    ("published", "name", "said"),
    [
        (one_row(sen="0.850"), "u", "set: found 'u'; the table has t"),
        ({"sets": {"a": {}, "b": {}}}, None, "set: found no set; the table has a, b"),
        (one_row(auc="0.800"), "t", "nothing of 't' can be reconstructed"),
        (one_row(sen="0.831"), None, "nothing of 't' can be reconstructed"),
        ({"sets": {"t": {"labels": {"L": {"pos": 15_000, "neg": 15_000}}, "rows": [HALF]}}}, None, "at most 20,000"),
    ],
)  # fmt: skip
def test_what_cannot_be_reconstructed_is_refused(published, name, said):
    with pytest.raises(BiomarkError, match=said):
        stats.reconstruct(published, set=name)


def test_a_pattern_has_the_area_variance_and_placements_of_its_scores():
    rng = np.random.default_rng(4)
    for _ in range(30):
        pattern = rng.permutation(np.repeat([1, 0], rng.integers(2, 30, 2)).astype(np.int8))
        found = stats.auc_ci(pattern, -np.arange(pattern.size))
        assert curve_of(pattern) == pytest.approx((found.auc, found.variance))
        below, above = placements_of(pattern)
        assert below.mean() == pytest.approx(found.auc)
        assert above.mean() == pytest.approx(found.auc)


def test_a_found_pattern_meets_its_wish_and_an_impossible_wish_is_not_met():
    wish = CurveWish(68, 20, (0.8085, 0.8095), (0.7165, 0.7175), (0.8995, 0.9005), 1.959964, (43, 18), True)
    fit = search_pattern(wish, np.random.default_rng(0))
    assert fit.cost == 0.0
    area, variance = curve_of(fit.pattern)
    assert 0.8085 <= area <= 0.8095
    assert 0.7165 <= area - 1.959964 * variance**0.5 <= 0.7175
    cutoff = stats.optimal_cutoff(fit.pattern, -np.arange(88))
    assert (round(cutoff.sensitivity * 68), round(cutoff.specificity * 20)) == (43, 18)
    assert cutoff.ties.size == 1
    narrow = CurveWish(68, 20, (0.8, 0.81), (0.79, 0.795), None, 1.959964, None, False)
    assert search_pattern(narrow, np.random.default_rng(0)).cost > 0.0


def test_matched_rankings_give_all_the_p_values_of_three_models():
    rng = np.random.default_rng(6)
    truth = np.repeat([1, 0], [40, 50])
    shared = rng.normal(size=90)
    data = [lead * truth + shared + rng.normal(size=90) for lead in (0.8, 1.2, 1.9)]
    patterns = [truth[np.argsort(-score)].astype(np.int8) for score in data]
    wished = {}
    for a, b in combinations(range(3), 2):
        printed = printed_value(f"{stats.delong_test(truth, data[a], data[b]).p_value:.3f}")
        wished[a, b] = (printed.low, printed.high)
    scores = match_rankings(patterns, wished, rng)
    for (a, b), (low, high) in wished.items():
        assert low <= stats.delong_test(truth, scores[a], scores[b]).p_value <= high
    for pattern, score in zip(patterns, scores, strict=True):
        assert stats.auc(truth, score) == pytest.approx(curve_of(pattern)[0])
