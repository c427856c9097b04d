"""A seeded slice of `benchmarks/audit`: simulated tables, clean and with one planted error of each kind."""

import importlib.util
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from biomark import stats

FOLDER = Path(__file__).parents[2] / "benchmarks" / "audit"
TABLES, PLANTED = 60, 12


def module(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    # The second of the two imports the first by this name.
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def slice_of_tables():
    tables, detecting = module("published_tables"), module("detectable")
    false, counts = [], defaultdict(Counter)
    for k in range(TABLES):
        rng = np.random.default_rng([11, k])
        draft = tables.random_table(rng)
        false += [(k, finding.kind, finding.where, finding.evidence) for finding in stats.audit(draft.table)]
        if k >= PLANTED:
            continue
        for kind, plant in tables.PLANTS.items():
            made = plant(rng, draft)
            if made is None or not detecting.detectable(kind, draft, *made):
                continue
            table, places = made
            rows = {place.rsplit("/", 1)[0] for place in places}
            here = [
                finding for finding in stats.audit(table) if finding.where in places or finding.where in rows
            ]
            counts[kind]["planted"] += 1
            counts[kind]["exact"] += any(finding.kind == kind for finding in here)
            counts[kind]["anywhere"] += bool(here)
    return false, counts


def test_clean_tables_are_silent(slice_of_tables):
    assert slice_of_tables[0] == []


@pytest.mark.parametrize(
    ("kinds", "floor"),
    [
        (("impossible-counts", "misprint", "swapped-rows"), 1.0),
        (("sum-mismatch",), 1.0),
        (("macro-mismatch",), 0.85),
        (("wrong-denominator", "invalid-interval-method"), 0.5),
        (("sample-size-unexplained",), 0.6),
    ],
)
def test_planted_errors_that_can_be_seen_are_found_at_their_place(slice_of_tables, kinds, floor):
    counts = slice_of_tables[1]
    planted = sum(counts[kind]["planted"] for kind in kinds)
    assert planted >= 5
    assert sum(counts[kind]["anywhere"] for kind in kinds) >= floor * planted


def test_the_kind_is_named_right_for_most_planted_errors(slice_of_tables):
    counts = slice_of_tables[1]
    planted = sum(cell["planted"] for cell in counts.values())
    assert sum(cell["exact"] for cell in counts.values()) >= 0.7 * planted
