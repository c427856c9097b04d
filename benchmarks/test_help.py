"""How long ``biomark --help`` takes, against a Python that does nothing and one that imports NumPy.

Run with ``pytest benchmarks/test_help.py --benchmark-only``; the goal is 0.3 s.
"""

import subprocess
import sys

import pytest

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "python -c 'import click'": ["-c", "import click"],
    "biomark --help": ["-m", "biomark", "--help"],
    "python -c 'import numpy'": ["-c", "import numpy"],
}


@pytest.mark.benchmark(group="start of a process", min_rounds=20)
@pytest.mark.parametrize("name", COMMANDS)
def test_start(benchmark, name):
    command = [sys.executable, *COMMANDS[name]]
    benchmark(subprocess.run, command, stdout=subprocess.DEVNULL, check=True)
