"""A planned comparison of two AUCs: its variance under either hypothesis, its power and the size it needs.

R's pROC takes the null variance from the first curve alone, so that exchanging the two changes its answer.
Here both AUCs are moved, by the same amount, to the nearest pair that satisfies the null hypothesis, and the
answer does not depend on which is named first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from ..errors import BiomarkError
from .inputs import fraction
from .normal_power import normal_power, required_size
from .planned_variance import planned_auc_variance

__all__ = ["ComparisonPlan", "Size", "comparison_plan"]

Size = tuple[float, float]  # positives and negatives of a group


class ComparisonPlan(NamedTuple):
    """What is expected of two AUCs, what is tested, and how.

    Attributes
    ----------
    areas, null_areas : pairs of float
        The two AUCs under the alternative, and under the null hypothesis.
    null_difference : float
        Difference A - B under the null hypothesis.
    correlation : float
        Correlation of the two estimates; 0 for separate groups.
    alpha : float
    alternative, method : str
    """

    areas: tuple[float, float]
    null_areas: tuple[float, float]
    null_difference: float
    correlation: float
    alpha: float
    alternative: str
    method: str

    @property
    def gap(self) -> float:
        """Distance of the expected difference from the null one."""
        return self.areas[0] - self.areas[1] - self.null_difference

    def variance(self, areas: tuple[float, float], size_a: Size, size_b: Size) -> float:
        """Return the variance of the difference of two estimates with these true AUCs and sizes."""
        var_a = planned_auc_variance(areas[0], *size_a, method=self.method)
        var_b = planned_auc_variance(areas[1], *size_b, method=self.method)
        return var_a + var_b - 2.0 * self.correlation * math.sqrt(var_a * var_b)

    def power(self, size_a: Size, size_b: Size) -> float:
        """Return the power with groups (or one group, named twice) of these sizes."""
        return normal_power(
            self.gap,
            self.variance(self.null_areas, size_a, size_b),
            self.variance(self.areas, size_a, size_b),
            alpha=self.alpha,
            alternative=self.alternative,
        )

    def required(self, power: float, sizes: Callable[[float], tuple[Size, Size]]) -> float:
        """Return the unrounded number that ``sizes`` turns into sizes of the power asked for."""
        return required_size(
            self.gap,
            lambda n_pos: self.variance(self.null_areas, *sizes(n_pos)),
            lambda n_pos: self.variance(self.areas, *sizes(n_pos)),
            power=power,
            alpha=self.alpha,
            alternative=self.alternative,
        )

    def asked(self) -> dict[str, Any]:
        """Return what results repeat of the plan."""
        return {
            "auc_a": self.areas[0],
            "auc_b": self.areas[1],
            "null_difference": self.null_difference,
            "alpha": self.alpha,
            "alternative": self.alternative,
            "method": self.method,
        }


def comparison_plan(
    auc_a: float,
    auc_b: float,
    null_difference: float,
    correlation: float,
    alpha: float,
    alternative: str,
    method: str,
) -> ComparisonPlan:
    """Check what is expected and tested, and find the nearest pair of AUCs that satisfies the null hypothesis.

    With m the mean of the two AUCs and d the null difference the pair is (m + d/2, m - d/2).
    """
    areas = (fraction(auc_a, name="auc_a"), fraction(auc_b, name="auc_b"))
    if not -1.0 < correlation < 1.0:
        raise BiomarkError(f"correlation must lie strictly between -1 and 1, found {correlation!r}")
    # An expected 0.85 - 0.75 and a null 0.1 are the same difference, whatever binary fractions make of them.
    if math.isclose(auc_a - auc_b, null_difference, rel_tol=1e-9, abs_tol=1e-12):
        raise BiomarkError(
            "the expected difference auc_a - auc_b must not be null_difference, found "
            f"{null_difference:g} for both; give the AUCs that are expected, or a margin as null_difference"
        )
    mean = sum(areas) / 2.0
    null_areas = (mean + null_difference / 2.0, mean - null_difference / 2.0)
    if not (0.0 < min(null_areas) and max(null_areas) < 1.0):
        raise BiomarkError(
            f"null_difference {null_difference:g} puts the AUCs under the null at {null_areas[0]:g} and "
            f"{null_areas[1]:g}; both must lie strictly between 0 and 1"
        )
    alpha = fraction(alpha, name="alpha")
    return ComparisonPlan(
        areas, null_areas, float(null_difference), float(correlation), alpha, alternative, method
    )
