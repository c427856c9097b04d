"""Write benchmarks/README.md, with its pictures, from benchmarks/results/*.json."""

from __future__ import annotations

import json
from pathlib import Path

from charts import growth_chart, ratio_chart

HERE = Path(__file__).parent
RESULTS, PAGE, IMAGES = HERE / "results", HERE / "README.md", HERE / "images"

INTRODUCTION = """
# Speed

`make bench` installs the rivals (the extra `bench`) into an environment of their own, times both sides in turn in one
process, and writes `benchmarks/results` and this page. `pytest benchmarks` runs the same in any environment: what is
not installed is named, and what needs a CUDA device is skipped without one. A ratio above 1 means that biomark is
faster.

Statistics: simulated data, 34% positive, without ties; medians of processor seconds of one thread, so that other work
on the machine stretches neither side. Each rival had to give the same number before it was timed, where both compute
the same.
Networks: random volumes; processor seconds on the processor, seconds of the wall on a CUDA device.
"""

# What `pytest benchmarks` measures on a CUDA device: in words, and how the row of it begins.
ON_CUDA = {
    "the training step of the single-task network": "training step, single-task",
    "the training step of the multi-task network": "training step, multi-task",
    "the paper's 250 epochs": "250 epochs",
    "augmentation": "augment",
    "inference, and by TorchScript": "predict",
    "Grad-CAM++": "Grad-CAM++",
    "growth with the side of a volume": "side of the volumes",
    "growth with the batch": "volumes in a batch",
}

DIFFERENCES = """
What the rivals compute otherwise, so that their numbers are not ours:

- MAPIE counts the edges of bins, not the bins: its `num_bins=11` makes the ten bins of 0.1. Its `array split` divides
  the scores as they stand, and so needs them sorted. Its p of Spiegelhalter's z is one-sided.
- pycaleva's ACE is the plain mean over groups, and its groups are cut at quantiles, which part ties when they must;
  ours weighs by patients and parts no tie. Its smooth is locally linear, ours locally quadratic.
- dcurves gives the same net benefit and interventions avoided, without intervals.
- tableone corrects the chi-square of 2 x 2 tables by Yates, and takes equal variances where it compares more than two
  means; ours does neither.
- mlscorecheck judges one row of scores at a time.
"""

GROWTH = "Seconds by size; the exponent b of n^b is that of the larger sizes."

PAGES = (
    "Simulated data, in headless Chromium without a graphics card. Whole after: from the address to the last figure. "
    "Reaction: from a key or a switch to the frame that shows it, median, waiting for frames of 17 ms included."
)


def main() -> None:
    """Build the page from whatever results are there."""
    IMAGES.mkdir(exist_ok=True)
    files = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))
    }
    timed = {name: file for name, file in files.items() if "rows" in file}
    statistics = {name: file for name, file in timed.items() if "device" not in file}
    networks = {name: file for name, file in timed.items() if "device" in file}
    parts = [INTRODUCTION.strip(), ""]
    parts += _against("Statistics against others", "statistics", statistics)
    parts += ["", DIFFERENCES.strip()]
    for kind, title in (("cuda", "Networks on a CUDA device"), ("cpu", "Networks on the processor")):
        held = {name: file for name, file in networks.items() if name.endswith(kind)}
        if held:
            parts += _against(title, f"networks_{kind}", held)
            parts += _training(held)
            parts += _alone(held)
        elif kind == "cuda":
            parts += ["", f"## {title}"]
        if kind == "cuda":
            parts += _not_measured(held)
    parts += _growth(timed)
    parts += _program(files)
    parts += _pages(timed)
    parts += ["", "## Where and with what", ""]
    for name, file in timed.items():
        versions = ", ".join(f"{package} {version}" for package, version in file["versions"].items())
        parts.append(f"- {name}: {file['date']}, {_where(file)}; {versions}")
    PAGE.write_text("\n".join([*parts, ""]), encoding="utf-8")


def _where(file: dict) -> str:
    machine, load = file["machine"], file["load"]
    cores = f"{machine['cores']} cores"
    if "device" not in file:
        return f"{machine['processor']}, {cores}, load {load['before']:g} before and {load['after']:g} after"
    device = file["device"]
    told = f"{device['name']}, {cores}, {file['threads']} threads, load {load:g}"
    if "copy_bytes_per_second" in device:
        told += (
            f"; copies {device['copy_bytes_per_second'] / 1e12:.2f} TB/s, multiplies bf16 matrices at "
            f"{device['bf16_flop_per_second'] / 1e12:.0f} TFLOP/s"
        )
    return told


