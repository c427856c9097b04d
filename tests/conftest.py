"""What holds for every test."""

import sys

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Give torch one seed before each test and its fixtures, so that a failure comes back when it is looked for."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(20)
