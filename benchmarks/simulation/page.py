"""Write docs/simulation.md and its charts from the results that `run.py` left."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import mean
from textwrap import fill

from beside_section import beside_findings, data_set_section, multiplicity_section, row_sections
from line_chart import line_chart
from simulated import functions_section
from tables import (
    Records,
    by_n_and_auc,
    by_size,
    data_sets,
    described,
    grid,
    having,
    markdown_table,
    mean_least,
    merged,
    percent,
    smaller_class,
)  # fmt: skip

RESULTS = Path(__file__).parent / "results"
DOCS = Path(__file__).resolve().parents[2] / "docs"
AUC_METHODS = (
    "delong", "delong-logit", "hanley-mcneil", "newcombe", "bootstrap-percentile", "bootstrap-bca"
)  # fmt: skip
PROPORTIONS = ("wilson", "clopper-pearson", "agresti-coull", "jeffreys", "wald")
BESIDE = (
    "partial AUC, delong", "partial AUC, delong-logit", "average precision, logit", "Brier score",
    "calibration slope", "net benefit at 0.1",
)  # fmt: skip
PAIRED = ("delong-paired", "delong-contrast", "bootstrap", "permutation", "venkatraman")


def main() -> None:
    """Build the page from whatever is there; a study that was not run is left out."""
    studies = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))["cells"]
        for path in sorted(RESULTS.glob("*.json"))
    }
    auc = merged(studies.get("auc-intervals", []), studies.get("auc-bootstrap", []))
    tests = merged(studies.get("paired", []), studies.get("venkatraman", []), studies.get("unpaired", []))
    parts = [
        INTRODUCTION,
        _findings(auc, tests),
        beside_findings(studies),
        _auc_section(auc),
        _proportion_section(studies["proportions"]),
    ]
    parts.append(_cluster_section(studies["clusters"]))
    if "differences" in studies:
        parts.append(_difference_section(studies["differences"]))
    parts.append(_test_section(tests))
    parts.append(_mcnemar_section(studies["mcnemar"]))
    if "multiplicity" in studies:
        parts.append(multiplicity_section(studies["multiplicity"]))
    parts += row_sections(studies)
    if beside := studies.get("curve", []) + studies.get("probabilities", []):
        parts.append("## By AUC\n\n![Coverage of what stands beside the AUC](images/simulation_beside.svg)")
    parts.append(functions_section())
    parts.append(data_set_section(studies))
    lines = "\n\n".join(part.strip() for part in parts).splitlines()
    # Tables keep their lines; paragraphs are broken as in the other pages.
    wrapped = [line if line.startswith(("|", "!")) else fill(line, 120) for line in lines]
    (DOCS / "simulation.md").write_text("\n".join([*wrapped, ""]))
    (DOCS / "images" / "simulation_auc_intervals.svg").write_text(_auc_chart(auc))
    (DOCS / "images" / "simulation_tests.svg").write_text(_test_chart(tests))
    if beside:
        (DOCS / "images" / "simulation_beside.svg").write_text(_beside_chart(beside))


INTRODUCTION = """
# Coverage of the intervals and level of the tests

Everything on this page is simulated: data sets with a known truth were drawn, and it was counted how often a nominal
95% interval held the truth, and how often a test at 5% rejected a true null hypothesis. `make simulate` repeats it
from fixed seeds; the figures of every cell are in `benchmarks/simulation/results`, and this page is made from them.

Scores are binormal with equal spread: positives around a mean that gives the stated AUC, negatives around 0. "Ties"
means that they were cut into five ratings, with the AUC of the ratings as the truth. The numbers of positives and
negatives are fixed at prevalence times n. With 10,000 data sets in a cell the simulation's own 95% error is 0.4
percentage points at a coverage of 95%; the last table says how many each cell has. Much is computed for many data
sets at once; in each such cell the first data sets went through the package's functions too, and agreed. What is
simulated of each function stands in the table before the last.

