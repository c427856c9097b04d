"""Write the rates in docs/audit.md from the results that `run.py` left."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "audit_rates.json"
PAGE = ROOT / "docs" / "audit.md"
START, END = "<!-- rates -->", "<!-- end of rates -->"


def main() -> None:
    """Replace what stands between the marks."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(START)
    _, after = rest.split(END)
    PAGE.write_text(
        f"{before}{START}\n{rates(json.loads(RESULTS.read_text(encoding='utf-8')))}\n{END}{after}"
    )


def rates(result: dict) -> str:
    """Say in words and tables what was measured."""
    clean = sum((Counter(cells) for cells in result["clean"]["by_decimals"].values()), Counter())
    kinds = [
        f"{kind} {n}"
        for kind, n in clean.items()
        if kind not in ("tables", "with a finding", "with a proven finding") and n
    ]
    cried = f" ({', '.join(kinds)})" if kinds else ""
    lines = [
        "Measured by `benchmarks/audit/run.py` on simulated tables: 1 to 4 labels, 1 to 3 models, 1 or 2 sets of 40 to",
        "500 patients; 2 to 4 decimals, rounded half up or half to even, in percent, or cut off; scores with and",
        "without ties, or of five levels; intervals of proportions by seven methods and the bootstrap, of AUCs by",
        "four, of means by the bootstrap; a tenth without class counts; true p-values, sample sizes, totals and",
        "baseline tables. No rule was adjusted on tables of this seed; the rules and these tables share one idea of",
        "what is usual, so that real tables will hold surprises that these do not.",
        "",
        f"**{clean['tables']:,} clean tables: {clean['with a finding']} with a finding{cried}, "
        f"{clean['with a proven finding']} with a proven one.**",
        "",
        *_clean_rows(result["clean"]["by_decimals"]),
        "",
        "One error of each kind was planted in each of the first tables, where it had room for one. A planted error is",
        "*visible* if the table then contradicts itself: tried by going through every count, or every correlation,",
        "apart from the audit's own code; other kinds count as visible throughout. Rates are of visible errors: found",
        "at its place under its kind, at its place under any kind, and at its place with a proven finding.",
        "",
        "| planted | errors | visible | under its kind | under any | proven | 2 decimals | 3 | 4 |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_planted_row(kind, cells) for kind, cells in result["planted"].items()),
        "",
        "The last three columns are the rates under any kind by decimals. A finding elsewhere in the table as well, as",
        "when a wrong digit upsets a mean, came with "
        + _elsewhere(result["planted"])
        + " of the planted errors.",
    ]
    if "rival" in result:
        lines += ["", *_rival(result["rival"])]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return "\n".join([*lines, "", f"Versions: {versions}."])


def _clean_rows(by_decimals: dict) -> list[str]:
    rows = ["| decimals | clean tables | with a finding |", "|---|---|---|"]
    return rows + [
        f"| {decimals} | {cells['tables']:,} | {cells.get('with a finding', 0)} |"
        for decimals, cells in by_decimals.items()
    ]


def _planted_row(kind: str, by_decimals: dict) -> str:
    whole = sum((Counter(cells) for cells in by_decimals.values()), Counter())
    cells = [str(whole["planted"]), str(whole["detectable"])]
    cells += [_share(whole[name], whole["detectable"]) for name in ("exact", "anywhere", "proven")]
    for decimals in ("2", "3", "4"):
        here = by_decimals.get(decimals, {})
        cells.append(_share(here.get("anywhere", 0), here.get("detectable", 0)))
    return f"| `{kind}` | {' | '.join(cells)} |"


def _elsewhere(planted: dict) -> str:
    whole = sum((Counter(cells) for kinds in planted.values() for cells in kinds.values()), Counter())
    return _share(whole["elsewhere too"], whole["planted"])


def _rival(rival: dict) -> list[str]:
    lines = [
        f"mlscorecheck {rival['version']} (`check_1_testset_no_kfold`, half a unit as its uncertainty) was asked about",
        "the same rows, in the tables that it can judge: class counts printed, figures rounded. *Found* counts tables",
        "with an impossible row among those changed, visible or not; *elsewhere* any other row called impossible.",
        "",
        "| tables | number | mlscorecheck found | biomark found | mlscorecheck elsewhere | biomark elsewhere |",
        "|---|---|---|---|---|---|",
    ]
    for kind, cells in rival["tables"].items():
        n = cells["tables"]
        found = (
            ["", ""]
            if kind == "clean"
            else [f"{cells[f'{name} found']}" for name in ("mlscorecheck", "biomark")]
        )
        elsewhere = [f"{cells[f'{name} elsewhere']}" for name in ("mlscorecheck", "biomark")]
        lines.append(f"| {kind} | {n} | {' | '.join([*found, *elsewhere])} |")
    return lines


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else ""


if __name__ == "__main__":
    main()
