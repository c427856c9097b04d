"""Sections of the simulation page about studies that are told in rows: what, how many patients, mean and worst."""

from __future__ import annotations

from math import sqrt
from statistics import mean

from tables import Records, described, having, markdown_table, percent

ROWS = """
Coverage of nominal 95% intervals or type I error of tests at 5%, in percent, over the cells of each n; the worst is
the least coverage or the highest level. Data sets without an answer are left out of the coverage and count as not
rejected in a test; the last column gives their share in the cell that has most of them.
""".strip().replace("\n", " ")
SECTIONS = {
    "curve": (
        "Partial area and average precision",
        """The partial area is that over specificities above 0.9. It rests on the negatives that lie there: at a
        prevalence of 0.9 and n = 30 that is less than one patient, and no interval of it can be trusted.""",
    ),
    "probabilities": (
        "Probabilities: Brier score, calibration, net benefit",
        """Probabilities follow from the scores by Bayes' rule, so that they are calibrated; with ties each rating
        has one. Labels are drawn, so that their number varies. A net benefit at a threshold that hardly any
        prediction reaches, or that nearly all exceed, has an interval of no width or nearly none, which misses.""",
    ),
    "operating-point": (
        "Measures at a fixed threshold",
        """Patients are drawn without regard to their class. Sensitivity and specificity are 0.7 and 0.75, 0.9 and
        0.9, or 0.95 and 0.6, the prevalence 0.1, 0.3, 0.5 or 0.9; predictive values elsewhere are at a prevalence
        of 0.2. Where a cell is 0 the ratios have the score interval; "score" has it everywhere.""",
    ),
    "resampled": (
        "Cut-offs, overall metrics, bands and embeddings",
        """500 replicates for the chosen cut-off and what it yields, metrics over three labels and the band of the ROC
        curve; 99 permutations for an embedding that knows nothing of the label, up to n = 388. At n = 30 all goes
        through the package's own functions; from n = 88 on forty data sets share their draws, and the first of each
        cell are held against the package on the same ones. Prevalences 0.1, 0.5 and 0.9, ties at 0.5, AUCs 0.6, 0.8
        and 0.95. The band of percentiles is judged at a specificity of 0.8, the simultaneous band over the whole
        curve, the calibration curve at the middle of its range. With ties, two cut-offs are equally good, and
        either counts. The numbers of each class are fixed, which the bootstrap of whole patients does not know:
        what depends on the prevalence (accuracy, precision, F1) it covers more often than it would among patients
        drawn at random. The difference of net benefits is that from a model that knows nothing: where both treat
        the same patients it has no width. The two average precisions are of independent scores.""",
    ),
    "cut-offs": (
        "What a chosen cut-off yields",
        """The Youden cut-off, and sensitivity, specificity, index and accuracy at it, whose truth is what that very
        cut-off yields among all patients there could be. The same populations as before, 200 stratified replicates that
        forty data sets share; the first of each cell are held against the package.""",
    ),
    "bands": (
        "ROC curves at one specificity",
        """What pointwise bands are made of: Wilson's interval at the effective size, and percentiles, of the
        sensitivity at specificities of 0.95, 0.8 and 0.5, over 200 stratified replicates that forty data sets share.
        The same populations as before. With nine negatives no method knows the curve at a specificity of 0.95.""",
    ),
    "overall-intervals": (
        "Overall metrics, patients drawn at random",
        """Percentile, basic and BCa intervals of metrics over three independent labels whose numbers vary, 500
        replicates of whole patients, which forty data sets share; prevalences 0.1 and 0.5 (0.3 and 0.5 at n = 30),
        AUCs 0.7 (but at n = 2,000) and 0.9, a cut-off midway between the classes, stated beforehand.""",
    ),
    "distances": (
        "Distances of calibration",
        """ICI, E50, E90, Emax and both ECE of predictions whose logit is that of the true probability, stretched by 1
        (true, so that each distance is 0), 1.3 or 2; prevalence 0.3, AUC 0.8, 200 replicates of the patients. The
        figures are biased upwards and their replicates once more, so that percentiles lie too high. The basic interval,
        which is the default, is cut at 0.""",
    ),
    "overall": (
        "Two models over several labels",
        """The bootstrap of whole patients with 500 replicates; two models of equal AUC on the same patients,
        correlation 0.5, three labels, prevalences 0.1 and 0.5, AUCs 0.6, 0.8 and 0.95. From n = 388 on forty data sets
        share their draws.""",
    ),
    "means": (
        "Means of one value a patient",
        """Such as the share of a heat map's energy in the lesion: beta-distributed values with mean 2/7, a pointing
        game that hits seven times of ten, models that are exchangeable, 499 random flips. In pairs, two lesions of
        one patient are alike. The tests against chance are one-sided.""",
    ),
    "group-tests": (
        "Tests of the baseline table",
        """Two groups (70% and 30% of the patients) or three (60, 20, 20) that do not differ. Skewed values are
        log-normal; ranks are of distinct values and of three grades; two kinds have chances 0.85 and 0.15, four
        0.5, 0.3, 0.15 and 0.05.""",
    ),
    "strata": (
        "Tests over strata, and of clusters",
        """n patients in three strata of equal size, three labels, two models of equal AUC in every stratum; the joint
        test of the macro AUC has 500 replicates. Clusters are pairs of lesions whose scores are correlated. Prevalences
        0.3 and 0.5, AUCs 0.7 and 0.9.""",
    ),
    "clusters-beside": (
        "Lesions of the same patients",
        """n lesions, two a patient, whose errors have correlation 0.5 and whose labels agree in 79%;
        prevalence 0.3, AUCs 0.7 and 0.9, 500 replicates of whole patients. What knows of the clusters is judged.""",
    ),
}
WANTED = 10_000
DATA_SETS = """
The error is half the width of the simulation's own 95% interval, in percentage points, at a coverage of 95% or a level
of 5%.
""".strip().replace("\n", " ")
UNFINISHED = "Cells that have fewer than 10,000 are done in part, and `make simulate` completes them. "


