"""Printed p-values of two AUCs that contradict the printed intervals."""

from __future__ import annotations

from scipy import stats

from .auc_interval import hanley_mcneil_variance
from .finding import Finding, place
from .printed_interval import centred
from .printed_value import PrintedEstimate
from .published_table import ClassCounts, PublishedSet, PublishedTable

__all__ = ["comparison_findings", "paired_p_range"]

# Shares by which a standard error of the bootstrap, or of Hanley and McNeil's model, may differ from DeLong's.
BOOTSTRAP_SLACK, MODEL_SLACK = 0.1, 0.25

Range = tuple[float, float]


def comparison_findings(table: PublishedTable) -> list[Finding]:
    """Hold each printed p-value against the two printed AUCs and their intervals.

    Parameters
    ----------
    table : PublishedTable

    Returns
    -------
    list of Finding
        ``p-value-inconsistent``, where no correlation of the two AUCs gives the printed p-value.

    Notes
    -----
    The standard errors follow from the widths of the intervals, which must be symmetric; a comparison of intervals
    that are not is passed over. What a tenth more or less in the standard errors would allow, as between DeLong's
    and a bootstrap's, is likely and not proven; what a quarter would allow is silent where both intervals could be
    Hanley and McNeil's.
    """
    findings: list[Finding] = []
    for part in table.sets:
        for comparison in part.comparisons:
            a, b = (_auc(part, model, comparison.label) for model in comparison.models)
            if a is None or b is None or not centred(a) or not centred(b):
                continue
            low, high = paired_p_range(a, b, table.confidence)
            if not comparison.p.meets(low, high):
                classes = part.labels.get(comparison.label)
                wider = paired_p_range(a, b, table.confidence, slack=MODEL_SLACK)
                if all(
                    _hanley_mcneil(cell, classes, table.confidence) for cell in (a, b)
                ) and comparison.p.meets(*wider):
                    continue
                wider = paired_p_range(a, b, table.confidence, slack=BOOTSTRAP_SLACK)
                findings.append(
                    Finding(
                        "p-value-inconsistent", place(part.name, "", comparison.label, "p"),
                        f"p {comparison.p.text} is impossible with these intervals",
                        f"AUCs of {a} and {b} give a two-sided p between {low:.3g} and {high:.3g} whatever the "
                        f"correlation of the two models; {comparison.p.text} is printed.",
                        "likely" if comparison.p.meets(*wider) else "proven",
                    )
                )  # fmt: skip
    return findings


def paired_p_range(a: PrintedEstimate, b: PrintedEstimate, confidence: float, *, slack: float = 0.0) -> Range:
    """Return the least and the greatest two-sided p of the difference, for correlations from -1 to 1.

    The variance of the difference is s_a^2 + s_b^2 - 2 r s_a s_b, so its root lies between |s_a - s_b| and
    s_a + s_b; each figure ranges over what would be printed so, and each s over a share ``slack`` to either side.

    References
    ----------
    DeLong ER et al. Biometrics 1988;44:837-845, eq. 8 (the test of a contrast).
    """
    z = float(stats.norm.ppf(0.5 + confidence / 2.0))
    (a_low, a_high), (b_low, b_high) = _standard_error(a, z, slack), _standard_error(b, z, slack)
    apart = max(0.0, abs(a.value.value - b.value.value) - (a.value.unit + b.value.unit) / 2.0)
    furthest = abs(a.value.value - b.value.value) + (a.value.unit + b.value.unit) / 2.0
    least_error = max(0.0, a_low - b_high, b_low - a_high)
    greatest_p = 2.0 * float(stats.norm.sf(apart / (a_high + b_high))) if a_high + b_high > 0.0 else 1.0
    least_p = 2.0 * float(stats.norm.sf(furthest / least_error)) if least_error > 0.0 else 0.0
    # With no difference at all the test is undefined only where the error is 0 too.
    return (least_p if furthest > 0.0 else 1.0), greatest_p


def _auc(part: PublishedSet, model: str, label: str) -> PrintedEstimate | None:
    found = [
        row.cells["auc"]
        for row in part.rows
        if (row.model, row.label) == (model, label) and "auc" in row.cells
    ]
    return found[0] if found else None


def _hanley_mcneil(printed: PrintedEstimate, classes: ClassCounts | None, confidence: float) -> bool:
    """Whether the interval is Hanley and McNeil's, whose width says little of DeLong's variance."""
    if classes is None or not classes.pos or not classes.neg or not 0.0 <= printed.value.value <= 1.0:
        return False
    z = float(stats.norm.ppf(0.5 + confidence / 2.0))
    half = z * hanley_mcneil_variance(printed.value.value, classes.pos, classes.neg) ** 0.5
    assert printed.ci_low is not None and printed.ci_high is not None
    unit = printed.value.unit
    return bool(
        abs(printed.ci_low.value + half - printed.value.value) <= unit
        and (abs(printed.ci_high.value - half - printed.value.value) <= unit)
    )


def _standard_error(printed: PrintedEstimate, z: float, slack: float) -> Range:
    assert printed.ci_low is not None and printed.ci_high is not None
    widest, narrowest = printed.ci_high.high - printed.ci_low.low, printed.ci_high.low - printed.ci_low.high
    return (1.0 - slack) * max(0.0, narrowest) / (2.0 * z), (1.0 + slack) * widest / (2.0 * z)
