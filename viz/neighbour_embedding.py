"""Features of many dimensions as points in three: t-SNE with the paper's settings, and PCA and UMAP beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import BiomarkError, MissingExtraError
from ..stats.inputs import Seed, generator, whole_number
from ..stats.results import FloatArray, Result

__all__ = ["Embedding", "pca", "tsne", "umap"]

_TRUST_K, _TRUST_LEAST = 10, 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Embedding(Result):
    """Points of few dimensions.

    Attributes
    ----------
    coordinates : array of shape (n, n_components)
        Their unit has no meaning in t-SNE and UMAP.
    method : str
    settings : mapping of str to value
        All that is needed to make it again, and what the method says of its own fit.
    warning : str
        Why the picture should not be trusted; empty where nothing is known against it.
    """

    coordinates: FloatArray
    method: str
    settings: Mapping[str, Any]
    warning: str = ""

    @property
    def caption(self) -> str:
        """Method and settings in one line."""
        return (
            f"{self.method} ({', '.join(f'{name} {_shown(value)}' for name, value in self.settings.items())})"
        )


def tsne(
    features: ArrayLike,
    *,
    n_components: int = 3,
    perplexity: float = 30.0,
    learning_rate: float = 80.0,
    max_iter: int = 1000,
    min_grad_norm: float = 1e-7,
    init: str = "pca",
    rng: Seed = 0,
) -> Embedding:
    """Embed features by t-distributed stochastic neighbours (van der Maaten and Hinton 2008).

    Parameters
    ----------
    features : array of shape (n, d), finite
    n_components : 2 or 3
    perplexity : float, below n
        Roughly how many neighbours a point has. Barnes-Hut looks at three times as many, so n should be above
        3 perplexity + 1; the result's ``warning`` says where it is not.
    learning_rate, max_iter, min_grad_norm, init
        Of `sklearn.manifold.TSNE`; the defaults are those of the paper that biomark follows (80, 1,000, 1e-7, a start
        from the principal components).
    rng : seed or numpy.random.Generator

    Returns
    -------
    Embedding
        ``settings`` holds the iterations, the Kullback-Leibler divergence that was reached, and the trustworthiness:
        1 where the 10 nearest in the picture are among the nearest in the features (Venna and Kaski 2001).

    Raises
    ------
    BiomarkError
        For features that are not finite, a perplexity that is not below n, or fewer patients than components.

    Notes
    -----
    t-SNE keeps neighbours and nothing else: distances between groups, their sizes and densities mean nothing, and it
    draws groups into noise. With some tens of patients in three dimensions a learning rate of 80 may not settle
    within 1,000 iterations (docs/embedding.md shows a case). Judge separation on the features
    (`biomark.stats.embedding_separation`) and look at `pca`.

    References
    ----------
    van der Maaten L, Hinton G. J Mach Learn Res 2008;9:2579-2605. van der Maaten L. J Mach Learn Res
    2014;15:3221-3245 (Barnes-Hut; 3 perplexity neighbours, section 4.1).

    Examples
    --------
    >>> points = np.random.default_rng(0).normal(size=(60, 5))
    >>> found = tsne(points, perplexity=10, max_iter=250)
    >>> found.coordinates.shape, found.settings["perplexity"]
    ((60, 3), 10)
    """
    points = _checked(features, n_components)
    n = points.shape[0]
    if n_components > 3:
        raise BiomarkError(f"n_components must be 2 or 3, found {n_components}")
    if not 1.0 <= perplexity < n:
        raise BiomarkError(f"perplexity must be at least 1 and below the {n} patients, found {perplexity:g}")
    from sklearn.manifold import TSNE

    model = TSNE(
        n_components=n_components,
        perplexity=perplexity,
        learning_rate=learning_rate,
        max_iter=max_iter,
        min_grad_norm=min_grad_norm,
        init=init,
        random_state=int(generator(rng).integers(2**31)),
        n_jobs=1,
    )
    coordinates = np.asarray(model.fit_transform(points), dtype=np.float64)
    settings = {
        "perplexity": perplexity,
        "learning rate": learning_rate,
        "iterations": int(model.n_iter_) + 1,
        "start": init,
        "divergence": float(model.kl_divergence_),
    }
    return _judged(points, coordinates, "t-SNE", settings, perplexity_warning(perplexity, n))


def perplexity_warning(perplexity: float, n: int) -> str:
    """Return why a perplexity does not fit so many points, or nothing where it does.

    Examples
    --------
    >>> perplexity_warning(30, 88)
    'Perplexity 30 asks for 90 neighbours and there are 87: use at most 29.'
    >>> perplexity_warning(30, 91)
    ''
    """
    if 3.0 * perplexity <= n - 1:
        return ""
    return (
        f"Perplexity {perplexity:g} asks for {3.0 * perplexity:g} neighbours and there are {n - 1}: "
        f"use at most {(n - 1) // 3}."
    )


def pca(features: ArrayLike, *, n_components: int = 3) -> Embedding:
    """Project features on their principal components: the only picture here whose distances mean something.

    Parameters
    ----------
    features : array of shape (n, d), finite
    n_components : int

    Returns
    -------
    Embedding
        ``settings`` holds the share of the variance that is shown.

    Examples
    --------
    >>> found = pca([[0.0, 0.0, 0.0, 0.0], [3.0, 4.0, 0.0, 0.0], [6.0, 8.0, 0.0, 0.0]], n_components=1)
    >>> abs(found.coordinates.ravel()).round(6).tolist(), round(found.settings["variance shown"], 6)
    ([5.0, 0.0, 5.0], 1.0)
    """
    points = _checked(features, n_components)
    from sklearn.decomposition import PCA

    model = PCA(n_components=n_components, svd_solver="full")
    coordinates = np.asarray(model.fit_transform(points), dtype=np.float64)
    shown = float(np.nansum(model.explained_variance_ratio_))
    return _judged(points, coordinates, "PCA", {"variance shown": shown})


def umap(
    features: ArrayLike,
    *,
    n_components: int = 3,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    rng: Seed = 0,
) -> Embedding:
    """Embed features by uniform manifold approximation (McInnes 2018); needs umap-learn.

    Raises
    ------
    MissingExtraError
        Without umap-learn.
    """
    points = _checked(features, n_components)
    whole_number(n_neighbors, name="n_neighbors", least=2)
    try:
        learner = import_module("umap")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "umap":
            raise
        raise MissingExtraError("UMAP", "umap") from None
    model = learner.UMAP(
        n_components=n_components,
        n_neighbors=min(n_neighbors, points.shape[0] - 1),
        min_dist=min_dist,
        random_state=int(generator(rng).integers(2**31)),
        n_jobs=1,
    )
    coordinates = np.asarray(model.fit_transform(points), dtype=np.float64)
    return _judged(points, coordinates, "UMAP", {"neighbours": n_neighbors, "least distance": min_dist})


def _judged(
    points: FloatArray, coordinates: FloatArray, method: str, settings: dict[str, Any], warning: str = ""
) -> Embedding:
    """Add how far the picture can be trusted: whether those near in it are near in the features."""
    n = points.shape[0]
    k = min(_TRUST_K, (n - 1) // 2)
    if k >= 1:
        from sklearn.manifold import trustworthiness

        trust = float(trustworthiness(points, coordinates, n_neighbors=k))
        settings["trustworthiness"] = trust
        if trust < _TRUST_LEAST:
            warning = " ".join(
                [
                    *([warning] if warning else []),
                    f"Patients that are near in this picture are often not near in the features (trustworthiness "
                    f"{trust:.2f} of at most 1): do not read groups from it.",
                ]
            )
    return Embedding(coordinates, method, settings | {"n": n}, warning)


def _checked(features: ArrayLike, n_components: int) -> FloatArray:
    whole_number(n_components, name="n_components")
    try:
        points = np.asarray(features, dtype=np.float64)
    except (TypeError, ValueError):
        raise BiomarkError("features must hold numbers, shape (n, d)") from None
    if points.ndim != 2:
        raise BiomarkError(f"features must have shape (n, d), found {points.shape}")
    if not np.isfinite(points).all():
        row = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
        raise BiomarkError(f"features must be finite; row {row} is not")
    if min(points.shape) < n_components:
        raise BiomarkError(
            f"features of shape {points.shape} cannot be shown in {n_components} dimensions: as many patients "
            "and features are needed"
        )
    return points


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
