"""Ask mlscorecheck about rows: JSON lines {p, n, scores, eps} on standard input, 0 or 1 a line on standard output.

Runs in an environment of its own that has mlscorecheck; `run.py --rival PYTHON` calls it.
"""

import json
import logging
import sys
from importlib.metadata import version

from mlscorecheck.check.binary import check_1_testset_no_kfold

logging.disable(logging.CRITICAL)
print(version("mlscorecheck"))
for line in sys.stdin:
    row = json.loads(line)
    found = check_1_testset_no_kfold(
        testset={"p": row["p"], "n": row["n"]}, scores=row["scores"], eps=row["eps"]
    )
    print(int(found["inconsistency"]))
