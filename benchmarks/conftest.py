"""Each benchmark times biomark and its rivals in turn, in one process, and writes one line of results.

Seconds are processor seconds of one thread: on a machine that others use too, wall time stretches a long job
more than a short one, and would flatter the faster side.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import biomark
import pytest
from r_session import RSession

RESULTS = Path(os.environ.get("BIOMARK_BENCH_RESULTS", Path(__file__).parent / "results"))
PACKAGES = (
    *("numpy", "scipy", "scikit-learn", "pandas", "statsmodels"),
    *("pauc", "confidenceinterval", "MLstatkit", "dcurves", "MAPIE", "pycaleva", "tableone", "mlscorecheck"),
)

Timed = Callable[[], object]


@pytest.fixture(scope="session")
def r_session():
    session = RSession.start()
    yield session
    if session is not None:
        session.close()


@pytest.fixture(scope="module")
def record(request, r_session):
    """Collect the measurements of one file and write them when it ends."""
    rows: list[dict] = []
    load_before = os.getloadavg()[0]
    yield rows.append
    if not rows:
        return
    name = Path(request.module.__file__).stem.removeprefix("test_")
    head = {
        "benchmark": name,
        "date": time.strftime("%Y-%m-%d"),
        "machine": _machine(),
        "load": {"before": round(load_before, 1), "after": round(os.getloadavg()[0], 1)},
        "versions": _versions(r_session),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(row) for row in rows)
    (RESULTS / f"{name}.json").write_text(f'{json.dumps(head)[:-1]}, "rows": [\n{lines}\n]}}\n')


@pytest.fixture
def duel(benchmark, record):
    """Time ``ours`` and every rival in alternation; record medians, ratios, and whether the goals were reached.

    Each round calls every side ``loops`` times: a call of microseconds after another program's call would measure
    the processor's caches.
    """

    def run(
        what: str,
        n: int,
        ours: Timed,
        rivals: dict[str, Timed | str],
        *,
        goals: dict[str, float] | None = None,
        rounds: int = 7,
        loops: int = 1,
        scale: dict[str, float] | None = None,
    ) -> None:
        timings: dict[str, list[float]] = {name: [] for name, rival in rivals.items() if callable(rival)}

        def the_others() -> None:
            for name, kept in timings.items():
                kept.append(_seconds(rivals[name], loops))

        def repeatedly() -> None:
            for _ in range(loops):
                ours()

        repeatedly()
        benchmark.pedantic(repeatedly, setup=the_others, rounds=rounds)
        mine = benchmark.stats.stats.median / loops
        row: dict = {"what": what, "n": n, "rounds": rounds, "seconds": _digits(mine), "rivals": {}}
        for name, rival in rivals.items():
            if not callable(rival):
                row["rivals"][name] = {"skipped": rival}
                continue
            theirs = statistics.median(timings[name]) * (scale or {}).get(name, 1.0)
            ratio = theirs / mine
            found = {"seconds": _digits(theirs), "ratio": _digits(ratio)}
            if scale and name in scale:
                found["scaled_by"] = scale[name]
            if goals and name in goals:
                found |= {"goal": goals[name], "reached": ratio >= goals[name]}
            row["rivals"][name] = found
        benchmark.extra_info.update(row)
        record(row)

    return run


def _seconds(job: Timed, loops: int) -> float:
    """Processor seconds of one call; a job that was timed elsewhere (in R) returns its own."""
    start = time.process_time()
    answer = job()
    if isinstance(answer, float):
        return answer
    for _ in range(loops - 1):
        job()
    return (time.process_time() - start) / loops


def _digits(value: float) -> float:
    return float(f"{value:.3g}")


def _machine() -> dict[str, object]:
    model = platform.processor() or platform.machine()
    if (cpuinfo := Path("/proc/cpuinfo")).exists():
        names = [
            line for line in cpuinfo.read_text(encoding="utf-8").splitlines() if line.startswith("model name")
        ]
        model = names[0].split(":", 1)[1].strip() if names else model
    return {"processor": model, "cores": os.cpu_count(), "system": platform.system()}


def _versions(session: RSession | None) -> dict[str, str]:
    found = {"python": platform.python_version(), "biomark": biomark.__version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    found["pROC"] = "absent" if session is None else session.proc_version
    return found
