"""Put Huang et al. 2024 beside biomark, table by table and figure by figure.

    python examples/huang2024/beside_the_paper.py

writes `beside_the_paper.md` and `beside_the_paper.html` here. Every number of the right column is computed when the
script runs: from data that `biomark reconstruct` finds for the printed figures, from the printed counts themselves, or
read from the stored results of the simulated cohort (examples/phantom_cohort). Each says which.
"""

from __future__ import annotations

import argparse
import html
import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from biomark import evaluate, read_predictions, stats
from scipy.stats import chi2_contingency

HERE = Path(__file__).resolve().parent
PHANTOM = HERE.parent / "phantom_cohort" / "results.json"
METRICS = {"auc": "AUC", "acc": "ACC", "sen": "SEN", "spec": "SPEC"}
OURS = {"auc": "auc", "acc": "accuracy", "sen": "sensitivity", "spec": "specificity"}
MACRO = {
    "auc": "macro_auc",
    "acc": "macro_accuracy",
    "precision": "macro_precision",
    "recall": "macro_recall",
    "f1": "macro_f1",
}
CITATION = (
    "Huang Z, Zhang X, Ju Y, et al. Explainable breast cancer molecular expression prediction using multi-task "
    "deep-learning based on 3D whole breast ultrasound. Insights into Imaging 2024;15. doi:10.1186/s13244-024-01810-9"
)
WARNING = (
    "None of this is the study's data. RECONSTRUCTION: invented patients that print the same figures; many other sets "
    "of patients would. COUNTS: computed from printed counts alone. SIMULATED: phantoms, which say nothing of patients."
)


