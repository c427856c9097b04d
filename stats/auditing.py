"""The audit of a published table: every rule, one list of findings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .auc_findings import auc_findings
from .baseline_findings import baseline_findings
from .comparison_findings import comparison_findings
from .count_findings import count_findings
from .cut_off_figures import as_cut_off
from .finding import KINDS, WEIGHTS, Finding
from .interval_findings import interval_findings
from .macro_findings import macro_findings
from .published_reader import read_published_table
from .published_table import PublishedTable
from .sample_size_findings import sample_size_findings
from .solved_rows import SolvedRow, solved_rows
from .sum_findings import sum_findings

__all__ = ["audit"]


def audit(published: str | os.PathLike[str] | Mapping[str, Any] | PublishedTable) -> list[Finding]:
    """Search a published table for what cannot be.

    Parameters
    ----------
    published : path, dict or PublishedTable
        A YAML file, a dictionary of the same layout, or what `read_published_table` returned.

    Returns
    -------
    list of Finding
        The proven first, then by kind; empty for a table without contradictions.

    Raises
    ------
    InputFileError
        If the table cannot be read.

    Notes
    -----
    Every printed figure stands for the range of numbers that would be rounded to it, or cut off to it where that makes
    more rows possible. Nothing is reported that some
    usual method explains. What cannot be searched (a row without class counts that no other row fixes) is left out.

    Examples
    --------
    >>> table = {
    ...     "sets": {
    ...         "test": {
    ...             "labels": {"ER": {"pos": 20, "neg": 30}},
    ...             "rows": [{"model": "A", "label": "ER", "sen": "0.850", "spec": "0.700", "acc": "0.760"}],
    ...         }
    ...     }
    ... }
    >>> audit(table)
    []
    >>> table["sets"]["test"]["rows"][0]["sen"] = "0.830"
    >>> [(finding.kind, finding.where, finding.message) for finding in audit(table)]
    [('misprint', 'test/A/ER/sen', '0.830 cannot be; 0.850 would fit')]
    """
    table = published if isinstance(published, PublishedTable) else read_published_table(published)
    rows = solved_rows(table)
    possible = _n_possible(rows)
    findings = count_findings(rows)
    means = macro_findings(table, rows)
    cut_off = False
    if findings or means:
        # Some authors cut figures off instead of rounding them.
        other = as_cut_off(table)
        other_rows = solved_rows(other)
        other_possible = _n_possible(other_rows)
        if other_possible >= possible:
            other_findings = count_findings(other_rows)
            other_means = macro_findings(other, other_rows)
            cut_off = other_possible > possible or len(other_means) < len(means)
        if cut_off:
            table, rows, findings, means = other, other_rows, other_findings, other_means
    findings += means
    findings += interval_findings(table, rows)
    findings += auc_findings(table, rows)
    findings += comparison_findings(table)
    findings += sum_findings(table, rows)
    findings += sample_size_findings(table)
    findings += baseline_findings(table)
    if cut_off:
        said = " (Figures are read as cut off, not rounded: so more of them are possible.)"
        findings = [replace(finding, evidence=finding.evidence + said) for finding in findings]
    kinds = list(KINDS)
    return sorted(findings, key=lambda finding: (WEIGHTS.index(finding.weight), kinds.index(finding.kind)))


def _n_possible(rows: list[SolvedRow]) -> int:
    return sum(row.counts is not None and row.counts.possible for row in rows)
