"""A run that is killed at any moment and goes on gives the files of the run that was never killed."""

import json
import subprocess
import sys
import textwrap

import pytest
import torch
from biomark.errors import BiomarkError, InputFileError
from biomark.zoo.checkpoint import load_state
from biomark.zoo.training import fit
from biomark.zoo.training_config import TrainingConfig

SETTINGS = {
    "model": "resnet10_3d",
    "model_options": {"width": 2, "decoder_width": 1, "dropout": 0.2},
    "epochs": 3,
    "batch_size": 4,
    "accumulation": 2,
    "learning_rate": 0.01,
    "schedule": "cosine",
    "warmup_epochs": 1.0,
    "clip_norm": 1.0,
    "ema": 0.9,
    "pos_weight": "balanced",
}

# Children are forked from one process that has imported what training takes (an optimiser's first step imports most of
# it) but has computed no gradient, whose threads a fork would lose. Each child is killed by SIGKILL at its k-th sync or
# rename of a file, before it or after it, or by its parent after a while; a last one goes on until it is done.
SCRIPT = """
import json, os, signal, sys, time
import torch
from biomark.zoo.training import fit
from biomark.zoo.training_config import config_from_dict
from biomark.zoo.training_data import VolumeData

torch.set_num_threads(1)
plan = json.loads(sys.argv[1])
held = torch.load(plan["data"], weights_only=True)
data = VolumeData(**{**held, **{k: tuple(held[k]) for k in ("labels", "patient_id", "sets")}})

def kill_at(k, when):
    calls = 0
    def wrapped(real):
        def call(*arguments):
            nonlocal calls
            calls += 1
            if calls == k and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            value = real(*arguments)
            if calls == k:
                os.kill(os.getpid(), signal.SIGKILL)
            return value
        return call
    os.fsync, os.replace = wrapped(os.fsync), wrapped(os.replace)

def run(out, kills):
    killed = 0
    for kill in [*kills, None]:
        child = os.fork()
        if child == 0:
            try:
                if kill is not None and kill[0] == "call":
                    kill_at(kill[1], kill[2])
                train(out)
                os._exit(0)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
        if kill is not None and kill[0] == "time":
            time.sleep(kill[1])
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        status = os.waitpid(child, 0)[1]
        killed += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
    return killed

def train(out):
    fit(config_from_dict({**plan["settings"], "cohort": "c.csv", "out": out}), data, resume=True)

weight = torch.zeros(1, requires_grad=True)
weight.grad = torch.zeros(1)
torch.optim.Adam([weight]).step()
print(json.dumps([run(out, kills) for out, kills in plan["runs"]]))
"""


def config(out, **settings):
    return TrainingConfig(cohort="c.csv", out=str(out), **{**SETTINGS, **settings})


def figures(folder):
    """The metrics without what a clock says."""
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    timed = ("seconds", "volumes_per_second", "validation_seconds")
    return [{k: v for k, v in json.loads(line).items() if k not in timed} for line in lines]


def assert_same_run(one, other):
    assert figures(one) == figures(other)
    for name in ("best.safetensors", "last.safetensors", "config.yaml", "data.json"):
        if name == "config.yaml":
            assert (one / name).read_text(encoding="utf-8").replace(str(one), str(other)) == (
                other / name
            ).read_text(encoding="utf-8")
        else:
            assert (one / name).read_bytes() == (other / name).read_bytes(), name
    mine, theirs = (load_state(folder / "state.pt")["learner"] for folder in (one, other))
    assert_equal_trees(mine, theirs)


