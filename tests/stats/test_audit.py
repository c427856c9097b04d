"""Each rule of the audit on tables made by hand: what it finds, and where it must stay silent."""

import numpy as np
import pytest
from biomark import stats
from biomark.stats.comparison_findings import paired_p_range
from biomark.stats.finding import KINDS, WEIGHTS
from biomark.stats.printed_interval import binomial_bounds, binomial_matches, chance_of_agreement
from biomark.stats.printed_value import PrintedEstimate, printed_value
from biomark.stats.proportion import PROPORTION_METHODS


def table(*rows, pos=20, neg=30, **more):
    """One set with the label L; each row is a mapping of metric to cell."""
    named = [{"model": f"m{k}", "label": "L"} | row for k, row in enumerate(rows, start=1)]
    return {"sets": {"t": {"labels": {"L": {"pos": pos, "neg": neg}}, "rows": named} | more}}


def found(published):
    findings = stats.audit(published)
    for finding in findings:
        assert finding.kind in KINDS
        assert finding.weight in WEIGHTS
        assert finding.evidence.endswith((".", ".)"))
    return [(finding.kind, finding.where, finding.weight) for finding in findings]


def evidence(published):
    return " ".join(finding.evidence for finding in stats.audit(published))


GOOD = {"sen": "0.850", "spec": "0.700", "acc": "0.760"}  # 17 of 20, 21 of 30


def test_a_row_of_whole_numbers_is_silent():
    assert found(table(GOOD)) == []
    assert (
        found(table(GOOD | {"ppv": "0.654", "npv": "0.875", "f1": "0.739", "lr+": "2.83", "dor": "13.2"}))
        == []
    )


@pytest.mark.parametrize("acc", ["0.7647", "0.765", "0.76", "76.5%"])
def test_values_rounded_either_way_or_in_percent_are_silent(acc):
    # 26 of 34 is 0.76470...
    assert found(table({"sen": "0.800", "spec": "0.714", "acc": acc}, pos=20, neg=14)) == []


def test_half_a_unit_may_go_up_or_down():
    # 1 of 16 is 0.0625.
    assert found(table({"sen": "0.062"}, {"sen": "0.063"}, pos=16, neg=9)) == []


def test_figures_cut_off_throughout_are_silent():
    # 2/3, 5/7 and 7/10 cut off; rounded, the first two would be 0.667 and 0.714.
    assert (
        found(table({"sen": "0.666", "spec": "0.571"}, {"sen": "0.333", "spec": "0.857"}, pos=3, neg=7)) == []
    )
    # One of two rows cut off only is a misprint.
    assert (
        found(table({"sen": "0.667"}, {"sen": "0.666"}, {"sen": "0.667"}, pos=3, neg=7))[0][0] == "misprint"
    )


def test_a_cell_that_fits_no_whole_number_by_itself_is_a_misprint_with_its_repair():
    assert found(table(GOOD | {"sen": "0.830"})) == [("misprint", "t/m1/L/sen", "proven")]
    assert "sen 0.850 in place of 0.830" in evidence(table(GOOD | {"sen": "0.830"}))


def test_neighbouring_digits_exchanged_are_a_misprint():
    assert found(table(GOOD | {"acc": "0.670"}, pos=20, neg=30))[0][0] != "swapped-rows"
    assert ("misprint", "t/m1/L/sen", "proven") in found(table(GOOD | {"sen": "0.580"}))


def test_cells_that_fit_alone_but_not_together_are_impossible_and_the_candidates_are_named():
    published = table(GOOD | {"acc": "0.740"})
    assert found(published) == [("impossible-counts", "t/m1/L", "proven")]
    assert "one digit of several cells could be wrong" in evidence(published)


def test_an_interval_centred_on_the_repaired_value_tells_which_cell_is_wrong():
    row = GOOD | {"acc": ["0.740", "0.642", "0.878"], "sen": ["0.850", "0.694", "1.006"]}
    assert found(table(row))[0] == ("misprint", "t/m1/L/acc", "likely")


