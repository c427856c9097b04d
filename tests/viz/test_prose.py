"""Every number of the Methods, the Results and the first screen is that of its cell."""

import math
import re

import pandas as pd
from biomark.viz.prose import findings, headline, manuscript
from biomark.viz.references import REFERENCES
from biomark.viz.traced_text import Traced

NUMERAL = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?")


def paragraphs(evaluation):
    written = manuscript(evaluation)
    return [
        headline(evaluation),
        *(finding.paragraph for finding in findings(evaluation)),
        written.methods,
        written.results,
    ]


def traced(evaluation):
    return [
        part
        for paragraph in paragraphs(evaluation)
        for part in paragraph.fragments
        if isinstance(part, Traced)
    ]


def selected(frame, where):
    """Return the rows that a trace names: equal text, or a comparison such as '< 0.05'."""
    for column, wanted in where:
        compared = re.fullmatch(r"([<>]) ([\d.]+)", wanted)
        if compared and pd.api.types.is_numeric_dtype(frame[column]):
            limit = float(compared[2])
            frame = frame[frame[column] < limit if compared[1] == "<" else frame[column] > limit]
        else:
            frame = frame[frame[column].astype(str) == wanted]
    return frame


def values_of(evaluation, trace):
    if trace.frame in ("settings", "provenance"):
        source = getattr(evaluation, trace.frame)
        return [source[trace.column] if trace.column in source else source["packages"][trace.column]]
    rows = selected(getattr(evaluation, trace.frame), trace.where)
    columns = trace.column.split(", ")
    if trace.how == "cell":
        # AUC and class counts stand in the rows of both kinds of cut-off.
        assert all(rows[column].nunique(dropna=False) == 1 for column in columns), trace.source
        return [rows[column].iloc[0] for column in columns]
    known = rows[rows[columns[0]].notna()]
    if trace.how == "count":
        if "required_total" in known:
            known = known[known["required_total"].notna()]
        return [len(known)]
    return [known[columns[0]].min() if trace.how == "smallest" else known[columns[0]].max()]


def says(text, values):
    """Return whether the text prints these values, to the digits that it shows."""
    if any(isinstance(value, str) for value in values):
        return [text] == values
    scale = 100.0 if text.endswith("%") else 1.0
    numerals = NUMERAL.findall(text)
    if len(numerals) != len(values):
        return False
    for numeral, value in zip(numerals, values, strict=True):
        shown = float(numeral.replace(",", "").replace("−", "-"))
        unit = 10.0 ** -len(numeral.partition(".")[2])
        if "<" in text:
            fits = value < shown
        elif ">" in text:
            fits = value > shown
        else:
            # A p just below 0.05 is cut, not rounded, so that it is not printed as 0.05.
            fits = abs(value * scale - shown) <= unit * (1.0 if text.startswith("p ") else 0.5) + 1e-9
        if not fits:
            return False
    return True


def test_every_number_is_that_of_its_cell(evaluation_of, case):
    evaluation = evaluation_of(case)
    found = traced(evaluation)
    assert len(found) >= 8
    for trace in found:
        values = values_of(evaluation, trace)
        assert says(trace.text, values), (trace.source, trace.text, values)


def test_no_number_stands_untraced(evaluation_of, case):
    evaluation = evaluation_of(case)
    allowed = (" above 0.5", "macro F1 score", "95% CI")  # what is no result
    loose = re.compile(r"\d")
    for paragraph in paragraphs(evaluation):
        for part in paragraph.fragments:
            if isinstance(part, str) and loose.search(part):
                assert any(words in part for words in allowed), part


def test_sentences_are_whole(evaluation_of, case):
    for paragraph in paragraphs(evaluation_of(case)):
        text = paragraph.text
        assert text.endswith((".", "?"))
        assert "  " not in text
        assert " ." not in text
        assert " ," not in text
        assert not re.search(r"\bnan\b|None|–|\(\)|\{\}", text.replace("Hanley–", "")), text
        assert "<" not in paragraph.__html__().replace("<bdi>", "").replace("</bdi>", "").replace(
            "</span>", ""
        ).replace("<span class=", "")


def test_references_are_numbered_in_the_order_of_citation(evaluation_of, case):
    written = manuscript(evaluation_of(case))
    text = re.sub(r"\[[^\]]*[^\d, \]][^\]]*\]", "", written.methods.text)
    cited = [int(number) for group in re.findall(r"\[([\d, ]+)\]", text) for number in group.split(", ")]
    assert list(dict.fromkeys(cited)) == list(range(1, len(written.references) + 1))
    assert set(written.references) <= set(REFERENCES.values())
    for at, entry in enumerate(written.references, start=1):
        assert f"\n{at}. {entry}" in written.text


