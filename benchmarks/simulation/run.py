"""Run the simulations behind docs/simulation.md, one cell on each core.

A cell that is done with as many data sets, or more, is kept, so a stopped run (Ctrl-C) goes on and a small one is
refined. Every cell has a seed of its own: the figures are the same whatever runs them, and in whatever order.

python benchmarks/simulation/run.py [--sets N] [--workers W] [--only STUDY ...] [--out FOLDER] [--dask ADDRESS]

Cells go through joblib. `--dask` sends them to an existing Dask cluster; any other backend is named around `main`,
with this folder on the workers' PYTHONPATH:

    ray.util.joblib.register_ray()
    with joblib.parallel_config(backend="ray"):
        run.main(["--sets", "10000"])
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

# One thread a process: the cells are what runs side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import biomark
import joblib
import numpy as np
import scipy
from joblib.parallel import get_active_backend
from rich.progress import Progress
from studies import SEED, STUDIES, simulate

Task = tuple[str, dict]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for and is not done; return 130 where it was stopped."""
    options = _parser().parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    studies = {
        study: Study(options.out / f"{study}.json", STUDIES[study][0](options.sets)) for study in options.only
    }
    tasks = [
        (name, cell)
        for name, study in studies.items()
        for cell in study.open()[: options.cells]
        if not options.sizes or cell.get("n") in options.sizes
    ]
    # Small samples first: they are quick, and where the methods differ.
    tasks.sort(key=lambda task: task[1].get("n", 0))
    done = 0
    with ExitStack() as stack:
        if options.dask:
            from distributed import Client

            stack.enter_context(Client(options.dask))
            stack.enter_context(joblib.parallel_config(backend="dask"))
        progress = stack.enter_context(Progress())
        bar = progress.add_task("cells", total=len(tasks))
        try:
            for (name, cell), found in on_workers(tasks, options.workers):
                studies[name].add(cell, found)
                done += 1
                progress.advance(bar)
        except KeyboardInterrupt:
            progress.stop()
            print(
                f"stopped: {done} of {len(tasks)} cells are kept; the same command goes on", file=sys.stderr
            )
            return 130
    return 0


def on_workers(tasks: list[Task], workers: int | None = None) -> Iterator[tuple[Task, dict]]:
    """Yield each task with what it found, as they end.

    ``workers`` left out means every core, or what an active `joblib.parallel_config` says.
    """
    backend, asked = get_active_backend()
    n_jobs = workers or (asked if isinstance(asked, int) else -1)
    streams = getattr(backend, "supports_return_generator", False)
    # A backend that hands over only whole lists gets a few cells at a time, so that what is done can be kept.
    size = len(tasks) if streams else 2 * joblib.effective_n_jobs(n_jobs)
    parallel: Any = joblib.Parallel(
        n_jobs=n_jobs, batch_size=1, return_as="generator_unordered" if streams else "list"
    )
    for start in range(0, len(tasks), max(size, 1)):
        results = parallel(joblib.delayed(_run)(task) for task in tasks[start : start + size])
        try:
            yield from results
        finally:
            if streams:
                # What was not begun is called off, also where the reader was interrupted.
                results.close()


def _run(task: Task) -> tuple[Task, dict]:
    return task, simulate(*task)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=int, default=10_000, help="data sets a cell")
    parser.add_argument("--workers", type=int, help="cells at a time (default: every core)")
    parser.add_argument("--only", nargs="*", default=list(STUDIES), choices=list(STUDIES))
    parser.add_argument("--cells", type=int, help="the first cells of each study alone")
    parser.add_argument("--sizes", nargs="*", type=int, help="cells of these numbers of patients alone")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--dask", metavar="ADDRESS", help="scheduler of a Dask cluster, tcp://host:port")
    return parser


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
        part.write_text(f'{head}, "cells": [\n{lines}\n]}}\n', encoding="utf-8")
        part.replace(self.path)


def _identity(cell: dict) -> str:
    return json.dumps({name: value for name, value in cell.items() if name != "sets"})


if __name__ == "__main__":
    sys.exit(main())