def test_means_over_labels_tell_which_cell_is_wrong():
    first = {"model": "A", "label": "X", "sen": "0.850", "spec": "0.700", "acc": "0.740"}
    second = {"model": "A", "label": "Y", "sen": "0.600", "spec": "0.720", "acc": "0.660"}
    labels = {"X": {"pos": 20, "neg": 30}, "Y": {"pos": 25, "neg": 25}}
    part = {"labels": labels, "rows": [first, second]}
    assert found({"sets": {"t": part}}) == [("impossible-counts", "t/A/X", "proven")]
    part["macro"] = [{"model": "A", "recall": "0.725", "spec": "0.710"}]
    assert found({"sets": {"t": part}}) == [("misprint", "t/A/X/acc", "likely")]


def test_an_f1_may_be_averaged_over_the_classes_so_that_it_proves_nothing():
    assert {weight for *_, weight in found(table(GOOD | {"f1": "0.801"}))} == {"likely"}


def test_two_values_exchanged_between_rows_are_found_in_both():
    a, b = (
        {"sen": "0.850", "spec": "0.700", "acc": "0.760"},
        {"sen": "0.700", "spec": "0.900", "acc": "0.820"},
    )
    swapped = table(a | {"spec": b["spec"]}, b | {"spec": a["spec"]})
    assert found(swapped) == [
        ("swapped-rows", "t/m1/L/spec", "proven"),
        ("swapped-rows", "t/m2/L/spec", "proven"),
    ]
    assert "TP 17 of 20, TN 21 of 30; TP 14 of 20, TN 27 of 30" in evidence(swapped)


def test_two_values_exchanged_within_a_row_are_found():
    # 16 of 40 and 9 of 10: exchanged, 0.9 of 40 is possible and 0.4 of 10 too, but not with this accuracy.
    published = table({"sen": "0.900", "spec": "0.400", "acc": "0.500"}, pos=40, neg=10)
    assert {(kind, where) for kind, where, _ in found(published)} == {
        ("swapped-rows", "t/m1/L/sen"), ("swapped-rows", "t/m1/L/spec"),
    }  # fmt: skip


def test_exchanged_values_that_print_alike_cannot_be_seen():
    a, b = (
        {"sen": "0.850", "spec": "0.700", "acc": "0.760"},
        {"sen": "0.850", "spec": "0.900", "acc": "0.880"},
    )
    assert found(table(a | {"sen": b["sen"]}, b | {"sen": a["sen"]})) == []


def test_class_counts_that_are_not_printed_are_deduced_from_the_rows():
    rows = [
        {"sen": "0.609", "spec": "0.857", "acc": "0.667"},
        {"sen": "0.652", "spec": "0.929", "acc": "0.717"},
        {"sen": "0.630", "spec": "0.786", "acc": "0.667"},
        {"sen": "0.739", "spec": "0.643", "acc": "0.717"},
    ]
    published = table(*rows, n=60)
    published["sets"]["t"]["labels"] = {"L": {}}
    assert found(published) == []
    published["sets"]["t"]["rows"][1]["spec"] = "0.920"
    assert ("misprint", "t/m2/L/spec", "proven") in found(published)
    assert "46 positives and 14 negatives (deduced)" in evidence(published)


def test_a_huge_set_without_classes_is_passed_over_quickly():
    published = table(GOOD, n=9_999_999)
    published["sets"]["t"]["labels"] = {"L": {}}
    assert found(published) == []


# Intervals


@pytest.mark.parametrize("method", PROPORTION_METHODS)
def test_the_bounds_are_those_of_the_proportion_intervals(method):
    for n in (1, 7, 30, 400):
        k = np.arange(n + 1)
        ours = binomial_bounds(k / n, np.full(n + 1, float(n)), 0.9)
        theirs = stats.proportion_ci(k, n, method=method, confidence=0.9)
        name = "wald, clipped" if method == "wald" else method
        assert np.allclose(ours[name], theirs, atol=1e-9)


