"""Printed numbers and the file that holds them: what is read, and every refusal with its place."""

import pytest
from biomark.errors import BiomarkError, InputFileError
from biomark.stats import read_published_table
from biomark.stats.cut_off_figures import as_cut_off
from biomark.stats.printed_value import printed_value
from hypothesis import given
from hypothesis import strategies as some


@given(some.floats(0, 1), some.integers(1, 5))
def test_every_number_lies_in_the_range_of_what_it_is_rounded_to(number, decimals):
    printed = printed_value(f"{number:.{decimals}f}")
    assert printed.fits(number)
    assert printed_value(f"{100 * number:.{decimals}f}%").fits(number)


@given(some.integers(0, 10_000), some.integers(1, 10_000))
def test_half_units_may_be_rounded_either_way(k, n):
    share = k / (k + n)
    for digits in (2, 3):
        unit = 10**-digits
        whole = int(share / unit)
        # The nearest values on either side that are half a unit away at most.
        for candidate in (whole, whole + 1):
            if abs(candidate * unit - share) <= unit / 2:
                assert printed_value(f"{candidate * unit:.{digits}f}").fits(share)


@given(some.floats(0, 1), some.integers(1, 4))
def test_a_number_that_is_cut_off_lies_in_the_cut_off_range(number, decimals):
    text = repr(int(number * 10**decimals)).rjust(decimals + 1, "0")
    printed = printed_value(f"{text[:-decimals]}.{text[-decimals:]}")
    assert printed.cut_off().fits(number)
    assert printed.either_way().fits(number)
    assert printed.either_way().fits(printed.value - printed.unit / 2)


def test_a_value_half_a_unit_away_fits_and_one_further_away_does_not():
    printed = printed_value("0.735")
    assert printed.fits([0.7345, 0.735, 0.7355]).all()
    assert not printed.fits([0.7344, 0.7356, float("nan")]).any()


@pytest.mark.parametrize(
    ("text", "value", "low", "high"),
    [
        ("68", 68, 67.5, 68.5),
        ("0·75", 0.75, 0.745, 0.755),
        ("\N{MINUS SIGN}0.5", -0.5, -0.55, -0.45),
        ("73.5%", 0.735, 0.7345, 0.7355),
        ("<0.001", 0.001, float("-inf"), 0.001),
        (">=0.9", 0.9, 0.9, float("inf")),
        (68, 68, 67.5, 68.5),
    ],
)
def test_numbers_are_read_as_papers_print_them(text, value, low, high):
    printed = printed_value(text)
    assert (printed.value, printed.low, printed.high) == (value, low, high)


@pytest.mark.parametrize("found", [0.75, True, None, "", "0.7.5", "1e-3", "n/a", "0.75 (0.6)", ["0.75"]])
def test_what_is_no_printed_number_is_refused(found):
    with pytest.raises(BiomarkError, match="found"):
        printed_value(found)


def test_one_digit_off_changes_one_digit_or_exchanges_two_neighbours():
    texts = [value.text for value in printed_value("0.12").one_digit_off()]
    assert len(texts) == len(set(texts)) == 3 * 9 + 2
    assert {"0.13", "0.21", "1.02", "9.12"} <= set(texts)
    assert "0.12" not in texts