def assert_equal_trees(mine, theirs):
    if isinstance(mine, torch.Tensor):
        assert torch.equal(mine, theirs) and mine.dtype == theirs.dtype
    elif isinstance(mine, dict):
        assert list(mine) == list(theirs)
        for key in mine:
            assert_equal_trees(mine[key], theirs[key])
    elif isinstance(mine, (list, tuple)):
        assert len(mine) == len(theirs)
        for a, b in zip(mine, theirs, strict=True):
            assert_equal_trees(a, b)
    else:
        assert mine == theirs


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system does not fork")
def test_killed_at_any_moment_a_run_goes_on_bit_for_bit(tmp_path, toy_volumes):
    data = toy_volumes(16, sets=("train", "validation"), missing=True)
    parts = ("images", "masks", "has_mask", "y_true", "labels", "patient_id", "sets", "digest")
    held = {name: getattr(data, name) for name in parts}
    torch.save({k: list(v) if isinstance(v, tuple) else v for k, v in held.items()}, tmp_path / "data.pt")
    # The 3 files of the beginning and the empty metrics are 12 calls; an epoch is 9 or 12.
    runs = [["never killed", []]]
    for k in range(10, 36, 3):
        when = ("before", "after")[k % 2]
        runs.append([f"killed {k} {when}", [["call", k, when]]])
    runs += [["killed again and again", [["call", k, "before"] for k in (2, 14, 17, 9, 25, 12)]]]
    runs += [["killed by time", [["time", t] for t in (0.15, 0.4, 0.25, 0.6)]]]
    plan = {
        "data": str(tmp_path / "data.pt"),
        "settings": SETTINGS,
        "runs": [[str(tmp_path / name), kills] for name, kills in runs],
    }
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), json.dumps(plan)],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    killed = json.loads(done.stdout)
    assert killed[0] == 0 and killed[1:-2] == [1] * (len(runs) - 3) and killed[-2] >= 4
    for name, _ in runs[1:]:
        assert_same_run(tmp_path / "never killed", tmp_path / name)
        assert not list((tmp_path / name).glob(".*.part"))


def test_a_run_in_one_process_gives_the_same_run_twice(tmp_path, toy_volumes):
    data = toy_volumes(16, sets=("train", "validation"))
    for name in ("one", "two"):
        torch.manual_seed(hash(name) % 1000)
        fit(config(tmp_path / name, epochs=2), data)
    assert_same_run(tmp_path / "one", tmp_path / "two")


def test_states_may_be_written_less_often(tmp_path, toy_volumes):
    data = toy_volumes(16, sets=("train", "validation"))
    fit(config(tmp_path / "one", epochs=3), data)
    fit(config(tmp_path / "two", epochs=3, checkpoint_every=2), data)
    assert figures(tmp_path / "one") == figures(tmp_path / "two")


def test_resuming_a_finished_run_changes_nothing(tmp_path, toy_volumes):
    data = toy_volumes(8, sets=("train", "validation"))
    first = fit(config(tmp_path / "run", epochs=2), data)
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    second = fit(config(tmp_path / "run", epochs=2), data, resume=True)
    assert first == second
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}


def test_a_folder_with_a_run_is_not_overwritten(tmp_path, toy_volumes):
    data = toy_volumes(8, sets=("train", "validation"))
    fit(config(tmp_path / "run", epochs=1), data)
    with pytest.raises(BiomarkError, match="holds a run already"):
        fit(config(tmp_path / "run", epochs=1), data)


def test_a_run_does_not_go_on_with_other_settings_or_data(tmp_path, toy_volumes):
    data = toy_volumes(8, sets=("train", "validation"))
    fit(config(tmp_path / "run", epochs=1), data)
    with pytest.raises(BiomarkError, match=r"other settings \(learning_rate 0.01 became 0.1\)"):
        fit(config(tmp_path / "run", epochs=1, learning_rate=0.1), data, resume=True)
    with pytest.raises(BiomarkError, match="begun with other data"):
        fit(
            config(tmp_path / "run", epochs=1),
            toy_volumes(8, sets=("train", "validation"), seed=1),
            resume=True,
        )


@pytest.mark.parametrize("content", [b"", b"not a state", b"PK\x03\x04 broken"])
def test_a_broken_state_is_refused_by_name(tmp_path, content, toy_volumes):
    data = toy_volumes(8, sets=("train", "validation"))
    fit(config(tmp_path / "run", epochs=1), data)
    (tmp_path / "run" / "state.pt").write_bytes(content)
    with pytest.raises(InputFileError, match=r"state\.pt: is no state of a run"):
        fit(config(tmp_path / "run", epochs=1), data, resume=True)
