"""The program as a user starts it: a report on 1,000,000 rows, and the help."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 1_000_000


def test_report_on_a_million_rows(benchmark, record):
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "predictions.csv"
        _write_table(table)
        command = ["report", "--preds", str(table), "--out", str(Path(folder) / "report"), "--quiet"]
        seconds, cpu, peak = benchmark.pedantic(_run, args=(command,), rounds=1)
    record(
        {
            "what": "biomark report", "rows": ROWS, "seconds": seconds, "cpu_seconds": cpu, "peak_gib": peak,
            "goal": {"seconds": 60.0, "peak_gib": 2.0}, "reached": seconds < 60.0 and peak < 2.0,
        }
    )  # fmt: skip


def test_help(benchmark, record):
    times = sorted(_run(["--help"]) for _ in range(11))
    # No peak: a process this small shows that of its parent, from before it became another program.
    seconds, cpu, _ = times[len(times) // 2]
    benchmark.pedantic(_run, args=(["--help"],), rounds=1)
    record(
        {
            "what": "biomark --help", "seconds": seconds, "cpu_seconds": cpu,
            "goal": {"seconds": 0.3}, "reached": seconds < 0.3,
        }
    )  # fmt: skip


def _run(arguments: list[str]) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak resident memory in GiB of one call of the program."""
    program = Path(sys.executable).with_name("biomark")
    start = time.perf_counter()
    process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    # Linux counts in KiB.
    return round(seconds, 3), round(usage.ru_utime + usage.ru_stime, 3), round(usage.ru_maxrss / 2**20, 3)


def _write_table(path: Path) -> None:
    """Simulated: two sets, three labels, two models, lesion sizes."""
    rng = np.random.default_rng(3)
    n = ROWS // 6 + 1
    labels = (rng.random((n, 3)) < [0.7, 0.65, 0.35]).astype(int)
    patients = np.array([f"P{i:07d}" for i in range(n)])
    sets = np.where(np.arange(n) < 0.4 * n, "validation", "test")
    size = np.round(rng.gamma(4.0, 5.0, n), 1)
    parts = []
    for model, effect in (("multi-task", 1.0), ("single-task", 0.8)):
        for at, label in enumerate(("ER", "PR", "HER2")):
            score = 1.0 / (1.0 + np.exp(-effect * labels[:, at] - rng.standard_normal(n)))
            parts.append(
                pd.DataFrame(
                    {
                        "patient_id": patients, "set": sets, "model": model, "label": label,
                        "y_true": labels[:, at], "y_score": score.round(6), "size_mm": size,
                    }
                )
            )  # fmt: skip
    pd.concat(parts).iloc[:ROWS].to_csv(path, index=False)
