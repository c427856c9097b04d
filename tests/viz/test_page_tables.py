"""The page's tables print the evaluation's numbers, fill their grids, and leave nothing empty without a reason."""

import math
import re
from functools import cache

import pytest
from biomark.viz.captions import digits_of, main_cutoff
from biomark.viz.interval_mark import MarkAxis
from biomark.viz.number_format import estimate, number, p_equation, p_value
from biomark.viz.probability_tables import TABLE_THRESHOLDS, unjudged_scores
from biomark.viz.tables import main_tables


@pytest.fixture(scope="module")
def tables_of(evaluation_of):
    return cache(lambda case: main_tables(evaluation_of(case)))


@pytest.fixture
def tables(tables_of, case):
    return tables_of(case)


def test_rows_and_spans_fill_every_table(tables):
    for table in tables.values():
        for group in table.groups:
            open_spans = [0] * len(table.columns)
            for row in group.rows:
                free = [at for at, left in enumerate(open_spans) if left == 0]
                assert len(row) == len(free), (table.name, group.heading)
                open_spans = [max(0, left - 1) for left in open_spans]
                for at, cell in zip(free, row, strict=True):
                    open_spans[at] = cell.rows - 1
            assert not any(open_spans), (table.name, group.heading)


def test_no_cell_prints_nan_or_none(tables):
    for table in tables.values():
        texts = [cell.text + cell.sub + cell.tag for g in table.groups for row in g.rows for cell in row]
        assert not [text for text in texts if re.search(r"\bnan\b|\bNone\b", text)], table.name
        assert all(note and note[0] for note in table.notes)
        assert len(set(table.notes)) == len(table.notes)


def test_every_row_has_a_header_and_numbers_their_full_value(tables):
    for table in tables.values():
        for group in table.groups:
            assert group.heading.startswith(group.name)
            if group.rows:
                assert any(cell.head for cell in group.rows[0]), table.name


def test_an_empty_cell_has_its_reason(evaluation_of):
    evaluation = evaluation_of("one class")
    table = main_tables(evaluation)["individual"]
    assert any("one class only" in note for note in table.notes)
    cells = [cell for group in table.groups for row in group.rows for cell in row]
    assert any(cell.text == "–" for cell in cells)


def cells_of(table, heading):
    group = next(group for group in table.groups if group.heading.startswith(heading))
    return group, [[cell for cell in row if cell.text] for row in group.rows]


def test_individual_table_is_the_frame(evaluation_of):
    evaluation = evaluation_of("plain")
    digits = digits_of(evaluation)
    group, rows = cells_of(main_tables(evaluation)["individual"], "test set")
    frame = evaluation.individual.query("set == 'test'").reset_index(drop=True)
    assert len(rows) == len(frame)
    for at, (row, cells) in enumerate(zip(frame.to_dict("records"), rows, strict=True)):
        texts = [cell.text for cell in cells]
        for measure, hits, total in (
            ("accuracy", row["tp"] + row["tn"], row["n"]),
            ("sensitivity", row["tp"], row["tp"] + row["fn"]),
            ("specificity", row["tn"], row["tn"] + row["fp"]),
        ):
            shown = estimate(row[measure], row[f"{measure}_ci_low"], row[f"{measure}_ci_high"], digits)
            cell = cells[texts.index(shown)]
            assert cell.sub == f"{int(hits)}/{int(total)}"
            assert float(cell.title.split()[0]) == pytest.approx(row[measure], rel=1e-9)
        assert (at in group.quiet) == (row["cutoff"] != "locked")
        tag = next(cell.tag for cell in cells if cell.tag)
        assert tag == ("locked on validation" if row["cutoff"] == "locked" else "same set, flatters")


