"""Every example of every docstring prints what it says."""

import doctest
import importlib
import importlib.util
from pathlib import Path

import biomark
import pytest

ROOT = Path(biomark.__file__).parent
PACKAGES = ("", "stats", "zoo", "viz")


def module_names():
    for package in PACKAGES:
        prefix = f"biomark.{package}" if package else "biomark"
        for path in sorted((ROOT / package).glob("*.py")):
            if path.stem != "__main__":
                yield prefix if path.stem == "__init__" else f"{prefix}.{path.stem}"


@pytest.mark.parametrize("name", list(module_names()))
def test_examples_of(name):
    if name.startswith("biomark.zoo.") and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def test_every_part_of_the_package_is_walked():
    names = set(module_names())
    assert {
        "biomark",
        "biomark.errors",
        "biomark.stats.delong",
        "biomark.viz.number_format",
        "biomark.zoo",
    } <= names
