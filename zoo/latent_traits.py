"""How simulated biomarkers hang on what an image shows: latent traits, logistic links, and the best AUC they allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from ..errors import BiomarkError
from ..stats.inputs import fraction
from ..stats.results import FloatArray

__all__ = ["TRAITS", "LatentModel"]

TRAITS = ("spiculation", "retraction", "shadow", "calcification", "size", "echo")
"""What a mass looks like, each standard normal; ``echo`` is high in a mass that is little darker than fat."""

# Directions as reported for luminal and HER2-enriched cancers; their lengths set how much of the label is visible.
_EFFECTS: dict[str, dict[str, float]] = {
    "ER": {"shadow": 0.8, "spiculation": 0.6},
    "PR": {"retraction": 0.65, "echo": 0.6, "shadow": 0.4},
    "HER2": {"calcification": 0.65, "size": 0.7, "echo": -0.25},
}
_PREVALENCE = {"ER": 0.77, "PR": 0.71, "HER2": 0.41}
_GRID = np.linspace(-12.0, 12.0, 24001)


@dataclass(frozen=True, slots=True)
class LatentModel:
    """Labels given traits: P(label = 1 | z) = 1 / (1 + exp(-(b + strength c . z))), z standard normal.

    Attributes
    ----------
    effects : mapping of label to mapping of trait to coefficient
        Log odds ratio per standard deviation of the trait.
    prevalence : mapping of label to fraction
        Share of positives; the intercept b follows from it.
    strength : float
        Multiplies all coefficients; 0 is the control, in which no image says anything of a label.
    agreement : float
        Correlation of the labels that no trait explains (Gaussian copula, the same for every pair), 0 to below 1.

    Notes
    -----
    The score c . z orders patients by their posterior odds, so its AUC is the best that any reader of the image can
    have for that label (Neyman and Pearson); the copula leaves each label's own link as it is. The image shows the
    traits through speckle, so what can be reached is less.

    Prevalences are those of the text of Huang et al. 2024 for ER and PR (300 and 276 of 388) and of its Table 2 for
    HER2 (160 of 388); the directions of the effects follow the field's reports (Zheng et al. 2017, Eur J Radiol
    86:267), the strengths are invented.

    Examples
    --------
    >>> LatentModel().with_best_auc(0.9).best_auc()["ER"]
    0.9
    >>> LatentModel(strength=0).best_auc()
    {'ER': 0.5, 'PR': 0.5, 'HER2': 0.5}
    """

    effects: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: _EFFECTS)
    prevalence: Mapping[str, float] = field(default_factory=lambda: _PREVALENCE)
    strength: float = 4.0
    agreement: float = 0.4

    def __post_init__(self) -> None:
        if not self.effects:
            raise BiomarkError("effects must name at least one label")
        for label, of in self.effects.items():
            unknown = [trait for trait in of if trait not in TRAITS]
            if unknown:
                raise BiomarkError(f"unknown trait {unknown[0]!r} of {label}; known are {', '.join(TRAITS)}")
            if label not in self.prevalence:
                raise BiomarkError(f"the prevalence of {label} is missing")
            fraction(self.prevalence[label], name=f"prevalence of {label}")
        if not np.isfinite(self.strength):
            raise BiomarkError(f"strength must be finite, found {self.strength!r}")
        if not 0 <= self.agreement < 1:
            raise BiomarkError(f"agreement must be 0 or more and below 1, found {self.agreement!r}")

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in order."""
        return tuple(self.effects)

    def coefficients(self) -> FloatArray:
        """Return the log odds ratios, shape (labels, traits), the strength included."""
        table = [[of.get(trait, 0.0) for trait in TRAITS] for of in self.effects.values()]
        return self.strength * np.array(table, dtype=np.float64)

    def intercepts(self) -> FloatArray:
        """Return the intercept of each label, shape (labels,), which gives it its prevalence."""
        slopes = np.linalg.norm(self.coefficients(), axis=1)
        return np.array(
            [_intercept(s, self.prevalence[name]) for s, name in zip(slopes, self.labels, strict=True)]
        )

    def probabilities(self, traits: FloatArray) -> FloatArray:
        """Return P(label = 1 | traits) for traits of shape (n, traits), shape (n, labels)."""
        return np.asarray(special.expit(traits @ self.coefficients().T + self.intercepts()))

    def draw(self, n: int, rng: np.random.Generator) -> tuple[FloatArray, NDArray[np.int64]]:
        """Draw patients.

        Returns
        -------
        traits : array of shape (n, traits)
            The same for every strength, given the same generator.
        labels : array of shape (n, labels), 0 or 1
        """
        traits = rng.standard_normal((n, len(TRAITS)))
        shared = rng.standard_normal((n, 1))
        own = rng.standard_normal((n, len(self.labels)))
        luck = stats.norm.cdf(np.sqrt(self.agreement) * shared + np.sqrt(1 - self.agreement) * own)
        return traits, (luck < self.probabilities(traits)).astype(np.int64)

    def best_auc(self) -> dict[str, float]:
        """Return the largest AUC that is possible for each label, by quadrature, rounded to 10 digits."""
        slopes = np.linalg.norm(self.coefficients(), axis=1)
        return {
            name: round(_best_auc(slope, self.prevalence[name]), 10)
            for slope, name in zip(slopes, self.labels, strict=True)
        }

    def with_best_auc(self, auc: float | Mapping[str, float]) -> LatentModel:
        """Return the model whose coefficients are scaled so that the best possible AUCs are those asked for.

        Parameters
        ----------
        auc : float or mapping of label to float, from 0.5 to 0.999
            0.5 leaves that label without any effect.
        """
        wanted = dict.fromkeys(self.labels, auc) if isinstance(auc, (int, float)) else dict(auc)
        unknown = [name for name in wanted if name not in self.effects]
        if unknown:
            raise BiomarkError(f"there is no label {unknown[0]!r}; there are {', '.join(self.labels)}")
        effects = {}
        for name, of in self.effects.items():
            target = wanted.get(name)
            if target is None or not 0.5 <= target <= 0.999:
                raise BiomarkError(f"the best AUC of {name} must lie within 0.5 to 0.999, found {target!r}")
            length = float(np.linalg.norm(list(of.values())))
            if length == 0 and target > 0.5:
                raise BiomarkError(f"{name} has no effect to scale; give it a trait")
            slope = _slope(target, self.prevalence[name])
            effects[name] = {trait: 0.0 if target == 0.5 else c * slope / length for trait, c in of.items()}
        return replace(self, effects=effects, strength=1.0)