def test_key_figures_are_at_the_main_cutoff(evaluation_of, case):
    evaluation = evaluation_of(case)
    digits, table = digits_of(evaluation), main_tables(evaluation)["key-figures"]
    kind = main_cutoff(evaluation, evaluation.main_set)
    frame = evaluation.individual
    frame = frame[(frame["set"] == evaluation.main_set) & (frame["cutoff"] == kind)]
    rows = [row for group in table.groups for row in group.rows]
    assert len(rows) == len(frame)
    for row, cells in zip(frame.to_dict("records"), rows, strict=True):
        assert cells[0].text == row["model"]
        assert cells[1].text == estimate(row["auc"], row["auc_ci_low"], row["auc_ci_high"], digits)
    counts = [f"{row['n_pos']:,} positive, {row['n_neg']:,} negative" for row in frame.to_dict("records")]
    for group, at in zip(table.groups, range(0, len(frame), len(evaluation.models)), strict=True):
        assert group.heading == f"{group.name}: {counts[at]}"


def test_comparisons_give_both_p_values_and_the_adjusted_one_first(evaluation_of):
    evaluation = evaluation_of("plain")
    tables = main_tables(evaluation)
    frame = evaluation.comparisons.query("set == 'test'").to_dict("records")
    _, rows = cells_of(tables["comparisons"], "test set")
    for row, cells in zip(frame, rows, strict=True):
        texts = [cell.text for cell in cells]
        assert p_value(row["p_value"]) in texts
        assert p_value(row["p_holm"]) in texts
        assert f"{row['n']}" in texts
    for row, group in zip(frame, tables["key-figures"].groups, strict=True):
        assert group.rows[0][-1].sub == p_equation(row["p_holm"], "Holm-adjusted p")


def test_sample_sizes_of_the_judged_set_come_first(evaluation_of):
    tables = main_tables(evaluation_of("plain"))
    assert [group.name for group in tables["sample-size"].groups] == ["test"]
    assert {group.name for group in tables["sample-size-more"].groups} == {"train", "validation"}
    cells = [cell for row in tables["sample-size"].groups[0].rows for cell in row if cell.tag]
    assert all(re.fullmatch(r"(not )?reached, power (> )?\d+%", cell.tag) for cell in cells)
    assert all((cell.tag_kind == "good") == cell.tag.startswith("reached") for cell in cells)


def test_tables_that_cannot_be_are_left_out(evaluation_of):
    single = main_tables(evaluation_of("one of each"))
    assert not {"comparisons", "overall", "overfitting", "sample-size-more"} & set(single)
    assert "strata" not in main_tables(evaluation_of("no size"))
    assert "optimism" in single


@pytest.mark.parametrize(
    "values", [[0.62, 0.71], [-0.009, 0.017], [0.0], [1.0, 1.0], [math.nan], [-1.0, 1.0]]
)
def test_an_axis_holds_its_values_and_reference(values):
    axis = MarkAxis.around(values, reference=0.0, limits=(-1.0, 1.0))
    known = [value for value in values if math.isfinite(value)]
    assert axis.low <= min([0.0, *known]) <= max([0.0, *known]) <= axis.high
    assert axis.low < axis.high
    assert axis.at(axis.low) < axis.at(axis.high)


# Further statistics


def rows_in(table, heading=""):
    return [row for group in table.groups if group.heading.startswith(heading) for row in group.rows]


def test_characteristics_are_printed_by_set_with_what_is_missing(evaluation_of):
    evaluation = evaluation_of("carried columns")
    table = main_tables(evaluation)["baseline"]
    frame = evaluation.baseline
    assert [column.title for column in table.columns][2:] == [
        "validation (n = 60)", "test (n = 88)", "all (n = 148)", "p", "SMD",
    ]  # fmt: skip
    rows = {row[0].text: (at, row) for at, row in enumerate(rows_in(table)) if row[0].head}
    assert set(rows) == set(frame.loc[frame["summary"] != "", "variable"]) - {"size_mm"} | {
        "lesion size (mm)"
    }
    age = frame.query("variable == 'age' and group == 'test'").iloc[0]
    at, row = rows["age"]
    assert row[3].text == f"{age['mean']:.1f} ({age['sd']:.1f})"
    assert (row[5].text, row[5].sub) == (p_value(age["p_value"]), age["test"])
    assert float(row[6].text) == pytest.approx(age["smd"], abs=0.005)
    grade = frame.query("variable == 'grade'").drop_duplicates("group")
    at, row = rows["grade"]
    last = rows_in(table)[at + row[0].rows - 1]
    assert [cell.text for cell in last] == ["missing", *(f"{n}" for n in grade["n_missing"])]
    levels = frame.query("variable == 'menopause' and group == 'all patients'")
    at, _ = rows["menopause"]
    for offset, (_, level) in enumerate(levels.iterrows()):
        cells = rows_in(table)[at + offset]
        shown = [cell.text for cell in cells]
        assert level["level"] in shown
        assert f"{level['count']:.0f} ({100 * level['share']:.0f}%)" in shown
    assert any("site: not summed up" in note for note in table.notes)
    assert any("a large one does not prove balance" in note for note in table.notes)


