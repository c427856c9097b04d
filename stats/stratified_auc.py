"""The AUC, or the difference of two models, in every stratum: a table, and all that a forest plot draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .auc_interval import auc_ci
from .clustered import clustered_auc_test
from .delong import delong_test
from .inputs import binary_labels, choice, cluster_codes, finite_scores, fraction
from .interaction import AucInteraction, interaction_test
from .results import FloatArray, Result
from .strata import Strata
from .tests_of_difference import holm

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StratifiedAuc", "StratumEstimate", "auc_by_stratum"]

METHODS = ("delong", "delong-logit", "hanley-mcneil", "newcombe")


@dataclass(frozen=True, slots=True)
class StratumEstimate(Result):
    """One row of a forest plot.

    Attributes
    ----------
    variable, stratum : str
        Both empty for all patients together.
    n, n_pos, n_neg, n_clusters : int
    estimate, ci_low, ci_high, confidence : float
        The AUC, or the first model's less the second's; NaN where ``note`` says why.
    variance : float
    method, note : str
    """

    variable: str
    stratum: str
    n: int
    n_pos: int
    n_neg: int
    n_clusters: int
    estimate: float
    ci_low: float
    ci_high: float
    confidence: float
    variance: float
    method: str
    note: str


@dataclass(frozen=True, slots=True)
class StratifiedAuc(Result):
    """An AUC (or a difference of two) over all patients and in the strata of several variables.

    Attributes
    ----------
    overall : StratumEstimate
    rows : tuple of StratumEstimate
        In the order of the variables and their strata, empty strata included.
    variables : tuple of str
    interactions : tuple of AucInteraction or None
        One for each variable, over its strata that have an estimate; None where fewer than two have.
    p_values, p_holm : arrays of shape (variables,)
        Of the interactions, and corrected for the number of variables (Holm); NaN where there is no test.
    """

    overall: StratumEstimate
    rows: tuple[StratumEstimate, ...]
    variables: tuple[str, ...]
    interactions: tuple[AucInteraction | None, ...]
    p_values: FloatArray
    p_holm: FloatArray

    def to_frame(self) -> pd.DataFrame:
        """Return the forest plot as a table: all patients first, then the strata, p beside its variable."""
        import pandas as pd

        records = [row.to_dict() for row in (self.overall, *self.rows)]
        frame = pd.DataFrame(records)
        number = {name: k for k, name in enumerate(self.variables)}
        at = [number.get(name, -1) for name in frame.variable]
        for column, values in (("p_interaction", self.p_values), ("p_holm", self.p_holm)):
            frame[column] = [values[k] if k >= 0 else np.nan for k in at]
        numeric = ["estimate", "ci_low", "ci_high", "variance"]
        frame[numeric] = frame[numeric].astype(np.float64)
        return frame


def auc_by_stratum(
    y_true: ArrayLike,
    y_score: ArrayLike,
    strata: Strata | Mapping[str, Strata],
    *,
    score_b: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    method: str = "delong-logit",
    confidence: float = 0.95,
) -> StratifiedAuc:
    """Estimate an AUC in every stratum of one variable or several, and test each variable's interaction.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; both present
    y_score : array of shape (n,), finite; higher is more positive
    strata : Strata, or mapping of variable to Strata
        Of the same patients, from `stratify` or `cross_strata`.
    score_b : array of shape (n,), optional
        A second model: the estimates are then differences of paired AUCs.
    cluster : array of shape (n,), optional
        Who belongs together; Obuchowski's variances are then used, and ``method`` must be one of DeLong's.
    method : "delong", "delong-logit", "hanley-mcneil" or "newcombe"
        Interval of a single AUC; a difference has the interval of its test.
    confidence : float in (0, 1)

    Returns
    -------
    StratifiedAuc

    Raises
    ------
    OneClassError
        If one class is absent from all patients.
    BiomarkError
        For strata of other patients, or an unknown method.

    Notes
    -----
    A stratum without both classes, or with too few of one for a variance, keeps its row with the reason in
    ``note``, and stays out of its variable's interaction. Patients whose value is missing are in ``overall``
    only.

    References
    ----------
    `auc_ci`, `delong_test`, `interaction_test`. Cuzick J. Lancet 2005;365:1308 (reading a forest plot: compare
    each row with the overall estimate, not with no effect).

    Examples
    --------
    >>> from biomark.stats import stratify
    >>> rng = np.random.default_rng(0)
    >>> y, size = rng.integers(0, 2, 120), rng.uniform(5, 40, 120)
    >>> found = auc_by_stratum(y, y + rng.normal(size=120), {"size": stratify(size, thresholds=15, unit="mm")})
    >>> found.to_frame()[["variable", "stratum", "n"]].values.tolist()
    [['', '', 120], ['size', '≤ 15 mm', 27], ['size', '> 15 mm', 93]]
    """
    choice(method, METHODS, name="method")
    fraction(confidence, name="confidence")
    positive = binary_labels(y_true)
    score = finite_scores(y_score, positive.size)
    other = None if score_b is None else finite_scores(score_b, positive.size, name="score_b")
    codes = None if cluster is None else cluster_codes(cluster, positive.size)
    if codes is not None and method not in ("delong", "delong-logit"):
        raise BiomarkError(f"method {method!r} has no form for clustered data; use delong or delong-logit")
    by_variable = {"": strata} if isinstance(strata, Strata) else dict(strata)
    for variable, own in by_variable.items():
        if own.codes.shape != positive.shape:
            raise BiomarkError(
                f"strata {variable!r} must be of the same {positive.size} patients, found {own.codes.size}"
            )

    def estimated(variable: str, stratum: str, inside: NDArray[np.bool_]) -> StratumEstimate:
        rows = (score[inside], None if other is None else other[inside])
        within = None if codes is None else codes[inside]
        return _estimate(variable, stratum, positive[inside], *rows, within, method, confidence)

    overall = estimated("", "", np.ones(positive.size, dtype=bool))
    rows: list[StratumEstimate] = []
    interactions: list[AucInteraction | None] = []
    for variable, own in by_variable.items():
        parts = [estimated(variable, name, own.codes == k) for k, name in enumerate(own.names)]
        usable = [k for k, part in enumerate(parts) if not part.note]
        rows += parts
        interactions.append(
            interaction_test(
                positive, score, np.where(np.isin(own.codes, usable), own.codes, -1),
                score_b=other, cluster=codes, confidence=confidence,
            )
            if len(usable) > 1
            else None
        )  # fmt: skip
    p_values = np.array([np.nan if test is None else test.p_value for test in interactions], dtype=np.float64)
    return StratifiedAuc(
        overall, tuple(rows), tuple(by_variable), tuple(interactions), p_values, holm(p_values)
    )


def _estimate(
    variable: str,
    stratum: str,
    positive: NDArray[np.bool_],
    score: FloatArray,
    other: FloatArray | None,
    codes: NDArray[np.intp] | None,
    method: str,
    confidence: float,
) -> StratumEstimate:
    n_pos = int(np.count_nonzero(positive))
    n_clusters = positive.size if codes is None else int(np.unique(codes).size)
    counted = positive.size, n_pos, positive.size - n_pos, n_clusters
    nan = float("nan")
    try:
        if other is None:
            found = auc_ci(positive, score, method=method, confidence=confidence, cluster=codes)
            values = found.auc, found.ci_low, found.ci_high, found.variance
            named = found.method
        else:
            pair = (
                delong_test(positive, score, other, confidence=confidence)
                if codes is None
                else clustered_auc_test(positive, score, other, codes, confidence=confidence)
            )
            values = pair.difference, pair.ci_low, pair.ci_high, pair.variance
            named = pair.method
    except BiomarkError as error:
        return StratumEstimate(
            variable, stratum, *counted, nan, nan, nan, confidence, nan, method, str(error)
        )
    estimate, low, high, variance = values
    few = codes is None and min(counted[1:3]) < 2
    note = "too few patients of one class for DeLong's variance: not in the interaction" if few else ""
    return StratumEstimate(
        variable, stratum, *counted, estimate, low, high, confidence, variance, named, note
    )
