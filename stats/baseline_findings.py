"""A printed baseline table: counts, percentages, pooled means and p-values that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

import numpy as np
from scipy import stats

from .finding import Finding, place
from .printed_value import PrintedValue
from .published_table import BaselineRow, PublishedTable

__all__ = ["baseline_findings"]


def baseline_findings(table: PublishedTable) -> list[Finding]:
    """Check each characteristic of the baseline table.

    Parameters
    ----------
    table : PublishedTable

    Returns
    -------
    list of Finding
        ``sum-mismatch`` for counts, percentages and means that do not fit each other, ``p-value-inconsistent`` where
        no usual test gives the printed p: chi-square with and without correction or Fisher's test for counts, Welch's
        or Student's t for means.

    Notes
    -----
    Groups with missing values have other sizes than those printed: what they could explain is not called proven.
    A t-test is judged over every value that would be printed as the means and standard deviations are; the p-value
    of a rank test cannot be told from them, so that the finding is worth asking about and not proven.
    """
    findings: list[Finding] = []
    for row in table.baseline:
        findings += _counts(table, row)
        findings += _means(table, row)
        findings += _p_of_means(table, row)
    return findings + _p_of_counts(table)


def _others(table: PublishedTable) -> list[str]:
    return [group for group in table.groups if group != table.whole]


def _counts(table: PublishedTable, row: BaselineRow) -> Iterator[Finding]:
    others, whole = _others(table), table.whole or ""
    for level, groups in row.levels.items():
        name = row.name if level == "yes" else f"{row.name} {level}"
        where = place("baseline", "", row.name, "" if level == "yes" else level)
        for group, (count, percent) in groups.items():
            n = table.groups[group]
            if n == 0:
                continue
            if count.value > n:
                yield _sum(where, f"{name}: {count.text} of {n} patients in {group}.")
            scaled = None if percent is None else count.value / n * (1.0 if "%" in percent.text else 100.0)
            if percent is not None and scaled is not None and not percent.fits(scaled):
                yield _sum(
                    where,
                    f"{name}: {count.text} of {n} patients in {group} is {100 * count.value / n:.1f}%; "
                    f"{percent.text} is printed.",
                )
        if whole in groups and all(group in groups for group in others):
            made = sum(groups[group][0].value for group in others)
            if made != groups[whole][0].value:
                yield _sum(
                    where,
                    f"{name}: {' + '.join(groups[g][0].text for g in others)} is {made:.0f}; "
                    f"{groups[whole][0].text} is printed for {table.whole}.",
                )
    if row.complete:
        for group, n in table.groups.items():
            counts = [groups[group][0].value for groups in row.levels.values() if group in groups]
            if counts and len(counts) == len(row.levels) and sum(counts) > n:
                yield _sum(
                    place("baseline", "", row.name),
                    f"{row.name}: the levels in {group} add up to {sum(counts):.0f} of {n} patients.",
                )


def _means(table: PublishedTable, row: BaselineRow) -> Iterator[Finding]:
    others, whole = _others(table), table.whole or ""
    if whole not in row.mean_sd or not all(group in row.mean_sd for group in others) or not others:
        return
    sizes = np.array([table.groups[group] for group in others], dtype=np.float64)
    means = [row.mean_sd[group][0] for group in others]
    low, high = (
        float(sizes @ np.array(ends) / sizes.sum())
        for ends in ([m.low for m in means], [m.high for m in means])
    )
    printed = row.mean_sd[whole][0]
    if not printed.meets(low, high):
        outside = not printed.meets(min(m.low for m in means), max(m.high for m in means))
        yield Finding(
            "sum-mismatch", place("baseline", "", row.name), f"{printed.text} is not the mean of its groups",
            f"{row.name}: means of {' and '.join(m.text for m in means)} in {' and '.join(others)} "
            f"({' and '.join(str(int(n)) for n in sizes)} patients) pool to between {low:.2f} and {high:.2f}; "
            f"{printed.text} is printed for {table.whole}.",
            "proven" if outside else "likely",
        )  # fmt: skip


def _p_of_counts(table: PublishedTable) -> list[Finding]:
    findings: dict[str, Finding] = {}
    wrong: dict[str, tuple[BaselineRow, dict[str, float]]] = {}
    for row in table.baseline:
        tests = _tests_of_counts(table, row)
        if row.p is None or not tests or any(bool(row.p.fits(p)) for p in tests.values()):
            continue
        where = place("baseline", "", row.name, "p")
        said = ", ".join(f"{name} {p:.3f}" for name, p in tests.items())
        wrong[where] = (row, tests)
        findings[where] = Finding(
            "p-value-inconsistent", where, f"no usual test gives p {row.p.text}",
            f"{row.name}: the printed counts give {said}; {row.p.text} is printed.",
            "worth asking",
        )  # fmt: skip
    for (here, (a, tests_a)), (there, (b, tests_b)) in combinations(wrong.items(), 2):
        assert a.p is not None and b.p is not None
        both = [
            name
            for name in tests_a
            if bool(b.p.fits(tests_a[name])) and bool(a.p.fits(tests_b.get(name, np.nan)))
        ]
        if not both:
            continue
        for where, row, other in ((here, a, b), (there, b, a)):
            assert row.p is not None and other.p is not None
            findings[where] = replace(
                findings[where], kind="swapped-rows", weight="likely",
                message=f"p {row.p.text} and {other.p.text} of {other.name} are exchanged",
                evidence=f"{findings[where].evidence[:-1]}; the {both[0]} p-values of {a.name} and {b.name} are "
                f"{tests_a[both[0]]:.3f} and {tests_b[both[0]]:.3f}, the printed ones exchanged.",
            )  # fmt: skip
    return list(findings.values())


def _tests_of_counts(table: PublishedTable, row: BaselineRow) -> dict[str, float]:
    """p-values of the usual tests of the printed counts; empty where the counts do not allow any."""
    groups = _others(table)
    if row.p is None or len(groups) < 2 or not row.levels:
        return {}
    if not all(group in counts for counts in row.levels.values() for group in groups):
        return {}
    cells = np.array([[counts[group][0].value for group in groups] for counts in row.levels.values()])
    if not row.complete or len(row.levels) == 1:
        cells = np.vstack(
            [cells, [table.groups[group] - cells[:, k].sum() for k, group in enumerate(groups)]]
        )
    if (cells < 0).any() or (cells.sum(axis=1) == 0).any() or (cells.sum(axis=0) == 0).any():
        return {}
    plain = stats.chi2_contingency(cells, correction=False)
    n = cells.sum()
    tests = {
        "chi-square": float(plain.pvalue),
        "(N - 1) chi-square": float(stats.chi2.sf(plain.statistic * (n - 1.0) / n, plain.dof)),
        "chi-square with continuity correction": float(stats.chi2_contingency(cells, correction=True).pvalue),
        "likelihood ratio": float(
            stats.chi2_contingency(cells, correction=False, lambda_="log-likelihood").pvalue
        ),
    }
    if cells.shape == (2, 2):
        tests["Fisher's test"] = float(stats.fisher_exact(cells).pvalue)
    return tests


def _p_of_means(table: PublishedTable, row: BaselineRow) -> Iterator[Finding]:
    groups = _others(table)
    if row.p is None or len(groups) != 2 or not all(group in row.mean_sd for group in groups):
        return
    (mean_a, sd_a), (mean_b, sd_b) = (row.mean_sd[group] for group in groups)
    n_a, n_b = (table.groups[group] for group in groups)
    if min(n_a, n_b) < 2:
        return
    apart = max(0.0, mean_a.low - mean_b.high, mean_b.low - mean_a.high)
    furthest = max(mean_a.high - mean_b.low, mean_b.high - mean_a.low)
    p = [
        float(stats.ttest_ind_from_stats(distance, s_a, n_a, 0.0, s_b, n_b, equal_var=equal).pvalue)
        for distance, s_a, s_b, equal in product((apart, furthest), _ends(sd_a), _ends(sd_b), (True, False))
    ]
    if not row.p.meets(min(p), max(p)):
        yield Finding(
            "p-value-inconsistent", place("baseline", "", row.name, "p"), f"no t-test gives p {row.p.text}",
            f"{row.name}: {mean_a.text} (SD {sd_a.text}, n = {n_a}) and {mean_b.text} (SD {sd_b.text}, n = {n_b}) give "
            f"a t-test p between {min(p):.2g} and {max(p):.2g}; {row.p.text} is printed.",
            "worth asking",
        )  # fmt: skip


def _ends(sd: PrintedValue) -> tuple[float, float]:
    return max(sd.low, 1e-12), sd.high


def _sum(where: str, evidence: str) -> Finding:
    return Finding("sum-mismatch", where, evidence.split(";")[0].rstrip("."), evidence, "proven")