def test_one_set_has_no_tests_between_sets(evaluation_of):
    table = main_tables(evaluation_of("one set"))["baseline"]
    assert [column.title for column in table.columns] == ["Characteristic", "", "all patients (n = 60)"]
    assert not any("undefined" in note for note in table.notes)


def test_calibration_is_that_of_the_evaluation(evaluation_of, case):
    evaluation = evaluation_of(case)
    judged = evaluation.calibration[evaluation.calibration["brier"].notna()]
    table = main_tables(evaluation).get("calibration")
    assert (table is None) == (not len(judged))
    for row, cells in zip(judged.to_dict("records"), rows_in(table) if table else [], strict=True):
        shown = [cell.text for cell in cells]
        digits = digits_of(evaluation)
        for name, places in (("slope", 2), ("intercept", 2), ("observed_expected", 2), ("brier", digits)):
            assert estimate(row[name], row[f"{name}_ci_low"], row[f"{name}_ci_high"], places) in shown
        assert number(row["ici"], digits) in shown
        assert p_value(row["recalibration_p_value"]) in shown


def test_scores_that_are_no_probabilities_are_named_and_the_others_judged(evaluation_of):
    evaluation = evaluation_of("mixed scales")
    tables = main_tables(evaluation)
    models = {cell.text for row in rows_in(tables["calibration"]) for cell in row if cell.drawing}
    assert models == {"multi-task"}
    said = unjudged_scores(evaluation)
    assert len(said) == 2
    assert all("single-task: the scores are no probabilities" in note for note in said)
    assert "net-benefit-differences" not in tables
    assert "calibration" not in main_tables(evaluation_of("strong"))
    assert len(unjudged_scores(evaluation_of("strong"))) == 4


@pytest.mark.parametrize("label", ["ER", "PR"])
def test_net_benefit_is_printed_at_the_thresholds(evaluation_of, label):
    evaluation = evaluation_of("plain")
    digits, tables = digits_of(evaluation), main_tables(evaluation)
    frame = evaluation.net_benefit.query("label == @label")
    rows = rows_in(tables["net-benefit"], label)
    differences = evaluation.net_benefit_differences.query("label == @label")
    (differing,) = rows_in(tables["net-benefit-differences"], label)
    for at, threshold in enumerate(TABLE_THRESHOLDS, start=1):
        near = frame[(frame["threshold"] - threshold).abs() < 1e-9]
        first = near.iloc[0]
        all_treated = estimate(
            first["treat_all"], first["treat_all_ci_low"], first["treat_all_ci_high"], digits
        )
        assert rows[0][at].text == all_treated
        for row, cells in zip(near.to_dict("records"), rows[1:], strict=True):
            assert cells[0].text == row["model"]
            assert cells[at].text == estimate(row["net_benefit"], row["ci_low"], row["ci_high"], digits)
        row = differences[(differences["threshold"] - threshold).abs() < 1e-9].iloc[0]
        assert differing[at].text == estimate(row["difference"], row["ci_low"], row["ci_high"], digits)
        assert differing[at].sub == p_equation(row["p_value"])