def _against(title: str, stem: str, files: dict[str, dict]) -> list[str]:
    duels = [row for file in files.values() for row in file["rows"] if row.get("rivals")]
    bars = [
        (f"{name}, n = {row['n']:,}: {row['what']}", rival["ratio"])
        for row in duels
        for name, rival in row["rivals"].items()
        if "ratio" in rival
    ]
    parts = ["", f"## {title}", ""]
    if bars:
        (IMAGES / f"ratios_{stem}.svg").write_text(ratio_chart(bars, title), encoding="utf-8")
        parts += [f"![{title}: ratios, also in the table](images/ratios_{stem}.svg)", ""]
    parts += _table(
        ["what", "n", "biomark, s", "rival", "rival, s", "ratio", "goal", "reached"],
        [line for row in duels for line in _duel(row)],
    )
    if any("scaled_by" in rival for row in duels for rival in row["rivals"].values()):
        parts += [
            "",
            "¹ Timed over fewer replicates and multiplied, since the full number would take minutes a round.",
        ]
    return parts


def _training(files: dict[str, dict]) -> list[str]:
    rows = [row for file in files.values() for row in file["rows"] if "volumes_per_second" in row]
    if not rows:
        return []
    head = [
        "what",
        "ms",
        "volumes/s",
        "peak memory, GiB",
        "TFLOP",
        "share of the bf16 rate",
        "times the floor",
    ]
    return ["", *_table(head, [_step(row) for row in rows])]


def _alone(files: dict[str, dict]) -> list[str]:
    """Return what has no rival here."""
    rows = [
        [row["what"], f"{row['n']:,}", _number(row["seconds"])]
        for file in files.values()
        for row in file["rows"]
        if row.get("rivals") == {}
    ]
    return ["", *_table(["without a rival", "n", "biomark, s"], rows)] if rows else []


def _not_measured(files: dict[str, dict]) -> list[str]:
    """Say which measurements on a CUDA device are not there, and which card the goals are of."""
    measured = [row["what"] for file in files.values() for row in file["rows"]]
    missing = [
        words for words, start in ON_CUDA.items() if not any(what.startswith(start) for what in measured)
    ]
    cards = sorted({file["device"]["name"] for file in files.values()})
    told = []
    if missing:
        told.append(f"Not measured: {', '.join(missing)}.")
    if not any("H100" in card for card in cards):
        told.append(
            f"The goals are of an H100, where nothing was measured{'; this is an ' if cards else ''}{', '.join(cards)}."
        )
    return ["", " ".join(told)] if told else []


def _step(row: dict) -> list[str]:
    return [
        row["what"],
        f"{1000 * row['seconds']:.3g}",
        f"{row['volumes_per_second']:.3g}",
        f"{row['peak_memory_gib']:.3g}" if "peak_memory_gib" in row else "",
        f"{row['flop'] / 1e12:.3g}" if "flop" in row else "",
        f"{row['flop_utilisation']:.0%}" if "flop_utilisation" in row else "",
        f"{row['times_floor']:.2f}" if "times_floor" in row else "",
    ]


def _growth(files: dict[str, dict]) -> list[str]:
    parts: list[str] = []
    for name, file in files.items():
        rows = [row for row in file["rows"] if "sizes" in row]
        for at, group in enumerate(_alike(rows)):
            stem, axis = f"growth_{name}_{at}", "patients" if name == "cost" else group[0]["what"]
            lines = {row["what"]: list(zip(row["sizes"], row["seconds"], strict=True)) for row in group}
            (IMAGES / f"{stem}.svg").write_text(growth_chart(lines, f"Cost, {name}", axis), encoding="utf-8")
            parts += ["", f"![Seconds by size, {name}; also in the table](images/{stem}.svg)", ""]
            parts += _table(
                [name, *(f"{n:,}" for n in group[0]["sizes"]), "exponent"],
                [
                    [row["what"], *(_number(s) for s in row["seconds"]), f"{row['exponent']:.2f}"]
                    for row in group
                ],
            )
    return ["", "## Growth", "", GROWTH, *parts] if parts else []


def _alike(rows: list[dict]) -> list[list[dict]]:
    """Group rows of the same sizes."""
    groups: dict[str, list[dict]] = {}
    for row in rows:
        groups.setdefault(str(row["sizes"]), []).append(row)
    return list(groups.values())


def _program(files: dict[str, dict]) -> list[str]:
    if "program" not in files:
        return []
    program = files["program"]
    parts = ["", "## The program", "", "Each in a process of its own, start included.", ""]
    if (load := program["load"]["before"]) > program["machine"]["cores"]:
        parts += [
            f"The load was {load:g} on {program['machine']['cores']} cores meanwhile: the wall time is that of a "
            "crowded machine; the processor time is what the program itself took.",
            "",
        ]
    return parts + _table(
        ["what", "wall, s", "processor, s", "peak memory, GiB", "goal", "reached"],
        [_program_row(row) for row in program["rows"]],
    )


def _pages(files: dict[str, dict]) -> list[str]:
    pages = [row for file in files.values() for row in file["rows"] if "page_mb" in row]
    if not pages:
        return []
    head = ["what", "size, MB", "whole after, s", "reaction, ms", "of it script, ms", "goal", "reached"]
    return ["", "## The pages", "", PAGES, "", *_table(head, [_page(row) for row in pages])]


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


def _program_row(row: dict) -> list[str]:
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