def proportion_cell(k, n, on, method):
    low, high = stats.proportion.real_valued_bounds(k / n * on, on, method=method, confidence=0.95)
    return [f"{x:.3f}" for x in (k / n, low, high)]


def interval_rows(method, *, on_all):
    counts = [(17, 21), (14, 27), (12, 20)]
    return [
        {
            "sen": proportion_cell(tp, 20, 50 if on_all else 20, method),
            "spec": proportion_cell(tn, 30, 50 if on_all else 30, method),
            "acc": proportion_cell(tp + tn, 50, 50, method),
        }
        for tp, tn in counts
    ]


@pytest.mark.parametrize("method", PROPORTION_METHODS)
def test_intervals_on_their_own_patients_are_silent_and_on_all_patients_are_found(method):
    assert found(table(*interval_rows(method, on_all=False))) == []
    wrong = found(table(*interval_rows(method, on_all=True)))
    assert {kind for kind, *_ in wrong} == {"wrong-denominator"}
    assert {where for _, where, _ in wrong} == {f"t/m{k}/L/{m}" for k in (1, 2, 3) for m in ("sen", "spec")}


def test_one_interval_that_agrees_with_a_wrong_number_of_patients_is_left_to_chance():
    rows = interval_rows("wald", on_all=False)
    rows[0]["sen"] = proportion_cell(17, 20, 50, "wald")
    assert found(table(*rows)) == []


def test_typed_196_and_the_exact_quantile_both_explain_an_interval():
    half = 1.96 * (0.85 * 0.15 / 20) ** 0.5
    printed = PrintedEstimate(*(printed_value(f"{x:.5f}") for x in (0.85, 0.85 - half, 0.85 + half)))
    assert ("wald", "own") in binomial_matches(printed, {"own": 20}, 0.95).found


def test_a_clipped_and_an_unclipped_normal_interval_are_both_known():
    for high in ("1.046", "1.000"):
        printed = PrintedEstimate(*(printed_value(x) for x in ("0.950", "0.854", high)))
        assert ("wald", "own") in binomial_matches(printed, {"own": 20}, 0.95).found


def auc_rows(half):
    labels = {f"L{k}": {"pos": 40 + k, "neg": 60 - k} for k in range(6)}
    aucs = [0.712, 0.745, 0.803, 0.668, 0.777, 0.834]
    rows = [
        {"model": "A", "label": label, "auc": [f"{x:.3f}" for x in (a, a - half(a), a + half(a))]}
        for label, a in zip(labels, aucs, strict=True)
    ]
    return {"sets": {"t": {"labels": labels, "rows": rows}}}


def test_binomial_intervals_of_aucs_are_found_and_such_as_delongs_are_not():
    invalid = found(auc_rows(lambda a: 1.959964 * (a * (1 - a) / 100) ** 0.5))
    assert [kind for kind, *_ in invalid] == ["invalid-interval-method"] * 6
    assert found(auc_rows(lambda a: 1.959964 * 0.049)) == []


def test_an_auc_interval_wider_than_any_of_delongs_is_found():
    assert found(auc_rows(lambda a: 0.19))[0][0] == "invalid-interval-method"


def test_an_auc_interval_much_narrower_than_any_of_delongs_is_worth_asking():
    findings = found(auc_rows(lambda a: 0.03))
    assert {(kind, weight) for kind, _, weight in findings} == {("invalid-interval-method", "worth asking")}


def test_a_value_outside_its_interval_is_found():
    published = table({"auc": ["0.750", "0.760", "0.840"]})
    assert ("asymmetric-interval", "t/m1/L/auc", "proven") in found(published)


def test_one_interval_off_centre_among_centred_ones_is_found_with_its_repair():
    published = auc_rows(lambda a: 0.096)
    published["sets"]["t"]["rows"][2]["auc"][2] = "0.849"
    assert found(published) == [("asymmetric-interval", "t/A/L2/auc", "likely")]
    assert "upper bound 0.899" in evidence(published)


