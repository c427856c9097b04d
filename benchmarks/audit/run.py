"""Measure how often the audit finds planted errors, and how often it cries on clean tables.

python benchmarks/audit/run.py [--tables N] [--clean N] [--processes P] [--rival PYTHON] [--out FILE]

PYTHON is the interpreter of an environment with mlscorecheck, which then judges the rows of the same tables.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import biomark
import numpy as np
import scipy
from biomark import stats
from biomark.errors import InputFileError
from detectable import detectable
from published_tables import PLANTS, number, random_table
from rich.progress import Progress

SEED = 51207
COUNT_KINDS = ("impossible-counts", "swapped-rows", "misprint")
SCORES = {"acc": "acc", "sen": "sens", "spec": "spec", "ppv": "ppv", "npv": "npv", "f1": "f1"}


def judge(table_number: int, plant: bool) -> dict:
    """Audit one clean table and, where wanted, each planted version of it."""
    rng = np.random.default_rng([SEED, table_number])
    draft = random_table(rng)
    try:
        return _judged(draft, rng, plant)
    except Exception as error:
        # An error that names the table, and that can travel between processes.
        raise RuntimeError(f"table {table_number}: {error!r}") from None


def _judged(draft, rng: np.random.Generator, plant: bool) -> dict:
    clean = stats.audit(draft.table)
    record = {
        "decimals": draft.decimals,
        "false": [[finding.kind, finding.where, finding.weight] for finding in clean],
        "planted": [],
        "rows": [],
    }
    if not plant:
        return record
    record["rows"].append(["clean", _rival_rows(draft, draft.table, []), _blamed_rows(clean)])
    for kind, planting in PLANTS.items():
        made = planting(rng, draft)
        if made is None:
            continue
        table, places = made
        try:
            findings = stats.audit(table)
        except InputFileError:
            # A digit that makes the figure unreadable is refused at the door, with its place.
            continue
        rows = {place.rsplit("/", 1)[0] for place in places}
        here = [finding for finding in findings if finding.where in places or finding.where in rows]
        record["planted"].append(
            {
                "kind": kind,
                "detectable": bool(detectable(kind, draft, table, places)),
                "exact": any(finding.kind == kind for finding in here),
                "anywhere": bool(here),
                "proven": any(finding.weight == "proven" for finding in here),
                "elsewhere": len(findings) > len(here),
            }
        )
        if kind in COUNT_KINDS:
            changed = sorted({tuple(place.split("/")[:3]) for place in places})
            record["rows"].append([kind, _rival_rows(draft, table, changed), _blamed_rows(findings)])
    return record


def _rival_rows(draft, table: dict, changed: list[tuple[str, ...]]) -> list[dict]:
    """Rows as mlscorecheck takes them; none where the table cuts figures off or prints no class counts."""
    rows = []
    for name, part in table["sets"].items():
        for row in part["rows"]:
            classes = part["labels"][row["label"]]
            if draft.style == "cut off" or not classes:
                return []
            key = (name, row["model"], row["label"])
            scores = {SCORES[metric]: number(row[metric]) for metric in SCORES if metric in row}
            rows.append(
                {
                    "place": "/".join(key), "changed": key in changed,
                    "p": classes["pos"], "n": classes["neg"], "scores": scores, "eps": 0.5 * 10**-draft.decimals,
                }
            )  # fmt: skip
    return rows


def _blamed_rows(findings: list) -> list[str]:
    return [
        "/".join(finding.where.split("/")[:3])
        for finding in findings
        if finding.kind in COUNT_KINDS and not finding.where.endswith("/auc")
    ]


def main() -> None:
    """Run all tables and store the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=1000, help="tables, each clean and with each error")
    parser.add_argument("--clean", type=int, default=3000, help="further tables, clean only")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--rival", help="interpreter of an environment with mlscorecheck")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parents[1] / "results" / "audit_rates.json"
    )
    options = parser.parse_args()
    n = options.tables + options.clean
    records: list[dict | None] = [None] * n
    with Progress() as bar, ProcessPoolExecutor(options.processes) as pool:
        task = bar.add_task("tables", total=n)
        waiting = {pool.submit(judge, k, k < options.tables): k for k in range(n)}
        for done in as_completed(waiting):
            records[waiting[done]] = done.result()
            bar.advance(task)
    result = {
        "seed": SEED,
        "versions": {
            "biomark": biomark.__version__, "numpy": np.__version__, "scipy": scipy.__version__,
            "python": platform.python_version(),
        },
        "clean": _clean(records),
        "planted": _planted(records),
    }  # fmt: skip
    if options.rival:
        result["rival"] = _rival(records, options.rival)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")


def _clean(records: list[dict]) -> dict:
    by_decimals = defaultdict(Counter)
    for record in records:
        here = by_decimals[str(record["decimals"])]
        here["tables"] += 1
        here["with a finding"] += bool(record["false"])
        here["with a proven finding"] += any(weight == "proven" for *_, weight in record["false"])
        for kind in {kind for kind, *_ in record["false"]}:
            here[kind] += 1
    return {
        "by_decimals": {key: dict(by_decimals[key]) for key in sorted(by_decimals)},
        "examples": [[k, *found] for k, record in enumerate(records) for found in record["false"]][:40],
    }


def _planted(records: list[dict]) -> dict:
    found = {kind: defaultdict(Counter) for kind in PLANTS}
    for record in records:
        for planted in record["planted"]:
            here = found[planted["kind"]][str(record["decimals"])]
            here["planted"] += 1
            here["detectable"] += planted["detectable"]
            for name in ("exact", "anywhere", "proven"):
                here[name] += planted["detectable"] and planted[name]
            here["undetectable but found"] += planted["anywhere"] and not planted["detectable"]
            here["elsewhere too"] += planted["elsewhere"]
    return {kind: {key: dict(cells[key]) for key in sorted(cells)} for kind, cells in found.items()}


def _rival(records: list[dict], interpreter: str) -> dict:
    """Rows of the tables that both can judge: found where changed, cried where not."""
    tables = [table for record in records for table in record["rows"] if table[1]]
    lines = [
        json.dumps({k: row[k] for k in ("p", "n", "scores", "eps")}) for _, rows, _ in tables for row in rows
    ]
    answer = subprocess.run(
        [interpreter, str(Path(__file__).with_name("mlscorecheck_rows.py"))],
        input="\n".join(lines) + "\n", capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    version, verdicts = answer[0], iter(answer[1:])
    counts = defaultdict(Counter)
    for kind, rows, blamed in tables:
        flags = [next(verdicts) == "1" for _ in rows]
        here = counts[kind]
        here["tables"] += 1
        for name, flagged in (("mlscorecheck", flags), ("biomark", [row["place"] in blamed for row in rows])):
            here[f"{name} found"] += any(f and row["changed"] for f, row in zip(flagged, rows, strict=True))
            here[f"{name} elsewhere"] += any(
                f and not row["changed"] for f, row in zip(flagged, rows, strict=True)
            )
    return {"version": version, "tables": {kind: dict(cells) for kind, cells in counts.items()}}


if __name__ == "__main__":
    main()
