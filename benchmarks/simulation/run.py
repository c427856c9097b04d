"""Run the simulations behind docs/simulation.md.

A cell that is done with as many data sets, or more, is kept, so a stopped run goes on and a small one is refined.

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
import other_intervals
import proportion_coverage
import scipy
from rich.progress import Progress

STUDIES = {
    "auc-intervals": (auc_interval_coverage.analytic_cells, auc_interval_coverage.analytic),
    "proportions": (proportion_coverage.interval_cells, proportion_coverage.intervals),
    "mcnemar": (proportion_coverage.mcnemar_cells, proportion_coverage.mcnemar),
    "other-intervals": (other_intervals.cells, other_intervals.analytic),
    "other-resampled": (other_intervals.resampled_cells, other_intervals.resampled),
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
    studies = {
        study: Study(options.out / f"{study}.json", STUDIES[study][0](options.sets)) for study in options.only
    }
    open_cells = [(name, cell) for name, study in studies.items() for cell in study.open()[: options.cells]]
    # Small samples first: they are quick, and where the methods differ.
    open_cells.sort(key=lambda item: item[1].get("n", 0))
    with ProcessPoolExecutor(options.processes) as pool, Progress() as progress:
        bar = progress.add_task("cells", total=len(open_cells))
        running = {pool.submit(simulate, study, cell): (study, cell) for study, cell in open_cells}
        for future in as_completed(running):
            name, cell = running[future]
            studies[name].add(cell, future.result())
            progress.advance(bar)


class Study:
    """What one file of results holds, and the cells that it should hold."""

    def __init__(self, path: Path, cells: list[dict]) -> None:
        self.path, self.cells = path, cells
        known = json.loads(path.read_text(encoding="utf-8"))["cells"] if path.exists() else []
        self.records = {_identity(record["cell"]): record for record in known}

    def open(self) -> list[dict]:
        """Cells without a record of as many data sets."""
        return [
            cell
            for cell in self.cells
            if (record := self.records.get(_identity(cell))) is None
            or record["cell"].get("sets", 0) < cell.get("sets", 0)
        ]

    def add(self, cell: dict, found: dict) -> None:
        """Keep a result and write the file anew, one cell a line, so that a difference can be read."""
        self.records[_identity(cell)] = {"cell": cell, "found": found}
        versions = {
            "biomark": biomark.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "python": platform.python_version(),
        }
        head = json.dumps({"study": self.path.stem, "seed": SEED, "versions": versions})[:-1]
        in_order = [self.records[key] for key in map(_identity, self.cells) if key in self.records]
        lines = ",\n".join(json.dumps(record) for record in in_order)
        part = self.path.with_suffix(".part")
        part.write_text(f'{head}, "cells": [\n{lines}\n]}}\n')
        part.replace(self.path)


def _identity(cell: dict) -> str:
    return json.dumps({name: value for name, value in cell.items() if name != "sets"})


if __name__ == "__main__":
    main()