def test_intervals_that_all_lean_are_silent():
    published = auc_rows(lambda a: 0.096)
    for row in published["sets"]["t"]["rows"]:
        row["auc"][2] = f"{float(row['auc'][2]) - 0.015:.3f}"
    assert found(published) == []


def test_chance_of_agreement_is_a_binomial_tail_over_all_candidates():
    assert chance_of_agreement(3, 3, 0.1, 2) == pytest.approx(2e-3)
    assert chance_of_agreement(0, 3, 0.1, 2) == 1.0


# AUC


def test_an_auc_that_no_curve_through_the_operating_point_has_is_found():
    assert found(table(GOOD | {"auc": "0.970"})) == [("impossible-counts", "t/m1/L/auc", "proven")]
    assert found(table(GOOD | {"auc": "0.950"})) == []


def test_a_youden_cut_off_narrows_the_area():
    # J = 0.55: at most 1 - 0.45^2 / 2 = 0.899.
    assert found(table(GOOD | {"auc": "0.910"})) == []
    best = table(GOOD | {"auc": "0.910"}, cutoff="youden-same-set")
    assert found(best) == [("impossible-counts", "t/m1/L/auc", "proven")]
    assert found(table(GOOD | {"auc": "0.899"}, cutoff="youden-same-set")) == []


def test_an_auc_is_a_whole_number_of_halves_of_pairs():
    assert found(table({"auc": "0.67"}, pos=3, neg=1)) == []
    assert found(table({"auc": "0.52"}, pos=3, neg=1)) == [("impossible-counts", "t/m1/L/auc", "proven")]


# Means over labels


def macro_table(**cells):
    rows = [
        {"model": "A", "label": "X", "auc": "0.800"} | GOOD,
        {"model": "A", "label": "Y", "auc": "0.700", "sen": "0.600", "spec": "0.720", "acc": "0.660"},
    ]
    labels = {"X": {"pos": 20, "neg": 30}, "Y": {"pos": 25, "neg": 25}}
    return {"sets": {"t": {"labels": labels, "rows": rows, "macro": [{"model": "A"} | cells]}}}


def test_means_by_either_definition_are_silent():
    # TP 17, FN 3, TN 21, FP 9; TP 15, FN 10, TN 18, FP 7.
    assert found(macro_table(auc="0.750", recall="0.725", precision="0.668", spec="0.710")) == []
    for acc in ("0.710", f"{(17 / 29 + 15 / 32) / 2:.3f}"):
        assert found(macro_table(acc=acc)) == []
    p, r = (17 / 26 + 15 / 22) / 2, (17 / 20 + 15 / 25) / 2
    for f1 in (f"{(34 / 46 + 30 / 47) / 2:.3f}", f"{2 * p * r / (p + r):.3f}"):
        assert found(macro_table(f1=f1)) == []


@pytest.mark.parametrize(
    ("metric", "weight"),
    [("auc", "proven"), ("recall", "proven"), ("precision", "proven"), ("acc", "likely")],
)
def test_a_mean_that_does_not_follow_is_found(metric, weight):
    assert found(macro_table(**{metric: "0.777"})) == [("macro-mismatch", f"t/A/{metric}", weight)]


def test_a_mean_of_aucs_is_held_against_whole_pairs():
    # 3 x 3 pairs: 0.72 is 6.5 of 9 (0.7222), 0.56 is 5 of 9 (0.5556): their mean is 0.6389, though 0.64 +- 0.005
    # would hold 0.6350 too.
    labels = {"X": {"pos": 3, "neg": 3}, "Y": {"pos": 3, "neg": 3}}
    rows = [{"model": "A", "label": k, "auc": a} for k, a in (("X", "0.72"), ("Y", "0.56"))]
    for mean, expected in (("0.639", []), ("0.636", [("macro-mismatch", "t/A/auc", "proven")])):
        part = {"labels": labels, "rows": rows, "macro": [{"model": "A", "auc": mean}]}
        assert found({"sets": {"t": part}}) == expected


