import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from biomark import stats
from biomark.errors import BiomarkError
from biomark.stats.baseline import BASELINE_COLUMNS, baseline_table
from hypothesis import given, settings
from hypothesis import strategies as st

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "baseline.json").read_text(encoding="utf-8"))


def cohort(n=60, seed=0):
    """A simulated cohort in two sets."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "patient_id": [f"P{k:03d}" for k in range(n)],
            "set": np.where(np.arange(n) < 2 * n // 3, "train", "test"),
            "age": rng.normal(52, 12, n).round(),
            "size_mm": np.exp(rng.normal(2.7, 1.0, n)),
            "ER": rng.integers(0, 2, n),
            "grade": rng.choice(["I", "II", "III"], n),
        }
    )


def of(table, name):
    return next(item for item in table.characteristics if item.name == name)


def test_kinds_follow_the_stated_rule_and_can_be_given():
    frame = cohort()
    table = baseline_table(frame, group="set", patient="patient_id")
    assert [(item.name, item.kind) for item in table.characteristics] == [
        ("age", "mean"), ("size_mm", "median"), ("ER", "categorical"), ("grade", "categorical"),
    ]  # fmt: skip
    assert (
        of(table, "size_mm").rule.startswith("absolute skewness")
        and of(table, "ER").rule == "at most two values"
    )
    assert of(table, "age").test.test == "Welch's t test"
    assert of(table, "size_mm").test.test.startswith("Mann-Whitney test")
    given = baseline_table(
        frame, group="set", columns=["age", "size_mm"], kinds={"age": "median", "size_mm": "mean"}
    )
    assert [item.kind for item in given.characteristics] == ["median", "mean"] and given.unit == "row"
    assert of(given, "age").rule == "as given"


@pytest.mark.parametrize("case", ORACLE["continuous"][:6])
def test_quartiles_and_tests_are_those_of_r(case):
    frame = pd.DataFrame(
        [(f"g{k}", value) for k, group in enumerate(case["groups"]) for value in group], columns=["set", "x"]
    )
    mean, median = (
        baseline_table(frame, group="set", kinds={"x": kind}).characteristics[0]
        for kind in ("mean", "median")
    )
    assert [mean.q1[-1], mean.median[-1], mean.q3[-1]] == pytest.approx(case["quartiles"], rel=1e-12)
    assert mean.test.p_value == pytest.approx(case["welch"][-1], rel=1e-10)
    assert median.test.p_value == pytest.approx(case["rank"][-1], rel=1e-10)


def test_summaries_are_of_the_known_and_the_missing_are_counted():
    frame = pd.DataFrame(
        {"set": list("aaabbb"), "x": [1.0, 2, None, 4, 8, 6], "y": ["u", None, "v", "u", "u", None]}
    )
    table = baseline_table(frame, group="set")
    x, y = table.characteristics
    assert x.n.tolist() == [2, 3, 5] and x.n_missing.tolist() == [1, 0, 1]
    assert x.mean == pytest.approx([1.5, 6.0, 4.2]) and x.sd[1] == pytest.approx(2.0)
    assert y.levels == ("u", "v") and y.counts.tolist() == [[1, 2, 3], [1, 0, 1]]
    frame = table.to_frame()
    assert frame["missing"].tolist() == [1, 2, ""] and frame["a (n = 3)"].tolist() == [
        "1.5 (0.7)",
        "1 (50%)",
        "1 (50%)",
    ]


def test_rows_hold_every_number_of_the_table():
    table = baseline_table(cohort(), group="set", patient="patient_id")
    frame = pd.DataFrame(table.rows)
    assert tuple(frame.columns) == BASELINE_COLUMNS and len(frame) == 3 * (1 + 1 + 2 + 3)
    grade = frame[(frame["variable"] == "grade") & (frame["group"] == "all patients")]
    assert grade["count"].sum() == 60 and grade["share"].sum() == pytest.approx(1)
    assert json.dumps(table.to_dict())


def test_each_patient_counts_once_and_a_missing_value_is_taken_from_another_row():
    frame = cohort(30)
    twice = pd.concat([frame.assign(label="ER"), frame.assign(label="PR")], ignore_index=True)
    twice.loc[twice["label"] == "PR", "age"] = np.nan
    once = baseline_table(frame, group="set", patient="patient_id", columns=["age", "grade"])
    found = baseline_table(twice, group="set", patient="patient_id", columns=["age", "grade"])
    assert found.to_dict() == once.to_dict() and sum(found.sizes) == 30


def test_a_patient_that_contradicts_itself_is_refused():
    frame = pd.DataFrame({"id": ["a", "b", "a"], "set": ["x", "y", "x"], "age": [50, 60, 51]})
    with pytest.raises(BiomarkError, match=r"patient 'a' has two values of 'age': .*50.* and .*51"):
        baseline_table(frame, group="set", patient="id")
    frame = frame.assign(age=50, set=["x", "y", "y"])
    with pytest.raises(BiomarkError, match=r"patient 'a' has two values of 'set': 'x' and 'y'"):
        baseline_table(frame, group="set", patient="id")


def test_three_groups_get_the_tests_of_more_and_the_largest_difference():
    frame = cohort(90).assign(set=np.repeat(["test", "train", "validation"], 30))
    table = baseline_table(frame, group="set", patient="patient_id")
    assert table.groups == ("train", "validation", "test")
    assert (
        of(table, "age").test.test == "Welch's ANOVA"
        and of(table, "size_mm").test.test == "Kruskal-Wallis test"
    )
    age = frame.groupby("set")["age"]
    pairs = {
        (a, b): abs(stats.standardized_mean_difference(age.get_group(a), age.get_group(b)))
        for a, b in (("train", "validation"), ("train", "test"), ("validation", "test"))
    }
    assert of(table, "age").smd == pytest.approx(max(pairs.values()))
    assert of(table, "age").smd_between == max(pairs, key=pairs.get)


def test_one_group_has_no_test_and_says_so():
    table = baseline_table(cohort().assign(set="all"), group="set", patient="patient_id")
    assert all(
        math.isnan(item.test.p_value) and "one group only" in item.note for item in table.characteristics
    )
    assert all(math.isnan(item.smd) for item in table.characteristics)


def test_what_cannot_be_summed_up_is_named_and_left_open():
    frame = pd.DataFrame(
        {
            "set": ["a", "b"] * 40,
            "name": [f"n{k}" for k in range(80)],
            "when": pd.date_range("2020-01-01", periods=80),
            "empty": [None] * 80,
            "same": ["x"] * 80,
        }
    )
    table = baseline_table(frame, group="set")
    assert of(table, "name").note == "not summed up: 80 different values, too many for levels"
    assert "dates" in of(table, "when").note and of(table, "empty").n.tolist() == [0, 0, 0]
    assert of(table, "same").smd == 0.0 and "one level only" in of(table, "same").note
    assert table.to_frame().shape[0] == 4


def test_order_of_categories_and_whole_numbers_are_kept():
    grade = pd.Categorical(
        ["low", "high", "mid", "low"], categories=["low", "mid", "high", "never"], ordered=True
    )
    frame = pd.DataFrame({"set": ["a", "b", "a", "b"], "grade": grade, "ER": [1.0, 0.0, np.nan, 1.0]})
    table = baseline_table(frame, group="set")
    assert of(table, "grade").levels == ("low", "mid", "high") and of(table, "ER").levels == ("0", "1")


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c"]),
            st.one_of(st.none(), st.floats(-1e6, 1e6)),
            st.sampled_from(["x", "y", None]),
            st.sampled_from([True, False]),
        ),
        min_size=1,
        max_size=25,
    ),
    seed=st.integers(0, 9),
)
def test_no_table_warns_or_fails_and_the_order_of_rows_plays_no_part(rows, seed):
    frame = pd.DataFrame(rows, columns=["set", "number", "text", "flag"]).astype({"number": float})
    frame["set"] = pd.Categorical(frame["set"])
    mixed = frame.sample(frac=1, random_state=seed)
    one, other = (pd.DataFrame(baseline_table(f, group="set").rows) for f in (frame, mixed))
    pd.testing.assert_frame_equal(one, other, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"group": "arm"}, "no column 'arm' in the table; it has patient_id, set"),
        ({}, {"group": "set", "columns": ["BMI"]}, "no column 'BMI'"),
        ({}, {"group": "set", "kinds": {"age": "normal"}}, "kind of 'age' must be one of mean, median"),
        (
            {"set": None},
            {"group": "set"},
            "column 'set' must say the group of everybody, it is empty 60 times",
        ),
        (
            {"age": np.inf},
            {"group": "set", "kinds": {"age": "mean"}},
            "column 'age' must hold finite numbers, found inf",
        ),
        ({}, {"group": "set", "kinds": {"grade": "mean"}}, "column 'grade' must hold numbers"),
        ({"patient_id": None}, {"group": "set", "patient": "patient_id"}, "must name every patient"),
    ],
)
def test_what_cannot_be_used_is_refused(change, options, message):
    with pytest.raises(BiomarkError, match=message):
        baseline_table(cohort().assign(**change), **options)


def test_an_empty_table_is_refused():
    with pytest.raises(BiomarkError, match="no row"):
        baseline_table(cohort().iloc[:0], group="set")


def test_few_whole_numbers_are_codes_unless_told_otherwise():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"set": rng.choice(["a", "b"], 60), "grade": rng.integers(1, 4, 60), "age": rng.integers(40, 70, 60)}
    )
    kinds = {item.name: item.kind for item in baseline_table(frame, group="set").characteristics}
    assert kinds == {"grade": "categorical", "age": "mean"}
    told = baseline_table(frame, group="set", kinds={"grade": "mean"}).characteristics
    assert {item.name: item.kind for item in told}["grade"] == "mean"
    assert baseline_table(frame.head(10), group="set").characteristics[0].kind != "categorical"