def problems(text, tmp_path):
    path = tmp_path / "table.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputFileError) as caught:
        read_published_table(path)
    return "\n".join(str(problem) for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sets: {}", "sets: found none; expected at least one set"),
        ("- 1", "the file: found list"),
        ("sets: {t: [1]}", "sets/t: found list; expected names with values"),
        ("sets: {t: {n: 3.5}}", "sets/t/n: found 3.5; expected a whole number"),
        ("sets: {t: {n: -1}}", "sets/t/n: found -1"),
        ("sets: {t: {n: 99999999999}}", "expected a whole number of patients"),
        ("sets: {t: {m: 3}}", "sets/t/m: is not known here; expected n, labels"),
        ("sets: {t: {cutoff: 0.5}}", "sets/t/cutoff: found 0.5; expected 'youden-same-set'"),
        ("sets: {t: {labels: {a: {}}, rows: [{label: b}]}}", "rows[1]/label: found 'b'; expected one of the labels"),
        ("sets: {t: {labels: {a: {}}, rows: [{label: a, sen: 0.75}]}}", "rows[1]/sen: found 0.75; write the figure"),
        ('sets: {t: {labels: {a: {}}, rows: [{label: a, sen: ["0.7", "0.6"]}]}}', "found 2 figures; expected a value"),
        ('sets: {t: {labels: {a: {}}, rows: [{label: a, sen: "0.7", recall: "0.7"}]}}', "says the same as 'sen'"),
        ('sets: {t: {labels: {a: {}}, rows: [{label: a, gini: "0.7"}]}}', "is no metric that is known here"),
        ('sets: {t: {labels: {a: {}}, rows: [{label: a, acc: "73.5"}]}}', "expected at most 1, or a percentage"),
        ('sets: {t: {labels: {a: {}}, rows: [{label: a, acc: ["73.5%", "60.1", "80.2"]}]}}', "found '60.1'"),
        ("sets: {t: {comparisons: [{label: a, models: [x], p: '0.1'}]}}", "expected the two models, [A, B]"),
        ("sets: {t: {comparisons: [{label: a, models: [x, y]}]}}", "comparisons[1]/p: found None"),
        ("sets: {t: {}}\ntotals: [{name: all, of: t}]", "totals[1]/of: found 't'; expected a list of sets"),
        ("sets: {t: {}}\nsample_size: [{auc: 0.7}]", "sample_size[1]/auc: found 0.7"),
        ("sets: {t: {}}\nsample_size: [{auc: '0.7', power: '1'}]", "sample_size[1]/power: found '1'; expected"),
        ("sets: {t: {}}\nsample_size: [{auc: '0.50'}]", "found '0.50', the null value itself"),
        ("sets: {t: {}}\nbaseline: {groups: {a: 3}, whole: [a]}", "baseline/whole: found ['a']"),
        ("sets: {t: {}}\nbaseline: {groups: {a: 3}, rows: [{count: {a: []}}]}", "found 0 figures; expected a count"),
        ("sets: {t: {}}\nconfidence: 95", "confidence: found 95; expected a fraction such as 0.95"),
        ("sets: {t: {}}\nbaseline: {groups: {a: 3}, whole: b}", "baseline/whole: found 'b'; expected one of a"),
        ("sets: {t: {}}\nbaseline: {groups: {a: 3}, rows: [{mean_sd: {a: ['1']}}]}", "[mean, standard deviation]"),
        ("sets: {t: {}}\nbaseline: {groups: {a: 3}, rows: [{count: {b: '1'}}]}", "is not known here; expected a"),
        ("sets: {a: &x {n: 5}, b: *x}", "aliases are not allowed"),
        ("sets: {a: {n: 5}, a: {n: 6}}", "'a' stands here twice"),
        ("sets:\n  ? {a: b}\n  : {n: 3}", "a name must be plain text"),
        ("sets: {t: !!python/object:os.system x}", "could not determine a constructor"),
        ("sets: [unclosed", "row 1: cannot be read as YAML"),
        ("a: " + "[" * 500 + "]" * 500, "nested too deeply"),
        (b"\xff\xfe\x00s", "is not UTF-8 text"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(text, said, tmp_path):
    assert said in problems(text, tmp_path)


def test_all_problems_are_told_at_once(tmp_path):
    said = problems("sets: {t: {n: x, labels: {a: {pos: y}}, rows: [{label: b, sen: 0.5}]}}", tmp_path)
    assert [place in said for place in ("t/n", "a/pos", "rows[1]/label", "rows[1]/sen")] == [True] * 4


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path):
    assert "more than 1,048,576 bytes" in problems("# " + "x" * 2**20 + "\nsets: {}", tmp_path)


def test_the_names_of_metrics_are_those_of_the_field():
    row = {"model": "A", "label": "L", "AUROC": "0.8", "Sensitivity": "0.7", "F1_score": "0.6", "LR+": "3.1"}
    table = read_published_table({"sets": {"t": {"labels": {"L": {}}, "rows": [row]}}})
    assert dict(table.sets[0].rows[0].names) == {
        "auc": "AUROC", "sen": "Sensitivity", "f1": "F1_score", "lr+": "LR+"
    }  # fmt: skip


def test_every_printed_figure_can_be_read_as_cut_off():
    row = {"model": "A", "label": "L", "sen": ["0.70", "0.60", "0.80"]}
    table = as_cut_off(read_published_table({"sets": {"t": {"labels": {"L": {}}, "rows": [row]}}}))
    cell = table.sets[0].rows[0].cells["sen"]
    assert [(v.low, v.high) for v in (cell.value, cell.ci_low)] == [
        (0.7, pytest.approx(0.71)),
        (0.6, pytest.approx(0.61)),
    ]