def test_means_of_two_models_exchanged_are_found():
    published = macro_table(recall="0.800")
    part = published["sets"]["t"]
    part["rows"] += [
        {"model": "B", "label": "X", "sen": "0.900", "spec": "0.700"},
        {"model": "B", "label": "Y", "sen": "0.720", "spec": "0.720"},
    ]
    part["macro"] = [{"model": "A", "recall": "0.810"}, {"model": "B", "recall": "0.725"}]
    assert [(kind, where) for kind, where, _ in found(published)] == [
        ("swapped-rows", "t/A/recall"), ("swapped-rows", "t/B/recall"),
    ]  # fmt: skip


# p-values


def compared(p, a=("0.800", "0.660", "0.940"), b=("0.700", "0.560", "0.840")):
    return table(
        {"auc": list(a)}, {"auc": list(b)}, comparisons=[{"label": "L", "models": ["m1", "m2"], "p": p}]
    )


def test_a_p_value_that_no_correlation_gives_is_found():
    assert found(compared("0.322")) == []  # correlation 0
    assert found(compared("0.001")) == []  # a high correlation
    assert found(compared("0.700")) == [("p-value-inconsistent", "t/L/p", "proven")]
    # A tenth more in the standard errors, as a bootstrap may have, would do.
    assert found(compared("0.500")) == [("p-value-inconsistent", "t/L/p", "likely")]


def test_a_small_p_value_of_unequal_intervals_is_found():
    published = compared("<0.001", a=("0.800", "0.670", "0.930"), b=("0.780", "0.600", "0.960"))
    assert found(published)[0][0] == "p-value-inconsistent"


def test_intervals_that_are_not_symmetric_say_nothing_of_p():
    assert all(
        kind != "p-value-inconsistent" for kind, *_ in found(compared("0.900", a=("0.800", "0.640", "0.920")))
    )


def test_the_range_of_p_holds_what_delong_gives_for_any_correlation():
    rng = np.random.default_rng(3)
    for _ in range(100):
        truth = np.repeat([1, 0], rng.integers(10, 60, 2))
        shared = rng.normal(size=truth.size)
        a, b = (
            truth * rng.uniform(0, 2) + rng.uniform(-1, 1) * shared + rng.normal(size=truth.size)
            for _ in "ab"
        )
        cells = []
        for score in (a, b):
            e = stats.auc_ci(truth, score)
            z = 1.959963985
            low, high = e.auc - z * e.variance**0.5, e.auc + z * e.variance**0.5
            cells.append(PrintedEstimate(*(printed_value(f"{x:.2f}") for x in (e.auc, low, high))))
        low, high = paired_p_range(*cells, 0.95)
        assert low - 1e-9 <= stats.delong_test(truth, a, b).p_value <= high + 1e-9


# Sums, sample sizes, baseline


def test_classes_that_exceed_the_set_are_found_and_fewer_are_worth_asking():
    assert found(table(GOOD, n=49)) == [("sum-mismatch", "t/L", "proven")]
    assert found(table(GOOD, n=52)) == [("sum-mismatch", "t/L", "worth asking")]
    assert found(table(GOOD, n=50)) == []


def test_totals_are_added_up_and_statements_compared():
    published = table(GOOD, n=50)
    published["totals"] = [{"name": "all", "of": ["t"], "n": 50, "labels": {"L": {"pos": 20, "neg": 30}}}]
    assert found(published) == []
    published["totals"].append({"name": "all", "labels": {"L": {"pos": 30}}})
    assert found(published) == [("sum-mismatch", "all/L", "proven")]
    assert "exchanged" in evidence(published)
    published["totals"][0]["n"] = 51
    assert ("sum-mismatch", "all", "proven") in found(published)


