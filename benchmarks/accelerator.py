"""The device that benchmarks of networks run on: what it is, how fast it copies and multiplies, its file of results.

Results of a CUDA device and of the processor go into files of their own, since they come from different machines.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

RESULTS = Path(os.environ.get("BIOMARK_BENCH_RESULTS", Path(__file__).parent / "results"))
PACKAGES = ("biomark", "torch", "triton", "monai", "timm-3d", "timm", "numpy")


def here() -> torch.device:
    """The CUDA device where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def seconds(job: Callable[[], object], *, rounds: int = 10, warm: int = 3) -> float:
    """Median seconds of a call on the wall, the device waited for."""
    for _ in range(warm):
        job()
    found = []
    for _ in range(rounds):
        wait()
        began = time.perf_counter()
        job()
        wait()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def alternating(jobs: dict[str, Callable[[], object]], *, rounds: int = 7, warm: int = 1) -> dict[str, float]:
    """Median seconds of each job, the jobs taking turns, so that a busy machine slows all of them.

    On the processor these are processor seconds of all threads: what a job costs, whoever else is busy.
    """
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    found: dict[str, list[float]] = {name: [] for name in jobs}
    for at in range(warm + rounds):
        for name, job in jobs.items():
            wait()
            began = clock()
            job()
            wait()
            if at >= warm:
                found[name].append(clock() - began)
    return {name: statistics.median(times) for name, times in found.items()}


def wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def or_reason(job: Callable[[], float]) -> float | str:
    """What a job measures, or why it cannot."""
    try:
        return job()
    except ImportError as error:
        return f"not installed: {error.name}"


def rival(theirs: float | str, mine: float, *, goal: float | None = None) -> dict:
    """A rival's entry in a row of results."""
    if isinstance(theirs, str):
        return {"skipped": theirs}
    ratio = theirs / mine
    found = {"seconds": theirs, "ratio": ratio}
    return found if goal is None else found | {"goal": goal, "reached": ratio >= goal}


@cache
def ceilings() -> dict[str, float]:
    """Bytes a second of a copy (read and written) and operations a second of a bf16 product; of CUDA devices alone."""
    if not torch.cuda.is_available():
        return {}
    source = torch.empty(2**30, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    copied = 2**31 / seconds(lambda: target.copy_(source))
    matrix = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    multiplied = 2 * 8192**3 / seconds(lambda: matrix @ matrix)
    return {"copy_bytes_per_second": copied, "bf16_flop_per_second": multiplied}


def write(name: str, rows: list[dict]) -> None:
    """Write the rows of one file of benchmarks, rounded, under results/."""
    device = here()
    head = {
        "benchmark": f"{name}_{device.type}",
        "date": time.strftime("%Y-%m-%d"),
        "machine": {"cores": os.cpu_count(), "system": platform.system()},
        "device": {"name": torch.cuda.get_device_name() if device.type == "cuda" else _processor()}
        | ceilings(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1),
        "versions": _versions(),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(_rounded(row)) for row in rows)
    text = f'{json.dumps(_rounded(head))[:-1]}, "rows": [\n{lines}\n]}}\n'
    (RESULTS / f"{name}_{device.type}.json").write_text(text, encoding="utf-8")


def _rounded(value):
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    return value


def _processor() -> str:
    names = Path("/proc/cpuinfo")
    if names.exists():
        for line in names.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    import biomark

    found["biomark"] = biomark.__version__
    if torch.cuda.is_available():
        found |= {"cuda": str(torch.version.cuda), "cudnn": str(torch.backends.cudnn.version())}
    return found