def test_main_results_are_at_the_locked_cutoff(evaluation_of):
    evaluation = evaluation_of("plain")
    main = [
        dict(trace.where)
        for trace in traced(evaluation)
        if trace.frame == "individual" and trace.column.startswith(("sensitivity", "tp"))
    ]
    kinds = {where["cutoff"] for where in main}
    assert kinds == {"locked", "same-set"}
    results = manuscript(evaluation).results
    assert {
        dict(part.where)["cutoff"]
        for part in results.fragments
        if isinstance(part, Traced) and part.frame == "individual"
    } == {"locked"}
    same_set = next(finding for finding in findings(evaluation) if finding.topic == "The same-set way")
    assert "as many papers do" in same_set.paragraph.text
    assert "locked on the validation set" in headline(evaluation).text


def test_one_set_is_told_to_flatter_and_is_corrected(evaluation_of):
    evaluation = evaluation_of("one set")
    assert "which flatters" in headline(evaluation).text
    assert "once corrected for this optimism" in headline(evaluation).text
    assert "Corrected for this optimism by bootstrap" in manuscript(evaluation).results.text
    assert "for want of another one" in manuscript(evaluation).methods.text
    assert "locked" not in manuscript(evaluation).text
    assert "all set" not in manuscript(evaluation).text


def test_one_model_is_compared_with_none(evaluation_of):
    evaluation = evaluation_of("one model")
    assert "comparison" not in manuscript(evaluation).text
    assert "Models were compared" not in manuscript(evaluation).text
    assert "Models compared" not in [finding.topic for finding in findings(evaluation)]


def test_one_label_has_no_averages(evaluation_of):
    text = manuscript(evaluation_of("one label")).text
    assert "macro" not in text
    assert "The one comparison of AUCs" in text


def test_one_test_of_interaction_is_not_counted(evaluation_of):
    assert "the one test of interaction was " in manuscript(evaluation_of("one of each")).results.text


def test_undefined_values_are_said_and_not_printed(evaluation_of):
    evaluation = evaluation_of("one class everywhere")
    assert headline(evaluation).text.endswith("no AUC could be computed.")
    assert "For ER no AUC could be computed." in manuscript(evaluation).results.text
    assert "All labels" not in [finding.topic for finding in findings(evaluation)]


def test_missing_labels_are_counted(evaluation_of):
    evaluation = evaluation_of("missing labels")
    assert re.search(
        r"PR was positive in \d+ of \d+ \(\d+%\) and missing in \d+", manuscript(evaluation).text
    )
    assert "Patients without a label were left out" in manuscript(evaluation).methods.text


def test_many_cells_are_given_as_ranges(evaluation_of):
    text = manuscript(evaluation_of("many")).results.text
    assert "AUCs ranged from" in text
    assert "sensitivity ranged from" in text
    assert len(text) < 4000


def test_significant_comparisons_name_the_better_model(evaluation_of):
    evaluation = evaluation_of("strong")
    row = evaluation.comparisons.query("set == 'test' and label == 'ER'").iloc[0]
    assert row["p_holm"] < 0.05
    better = row["model_a"] if row["difference"] > 0 else row["model_b"]
    worse = row["model_b"] if row["difference"] > 0 else row["model_a"]
    assert f"{better} above {worse} for ER" in manuscript(evaluation).results.text


def test_oracle_of_this_file_notices_a_wrong_digit():
    assert says("0.735 to 0.853", [0.7349, 0.8531])
    assert not says("0.735 to 0.853", [0.7349, 0.8539])
    assert says("p < 0.001", [0.0004])
    assert not says("p < 0.001", [0.002])
    assert says("−0.010", [-0.0101])
    assert not says("−0.010", [0.0101])
    assert says("72%", [0.7245])
    assert not math.isclose(0.7245, 0.72)


def test_calibration_is_told_where_scores_are_probabilities(evaluation_of):
    evaluation = evaluation_of("plain")
    written = manuscript(evaluation)
    assert "calibration was judged in the test set by the intercept and slope" in written.methods.text
    assert "clinical usefulness by net benefit" in written.methods.text
    low, high = evaluation.calibration["slope"].min(), evaluation.calibration["slope"].max()
    assert f"Calibration slopes ranged from {low:.2f} to {high:.2f}" in written.results.text
    strong = manuscript(evaluation_of("strong"))
    assert "alibration" not in strong.text
    assert "net benefit" not in strong.text


def test_slopes_whose_interval_excludes_one_are_named(evaluation_of):
    evaluation = evaluation_of("many")
    off = evaluation.calibration[evaluation.calibration["slope_ci_low"] > 1.0]
    assert 0 < len(off) <= 6
    said = manuscript(evaluation).results.text
    assert f"{len(off)} above the ideal value of one, predictions too moderate (" in said
    assert all(f"{row['label']} with {row['model']}" in said for _, row in off.iterrows())


def test_one_model_has_one_slope(evaluation_of):
    row = evaluation_of("one of each").calibration.iloc[0]
    said = manuscript(evaluation_of("one of each")).results.text
    assert f"The calibration slope was {row['slope']:.2f} (95% CI " in said


def test_paired_accuracies_are_described_where_models_are_compared(evaluation_of):
    assert "McNemar’s exact test" in manuscript(evaluation_of("plain")).methods.text
    assert "McNemar" not in manuscript(evaluation_of("one model")).text
