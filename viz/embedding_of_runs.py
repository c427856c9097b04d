"""What ``biomark embed`` does: the features of trained networks as pictures, with their separation in numbers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from ..stats.embedding import EmbeddingSeparation, embedding_separation
from ..stats.inputs import Seed
from ..stats.results import FloatArray, plain
from .csv_table import csv_text
from .embedding import EmbeddingPanel, separation_in_words
from .embedding_page import embedding_html
from .neighbour_embedding import Embedding, pca, tsne, umap

if TYPE_CHECKING:
    from ..zoo.training_data import VolumeData
    from .explained_runs import RunsOnCohort

__all__ = ["FILES", "Embeddings", "embed", "features_of_runs", "fill_embeddings", "write_embeddings"]

FILES = ("embedding.html", "embedding.csv", "separation.json")
"""What `write_embeddings` writes."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Pictures of the features of some models, and how well these separate each label.

    Attributes
    ----------
    panels : tuple of EmbeddingPanel
        One for each model, label and method.
    separations : dict of (model, label) to EmbeddingSeparation, or None where a class has fewer than two patients
    """

    panels: tuple[EmbeddingPanel, ...]
    separations: dict[tuple[str, str], EmbeddingSeparation | None]


def embed(
    features: Mapping[str, ArrayLike],
    y_true: Mapping[str, ArrayLike],
    patient_id: Sequence[str],
    *,
    perplexity: float = 30.0,
    learning_rate: float = 80.0,
    k: int = 10,
    n_permutations: int = 999,
    with_umap: bool = False,
    rng: Seed = 0,
    progress: Progress | None = None,
) -> Embeddings:
    """Embed the features of each model by t-SNE, PCA and, if asked, UMAP, and measure how they separate each label.

    Parameters
    ----------
    features : mapping of model to array of shape (n, d), at least one
    y_true : mapping of label to array of shape (n,): 0, 1 or NaN, at least one
    patient_id : sequence of n str
    perplexity, learning_rate : float
        Of `tsne`. A perplexity that is not below n is refused.
    k, n_permutations : int
        Of `biomark.stats.embedding_separation`; k is lowered to a third of the other patients where it
        is more.
    with_umap : bool
        Needs umap-learn: ``pip install 'biomark[umap]'``.
    rng : seed or numpy.random.Generator
    progress : function of (what, done, total), optional

    Returns
    -------
    Embeddings

    Raises
    ------
    BiomarkError
        Without a model or a label, or as `tsne`, `pca` and `umap`.
    """
    if not features or not y_true:
        raise BiomarkError("embedding needs at least one model and one label")
    panels, separations = [], {}
    for done, (model, given) in enumerate(features.items()):
        if progress is not None:
            progress("embedding", done, len(features))
        points = np.asarray(given, dtype=np.float64)
        pictures: list[Embedding] = [
            tsne(points, perplexity=perplexity, learning_rate=learning_rate, rng=rng),
            pca(points),
        ]
        if with_umap:
            pictures.append(umap(points, rng=rng))
        for label, truth in y_true.items():
            y = np.asarray(truth, dtype=np.float64)
            measured = separations[model, label] = _separation(points, y, k, n_permutations, rng)
            panels += [EmbeddingPanel(model, label, picture, y, patient_id, measured) for picture in pictures]
    return Embeddings(tuple(panels), separations)


def write_embeddings(
    found: Embeddings, path: str | os.PathLike[str], *, simulated: bool = False, note: str = ""
) -> None:
    """Write ``embedding.html``, ``embedding.csv`` (each patient's place) and ``separation.json`` into a folder.

    Parameters
    ----------
    found : Embeddings
    path : path
    simulated : bool
        Say on the page that the patients are simulated.
    note : str
        Stands on the page, for instance which set is shown.
    """
    from .report_folder import replace_folder

    with replace_folder(path) as folder:
        fill_embeddings(found, folder, simulated=simulated, note=note)


def fill_embeddings(
    found: Embeddings, folder: Path, *, simulated: bool = False, note: str = "", back: str = ""
) -> None:
    """Write the files of `write_embeddings` into an empty folder.

    Parameters
    ----------
    found, simulated, note
        As for `write_embeddings`.
    folder : Path
        Made where it does not exist.
    back : str
        Address of the page that leads here, relative to the folder.
    """
    import pandas as pd

    folder.mkdir(parents=True, exist_ok=True)
    embedding_html(found.panels, folder / "embedding.html", simulated=simulated, note=note, back=back)
    parts = []
    for panel in found.panels:
        points = panel.embedding.coordinates
        columns = {axis: points[:, k] for k, axis in enumerate("xyz"[: points.shape[1]])}
        head = {
            "patient_id": list(panel.patient_id),
            "model": panel.model,
            "method": panel.embedding.method,
        }
        parts.append(pd.DataFrame(head | {"label": panel.label, "y_true": panel.y_true} | columns))
    table = csv_text(pd.concat(parts, ignore_index=True))
    (folder / "embedding.csv").write_text(table, encoding="utf-8", newline="\n")
    rows = [
        {
            "model": model,
            "label": label,
            "separation": measured,
            "sentence": separation_in_words(measured),
        }
        for (model, label), measured in found.separations.items()
    ]
    text = json.dumps(plain(rows), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "separation.json").write_text(text + "\n", encoding="utf-8", newline="\n")


def features_of_runs(
    runs: RunsOnCohort, *, batch_size: int = 8, progress: Progress | None = None
) -> dict[str, NDArray[np.float64]]:
    """Return the features (n, F) of each run for the patients that were asked for."""
    from ..zoo.inference import run_network
    from ..zoo.precision import choose_precision
    from ..zoo.training_data import volume_data

    data = volume_data(runs.cached, runs.rows)
    features = {}
    model: Any
    for done, (name, model) in enumerate(runs.models.items()):
        if progress is not None:
            progress("features", done, len(runs.models))
        device = next(model.parameters()).device
        own = data if data.labels == model.labels else _with_labels(data, tuple(model.labels))
        found = run_network(
            model,
            own,
            np.arange(len(data)),
            batch_size=batch_size,
            device=device,
            precision=choose_precision("auto", device),
        )
        features[name] = found.features
    return features


def _with_labels(data: VolumeData, labels: tuple[str, ...]) -> VolumeData:
    at = [data.labels.index(label) for label in labels]
    return replace(data, labels=labels, y_true=data.y_true[:, at])


def _separation(
    points: FloatArray, y: FloatArray, k: int, n_permutations: int, rng: Seed
) -> EmbeddingSeparation | None:
    known = ~np.isnan(y)
    n, n_pos = int(known.sum()), int((y[known] == 1).sum())
    if min(n_pos, n - n_pos) < 2:
        return None
    return embedding_separation(
        points[known], y[known], k=min(k, max(1, (n - 1) // 3)), n_permutations=n_permutations, rng=rng
    )
