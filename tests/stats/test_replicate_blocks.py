"""Replicates in blocks: the same numbers whoever draws them, and how many."""

import joblib
import numpy as np
import pytest
from biomark import stats
from biomark.stats import replicate_blocks
from biomark.stats.inputs import generator
from biomark.stats.replicate_blocks import block_sizes, in_blocks


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 25 replicates of 400 patients, so that little work is divided."""
    monkeypatch.setattr(replicate_blocks, "BLOCK_CELLS", 10_000)


def drawn(b, rng):
    return rng.random(b)


def patients(n=400, labels=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, size=(n, labels))
    return y, y + rng.normal(size=(n, labels))


def all_intervals():
    """Return what each function that draws in blocks gives, as one array."""
    y, score = patients()
    other = score[:, 0] + np.random.default_rng(9).normal(size=len(y))
    multilabel = stats.multilabel_ci(y, score, [0.5] * 3, n_boot=130, rng=1)
    area = stats.auc_ci(y[:, 0], score[:, 0], method="bootstrap-bca", n_boot=130, rng=2)
    band = stats.roc_band(y[:, 0], score[:, 0], points=5, n_boot=130, rng=3)
    cutoff = stats.cutoff_ci(y[:, 0], score[:, 0], n_boot=130, rng=4)
    optimism = stats.cutoff_optimism(y[:, 0], score[:, 0], n_boot=130, rng=5)
    test = stats.bootstrap_test(y[:, 0], score[:, 0], other, metric="average-precision", n_boot=130, rng=6)
    return np.array(
        [
            *(value for one in multilabel.to_dict().values() for value in (one["ci_low"], one["ci_high"])),
            area.ci_low, area.ci_high, *band.ci_low, *band.ci_high, cutoff.threshold.ci_low,
            cutoff.youden.value, optimism.youden.corrected, test.ci_low, test.p_value,
        ]
    )  # fmt: skip


def test_what_fits_one_block_draws_from_the_generator_itself():
    (values,) = in_blocks(drawn, 88, 2000, generator(7))
    assert np.array_equal(values, np.random.default_rng(7).random(2000))


def test_blocks_have_seeds_of_their_own(small_blocks):
    blocks = in_blocks(drawn, 400, 70, generator(7))
    assert [len(block) for block in blocks] == block_sizes(400, 70) == [25, 25, 20]
    assert len(np.unique(np.concatenate(blocks))) == 70
    again = in_blocks(drawn, 400, 70, generator(7))
    assert all(np.array_equal(a, b) for a, b in zip(blocks, again, strict=True))


def test_progress_counts_every_replicate(small_blocks):
    told = []
    in_blocks(drawn, 400, 70, generator(7), progress=told.append)
    assert told == [25, 25, 20]


def test_more_patients_than_a_block_has_cells_are_one_replicate_a_block(small_blocks):
    assert block_sizes(20_000, 3) == [1, 1, 1]


@pytest.mark.parametrize("workers", [2, 3])
def test_the_number_of_threads_changes_no_bit(small_blocks, workers):
    with joblib.parallel_config(n_jobs=1):
        alone = all_intervals()
    with joblib.parallel_config(backend="threading", n_jobs=workers):
        shared = all_intervals()
    assert np.array_equal(alone, shared)
    assert np.array_equal(alone, all_intervals())


def test_a_backend_that_the_user_names_is_used(small_blocks):
    class Counting(joblib.parallel.ThreadingBackend):
        submitted = 0

        def submit(self, *arguments, **options):
            type(self).submitted += 1
            return super().submit(*arguments, **options)

    joblib.register_parallel_backend("counting", Counting)
    try:
        with joblib.parallel_config(backend="counting", n_jobs=2):
            in_blocks(drawn, 400, 70, generator(7))
    finally:
        del joblib.parallel.BACKENDS["counting"]
    assert Counting.submitted == 3


def test_a_failure_in_a_block_is_told_as_it_is(small_blocks):
    def fails(b, rng):
        raise ValueError("of this block")

    with pytest.raises(ValueError, match="of this block"):
        in_blocks(fails, 400, 70, generator(7))


def test_a_dask_cluster_gives_the_same_bits(small_blocks):
    """A scheduler and two workers that talk over sockets, so that what passes between them is pickled."""
    distributed = pytest.importorskip("distributed")
    alone = all_intervals()
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        shared = all_intervals()
        seen = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.transition_log))
    assert seen > 0
    assert np.array_equal(alone, shared)
