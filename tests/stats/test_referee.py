"""What a referee would raise, in which order and in which words."""

import numpy as np
import pandas as pd
import pytest
from biomark import evaluate
from biomark.stats.predictions import Predictions


def evaluation_of(n, *, spread=1.0, shift=0.0, effect=1.5, logits=False):
    """Return the evaluation of simulated risks whose logits are multiplied by ``spread``."""
    rng = np.random.default_rng(5)
    rows = []
    for name in ("validation", "test"):
        for i in range(n):
            truth_logit = effect * rng.normal()
            positive = int(rng.random() < 1.0 / (1.0 + np.exp(-truth_logit)))
            logit = spread * truth_logit + shift
            score = logit if logits else 1.0 / (1.0 + np.exp(-logit))
            rows.append((f"{name}{i}", name, "net", "ER", positive, score))
    columns = ["patient_id", "set", "model", "label", "y_true", "y_score"]
    return evaluate(Predictions.from_frame(pd.DataFrame(rows, columns=columns)), n_boot=10)


def kinds(evaluation):
    return [warning["kind"] for warning in evaluation.warnings]


def the(evaluation, kind):
    (found,) = [warning for warning in evaluation.warnings if warning["kind"] == kind]
    return found


def test_scores_outside_0_1_are_said_to_be_no_probabilities():
    found = the(evaluation_of(60, logits=True), "not-probabilities")
    assert found["where"] == "test/net"
    assert "neither calibration nor net benefit was judged" in found["message"]


@pytest.mark.parametrize(("spread", "word"), [(3.0, "too extreme"), (0.3, "too moderate")])
def test_a_slope_whose_interval_excludes_1_is_miscalibrated(spread, word):
    evaluation = evaluation_of(400, spread=spread)
    found = the(evaluation, "miscalibrated")
    row = evaluation.calibration.iloc[0]
    assert found["where"] == "test/ER"
    assert (
        f"net {row['slope']:.2f} ({row['slope_ci_low']:.2f} to {row['slope_ci_high']:.2f}), {word}"
        in (found["message"])
    )


def test_calibrated_probabilities_raise_nothing_about_calibration():
    assert not {"miscalibrated", "not-probabilities"} & set(kinds(evaluation_of(400)))


def test_power_after_the_event_is_last_where_an_interval_lies_above_half():
    evaluation = evaluation_of(300, spread=3.0)
    assert evaluation.individual["auc_ci_low"].min() > 0.5
    assert kinds(evaluation)[-2:] == ["miscalibrated", "post-hoc-power"]


def test_power_after_the_event_keeps_its_rank_where_only_the_sample_size_speaks_of_enough_patients():
    evaluation = evaluation_of(60, effect=0.01, spread=300.0)
    assert evaluation.individual["auc_ci_low"].max() < 0.5
    found = kinds(evaluation)
    assert found[: found.index("post-hoc-power")] == ["sample-too-small"]
    assert len(found) > found.index("post-hoc-power") + 1


def test_formulas_of_sample_size_are_called_by_their_authors():
    message = the(evaluation_of(30, effect=0.5), "sample-too-small")["message"]
    assert "by the formulas of Obuchowski and of Hanley and McNeil." in message
    assert "hanley-mcneil" not in message


def test_a_column_of_whole_numbers_has_strata_without_decimals():
    rng = np.random.default_rng(0)
    n = 120
    frame = pd.DataFrame(
        {"patient_id": range(n), "label": "ER", "y_true": rng.integers(0, 2, n), "y_score": rng.random(n)}
    ).assign(grade=np.where(np.arange(n) == 7, np.nan, np.arange(n) % 3 + 1.0))
    evaluation = evaluate(Predictions.from_frame(frame), n_boot=10, stratify_by=("grade",))
    assert list(evaluation.strata["stratum"]) == ["1", "2", "3"]
    assert evaluation.settings["stratify_by"] == ["grade"]


def test_small_strata_of_two_columns_with_the_same_values_are_told_apart():
    rng = np.random.default_rng(0)
    n = 120
    frame = pd.DataFrame(
        {"patient_id": range(n), "label": "ER", "y_true": rng.integers(0, 2, n), "y_score": rng.random(n)}
    ).assign(
        menopause=np.where(np.arange(n) < 15, "yes", "no"), smoker=np.where(np.arange(n) < 60, "yes", "no")
    )
    evaluation = evaluate(Predictions.from_frame(frame), n_boot=10, stratify_by=("menopause", "smoker"))
    small = [warning for warning in evaluation.warnings if warning["kind"] == "small-stratum"]
    assert [warning["where"] for warning in small] == ["all/ER/menopause yes"]
    assert small[0]["message"].startswith("The stratum menopause yes has a class of only ")