At n = 30 with a prevalence of 0.1 there are three positives, and at 0.9 three negatives: such cells are here to show
where a method ends, and no method makes a study of that size sound.
"""


def _findings(auc: Records, tests: Records) -> str:
    """Say in words what the tables show, in sentences that the figures choose."""
    large = [record for record in auc if smaller_class(record["cell"]) >= 10]
    lines = ["## In short", ""]
    for method in AUC_METHODS:
        covered = [record["found"][method]["coverage"] for record in having(large, method)]
        if not covered:
            continue
        low = min(covered)
        verdict = (
            "holds"
            if low >= 0.94
            else "falls a little short in places"
            if low >= 0.92
            else "covers too little in places"
        )
        lines.append(
            f"- `{method}` {verdict}: {percent(mean(covered))}% on average, {percent(low)}% at least, "
            f"{percent(max(covered))}% at most, with ten or more patients of either class."
        )
    for name in (*PAIRED, "delong-unpaired", "interaction"):
        cells = having(tests, name)
        levels = [r["found"][name]["level"] for r in cells if smaller_class(r["cell"]) >= 10]
        small = [r["found"][name]["level"] for r in cells if smaller_class(r["cell"]) < 10]
        if levels and small:
            lines.append(
                f"- The test `{name}` rejects {percent(mean(levels))}% of true null hypotheses on average, "
                f"{percent(max(levels))}% at most, with ten or more patients of either class, and up to "
                f"{percent(max(small))}% with fewer."
            )
    return "\n".join(lines)


def _auc_section(records: Records) -> str:
    lines = ["## Intervals of one AUC", "", "![Coverage by AUC](images/simulation_auc_intervals.svg)", ""]
    lines += [
        "Coverage averaged over prevalence (0.1, 0.3, 0.5, 0.7, 0.9; the bootstrap 0.1, 0.3, 0.5) and ties. All cells:",
        "",
    ]
    rows = [_summary(records, method) for method in AUC_METHODS if having(records, method)]
    head = [
        "method",
        "cells",
        "data sets a cell",
        "mean",
        "least",
        "where it is least",
        "cells below 93%",
        "cells below 90%",
    ]
    lines += markdown_table(head, rows)
    lines += ["", "The same without the smallest samples: at least ten patients in either class.", ""]
    large = [r for r in records if smaller_class(r["cell"]) >= 10]
    lines += markdown_table(
        head, [_summary(large, method) for method in AUC_METHODS if having(large, method)]
    )
    lines += ["", "By n and AUC: mean over prevalence and ties, least in brackets, in percent.", ""]
    lines += by_n_and_auc(records, AUC_METHODS, "coverage", min)
    lines += ["", "Mean width of the interval, without ties, prevalence 0.3:", ""]
    some = [r for r in records if r["cell"]["prevalence"] == 0.3 and not r["cell"]["ties"]]
    lines += grid(some, AUC_METHODS, lambda found: f"{mean(f['width'] for f in found):.3f}")
    return "\n".join(lines)


def _proportion_section(records: Records) -> str:
    lines = [
        "## Intervals of a proportion",
        "",
        "Enumerated over all outcomes, so exact, for true proportions 0.01 to 0.99 in steps of 0.001: mean coverage, "
        "least in brackets, in percent. n is the proportion's own denominator.",
        "",
    ]
    rows = [
        [
            str(r["cell"]["n"]),
            *(mean_least(r["found"][m]["mean"], r["found"][m]["least"]) for m in PROPORTIONS),
        ]
        for r in records
    ]
    lines += markdown_table(["n", *PROPORTIONS], rows)
    lines += ["", "True proportions 0.60 to 0.95 alone:", ""]
    rows = [
        [
            str(r["cell"]["n"]),
            *(mean_least(r["found"][m]["mean_60_95"], r["found"][m]["least_60_95"]) for m in PROPORTIONS),
        ]
        for r in records
    ]
    return "\n".join(lines + markdown_table(["n", *PROPORTIONS], rows))


def _cluster_section(records: Records) -> str:
    names = ("obuchowski", "obuchowski-logit", "delong", "delong-logit")
    lines = [
        "## Two lesions a patient",
        "",
        f"{data_sets(records)} data sets a cell; the correlation is that of the two lesions' scores within their "
        "class, a third of the lesions are positive and the two of a patient tend to agree. DeLong takes the lesions "
        "for independent. Coverage of the interval of the AUC, then type I error of the paired test of two AUCs, in "
        "percent.",
        "",
    ]
    rows = []
    for r in records:
        cell, found = r["cell"], r["found"]
        levels = [percent(found[f"{name}-paired"]["level"]) for name in ("obuchowski", "delong")]
        rows.append(
            [str(cell["patients"]), f"{cell['correlation']:g}", f"{cell['auc']:g}"]
            + [percent(found[name]["coverage"]) for name in names]
            + levels
        )
    head = ["patients", "correlation", "AUC", *names, "test: Obuchowski", "test: DeLong"]
    return "\n".join(lines + markdown_table(head, rows))


def _difference_section(records: Records) -> str:
    lines = [
        "## Interval of the difference of two AUCs",
        "",
        f"{data_sets(records)} data sets a cell. The AUCs differ by 0.1: the stated one and one lower. Paired: both "
        "models on the same patients, correlation 0.5. Unpaired: two groups of n patients, Welch's t. Coverage in "
        "percent: mean over prevalence (0.1, 0.3, 0.5, 0.9) and ties, least in brackets.",
        "",
    ]
    lines += by_n_and_auc(records, ("paired", "unpaired"), "coverage", min)
    lines += [
        "",
        "An interval that misses on one side is a one-sided error at 2.5%: wholly above the true difference of 0.1 it "
        "would show superiority by a margin of 0.1, wholly below it the non-inferiority of the other model at that "
        "margin; equivalence needs both of two such tests and errs less. Mean over prevalence and ties, most in "
        "brackets, in percent.",
        "",
    ]
    sided = [
        {
            "cell": r["cell"],
            "found": {
                f"{name}, {words}": {"share": of[side]}
                for name, of in r["found"].items()
                for side, words in (("too_high", "above"), ("too_low", "below"))
            },
        }
        for r in records
    ]
    return "\n".join(lines + by_n_and_auc(sided, tuple(sided[0]["found"]), "share", max))


def _test_section(records: Records) -> str:
    names = (*PAIRED, "delong-unpaired", "interaction")
    lines = [
        "## Type I error of the tests of AUCs",
        "",
        "![Type I error by AUC](images/simulation_tests.svg)",
        "",
    ]
    lines += [
        "Two models (three for the contrast) of equal AUC on the same patients, correlation 0.5; two groups, or two "
        "strata, of n patients each for the unpaired test and the interaction. Bootstrap and permutation with 999 "
        "replicates, Venkatraman with 199. In percent, nominal 5.",
        "",
    ]
    rows = []
    for name in names:
        cells = having(records, name)
        if not cells:
            continue
        levels = [(r["found"][name]["level"], r["cell"]) for r in cells]
        worst = max(levels, key=lambda item: item[0])
        fit = [level for level, cell in levels if smaller_class(cell) >= 10]
        shares = percent(mean(level for level, _ in levels)), percent(worst[0]), described(worst[1])
        of_ten = f"{percent(mean(fit))} ({percent(min(fit))} to {percent(max(fit))})"
        rows.append([name, str(len(cells)), data_sets(cells, name), *shares, of_ten])
    head = [
        "test",
        "cells",
        "data sets a cell",
        "mean",
        "most",
        "where it is most",
        "ten or more of either class",
    ]
    lines += markdown_table(head, rows)
    lines += ["", "By n and AUC: mean over prevalence and ties, most in brackets, in percent.", ""]
    lines += by_n_and_auc(records, names, "level", max)
    return "\n".join(lines)


def _mcnemar_section(records: Records) -> str:
    tests, intervals = ("exact", "mid-p", "asymptotic", "asymptotic-corrected"), ("tango", "newcombe")
    lines = [
        "## Two sensitivities or specificities of the same patients",
        "",
        "Enumerated, so exact. The models are right equally often and disagree on the stated share of the n patients "
        "of the class. Type I error of McNemar's tests at 5%, coverage of the 95% intervals of the difference, in "
        "percent.",
        "",
    ]
    rows = [
        [str(r["cell"]["n"]), f"{r['cell']['disagreeing']:g}"]
        + [percent(r["found"][name]["level"]) for name in tests]
        + [percent(r["found"][name]["coverage"]) for name in intervals]
        for r in records
    ]
    return "\n".join(lines + markdown_table(["n", "disagreeing", *tests, *intervals], rows))


def _summary(records: Records, method: str) -> list[str]:
    cells = having(records, method)
    covered = [record["found"][method]["coverage"] for record in cells]
    worst = cells[covered.index(min(covered))]
    return [
        method, str(len(cells)), data_sets(cells, method), percent(mean(covered)), percent(min(covered)),
        described(worst["cell"]),
        *(f"{sum(c < bar for c in covered)}" for bar in (0.93, 0.9)),
    ]  # fmt: skip


def _auc_chart(records: Records) -> str:
    return _chart(
        records, AUC_METHODS, "coverage", title="Coverage of nominal 95% intervals of an AUC (simulated)",
        y="coverage", y_range=(0.8, 1.0), target=0.95,
    )  # fmt: skip


def _test_chart(records: Records) -> str:
    return _chart(
        records, (*PAIRED, "delong-unpaired", "interaction"), "level",
        title="Type I error of tests of AUCs at 5% (simulated)", y="rejected", y_range=(0.0, 0.15), target=0.05,
    )  # fmt: skip


def _beside_chart(records: Records) -> str:
    return _chart(
        records, BESIDE, "coverage", title="Coverage of nominal 95% intervals beside the AUC (simulated)",
        y="coverage", y_range=(0.5, 1.0), target=0.95,
    )  # fmt: skip


def _chart(records: Records, names: Iterable[str], what: str, **options) -> str:
    panels: dict[str, dict] = {}
    for n in dict.fromkeys(record["cell"]["n"] for record in by_size(records)):
        here = [record for record in by_size(records) if record["cell"]["n"] == n]
        panels[f"n = {n:,}"] = {
            name: [
                (auc, mean(r["found"][name][what] for r in having(here, name) if r["cell"]["auc"] == auc))
                for auc in dict.fromkeys(r["cell"]["auc"] for r in having(here, name))
            ]
            for name in names
            if having(here, name)
        }
    return line_chart(panels, x="AUC", **options)


if __name__ == "__main__":
    main()
