"""What every function of stats refuses, because it would otherwise become another number in silence."""

import numpy as np
import pandas as pd
import pytest
from biomark import stats
from biomark.errors import BiomarkError

Y = np.tile([0, 1], 10)
SCORE = np.random.default_rng(0).normal(size=20) + Y
PATIENT = np.arange(20) // 2

WRONG_SCORES = {
    "complex": (SCORE + 1j, "found values of type complex128"),
    "times": (np.arange(20).astype("M8[D]"), "found values of type datetime64"),
    "text": (np.array(["high"] * 20), "must hold numbers"),
    "missing": (pd.array([None, *range(19)], dtype="Int64"), "masked or missing values"),
    "masked": (np.ma.array(SCORE, mask=Y == 1), "masked or missing values"),
    "huge": (np.arange(20) + 2**62, r"beyond 2\*\*53"),
}
FUNCTIONS = {
    "auc": lambda score: stats.auc(Y, score),
    "calibration_metrics": lambda score: stats.calibration_metrics(Y, score),
    "delong_contrast_test": lambda score: stats.delong_contrast_test(Y, [score, score]),
    "clustered_auc_test": lambda score: stats.clustered_auc_test(Y, score, SCORE, PATIENT),
    "multilabel_metrics": lambda score: stats.multilabel_metrics(Y[:, None], score[:, None], [0.5]),
    "silhouette_values": lambda score: stats.silhouette_values(score[:, None], Y),
}


@pytest.mark.parametrize("kind", WRONG_SCORES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_scores_that_would_become_other_numbers_are_refused(function, kind):
    score, message = WRONG_SCORES[kind]
    if kind == "missing" and function not in {"auc", "calibration_metrics", "clustered_auc_test"}:
        score, message = (
            np.array([None, *range(19)], dtype=object),
            "must hold numbers|must be finite|finite wherever",
        )
    with pytest.raises(BiomarkError, match=message):
        FUNCTIONS[function](score)


def test_scores_of_another_length_are_refused_by_name():
    with pytest.raises(BiomarkError, match=r"score_b must have shape \(20,\)"):
        stats.clustered_auc_test(Y, SCORE, SCORE[1:], PATIENT)


def test_masked_labels_are_refused():
    with pytest.raises(BiomarkError, match="y_true holds masked or missing values"):
        stats.auc(np.ma.array(Y, mask=PATIENT == 3), SCORE)


def test_large_whole_numbers_that_stay_apart_are_scores():
    assert stats.auc(Y, 2**60 + 4096 * np.arange(20)) == stats.auc(Y, np.arange(20))


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        (np.where(Y == 1, np.nan, PATIENT), "must not be missing, found nan|must not be missing"),
        ([None, *PATIENT[1:].astype(str)], "must not be missing, found None at position 0"),
        (["a", *range(19)], "of one kind"),
    ],
)
def test_clusters_without_a_name_are_not_one_cluster(cluster, message):
    given = cluster if isinstance(cluster, np.ndarray) else np.array(cluster, dtype=object)
    with pytest.raises(BiomarkError, match=message):
        stats.auc_ci(Y, SCORE, cluster=given)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_features_of_any_scale_have_the_same_separation(scale):
    features = np.random.default_rng(1).normal(size=(20, 3)) + Y[:, None]
    here, there = (
        stats.embedding_separation(f, Y, k=3, n_permutations=50, rng=0) for f in (features, features * scale)
    )
    assert there.silhouette == pytest.approx(here.silhouette, rel=1e-12)
    assert there.neighbour_auc == here.neighbour_auc and there.silhouette_p_value == here.silhouette_p_value
