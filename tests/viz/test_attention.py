"""Attention in numbers and as a figure: what is drawn and told is what `stats` computed."""

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import explanation_scores, explanation_test, holm
from biomark.stats.explanation import explanation_against_chance
from biomark.viz.attention import attention_figure, attention_in_words, lesion_attention
from biomark.viz.explanation_tables import attention_frames, attention_table


def simulated(n=9, empty=()):
    rng = np.random.default_rng(0)
    masks = np.zeros((n, 6, 6, 6), dtype=int)
    for k in range(n):
        if k not in empty:
            masks[k, 1:4, 1 : 3 + k % 3, 2:5] = 1
    maps = {
        "multi-task": rng.random(masks.shape) + masks,
        "single-task": rng.random(masks.shape) + 0.2 * masks,
    }
    return {model: explanation_scores(m / m.max(), masks) for model, m in maps.items()}


def found(**options):
    scores = simulated(**options)
    return lesion_attention("ER", scores, [f"P{i}" for i in range(9)])


def test_rows_are_those_of_the_statistics():
    one, scores = found(), simulated()
    for metric in ("energy", "pointing", "iou"):
        for model in scores:
            row = one.models.query("metric == @metric and model == @model").iloc[0]
            expected = explanation_against_chance(scores[model], metric=metric)
            fields = ["mean", "ci_low", "ci_high", "chance", "excess", "p_value"]
            np.testing.assert_array_equal(row[fields].astype(float), [getattr(expected, f) for f in fields])
        row = one.differences.query("metric == @metric").iloc[0]
        expected = explanation_test(scores["multi-task"], scores["single-task"], metric=metric, rng=0)
        assert (row["difference"], row["p_value"]) == (expected.difference, expected.p_value)


def test_every_patient_is_a_dot_of_each_model():
    one = found(empty=(4,))
    figure = attention_figure(one)
    dots = [t for t in figure.data if t.meta["part"] == "patient"]
    assert [len(t.x) for t in dots] == [8] * 6
    assert dots[0].text == tuple(f"P{i}" for i in range(9) if i != 4)
    np.testing.assert_array_equal(dots[1].y, np.delete(one.scores["single-task"].energy, 4))
    means = [t for t in figure.data if t.meta["part"] == "mean"]
    row = one.models.iloc[0]
    assert means[0].y[0] == row["mean"]
    np.testing.assert_allclose(means[0].y[0] + means[0].error_y.array[0], row["ci_high"])
    chance = [t for t in figure.data if t.meta["part"] == "chance"]
    assert {t.y[0] for t in chance[:2]} == {row["chance"]}
    assert sum(bool(t.showlegend) for t in figure.data) == 3
    for axis in ("yaxis", "yaxis2", "yaxis3"):
        low, high = figure.layout[axis].range
        assert low < 0 < high <= 1.04
    joined = [t for t in figure.data if t.meta["part"] == "pair"]
    assert [sum(v is None for v in t.y) for t in joined] == [8, 8, 8]


def test_sentences_and_table_hold_the_same_numbers():
    one = found()
    words = attention_in_words(one)
    table = attention_table({"ER": one}, list(one.scores))
    rows = [[cell.text for cell in row][-6:] for row in table.groups[0].rows]
    assert len(words) == len(rows) == 9
    for sentence, (who, estimate, chance, p, adjusted, n) in zip(words, rows, strict=True):
        assert who in sentence and estimate in sentence and f"n = {n}" in sentence
        assert (chance == "–") != (adjusted == "–")
        assert p.removeprefix("< ").removeprefix("> ") in sentence
    assert "one-sided" in words[0] and "all 512 flips" in words[2]
    assert words[2].startswith("Energy in the lesion, multi-task − single-task, ER: 0.")
    assert attention_in_words(one, metrics=("iou",)) == words[6:]


def test_differences_are_adjusted_over_all_labels_and_measures():
    models, differences = attention_frames({"ER": found(), "PR": found(empty=(2,))})
    assert len(models) == 12 and set(differences["family"]) == {6}
    np.testing.assert_allclose(differences["p_holm"], holm(differences["p_value"]))
    notes = attention_table({"ER": found(), "PR": found()}, ["multi-task", "single-task"]).notes
    assert "correction over 6 comparisons" in notes[1]


def test_one_measure_is_drawn_alone():
    one = found()
    whole, alone = attention_figure(one), attention_figure(one, metrics=("pointing",))
    assert len(alone.data) == 7 and len(whole.data) == 21
    assert alone.data[1].y == whole.data[8].y and not alone.layout.showlegend
    assert alone.layout.yaxis.title.text == "Hit (1) or miss (0)"
    with pytest.raises(BiomarkError, match="at least one metric"):
        attention_figure(one, metrics=())
    with pytest.raises(BiomarkError, match="dice"):
        attention_figure(one, metrics=("dice",))


def test_one_model_has_no_difference():
    scores = {"multi-task": simulated()["multi-task"]}
    one = lesion_attention("ER", scores, list("abcdefghi"))
    assert one.differences.empty and len(attention_in_words(one)) == 3
    assert not [t for t in attention_figure(one).data if t.meta["part"] == "pair"]
    assert len(attention_table({"ER": one}, ["multi-task"]).notes) == 1
    frame = one.to_frame()
    assert list(frame["patient_id"]) == list("abcdefghi") and set(frame["model"]) == {"multi-task"}


def test_patients_that_do_not_fit_are_refused():
    with pytest.raises(BiomarkError, match="at least one model"):
        lesion_attention("ER", {}, [])
    with pytest.raises(BiomarkError, match="expected 2"):
        lesion_attention("ER", simulated(), ["a", "b"])