def test_average_precision_stands_beside_its_prevalence(evaluation_of):
    evaluation = evaluation_of("plain")
    digits, tables = digits_of(evaluation), main_tables(evaluation)
    assert {group.name for group in tables["precision-recall-more"].groups} == {"train", "validation"}
    frame = evaluation.precision_recall.query("set == 'test'")
    rows = rows_in(tables["precision-recall"], "test set")
    for row, cells in zip(frame.to_dict("records"), rows, strict=True):
        prevalence, mark, value = cells[-3:]
        assert prevalence.text == number(row["prevalence"], digits)
        assert value.text == estimate(row["average_precision"], row["ci_low"], row["ci_high"], digits)
        # The dotted line of a row stands at its own prevalence.
        (reference,) = re.findall(r'x1="[\d.]+" y1="0.0" x2="([\d.]+)"', str(mark.drawing))
        left, right = (
            float(x) for x in re.findall(r'x1="([\d.]+)" y1="9.0" x2="([\d.]+)"', str(mark.drawing))[0]
        )
        per_unit = (right - left) / (row["ci_high"] - row["ci_low"])
        assert float(reference) == pytest.approx(
            left + (row["prevalence"] - row["ci_low"]) * per_unit, abs=0.1
        )


def test_paired_accuracies_give_discordant_patients_and_both_p_values(evaluation_of):
    evaluation = evaluation_of("three models")
    tables, digits = main_tables(evaluation), digits_of(evaluation)
    frame = evaluation.paired_accuracy.query("set == 'test'")
    rows = rows_in(tables["paired-accuracy"], "test set (n = 88), judged; cut-offs locked on validation")
    assert len(rows) == len(frame) == 3 * 3 * 2
    for row, cells in zip(frame.to_dict("records"), rows, strict=True):
        shown = [cell.text for cell in cells]
        assert f"{row['only_a']:.0f} + {row['only_b']:.0f} of {row['n']}" in shown
        assert estimate(row["difference"], row["ci_low"], row["ci_high"], digits) in shown
        assert shown[-2:] == [p_value(row["p_value"]), p_value(row["p_holm"])]
    joint = rows_in(tables["contrast"], "test set")
    tested = evaluation.contrast.query("set == 'test'")
    for row, cells in zip(tested.to_dict("records"), joint, strict=True):
        assert [cell.text for cell in cells[:2]] == [row["label"], row["models"]]
        assert cells[-1].text == p_value(row["p_value"])
    assert "contrast" not in main_tables(evaluation_of("plain"))


def test_other_cutoffs_are_those_of_the_set_that_gives_cutoffs(evaluation_of):
    evaluation = evaluation_of("plain")
    tables, digits = main_tables(evaluation), digits_of(evaluation)
    assert [group.name for group in tables["other-cutoffs"].groups] == ["validation"]
    frame = evaluation.cutoffs.query("set == 'validation'").to_dict("records")
    for row, cells in zip(frame, rows_in(tables["other-cutoffs"]), strict=True):
        assert [cell.text for cell in cells[-3:]] == [
            number(row[name], digits) for name in ("sensitivity", "specificity", "youden")
        ]
    assert "sensitivity of at least 90%" in [cell.text for cell in rows_in(tables["other-cutoffs"])[2]]
    assert [group.name for group in main_tables(evaluation_of("one set"))["other-cutoffs"].groups] == ["all"]


def test_further_strata_stand_apart_from_size(evaluation_of, names):
    evaluation = evaluation_of("carried columns")
    tables = main_tables(evaluation)
    strata = [cell.text for row in rows_in(tables["strata"]) for cell in row if cell.is_name]
    assert not any("grade" in text for text in strata)
    further = [cell.text for row in rows_in(tables["strata-more"]) for cell in row if cell.is_name]
    assert {"grade: 1", "age: ≤ 50", "age: > 65", f"{names.evil}-column: a"} <= set(further)
    assert not any("mm" in text for text in further)
    headings = [group.heading for group in tables["interaction-more"].groups]
    assert headings[0] == "grade: 1, 2 and 3 together"
    assert headings[2] == f"{names.evil}-column: a, less b"
    digits = digits_of(evaluation)
    frame = evaluation.interaction.query("set == 'test' and variable == 'grade'")
    rows = tables["interaction-more"].groups[0].rows
    for row, cells in zip(frame.to_dict("records"), rows, strict=True):
        shown = [cell.text for cell in cells]
        assert estimate(row["difference"], row["ci_low"], row["ci_high"], digits) in shown
        assert shown[-2:] == [p_value(row["p_value"]), p_value(row["p_holm"])]
