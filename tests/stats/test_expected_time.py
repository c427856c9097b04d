import io
import itertools

import numpy as np
import pandas as pd
import pytest
from biomark.stats import expected_time
from biomark.stats.expected_time import expected_seconds
from biomark.stats.predictions import Predictions
from biomark.viz.terminal import announce_time
from rich.console import Console


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(0)
    n = 900
    y = rng.integers(0, 2, n)
    frame = pd.DataFrame(
        {
            "patient_id": [f"P{i}" for i in range(n)],
            "set": np.where(np.arange(n) % 3, "test", "validation"),
            "label": "ER",
            "y_true": y,
            "y_score": y + rng.standard_normal(n),
        }
    )
    return Predictions.from_frame(frame)


def test_time_grows_with_rows_and_replicates(predictions, monkeypatch):
    monkeypatch.setattr(expected_time, "_PART", 300)
    monkeypatch.setattr(expected_time.os, "cpu_count", lambda: 1)
    # 1 s with the fewest replicates, 3.4 s with 48 more: 0.05 s a replicate, of a third of the rows.
    ticks = lambda: iter([0.0, 1.0, 10.0, 13.4])  # noqa: E731
    for n_boot, expected in ((2, 3.0), (102, 3 * (1.0 + 100 * 0.05))):
        clock = ticks()
        assert expected_seconds(
            predictions, n_boot=n_boot, clock=lambda clock=clock: next(clock)
        ) == pytest.approx(expected, rel=0.01)


def test_blocks_that_run_side_by_side_take_less(predictions, monkeypatch):
    monkeypatch.setattr(expected_time.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(expected_time, "BLOCK_CELLS", 600)
    clock = itertools.cycle([0.0, 1.0, 0.0, 3.4])
    found = expected_seconds(predictions, n_boot=102, clock=lambda: next(clock))
    assert found == pytest.approx(1.0 + 100 * 0.05 / 4, rel=0.01)


def test_the_part_has_whole_patients_of_every_set(predictions, monkeypatch):
    monkeypatch.setattr(expected_time, "_PART", 90)
    part = expected_time._part(predictions)
    assert 80 <= len(part.frame) <= 100
    assert set(part.frame["set"].astype(str)) == {"test", "validation"}


def test_large_tables_are_announced_and_small_or_quiet_ones_not(predictions, monkeypatch):
    console = Console(record=True, width=100, file=io.StringIO())
    announce_time(predictions, None, lambda *_: None, console=console)
    monkeypatch.setattr(expected_time, "LARGE_TABLE", 100)
    announce_time(predictions, None, lambda *_: None, hidden=True, console=console)
    assert console.export_text() == ""
    monkeypatch.setattr(expected_time, "expected_seconds", lambda _, **given: 75.2)
    announce_time(predictions, 500, lambda *_: None, console=console)
    assert console.export_text() == "900 rows: the statistics will take about 1 min 15 s\n"