def _intercept(slope: float, prevalence: float) -> float:
    density = stats.norm.pdf(_GRID)

    def excess(b: float) -> float:
        return float(np.trapezoid(density * special.expit(b + slope * _GRID), _GRID)) - prevalence

    reach = 40.0 + 10.0 * abs(slope)
    return float(optimize.brentq(excess, -reach, reach, xtol=1e-12))


def _best_auc(slope: float, prevalence: float) -> float:
    """P(u1 > u0) for the score u = c . z / |c|, standard normal: the integral of f1(u) F0(u)."""
    if slope == 0:
        return 0.5
    positive = special.expit(_intercept(slope, prevalence) + slope * _GRID)
    density = stats.norm.pdf(_GRID)
    f1 = density * positive
    f0 = density * (1 - positive)
    step = _GRID[1] - _GRID[0]
    below = np.concatenate([[0.0], np.cumsum((f0[1:] + f0[:-1]) * step / 2)])
    return float(np.trapezoid(f1 * below, _GRID) / (np.trapezoid(f1, _GRID) * below[-1]))


def _slope(auc: float, prevalence: float) -> float:
    if auc == 0.5:
        return 0.0
    return float(
        optimize.brentq(lambda slope: _best_auc(slope, prevalence) - auc, 1e-6, 1e4, xtol=1e-12, rtol=1e-14)
    )
