"""Write docs/benchmarks.md from benchmarks/results/*.json."""

from __future__ import annotations

import json
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"

INTRODUCTION = """
# Speed

Measured by `make bench`, which installs the rivals into an environment of their own, times both sides in turn in one
process, and writes `benchmarks/results` and this page. Data are simulated, 34% positive, without ties. Seconds are
medians of processor seconds of one thread, so that other work on the machine stretches neither side; a ratio above 1
means that biomark is faster. In the DeLong benchmarks each rival had to give the same AUC, variance or statistic
before it was timed.
"""

GROWTH = "Processor seconds by number of patients; the exponent b of n^b is fitted from 10,000 on."

PAGES = (
    "Simulated data, in headless Chromium without a graphics card. Whole after: from the address to the last figure. "
    "Reaction: from a key or a switch to the frame that shows it, median, waiting for frames of 17 ms included."
)


def main() -> None:
    """Build the page from whatever results are there."""
    files = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))
    }
    duels = [(file, row) for file in files.values() for row in file["rows"] if "rivals" in row]
    parts = [INTRODUCTION.strip(), "", "## Against others", ""]
    parts += _table(
        ["what", "n", "biomark, s", "rival", "rival, s", "ratio", "goal", "reached"],
        [line for _, row in duels for line in _duel(row)],
    )
    scaled = [row for _, row in duels for rival in row["rivals"].values() if "scaled_by" in rival]
    if scaled:
        parts += [
            "",
            "¹ Timed over fewer replicates and multiplied, since the full number would take minutes a round.",
        ]
    if "cost" in files:
        rows = files["cost"]["rows"]
        parts += [
            "",
            "## Growth",
            "",
            GROWTH,
            "",
        ]
        parts += _table(
            ["what", *(f"{n:,}" for n in rows[0]["sizes"]), "exponent"],
            [[row["what"], *(_number(s) for s in row["seconds"]), f"{row['exponent']:.2f}"] for row in rows],
        )
    if "program" in files:
        parts += ["", "## The program", "", "Each in a process of its own, start included.", ""]
        program = files["program"]
        if (load := program["load"]["before"]) > program["machine"]["cores"]:
            parts += [
                f"The load was {load:g} on {program['machine']['cores']} cores meanwhile: the wall time is that of a "
                "crowded machine; the processor time is what the program itself took.",
                "",
            ]
        parts += _table(
            ["what", "wall, s", "processor, s", "peak memory, GiB", "goal", "reached"],
            [_program(row) for row in files["program"]["rows"]],
        )
    pages = [row for file in files.values() for row in file["rows"] if "page_mb" in row]
    if pages:
        parts += ["", "## The pages", "", PAGES, ""]
        parts += _table(
            ["what", "size, MB", "whole after, s", "reaction, ms", "of it script, ms", "goal", "reached"],
            [_page(row) for row in pages],
        )
    parts += ["", "## Where and with what", ""]
    for name, file in files.items():
        machine, load = file["machine"], file["load"]
        versions = ", ".join(f"{package} {version}" for package, version in file["versions"].items())
        parts.append(
            f"- {name}: {file['date']}, {machine['processor']}, {machine['cores']} cores, load {load['before']:g} "
            f"before and {load['after']:g} after; {versions}"
        )
    PAGE.write_text("\n".join([*parts, ""]))


def _duel(row: dict) -> list[list[str]]:
    lines = []
    for name, rival in row["rivals"].items():
        start = [row["what"], f"{row['n']:,}", _number(row["seconds"]), name]
        if "skipped" in rival:
            lines.append([*start, rival["skipped"], "", "", ""])
            continue
        mark = "¹" if "scaled_by" in rival else ""
        goal = f"{rival['goal']:g}" if "goal" in rival else ""
        lines.append(
            [*start, _number(rival["seconds"]) + mark, _ratio(rival["ratio"]), goal, _reached(rival)]
        )
    return lines


def _program(row: dict) -> list[str]:
    what = row["what"] + (f", {row['rows']:,} rows" if "rows" in row else "")
    limits = {"seconds": "s", "peak_gib": "GiB"}
    goal = " and ".join(f"{value:g} {limits[name]}" for name, value in row["goal"].items())
    measured = [f"{row[name]:.3g}" if name in row else "" for name in ("seconds", "cpu_seconds", "peak_gib")]
    return [what, *measured, f"under {goal}", _reached(row)]


def _page(row: dict) -> list[str]:
    units = {"page_mb": "MB", "reaction_ms": "ms"}
    goal = " and ".join(f"{value:g} {units[name]}" for name, value in row["goal"].items())
    measured = [
        f"{row[name]:g}" if name in row else "" for name in ("page_mb", "ready_s", "reaction_ms", "script_ms")
    ]
    return [row["what"], *measured, f"under {goal}", _reached(row)]


def _ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 100.0 else f"{value:.3g}"


def _reached(row: dict) -> str:
    return "" if "reached" not in row else "yes" if row["reached"] else "no"


def _number(seconds: float) -> str:
    return f"{seconds:.3g}" if seconds >= 0.001 else f"{seconds:.6f}"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


if __name__ == "__main__":
    main()
