"""Oracle of net benefit, Spiegelhalter's z, Brier score and calibration errors; writes python_rivals.json.

Run here, in the environment of `make bench`: python python_rivals.py
PyPI: dcurves (net benefit, also at another prevalence), MAPIE (ECE, Spiegelhalter), pycaleva (Brier, z, MCE).
"""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import dcurves
import numpy as np
import pandas as pd
from mapie.metrics.calibration import expected_calibration_error, spiegelhalter_statistic
from pycaleva import CalibrationEvaluator

THRESHOLDS = [0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9]
COLUMNS = ("net_benefit", "net_intervention_avoided")


def curves(y, p, **options):
    table = dcurves.dca(
        pd.DataFrame({"y": y, "p": p}), "y", ["p"], thresholds=np.array(THRESHOLDS), **options
    )
    model = table[table.model == "p"]
    return {name: model[name].tolist() for name in COLUMNS} | {
        "treat_all": table[table.model == "all"].net_benefit.tolist()
    }


def case(n, seed, digits):
    rng = np.random.default_rng(seed)
    risk = rng.normal(-0.7, 1.3, n)
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-risk))).astype(int)
    p = np.round(1.0 / (1.0 + np.exp(-1.4 * risk)), digits)
    p = np.clip(p, 10.0**-digits, 1.0 - 10.0**-digits)
    found = {
        "y": y.tolist(), "p": p.tolist(),
        "curve": curves(y, p), "curve_at_prevalence_0.1": curves(y, p, prevalence=0.1),
        "z": float(spiegelhalter_statistic(y, p)),
        # MAPIE counts edges where others count bins: eleven of them make the ten bins of 0.1.
        "ece_equal_width": float(expected_calibration_error(y, p, num_bins=11, split_strategy="uniform")),
    }  # fmt: skip
    other = CalibrationEvaluator(y, p, outsample=True, n_groups=10)
    z = other.z_test()
    found |= {"brier": float(other.brier), "z_p_value": float(z.pvalue)}
    # Groups of pycaleva part ties and round otherwise where tenths of the patients are no whole numbers.
    if n % 10 == 0 and np.unique(p).size == n:
        found["mce_equal_mass"] = float(other.mce)
    return found


def main():
    packages = ("dcurves", "MAPIE", "pycaleva", "numpy", "pandas")
    answer = {
        "made_by": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "thresholds": THRESHOLDS,
        "cases": [
            case(n, seed, digits) for seed, (n, digits) in enumerate([(40, 8), (88, 2), (90, 8), (400, 8)])
        ],
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(answer) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
