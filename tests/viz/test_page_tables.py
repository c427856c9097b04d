"""The page's tables print the evaluation's numbers, fill their grids, and leave nothing empty without a reason."""

import math
import re
from functools import cache

import pytest
from biomark.viz.captions import digits_of, main_cutoff
from biomark.viz.interval_mark import MarkAxis
from biomark.viz.number_format import estimate, p_equation, p_value
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