def row_sections(studies: dict[str, Records]) -> list[str]:
    """Return a section for each study that was run."""
    sections = []
    for study, (title, words) in SECTIONS.items():
        records = studies.get(study, []) + (
            studies.get("resampled-beside", []) if study == "resampled" else []
        )
        if records:
            said = [f"## {title}", "", " ".join(words.split()), ""]
            sections.append("\n".join([*said, *([ROWS, ""] if not sections else []), *_rows(records)]))
    return sections


def beside_findings(studies: dict[str, Records]) -> str:
    """Table the intervals that cover too little, and the tests that reject too often, with 88 patients or more."""
    worst: dict[str, tuple[float, str, dict]] = {}
    for study in (*SECTIONS, "resampled-beside"):
        for record in studies.get(study, []):
            cell = record["cell"]
            for name, of in record["found"].items() if cell["n"] >= 88 else ():
                what = "coverage" if "coverage" in of else "level"
                # Beyond three of the simulation's own standard errors.
                excess = 0.9 - of[what] if what == "coverage" else of.get(what, 0.0) - 0.08
                doubt = 3.0 * sqrt(0.05 * 0.95 / cell["sets"])
                if excess > max(0.0, doubt - 0.05 if what == "coverage" else doubt - 0.03):
                    worst[name] = max(
                        worst.get(name, (0.0, "", {})), (excess, what, cell), key=lambda w: w[0]
                    )
    lines = [
        "Beside the AUC these intervals cover less than 90% somewhere with 88 patients or more, and these tests reject "
        "more than 8%, beyond the simulation's own error; the worst cell of each, in percent:",
        "",
    ]
    rows = [
        [
            name.replace("_", " "), what, percent(0.9 - excess if what == "coverage" else 0.08 + excess),
            described(cell), f"{cell['sets']:,}",
        ]
        for name, (excess, what, cell) in sorted(worst.items(), key=lambda item: -item[1][0])
    ]  # fmt: skip
    return "\n".join(lines + markdown_table(["what", "is", "worst", "where", "data sets"], rows))


def _rows(records: Records) -> list[str]:
    rows = []
    for name in dict.fromkeys(name for record in records for name in record["found"]):
        for n in sorted({record["cell"]["n"] for record in having(records, name)}):
            here = [r for r in having(records, name) if r["cell"]["n"] == n]
            what = "coverage" if any("coverage" in r["found"][name] for r in here) else "level"
            values = [(r["found"][name][what], r) for r in here if what in r["found"][name]]
            if not values:
                continue
            worst = (min if what == "coverage" else max)(values, key=lambda item: item[0])
            undefined = max(r["found"][name].get("undefined", 0.0) for r in here)
            rows.append(
                [
                    name.replace("_", " "), what, f"{n:,}", str(len(values)),
                    f"{min(r['cell']['sets'] for r in here):,}", percent(mean(value for value, _ in values)),
                    percent(worst[0]), described(worst[1]["cell"], without="n"),
                    percent(undefined) if undefined else "",
                ]
            )  # fmt: skip
    head = ["what", "is", "n", "cells", "data sets", "mean", "worst", "where", "most undefined"]
    return markdown_table(head, rows)


def multiplicity_section(records: Records) -> str:
    """Family-wise error and false discovery rate of each adjustment."""
    methods = tuple(records[0]["found"])
    lines = [
        "## Adjustments for many tests",
        "",
        "Two-sided tests of normal statistics of equal correlation; a false null hypothesis moves its statistic by 3. "
        "Chance that some true null hypothesis is rejected at 5%, and in brackets the mean share of true ones among "
        "the rejected, in percent. Holm and Bonferroni hold the first, Benjamini-Hochberg the second.",
        "",
    ]
    rows = [
        [str(r["cell"]["tests"]), str(r["cell"]["false_nulls"]), f"{r['cell']['correlation']:g}"]
        + [
            f"{percent(r['found'][m]['family_wise'])} ({percent(r['found'][m]['false_discovery'])})"
            for m in methods
        ]
        for r in records
    ]
    return "\n".join(lines + markdown_table(["tests", "false nulls", "correlation", *methods], rows))


def data_set_section(studies: dict[str, Records]) -> str:
    """How many data sets the cells of each study really have, and the error that leaves."""
    unfinished = any(r["cell"].get("sets", WANTED) < WANTED for records in studies.values() for r in records)
    lines = ["## How many data sets", "", (UNFINISHED if unfinished else "") + DATA_SETS, ""]
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
            of = "" if None in sizes else ", n = " + ", ".join(f"{n:,}" for n in sorted(sizes))
            error = 196.0 * sqrt(0.05 * 0.95 / sets)
            rows.append([f"{name}{of}", str(numbers.count(sets)), f"{sets:,}", f"{error:.1f}"])
    return "\n".join(lines + markdown_table(["study", "cells", "data sets a cell", "error"], rows))