def sized(pos, neg, total=None, auc="0.800"):
    return table(GOOD) | {"sample_size": [{"label": "L", "auc": auc, "pos": pos, "neg": neg, "total": total}]}


@pytest.mark.parametrize("method", ["obuchowski", "hanley-mcneil"])
@pytest.mark.parametrize("rounding", ["each", "ratio"])
def test_sample_sizes_of_the_known_formulas_are_silent(method, rounding):
    size = stats.auc_sample_size(0.8, ratio=1.5, method=method, rounding=rounding)
    assert found(sized(size.n_pos, size.n_neg, size.total)) == []


def test_sample_sizes_of_no_formula_are_worth_asking():
    assert found(sized(25, 37, 62)) == [("sample-size-unexplained", "L/sample_size", "worth asking")]


def test_a_total_that_is_not_the_sum_of_its_classes_is_found():
    size = stats.auc_sample_size(0.8, ratio=1.5)
    assert found(sized(size.n_pos, size.n_neg, size.total + 2)) == [
        ("sum-mismatch", "L/sample_size", "proven")
    ]


def test_a_sample_size_with_the_ratio_upside_down_is_found():
    size = stats.auc_sample_size(0.7, ratio=20 / 30)
    assert found(sized(size.n_pos, size.n_neg, size.total, auc="0.700")) == [
        ("swapped-rows", "L/sample_size", "likely")
    ]


P, MEAN, SUM = (
    ("p-value-inconsistent", "worth asking"),
    ("sum-mismatch", "likely"),
    ("sum-mismatch", "proven"),
)


def baseline(*rows):
    return table(GOOD) | {
        "baseline": {"groups": {"all": 100, "a": 60, "b": 40}, "whole": "all", "rows": list(rows)}
    }


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"name": "x", "count": {"all": ["50", "50%"], "a": ["30", "50%"], "b": ["20", "50%"]}, "p": "1.00"}, []),
        ({"name": "x", "count": {"all": ["50", "50"], "a": ["30", "50"], "b": ["20", "51"]}}, [SUM]),
        ({"name": "x", "count": {"all": "51", "a": "30", "b": "20"}}, [SUM]),
        ({"name": "x", "count": {"a": "61"}}, [SUM]),
        ({"name": "x", "levels": {"u": {"a": "40"}, "v": {"a": "30"}}}, [SUM]),
        ({"name": "x", "count": {"a": "30", "b": "10"}, "p": "0.012"}, []),  # chi-square
        ({"name": "x", "count": {"a": "30", "b": "10"}, "p": "0.022"}, []),  # corrected
        ({"name": "x", "count": {"a": "30", "b": "10"}, "p": "0.500"}, [P]),
        ({"name": "x", "mean_sd": {"all": ["51.2", "9"], "a": ["50", "9"], "b": ["53", "9"]}, "p": "0.10"}, []),
        ({"name": "x", "mean_sd": {"all": ["52.5", "9"], "a": ["50", "9"], "b": ["53", "9"]}}, [MEAN]),
        ({"name": "x", "mean_sd": {"all": ["56", "9"], "a": ["50", "9"], "b": ["53", "9"]}}, [SUM]),
        ({"name": "x", "mean_sd": {"a": ["50", "9"], "b": ["60", "9"]}, "p": "0.40"}, [P]),
    ],
)  # fmt: skip
def test_rows_of_a_baseline_table(row, expected):
    assert [(kind, weight) for kind, _, weight in found(baseline(row))] == expected


def test_p_values_of_two_characteristics_exchanged_are_found():
    first = {"name": "x", "count": {"a": "30", "b": "10"}, "p": "0.87"}
    second = {"name": "y", "count": {"a": "31", "b": "20"}, "p": "0.01"}
    kinds = [(kind, where) for kind, where, _ in found(baseline(first, second))]
    assert kinds == [("swapped-rows", "baseline/x/p"), ("swapped-rows", "baseline/y/p")]
