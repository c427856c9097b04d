"""The runner behind `make simulate`: the same figures whoever works, and nothing lost where it is stopped."""

import json
from importlib import import_module
from pathlib import Path

import joblib
import pytest

SIMULATION = Path(__file__).parents[2] / "benchmarks" / "simulation"
SLICE = ["--sets", "20", "--cells", "3", "--only", "auc-intervals", "clusters"]


@pytest.fixture
def run(monkeypatch):
    monkeypatch.syspath_prepend(SIMULATION)
    return import_module("run")


def results(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def alone(run, tmp_path):
    assert run.main([*SLICE, "--workers", "1", "--out", str(tmp_path / "alone")]) == 0
    return results(tmp_path / "alone")


def test_workers_change_no_byte_of_the_results(run, alone, tmp_path):
    with joblib.parallel_config(backend="threading", n_jobs=3):
        assert run.main([*SLICE, "--out", str(tmp_path / "shared")]) == 0
    assert results(tmp_path / "shared") == alone
    assert sorted(alone) == ["auc-intervals.json", "clusters.json"]
    assert [len(json.loads(text)["cells"]) for text in alone.values()] == [3, 3]


def test_a_backend_that_gives_whole_lists_gets_a_few_cells_at_a_time(run, alone, tmp_path):
    class WholeLists(joblib.parallel.ThreadingBackend):
        supports_return_generator = False

    joblib.register_parallel_backend("whole-lists", WholeLists)
    try:
        with joblib.parallel_config(backend="whole-lists", n_jobs=2):
            assert run.main([*SLICE, "--out", str(tmp_path / "lists")]) == 0
    finally:
        del joblib.parallel.BACKENDS["whole-lists"]
    assert results(tmp_path / "lists") == alone


def test_a_dask_cluster_changes_no_byte_of_the_results(run, alone, tmp_path):
    """A scheduler and two workers that talk over sockets, so that cells and findings are pickled."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=None
    ) as cluster:
        arguments = [*SLICE, "--dask", cluster.scheduler_address, "--out", str(tmp_path / "dask")]
        assert run.main(arguments) == 0
        with distributed.Client(cluster) as client:
            seen = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.transition_log))
    assert seen > 0
    assert results(tmp_path / "dask") == alone


def test_a_stopped_run_keeps_what_is_done_and_goes_on(run, alone, tmp_path, monkeypatch, capfd):
    arguments = [*SLICE, "--workers", "1", "--out", str(tmp_path / "stopped")]
    keep = run.Study.add

    def keep_and_stop(self, cell, found):
        keep(self, cell, found)
        if self.path.stem == "auc-intervals":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run.Study, "add", keep_and_stop)
        assert run.main(arguments) == 130
    assert "the same command goes on" in capfd.readouterr().err
    kept = json.loads((tmp_path / "stopped" / "auc-intervals.json").read_text(encoding="utf-8"))["cells"]
    assert len(kept) == 1
    added = []
    monkeypatch.setattr(
        run.Study, "add", lambda self, cell, found: (added.append(cell), keep(self, cell, found))
    )
    assert run.main(arguments) == 0
    # Each study's first three cells that are open: one of them was done.
    assert kept[0]["cell"] not in added


def test_more_data_sets_are_simulated_anew_and_fewer_are_kept(run, tmp_path):
    out = ["--workers", "1", "--cells", "1", "--only", "clusters", "--out", str(tmp_path)]
    stored = tmp_path / "clusters.json"
    for sets, kept in ((20, 20), (30, 30)):
        assert run.main(["--sets", str(sets), *out]) == 0
        assert json.loads(stored.read_text(encoding="utf-8"))["cells"][0]["cell"]["sets"] == kept
    before = stored.read_bytes()
    study = run.Study(stored, run.STUDIES["clusters"][0](10))
    assert study.cells[0] not in study.open()
    assert stored.read_bytes() == before
