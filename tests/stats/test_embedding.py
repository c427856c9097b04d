"""Separation of embeddings, against scikit-learn, brute force and simulated labels without meaning."""

import json
from pathlib import Path

import numpy as np
import pytest
from biomark.errors import BiomarkError, OneClassError
from biomark.stats import auc, embedding_separation, neighbour_auc, neighbour_shares, silhouette_values
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "explanation.json").read_text(encoding="utf-8"))


def data(n=60, d=4, shift=0.8, seed=0, digits=8):
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 5 < 2).astype(int)
    return np.round(rng.normal(size=(n, d)) + shift * y[:, None], digits), y


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("classes", [2, 4])
def test_silhouettes_are_those_of_scikit_learn(metric, classes):
    features, _ = data()
    labels = np.arange(60) % classes
    expected = silhouette_samples(features, labels, metric=metric)
    assert silhouette_values(features, labels, metric=metric) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("case", ORACLE["silhouettes"])
def test_silhouettes_are_those_of_r(case):
    found = silhouette_values(case["features"], case["labels"])
    assert found == pytest.approx(case["silhouette"], rel=1e-10, abs=1e-12)


def test_chunks_do_not_change_the_silhouettes(monkeypatch):
    features, y = data()
    whole, neighbours = silhouette_values(features, y), neighbour_auc(features, y)
    monkeypatch.setattr("biomark.stats.point_distances.CHUNK_CELLS", 200)
    assert silhouette_values(features, y) == pytest.approx(whole, abs=1e-14)
    assert neighbour_auc(features, y) == neighbours


def test_a_lone_member_and_equal_points_have_silhouette_zero():
    assert silhouette_values([[0.0], [1.0], [5.0]], [0, 0, 1])[2] == 0.0
    assert silhouette_values(np.ones((6, 2)), [0, 0, 0, 1, 1, 1]).tolist() == [0.0] * 6


def shares_by_definition(features, y, k, cluster=None):
    """Average the share of positives over every way to choose k nearest others."""
    distances = cdist(features, features)
    shares = []
    for i in range(len(y)):
        others = [j for j in range(len(y)) if (j != i if cluster is None else cluster[j] != cluster[i])]
        others.sort(key=lambda j, i=i: distances[i, j])
        edge = distances[i, others[k - 1]]
        nearer = [j for j in others if distances[i, j] < edge]
        level = [j for j in others if distances[i, j] == edge]
        shares.append((sum(y[nearer]) + (k - len(nearer)) * np.mean(y[level])) / k)
    return np.array(shares)


@pytest.mark.parametrize("digits", [8, 0])
@pytest.mark.parametrize("k", [1, 3, 10])
def test_neighbours_are_those_of_the_definition_with_ties_too(k, digits):
    features, y = data(digits=digits)
    expected = shares_by_definition(features, y, k)
    assert neighbour_shares(features, y, k=k) == pytest.approx(expected, abs=1e-12)
    assert neighbour_auc(features, y, k=k) == pytest.approx(auc(y, np.round(expected, 12)), abs=1e-12)


def test_points_of_one_cluster_are_not_neighbours():
    features, y = data()
    cluster = np.arange(60) // 3
    expected = shares_by_definition(features, y, 5, cluster)
    assert neighbour_shares(features, y, k=5, cluster=cluster) == pytest.approx(expected, abs=1e-12)


def test_values_and_p_are_those_of_a_loop_over_permutations():
    features, y = data(shift=0.3)
    found = embedding_separation(features, y, k=5, n_permutations=60, rng=3)
    drawn = np.random.default_rng(3).permuted(np.tile(y == 1, (60, 1)), axis=1)
    silhouettes = [silhouette_samples(features, labels).mean() for labels in drawn]
    aucs = [neighbour_auc(features, labels, k=5) for labels in drawn]
    assert found.silhouette == pytest.approx(silhouette_samples(features, y).mean(), abs=1e-12)
    assert found.neighbour_auc == pytest.approx(neighbour_auc(features, y, k=5), abs=1e-12)
    assert found.silhouette_chance == pytest.approx(np.mean(silhouettes), abs=1e-12)
    assert found.neighbour_auc_chance == pytest.approx(np.mean(aucs), abs=1e-12)
    assert found.silhouette_p_value == (1 + np.sum(np.array(silhouettes) >= found.silhouette)) / 61
    assert found.neighbour_auc_p_value == (1 + np.sum(np.array(aucs) >= found.neighbour_auc - 1e-12)) / 61