@dataclass(frozen=True)
class Section:
    """A table of the page, with what it is made from and how."""

    title: str
    source: str
    how: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def main() -> None:
    """Compute and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder")
    parser.add_argument("--n-boot", type=int, default=2000)
    asked = parser.parse_args()
    made = sections(asked.n_boot)
    (asked.out / "beside_the_paper.md").write_text(as_markdown(made), encoding="utf-8")
    (asked.out / "beside_the_paper.html").write_text(as_html(made), encoding="utf-8")


def sections(n_boot: int) -> list[Section]:
    """Return the whole page."""
    published = yaml.safe_load((HERE / "published.yaml").read_text(encoding="utf-8"))
    evaluations = {name: reconstructed(name, n_boot) for name in ("validation", "test")}
    return [
        acquisition(),
        baseline(published),
        table_3(published, evaluations),
        table_4(published, evaluations),
        sample_size(published),
        figures(),
    ]


def reconstructed(name: str, n_boot: int) -> Any:
    """Return the evaluation of the data that `biomark reconstruct` finds for a set."""
    table = stats.read_published_table(HERE / "published.yaml")
    with tempfile.TemporaryDirectory() as folder:
        stats.reconstruct(table, set=name, rng=0).to_csv(Path(folder) / "preds.csv")
        return evaluate(read_predictions(Path(folder) / "preds.csv"), n_boot=n_boot, rng=0)


def acquisition() -> Section:
    """Table 1."""
    from biomark import zoo

    grid = zoo.PhantomGrid.scanner()
    dz, dy, dx = grid.spacing
    return Section(
        "Table 1: acquisition",
        "SIMULATED",
        "`biomark phantom --scanner` writes volumes of a scanner's voxel, as NRRD and NIfTI.",
        ("", "printed", "biomark"),
        [
            ("Slice thickness (mm)", "0.48", f"{dz:g}"),
            ("Voxel along depth and laterally (mm)", "not printed", f"{dy:g} and {dx:g}"),
            ("Matrix (pixels)", "841 × 482", f"{grid.shape[2]} × {grid.shape[1]}, a crop around the mass"),
        ],
    )


def baseline(published: dict[str, Any]) -> Section:
    """Table 2."""
    groups = ("training and validation", "test")
    sizes = published["baseline"]["groups"]
    rows = []
    for entry in published["baseline"]["rows"]:
        if "levels" in entry:
            counts = [[int(level[group]) for group in groups] for level in entry["levels"].values()]
        elif "count" in entry:
            positive = [int(entry["count"][group][0]) for group in groups]
            counts = [positive, [sizes[group] - n for group, n in zip(groups, positive, strict=True)]]
        else:
            (ma, sa), (mb, sb) = ([float(v) for v in entry["mean_sd"][group]] for group in groups)
            p = from_means(ma, sa, sizes[groups[0]], mb, sb, sizes[groups[1]])
            rows.append(
                (
                    entry["name"],
                    f"p = {entry['p']}",
                    f"p = {p:.2g} (t-test of the rounded means and deviations, which leave it open)",
                )
            )
            continue
        p = float(chi2_contingency(counts, correction=False).pvalue)
        rows.append((entry["name"], f"p = {entry['p']}", f"p = {p:.3f} (chi-square)"))
    return Section(
        "Table 2: baseline characteristics",
        "COUNTS",
        "With patients, `biomark report` makes this table (its section on baseline characteristics). Without them, the "
        "p-values of the printed counts and means are computed again, as `biomark audit` does.",
        ("characteristic", "printed", "biomark"),
        rows,
    )


def from_means(ma: float, sa: float, na: int, mb: float, sb: float, nb: int) -> float:
    """Return the p-value of a two-sample t-test."""
    from scipy.stats import ttest_ind_from_stats

    return float(ttest_ind_from_stats(ma, sa, na, mb, sb, nb).pvalue)


def table_3(published: dict[str, Any], evaluations: dict[str, Any]) -> Section:
    """Table 3: individual evaluation."""
    rows = []
    for name, evaluation in evaluations.items():
        for printed in published["sets"][name]["rows"]:
            ours = row_of(evaluation.individual, name, model=printed["model"], label=printed["label"])
            for metric, title in METRICS.items():
                cell = (f"{name}, {printed['label']}, {printed['model']}", title)
                rows.append((*cell, *compared(printed[metric], ours, OURS[metric])))
        for printed in published["sets"][name]["comparisons"]:
            comparisons = evaluation.comparisons
            ours = comparisons[
                (comparisons["set"] == name) & (comparisons["label"] == printed["label"])
            ].iloc[0]
            p = f"{ours['p_value']:.3f}"
            rows.append(
                (f"{name}, {printed['label']}, both", "DeLong's p", printed["p"], p, verdict(printed["p"], p))
            )
    return Section(
        "Table 3: each biomarker",
        "RECONSTRUCTION",
        "`biomark reconstruct published.yaml --set test --out preds.csv`, then `biomark report --preds preds.csv`. "
        "Intervals: DeLong's for AUCs, Wilson's on the positives or negatives for the rest; the printed ones are on "
        "all patients.",
        ("set, label, model", "figure", "printed", "biomark", "value"),
        rows,
    )


def table_4(published: dict[str, Any], evaluations: dict[str, Any]) -> Section:
    """Table 4: overall evaluation."""
    rows = []
    for name, evaluation in evaluations.items():
        for printed in published["sets"][name]["macro"]:
            ours = row_of(evaluation.overall, name, model=printed["model"])
            for metric, column in MACRO.items():
                cell = (
                    f"{name}, {printed['model']}",
                    f"macro {metric.upper() if metric in ('auc', 'acc') else metric}",
                )
                rows.append((*cell, *compared(printed[metric], ours, column)))
    return Section(
        "Table 4: all biomarkers together",
        "RECONSTRUCTION",
        "The same two commands. Intervals: bootstrap of whole patients. How the labels go together in one patient is "
        "not printed, so these intervals hold for the reconstruction only.",
        ("set, model", "figure", "printed", "biomark", "value"),
        rows,
    )


def sample_size(published: dict[str, Any]) -> Section:
    """Return the paragraph on statistical power."""
    counts = published["sets"]["test"]["labels"]
    rows = []
    for entry in published["sample_size"]:
        label = entry["label"]
        ratio = counts[label]["neg"] / counts[label]["pos"]
        found = stats.auc_sample_size(float(entry["auc"]), ratio=ratio, power=0.8, alpha=0.05)
        rows.append(
            (
                label,
                f"{entry['total']}: {entry['pos']} positive, {entry['neg']} negative",
                f"{found.total}: {found.n_pos} positive, {found.n_neg} negative "
                f"(before rounding up: {found.n_pos_exact:.2f} and {found.n_neg_exact:.2f})",
            )
        )
    return Section(
        "Sample size",
        "COUNTS",
        "`stats.auc_sample_size`, Obuchowski's formula, 80% power at 5%, negatives per positive as in Table 2. "
        "For HER2 the printed numbers follow with the classes exchanged, as the paragraph has them.",
        ("label", "printed", "biomark"),
        rows,
    )


def figures() -> Section:
    """Return the figures and the supplementary table, with numbers where the paper has pictures."""
    attention, separation = "not stored", "in the report of the simulated cohort"
    macro = "not stored"
    if PHANTOM.exists():
        effect = json.loads(PHANTOM.read_text(encoding="utf-8"))["effect"]
        attention = "; ".join(attention_in_short(effect))
        macro = "; ".join(
            f"{row['model']} {row['macro_auc']:.3f} ({row['macro_auc_ci_low']:.3f} to {row['macro_auc_ci_high']:.3f})"
            for row in effect["sets"]["overall"]
            if row["set"] == "test"
        )
    return Section(
        "Figures, supplement and claims",
        "SIMULATED",
        "Pictures need images and networks, which are not published: here they are those of 96 simulated patients "
        "(examples/phantom_cohort), and every page says so.",
        ("in the paper", "how biomark makes it", "here"),
        [
            (
                "Figure 1, flow chart of patients",
                "`biomark check` lists who cannot be used and why; it draws no chart",
                "no number",
            ),
            (
                "Figure 2, the two networks",
                "`zoo.create_model('resnet50_3d', task=...)`, `biomark zoo list`",
                "2,048 features, as printed",
            ),
            (
                "Figures 3 and 4, a to f: predicted probabilities",
                "`biomark report`, `viz.score_figure`",
                "pictures",
            ),
            (
                "Figures 3 and 4, g to i: ROC curves",
                "`biomark report`, `viz.roc_figure`",
                f"macro AUC, SIMULATED test set: {macro}",
            ),
            (
                "Figure 5, Grad-CAM++",
                "`biomark explain`, `biomark report --run`: slice viewer, energy, pointing game, IoU, tests",
                attention,
            ),
            (
                "Figure 6, t-SNE in three dimensions",
                "`biomark embed`, with the paper's perplexity 30, rate 80, 1,000 steps and PCA start",
                separation,
            ),
            (
                "Supplementary Table 1: up to 15 mm and above",
                "`biomark report`: strata by size with a test of interaction",
                "only macro AUCs are printed: no reconstruction",
            ),
            (
                "“no over-fitting”: p > 0.05 between sets",
                "`stats.delong_test_unpaired` with the interval of the difference",
                "see the report: how large a loss is still possible",
            ),
            (
                "“the multi-task model outperforms” (macro AUC 0.733 and 0.708)",
                "`biomark report`: overall differences, paired bootstrap",
                "RECONSTRUCTION: 0.733 and 0.708; how labels go together is not printed, so no test of the difference",
            ),
        ],
    )


def attention_in_short(effect: dict[str, Any]) -> list[str]:
    """Return the difference in energy of each label, from the stored results."""
    said = []
    for label, rows in effect["sets"]["attention_differences"].items():
        for row in rows:
            if row["metric"] == "energy":
                said.append(
                    f"energy in the lesion, {label}, {row['model_a']} less {row['model_b']}: {row['difference']:.3f} "
                    f"({row['ci_low']:.3f} to {row['ci_high']:.3f}), p = {row['p_value']:.2g}, n = {row['n']}"
                )
    return said


def row_of(frame: pd.DataFrame, name: str, **wanted: str) -> pd.Series:
    """Return the row of a set whose cut-off was found on the same set, as the paper did."""
    chosen = frame[(frame["set"] == name) & (frame["cutoff"] == "same-set")]
    for column, value in wanted.items():
        chosen = chosen[chosen[column] == value]
    (at,) = chosen.index
    return chosen.loc[at]


def compared(printed: Sequence[str], ours: pd.Series, column: str) -> tuple[str, str, str]:
    """Return the printed cell, ours, and whether the values are the same at the printed decimals."""
    value, low, high = printed
    found = f"{ours[column]:.3f}"
    interval = f"{found} ({ours[f'{column}_ci_low']:.3f} to {ours[f'{column}_ci_high']:.3f})"
    return f"{value} ({low} to {high})", interval, verdict(value, found)


def verdict(printed: str, found: str) -> str:
    """Say whether two values are the same as printed."""
    same = math.isclose(float(printed), float(found), abs_tol=1e-9)
    return "same" if same else "differs: README.md says why"


def as_markdown(made: list[Section]) -> str:
    """Return the page as Markdown."""
    parts = ["# The paper beside biomark", "", f"> {CITATION}", "", WARNING, ""]
    parts += [
        "Written by `beside_the_paper.py`; what is wrong in the printed figures is in [README.md](README.md).",
        "",
    ]
    for section in made:
        parts += [f"## {section.title}", "", f"**{section.source}.** {section.how}", ""]
        parts.append(f"| {' | '.join(section.columns)} |")
        parts.append("|" + "---|" * len(section.columns))
        parts += [f"| {' | '.join(row)} |" for row in section.rows] + [""]
    return "\n".join(parts)


STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2733; background: #fff;
  max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; width: 100% }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #d5dbe1; vertical-align: top }
.source { font-weight: 700; border: 1px solid; border-radius: .3rem; padding: .1rem .5rem; font-size: .85rem }
.differs { font-weight: 700 } .warning { border-left: .3rem solid #b35900; padding-left: 1rem }
div.wide { overflow-x: auto }
@media (prefers-color-scheme: dark) { body { color: #dfe6ee; background: #14191f } th, td { border-color: #39434e } }
"""


def as_html(made: list[Section]) -> str:
    """Return the page as one HTML file that needs nothing else."""
    body = [f"<h1>The paper beside biomark</h1><p>{html.escape(CITATION)}</p>"]
    body.append(f'<p class="warning">{html.escape(WARNING)}</p>')
    for section in made:
        body.append(f"<h2>{html.escape(section.title)}</h2>")
        body.append(
            f'<p><span class="source">{section.source}</span> {coded(section.how)}</p><div class="wide"><table>'
        )
        body.append(
            "<thead><tr>"
            + "".join(f'<th scope="col">{html.escape(c)}</th>' for c in section.columns)
            + "</tr></thead><tbody>"
        )
        for row in section.rows:
            cells = "".join(
                f"<td{' class=differs' if c.startswith('differs') else ''}>{coded(c)}</td>" for c in row
            )
            body.append(f"<tr>{cells}</tr>")
        body.append("</tbody></table></div>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width">'
        f"<title>The paper beside biomark</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def coded(text: str) -> str:
    """Return text for HTML, what stands between backticks as code."""
    parts = html.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))


if __name__ == "__main__":
    main()
