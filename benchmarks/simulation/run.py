"""Run the simulations behind docs/simulation.md; what is done already is kept, so a stopped run goes on.

python benchmarks/simulation/run.py [--sets N] [--processes P] [--only STUDY ...] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import zlib
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

# One thread a process: the cells are what runs side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import auc_interval_coverage
import biomark
import cluster_coverage
import comparison_level
import numpy as np
import proportion_coverage
import scipy
from rich.progress import Progress

STUDIES = {
    "auc-intervals": (auc_interval_coverage.analytic_cells, auc_interval_coverage.analytic),
    "proportions": (proportion_coverage.interval_cells, proportion_coverage.intervals),
    "mcnemar": (proportion_coverage.mcnemar_cells, proportion_coverage.mcnemar),
    "unpaired": (comparison_level.cells, comparison_level.unpaired),
    "clusters": (cluster_coverage.cells, cluster_coverage.intervals),
    "auc-bootstrap": (auc_interval_coverage.bootstrap_cells, auc_interval_coverage.bootstrap),
    "paired": (comparison_level.cells, comparison_level.paired_tests),
    "differences": (comparison_level.cells, comparison_level.difference_coverage),
    "venkatraman": (comparison_level.venkatraman_cells, comparison_level.venkatraman),
}
SEED = 20250


def simulate(study: str, cell: dict) -> dict:
    """Run one cell; its seed follows from its name, so that neither order nor company changes a figure."""
    rng = np.random.default_rng([SEED, zlib.crc32(f"{study} {json.dumps(cell)}".encode())])
    return STUDIES[study][1](cell, rng)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=10_000, help="data sets a cell")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="*", default=list(STUDIES), choices=list(STUDIES))
    parser.add_argument("--cells", type=int, help="the first cells of each study alone")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    wanted = {study: STUDIES[study][0](options.sets)[: options.cells] for study in options.only}
    done = {study: _read(options.out / f"{study}.json", cells) for study, cells in wanted.items()}
    open_cells = [(s, c) for s, cells in wanted.items() for c in cells if json.dumps(c) not in done[s]]
    with ProcessPoolExecutor(options.processes) as pool, Progress() as progress:
        bar = progress.add_task("cells", total=len(open_cells))
        running = {pool.submit(simulate, study, cell): (study, cell) for study, cell in open_cells}
        for future in as_completed(running):
            study, cell = running[future]
            done[study][json.dumps(cell)] = future.result()
            _write(options.out / f"{study}.json", study, wanted[study], done[study])
            progress.advance(bar)


def _read(path: Path, cells: list[dict]) -> dict[str, dict]:
    if not path.exists():
        return {}
    known = {json.dumps(record["cell"]): record["found"] for record in json.loads(path.read_text())["cells"]}
    return {key: known[key] for key in map(json.dumps, cells) if key in known}


def _write(path: Path, study: str, cells: list[dict], found: dict[str, dict]) -> None:
    versions = {
        "biomark": biomark.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "python": platform.python_version(),
    }
    head = json.dumps({"study": study, "seed": SEED, "versions": versions})[:-1]
    records = [
        json.dumps({"cell": cell, "found": found[json.dumps(cell)]})
        for cell in cells
        if json.dumps(cell) in found
    ]
    # One cell a line, so that a difference can be read.
    text = head + ', "cells": [\n' + ",\n".join(records) + "\n]}\n"
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


if __name__ == "__main__":
    main()
