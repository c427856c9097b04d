"""Sections of the simulation page: what the report prints beside the AUC, and how many data sets each study has."""

from __future__ import annotations

from math import sqrt
from statistics import mean

from tables import Records, described, having, markdown_table, percent

BESIDE = """
Through the package's own functions, on scores as above; probabilities follow from them by Bayes' rule and are
calibrated. Cut-offs, the macro AUC (three labels) and the pointwise band have 500 replicates, the embedding 99
permutations; the shares of heat-map energy are beta-distributed. Data sets without an answer are left out of the
coverage, and count as not rejected in a test. Coverage (nominal 95) or level (nominal 5), in percent, over prevalences
0.1, 0.3 and 0.5 and AUCs 0.6, 0.8 and 0.95, as far as the cells are done; the worst is the least coverage or the
highest level. A net benefit at 0.3 where hardly anybody is predicted as much (prevalence 0.1, AUC 0.6) is 0 with an
interval of no width in most data sets, and the truth is not quite 0. The simultaneous band holds the whole curve.
""".strip().replace("\n", " ")
DATA_SETS = """
Every cell is meant to have 10,000 data sets, or 2,000 where replicates are drawn within each data set of many patients
and beside the AUC. Cells that have fewer are done in part, for want of processor time, and `make simulate` completes
them. No bootstrap was simulated at n = 2,000. The error is half the width of the simulation's own 95% interval, in
percentage points, at a coverage of 95% or a level of 5%.
""".strip().replace("\n", " ")


def beside_section(records: Records) -> str:
    """Table the coverage or level of each interval and test, by n."""
    lines = ["## What the report prints beside the AUC", "", BESIDE, ""]
    rows = []
    for name in dict.fromkeys(name for record in records for name in record["found"]):
        for n in sorted({record["cell"]["n"] for record in having(records, name)}):
            here = [r for r in having(records, name) if r["cell"]["n"] == n]
            what = "coverage" if any("coverage" in r["found"][name] for r in here) else "level"
            values = [(r["found"][name][what], r) for r in here if what in r["found"][name]]
            worst = (min if what == "coverage" else max)(values, key=lambda item: item[0])
            undefined = max(r["found"][name].get("undefined", 0.0) for r in here)
            rows.append(
                [
                    name, what, str(n), str(len(values)), f"{min(r['cell']['sets'] for r in here):,}",
                    percent(mean(value for value, _ in values)), percent(worst[0]), described(worst[1]["cell"]),
                    percent(undefined) if undefined else "",
                ]
            )  # fmt: skip
    head = ["what", "is", "n", "cells", "data sets", "mean", "worst", "where", "most undefined"]
    return "\n".join(lines + markdown_table(head, rows))


def data_set_section(studies: dict[str, Records]) -> str:
    """How many data sets the cells of each study really have, and the error that leaves."""
    lines = ["## How many data sets", "", DATA_SETS, ""]
    rows = []
    for name, records in studies.items():
        numbers = [record["cell"].get("sets") for record in records]
        if None in numbers:
            rows.append([name, str(len(numbers)), "enumerated", "0"])
            continue
        for sets in sorted(set(numbers), reverse=True):
            sizes = {
                r["cell"].get("n", r["cell"].get("patients")) for r in records if r["cell"]["sets"] == sets
            }
            of = ", ".join(f"{n:,}" for n in sorted(sizes))
            error = 196.0 * sqrt(0.05 * 0.95 / sets)
            rows.append([f"{name}, n = {of}", str(numbers.count(sets)), f"{sets:,}", f"{error:.1f}"])
    return "\n".join(lines + markdown_table(["study", "cells", "data sets a cell", "error"], rows))