def test_two_far_groups_are_separated_as_far_as_can_be():
    features = np.repeat([[0.0], [1e6]], 15, axis=0) + np.arange(30)[:, None] % 15
    y = np.repeat([0, 1], 15)
    found = embedding_separation(features, y, n_permutations=99, rng=0)
    assert found.silhouette > 0.999 and found.neighbour_auc == 1.0
    assert found.silhouette_p_value == found.neighbour_auc_p_value == 0.01


def test_labels_without_meaning_are_rejected_as_often_as_the_level_says():
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1], [25, 15])
    found = [
        embedding_separation(rng.normal(size=(40, 3)), y, k=5, n_permutations=99, rng=k) for k in range(400)
    ]
    for p_values in ([f.silhouette_p_value for f in found], [f.neighbour_auc_p_value for f in found]):
        assert 0.025 < np.mean(np.array(p_values) <= 0.05) < 0.08
    # Leave one out is biased below 0.5 where there is nothing to find; the permutations know that.
    assert np.mean([f.neighbour_auc_chance for f in found]) < 0.49


def test_clusters_keep_the_level_where_points_alone_do_not():
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(16), 4)
    y = np.repeat(np.tile([0, 1], 8), 4)
    rejected = {"clusters": 0, "points": 0}
    for k in range(150):
        features = rng.normal(size=(16, 3))[cluster] + 0.3 * rng.normal(size=(64, 3))
        options = {"k": 5, "n_permutations": 99, "rng": k}
        rejected["points"] += embedding_separation(features, y, **options).silhouette_p_value <= 0.05
        rejected["clusters"] += (
            embedding_separation(features, y, cluster=cluster, **options).silhouette_p_value <= 0.05
        )
    assert rejected["clusters"] / 150 < 0.11
    assert rejected["points"] / 150 > 0.25


def test_the_same_seed_gives_the_same_answer():
    features, y = data()
    assert embedding_separation(features, y, n_permutations=50, rng=4) == embedding_separation(
        features, y, n_permutations=50, rng=4
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"metric": "manhattan"}, "metric must be one of euclidean, cosine"),
        ({"k": 60}, "k must be at most 59"),
        ({"k": 0}, "k must be a whole number of at least 1"),
        ({"features": np.zeros(60)}, r"shape \(n, d\)"),
        ({"features": np.full((60, 2), np.nan)}, "features must be finite, found nan in row 0, column 0"),
        ({"features": np.zeros((60, 2)), "metric": "cosine"}, "found row 0"),
        ({"features": np.ones((59, 2))}, "features must have 60 rows"),
        ({"features": "words"}, "must hold numbers"),
        ({"cluster": np.arange(60) // 3}, "16 of 20 have both"),
        ({"n_permutations": 0}, "n_permutations"),
    ],
)
def test_bad_input_is_refused(change, says):
    features, y = data()
    options = {"features": features, "y_true": y, "n_permutations": 9, "rng": 0} | change
    with pytest.raises(BiomarkError, match=says):
        embedding_separation(**options)


def test_too_few_of_a_class_are_refused():
    features, y = data()
    with pytest.raises(BiomarkError, match="at least two points of each class, found 1 and 59"):
        embedding_separation(features, np.arange(60) == 3)
    with pytest.raises(OneClassError):
        neighbour_auc(features, np.zeros(60))
    with pytest.raises(BiomarkError, match="at least two classes"):
        silhouette_values(features, np.zeros(60))
    with pytest.raises(BiomarkError, match="labels must have shape"):
        silhouette_values(features, y[:5])
