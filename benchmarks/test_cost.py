"""How cost grows with the number of patients: processor seconds from 1,000 to 10,000,000 and the fitted exponent."""

import statistics
import time

import numpy as np
import pytest
from biomark import stats
from simulated import two_models

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
JOBS = {
    "AUC and DeLong variance": lambda y, a, b: stats.auc_ci(y, a),
    "paired DeLong test": lambda y, a, b: stats.delong_test(y, a, b),
    "100 bootstrap replicates of one AUC": lambda y, a, b: stats.auc_ci(
        y, a, method="bootstrap-percentile", n_boot=100, rng=0
    ),
}


@pytest.mark.parametrize("what", JOBS)
def test_exponent(benchmark, record, what):
    seconds = []

    def all_sizes():
        for n in SIZES:
            data = two_models(n)
            JOBS[what](*(part[:1000] for part in data))
            taken = []
            for _ in range({1_000: 21, 10_000: 11, 100_000: 5}.get(n, 1)):
                start = time.process_time()
                JOBS[what](*data)
                taken.append(time.process_time() - start)
            seconds.append(statistics.median(taken))

    benchmark.pedantic(all_sizes, rounds=1)
    # From 10,000 on: below, the fixed cost of a call is most of it.
    exponent = np.polyfit(np.log(SIZES[1:]), np.log(seconds[1:]), 1)[0]
    record(
        {
            "what": what, "sizes": SIZES, "seconds": [float(f"{s:.3g}") for s in seconds],
            "exponent": round(float(exponent), 3),
        }
    )  # fmt: skip
