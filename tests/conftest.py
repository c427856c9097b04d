"""What holds for every test."""

import sys

import pytest
from hypothesis import settings

# On a machine that others use too, a deadline measures the others.
settings.register_profile("biomark", deadline=None)
settings.load_profile("biomark")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Give torch one seed before each test and its fixtures, so that a failure comes back when it is looked for."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(20)
