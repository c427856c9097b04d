"""Several gloo processes under torchrun learn and predict what one process does."""

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from biomark.zoo.process_group import ALONE, Processes, _attempt
from biomark.zoo.synchronised_norm import SynchronisedBatchNorm3d, synchronise_batch_norm
from biomark.zoo.training import fit
from biomark.zoo.training_config import TrainingConfig

SETTINGS = {
    "model": "resnet10_3d",
    "model_options": {"width": 2, "decoder_width": 1},
    "epochs": 3,
    "batch_size": 6,
    "learning_rate": 0.001,
    "clip_norm": 1.0,
    "ema": 0.9,
    "device": "cpu",
    "sync_batch_norm": True,
}
SCRIPT = """
import json, os, signal, sys
import numpy as np
import torch
from biomark.__main__ import _told
from biomark.errors import FailedWorkError
from biomark.zoo.process_group import process_group
from biomark.zoo.training import fit
from biomark.zoo.training_config import config_from_dict
from biomark.zoo.training_data import VolumeData

torch.set_num_threads(1)
plan = json.loads(sys.argv[1])
held = torch.load(plan["data"], weights_only=True)
data = VolumeData(**{**held, **{k: tuple(held[k]) for k in ("labels", "patient_id", "sets")}})

def tell(state):
    if not plan["killed"] or state.phase != "step" or state.epoch != 2 or os.environ["RANK"] != "1":
        return
    # Once in all: each torchrun counts restarts of its own.
    try:
        os.close(os.open(plan["killed"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)

try:
    with process_group("cpu") as processes:
        fit(config_from_dict(plan["config"]), data, resume=bool(plan["killed"]), processes=processes, progress=tell)
except FailedWorkError as error:
    sys.exit(_told(str(error), 1))
"""
FIELDS = ("digest", "has_mask", "images", "labels", "masks", "patient_id", "sets", "y_true")


def settings(folder, name, **others):
    return {"cohort": "none", "out": str(folder / name), **SETTINGS, **others}


@pytest.fixture(scope="module")
def volumes(toy_volumes, tmp_path_factory):
    """17 patients for training, so that the last batch and the shares are uneven, and 7 for validation."""
    data = toy_volumes(24, 16, sets=("train", "train", "validation"), missing=True)
    path = tmp_path_factory.mktemp("volumes") / "data.pt"
    held = {name: getattr(data, name) for name in FIELDS}
    torch.save({k: list(v) if isinstance(v, tuple) else v for k, v in held.items()}, path)
    return data, path


@pytest.fixture(scope="module")
def alone(volumes, tmp_path_factory):
    """The history of one process."""
    folder = tmp_path_factory.mktemp("alone")
    return fit(TrainingConfig(**settings(folder, "run")), volumes[0]).history


def launched(machines, path, config, *, killed="", restarts=0):
    """Run a torchrun of so many processes for each machine, side by side, and return how each ended."""
    plan = {"data": str(path), "config": config, "killed": str(killed)}
    script = path.parent / "learn.py"
    script.write_text(SCRIPT)
    meeting = ["--standalone"]
    if len(machines) > 1:
        with socket.socket() as free:
            free.bind(("localhost", 0))
            place = f"localhost:{free.getsockname()[1]}"
        meeting = ["--nnodes", str(len(machines)), "--rdzv-backend", "c10d", "--rdzv-endpoint", place]
        meeting += ["--rdzv-id", "run", "--local-addr", "localhost"]
    commands = [
        [
            sys.executable, "-m", "torch.distributed.run", *meeting, "--nproc-per-node", str(processes),
            "--max-restarts", str(restarts), "--monitor-interval", "0.1", str(script), json.dumps(plan),
        ]
        for processes in machines
    ]  # fmt: skip
    how = {"capture_output": True, "encoding": "utf-8", "timeout": 240}
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with ThreadPoolExecutor(len(machines)) as pool:
        return list(pool.map(lambda command: subprocess.run(command, **how, env=environment), commands))


def history_of(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def same_curve(found, expected):
    assert len(found) == len(expected)
    for name in expected[0]:
        if name in ("seconds", "volumes_per_second", "validation_seconds", "best"):
            continue
        # The sums of the same numbers in another order; Adam makes more of it from step to step.
        rel = 0.05 if name == "gradient_norm" else 2e-3
        assert [epoch[name] for epoch in found] == pytest.approx(
            [epoch[name] for epoch in expected], rel=rel, abs=1e-4, nan_ok=True
        ), name
    assert found[0]["train_loss"] == pytest.approx(expected[0]["train_loss"], rel=1e-5)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_shares_hold_every_row_once(size):
    rows = np.arange(13) * 2
    shares = [Processes(rank, size).share(rows) for rank in range(size)]
    assert np.array_equal(np.concatenate(shares), rows)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_one_process_alone_needs_no_group():
    tensor = torch.ones(2)
    assert ALONE.gathered(3) == [3]
    assert ALONE.summed(tensor) is tensor
    ALONE.wait()


def test_processes_of_one_attempt_share_a_name_and_the_dead_take_no_part():
    store = torch.distributed.HashStore()
    # Of an earlier attempt: it called, and died before it had an answer.
    store.set("call 2", "nobody")

    def names():
        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(lambda rank: _attempt(store, Processes(rank, 3)), range(3), timeout=60))

    first, second = names(), names()
    assert len(set(first)) == len(set(second)) == 1
    assert first != second


def test_synchronised_norm_keeps_names_and_values():
    model = torch.nn.Sequential(torch.nn.Conv3d(1, 3, 1), torch.nn.BatchNorm3d(3))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    x = torch.randn(2, 1, 4, 4, 4)
    expected = model.eval()(x)
    synchronise_batch_norm(model)
    assert isinstance(model[1], SynchronisedBatchNorm3d)
    assert list(model.state_dict()) == list(before)
    assert torch.equal(model.eval()(x), expected)


def test_killed_processes_end_a_run_that_goes_on_on_two_machines_as_one_process_would(
    volumes, alone, tmp_path
):
    _, path = volumes
    (ended,) = launched([2], path, settings(tmp_path, "run"), killed=tmp_path / "first")
    assert ended.returncode == 1
    assert "Signal 9 (SIGKILL)" in ended.stderr
    assert "unforeseen" not in ended.stderr
    same_curve(history_of(tmp_path / "run"), alone[:1])
    # Three go on where two were, under two torchruns; one of them is killed too, and all three start anew.
    done = launched([1, 2], path, settings(tmp_path, "run"), killed=tmp_path / "second", restarts=2)
    told = "\n".join(machine.stderr for machine in done)
    assert [machine.returncode for machine in done] == [0, 0], told
    assert (tmp_path / "second").exists() and "exitcode: -9" in told
    same_curve(history_of(tmp_path / "run"), alone)
    assert (tmp_path / "run" / "summary.json").is_file()
    assert not list((tmp_path / "run").glob(".*part"))
