"""Training: what a step does, what a run leaves behind, when it stops."""

import copy
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from biomark import zoo
from biomark.errors import BiomarkError, BiomarkWarning, FailedWorkError
from biomark.zoo import precision
from biomark.zoo.augmentation import Augmentation
from biomark.zoo.inference import run_network
from biomark.zoo.learner import Learner, NonFiniteLossError, learning_rate_at
from biomark.zoo.precision import Precision, choose_device, choose_precision
from biomark.zoo.run_folder import load_model, read_metrics
from biomark.zoo.training import chosen_acceleration, fit
from biomark.zoo.training_config import TrainingConfig
from biomark.zoo.varied_batches import VariedBatches

SMALL = {"model": "resnet10_3d", "model_options": {"width": 2, "decoder_width": 1}}
CPU = torch.device("cpu")
# torch 2.11's compiler imports what it calls deprecated itself.
COMPILES = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def config(out="run", **settings):
    return TrainingConfig(cohort="cohort.csv", out=str(out), **{**SMALL, "epochs": 2, **settings})


def learner(data, **settings):
    chosen = config(**settings)
    torch.manual_seed(0)
    model = zoo.create_model(chosen.model, task=chosen.task, labels=data.labels, **chosen.model_options)
    return Learner(chosen, model, data, device=CPU, precision=Precision("fp32", "cpu"))


def learnt(one, rows, *, epoch=1, step=1, learning_rate=0.01):
    """Do one step and return what it lost."""
    one.step(np.asarray(rows), epoch=epoch, step=step, learning_rate=learning_rate)
    (loss,) = one.losses()
    return loss


def weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_a_step_is_adam_on_the_loss_of_the_batch(toy_volumes):
    data = toy_volumes(4)
    one = learner(data, augmentation=None)
    by_hand = copy.deepcopy(one.model).train()
    loss = learnt(one, np.arange(4))

    optimizer = torch.optim.Adam(by_hand.parameters(), lr=0.01)
    terms = zoo.network_loss(
        by_hand(data.images.float() / 255), data.y_true, data.masks.float(), data.has_mask
    )
    terms.total.backward()
    optimizer.step()
    assert loss.total == pytest.approx(terms.total.item(), rel=1e-6)
    for name, tensor in by_hand.state_dict().items():
        torch.testing.assert_close(one.model.state_dict()[name], tensor, rtol=1e-5, atol=1e-6)


def test_accumulation_gives_the_gradient_of_the_whole_batch(toy_volumes):
    data = toy_volumes(4, missing=True)
    norms = []
    for accumulation in (1, 2):
        one = learner(data, augmentation=None, accumulation=accumulation)
        # Batch norm alone tells the parts from the whole.
        one.model.apply(
            lambda m: setattr(m, "momentum", 0.0) if isinstance(m, torch.nn.BatchNorm3d) else None
        )
        for module in one.model.modules():
            if isinstance(module, torch.nn.BatchNorm3d):
                module.train = lambda mode=True, module=module: module
                module.training = False
        norms.append(learnt(one, np.arange(4)))
    for a, b in zip(*norms, strict=True):
        assert a == pytest.approx(b, rel=1e-4)


def test_no_part_of_a_batch_has_one_patient_alone_unless_all_have(toy_volumes):
    one = learner(toy_volumes(7), accumulation=2, batch_size=4)
    assert [list(map(len, one._parts(n))) for n in (4, 3, 2, 1)] == [[2, 2], [3], [2], [1]]
    # The last map of 16 voxels a side is one voxel: parts of one patient could not be learnt from.
    assert np.isfinite(learnt(one, np.arange(3)).total)
    alone = learner(toy_volumes(4), accumulation=4, batch_size=4)
    assert list(map(len, alone._parts(4))) == [1, 1, 1, 1]
    with pytest.raises(BiomarkError, match=r"one volume whose last map is one voxel: .*accumulation 4"):
        learnt(alone, np.arange(4))


def test_clipping_bounds_the_gradient(toy_volumes):
    data = toy_volumes(4)
    one = learner(data, clip_norm=1e-3)
    real = one.optimizer.step
    seen = []

    def step(*arguments, **options):
        norm = torch.sqrt(sum(p.grad.square().sum() for p in one.model.parameters()))
        seen.append(float(norm))
        return real(*arguments, **options)

    one.optimizer.step = step
    assert learnt(one, np.arange(4)).gradient_norm > 1e-3
    assert seen[0] == pytest.approx(1e-3, rel=1e-2)


def test_the_average_follows_the_weights_and_is_what_is_kept(tmp_path, toy_volumes):
    data = toy_volumes(4)
    one = learner(data, ema=0.999)
    before = weights(one.model)
    one.step(np.arange(4), epoch=1, step=1, learning_rate=0.01)
    decay = 2 / 11
    for name, mine in one.average.state_dict().items():
        if mine.is_floating_point():
            expected = decay * before[name] + (1 - decay) * one.model.state_dict()[name]
            torch.testing.assert_close(mine, expected, rtol=1e-5, atol=1e-6)
    assert one.evaluated is one.average


@pytest.mark.parametrize("broken", ["image", "weights"])
def test_a_loss_that_is_no_number_stops_with_its_batch_and_changes_nothing(toy_volumes, broken):
    data = toy_volumes(6)
    if broken == "image":
        images = data.images.to(torch.float16) / 255
        images[2] = torch.nan
        data = replace(data, images=images)
    one = learner(data, augmentation=None)
    if broken == "weights":
        with torch.no_grad():
            one.model.classifier.bias.fill_(torch.inf)
    before = weights(one.model)
    with pytest.raises(
        NonFiniteLossError, match=r"epoch 3, step 7: loss (nan|inf), .*patients of the batch: P01, P02$"
    ):
        one.step(np.array([1, 2]), epoch=3, step=7, learning_rate=0.01)
    parameters = dict(one.model.named_parameters())
    assert all(torch.equal(before[name], p.detach()) for name, p in parameters.items())


def test_a_sample_is_augmented_alike_whatever_its_place(toy_volumes):
    data = toy_volumes(4)
    losses = [
        learnt(learner(data, augmentation=Augmentation()), rows, learning_rate=0.0).total
        for rows in (np.array([0, 1, 2]), np.array([2, 0, 1]))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_the_rate_warms_up_and_falls():
    settings = config(epochs=10, warmup_epochs=2.0, schedule="cosine", learning_rate=1.0)
    assert [round(learning_rate_at(settings, t), 6) for t in (0.5, 1, 2, 6, 10)] == [0.25, 0.5, 1.0, 0.5, 0.0]
    assert learning_rate_at(config(learning_rate=0.1), 1.7) == 0.1


def test_a_run_folder_is_complete(tmp_path, toy_volumes):
    data = toy_volumes(12, sets=("train", "validation"), missing=True)
    told = []
    run = fit(config(tmp_path / "run"), data, progress=told.append)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {
        "config.yaml", "environment.json", "data.json", "metrics.jsonl", "best.safetensors", "last.safetensors",
        "state.pt", "summary.json", "MODEL_CARD.md",
    }  # fmt: skip
    metrics = read_metrics(tmp_path / "run")
    assert metrics == run.history and [epoch["epoch"] for epoch in metrics] == [1, 2]
    assert all(math.isfinite(epoch["validation_loss"]) for epoch in metrics)
    assert run.macro_auc == max(epoch["validation_macro_auc"] for epoch in metrics)
    seen = json.loads((tmp_path / "run" / "data.json").read_text(encoding="utf-8"))
    assert seen["sets"]["train"] == {
        "patients": 6,
        "masks": 6,
        "positive": {"ER": 3, "PR": 2, "HER2": 3},
        "negative": {"ER": 3, "PR": 3, "HER2": 3},
    }
    card = (tmp_path / "run" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "simulated" not in card and card.index("| train |") < card.index("| validation |")
    assert f"macro AUC | {run.macro_auc:.3f}" in card and "not a medical device" in card
    whole = b"".join(path.read_bytes() for path in (tmp_path / "run").iterdir())
    assert b"P03" not in whole and str(tmp_path).encode() not in card.encode()
    assert [p.phase for p in told] == ["step"] * 1 + ["epoch"] + ["step"] * 1 + ["epoch"]
    assert told[-1].seconds_left == 0 and told[-1].volumes_per_second > 0


def test_the_best_weights_are_those_of_the_best_epoch(tmp_path, toy_volumes):
    data = toy_volumes(12, sets=("train", "validation"))
    run = fit(config(tmp_path / "run", epochs=4, learning_rate=0.02), data)
    best = [epoch for epoch in run.history if epoch["best"]][-1]
    assert best["epoch"] == run.best_epoch
    model = load_model(tmp_path / "run")
    rows = data.rows("validation")
    found = run_network(model, data, rows, batch_size=8, device=CPU, precision=Precision("fp32", "cpu"))
    assert found.loss == pytest.approx(best["validation_loss"], rel=1e-5)
    ranks = [(epoch["validation_macro_auc"], -epoch["validation_loss"]) for epoch in run.history]
    assert ranks.index(max(ranks)) + 1 == run.best_epoch


def test_training_stops_when_validation_no_longer_gets_better(tmp_path, toy_volumes):
    data = toy_volumes(8, sets=("train", "validation"))
    # No step is taken, so no epoch is better than the first.
    run = fit(config(tmp_path / "run", epochs=9, patience=2, learning_rate=1e-30, augmentation=None), data)
    assert run.stopped_early and run.epochs == run.best_epoch + 2 < 9


def test_labels_of_one_class_leave_the_macro_auc(tmp_path, toy_volumes):
    data = toy_volumes(8, sets=("train", "validation"))
    y = data.y_true.clone()
    y[1::2, 0] = 1.0
    run = fit(config(tmp_path / "run", epochs=1), replace(data, y_true=y))
    (epoch,) = run.history
    assert epoch["validation_auc_ER"] is None
    both = (epoch["validation_auc_PR"] + epoch["validation_auc_HER2"]) / 2
    assert epoch["validation_macro_auc"] == pytest.approx(both)


def test_where_no_auc_is_defined_the_loss_decides(tmp_path, toy_volumes):
    data = toy_volumes(8, sets=("train", "validation"))
    y = data.y_true.clone()
    y[1::2] = 1.0
    run = fit(config(tmp_path / "run", epochs=3), replace(data, y_true=y))
    losses = [epoch["validation_loss"] for epoch in run.history]
    assert math.isnan(run.macro_auc) and losses[run.best_epoch - 1] == min(losses)


def test_a_missing_set_is_told_with_those_there_are(tmp_path, toy_volumes):
    with pytest.raises(BiomarkError, match="set must be one of train; found 'validation'"):
        fit(config(tmp_path / "run"), toy_volumes(4))
    assert not (tmp_path / "run").exists()


def test_positive_weights_are_one_per_label(tmp_path, toy_volumes):
    with pytest.raises(BiomarkError, match="pos_weight must have one number for each of ER, PR, HER2"):
        fit(config(tmp_path / "run", pos_weight=(1.0,), validation_set="train"), toy_volumes(4))


def test_devices_and_precisions_that_are_not_there_are_refused():
    with pytest.raises(BiomarkError, match="device must be auto, cpu, cuda"):
        choose_device("gpu")
    with pytest.raises(BiomarkError, match="there is no device cuda:99"):
        choose_device("cuda:99")
    with pytest.raises(BiomarkError, match="fp16 needs a CUDA device"):
        choose_precision("fp16", CPU)
    assert choose_precision("auto", CPU).name == "fp32"


def test_bf16_on_the_processor_learns(tmp_path, toy_volumes, monkeypatch):
    monkeypatch.setattr(precision, "bf16_learns_on_the_processor", lambda: True)
    # At 80 cubed no map is so small that its gradient is in doubt.
    run = fit(config(tmp_path / "run", precision="bf16", validation_set="train"), toy_volumes(4, side=80))
    assert all(math.isfinite(epoch["train_loss"]) for epoch in run.history)


def test_bf16_that_gives_wrong_gradients_is_told_and_not_used(tmp_path, toy_volumes, monkeypatch):
    monkeypatch.setattr(precision, "bf16_learns_on_the_processor", lambda: False)
    with pytest.warns(
        BiomarkWarning, match="precision bf16: torch .* wrong bf16 gradients .* learns in fp32"
    ):
        fit(config(tmp_path / "run", precision="bf16", validation_set="train"), toy_volumes(4))
    environment = json.loads((tmp_path / "run" / "environment.json").read_text(encoding="utf-8"))
    assert environment["precision"] == "fp32" and "wrong bf16 gradients" in environment["precision_note"]
    # Where nothing is learnt, nothing can go wrong: convolutions themselves are right.
    assert choose_precision("bf16", CPU).name == "bf16"


def test_the_trial_of_bf16_tells_right_gradients_from_wrong_ones(monkeypatch):
    trial = precision.bf16_learns_on_the_processor.__wrapped__
    exact = torch.nn.functional.conv3d
    monkeypatch.setattr(
        precision.functional, "conv3d", lambda x, w, **how: exact(x.float(), w.float(), **how)
    )
    assert trial()

    def halved(x, w, **how):
        return exact(x.float(), w.float() * (0.5 if w.dtype == torch.bfloat16 else 1.0), **how)

    monkeypatch.setattr(precision.functional, "conv3d", halved)
    assert not trial()


def test_losses_are_those_of_the_steps_since_the_last_look(toy_volumes):
    one, other = learner(toy_volumes(6)), learner(toy_volumes(6))
    batches = [np.array([0, 1, 2]), np.array([3, 4]), np.array([5, 0, 3])]
    for step, rows in enumerate(batches, start=1):
        one.step(rows, epoch=1, step=step, learning_rate=0.01)
    single = [learnt(other, rows, step=step) for step, rows in enumerate(batches, start=1)]
    assert one.losses() == single and one.losses() == []


def test_more_steps_than_the_journal_holds_are_refused(toy_volumes, monkeypatch):
    one = learner(toy_volumes(2), augmentation=None)
    monkeypatch.setattr(type(one.journal), "is_full", True)
    with pytest.raises(FailedWorkError, match="read them first"):
        one.step(np.arange(2), epoch=1, step=1, learning_rate=0.01)


def test_compiling_is_chosen_where_it_pays():
    cuda, half = torch.device("cuda"), Precision("bf16", "cuda")
    long, short = config(epochs=250), config(epochs=2)
    assert chosen_acceleration(long, 240, cuda, half) == "captured"
    assert chosen_acceleration(short, 240, cuda, half) == "eager"
    assert chosen_acceleration(long, 240, cuda, Precision("fp16", "cuda")) == "eager"
    assert chosen_acceleration(long, 240, CPU, Precision("fp32", "cpu")) == "eager"
    assert chosen_acceleration(config(acceleration="compiled"), 4, cuda, half) == "compiled"
    recorded = config(acceleration="captured")
    assert chosen_acceleration(recorded, 4, cuda, half) == "captured"
    assert chosen_acceleration(recorded, 4, cuda, Precision("fp16", "cuda")) == "compiled"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "fp16", "auto"])
def test_the_device_learns_and_goes_on(tmp_path, toy_volumes, precision):
    data = toy_volumes(8, 32, sets=("train", "validation"))
    settings = config(tmp_path / "run", precision=precision, device="cuda", epochs=3, ema=0.9)
    run = fit(settings, data)
    assert all(math.isfinite(epoch["train_loss"]) for epoch in run.history)
    assert fit(settings, data, resume=True) == run


def gpu_learner(data, acceleration, **settings):
    chosen = config(**{"batch_size": 4, "ema": 0.9, "clip_norm": 1.0, **settings})
    torch.manual_seed(0)
    model = zoo.create_model(chosen.model, task=chosen.task, labels=data.labels, **chosen.model_options)
    device = torch.device("cuda")
    return Learner(
        chosen,
        model,
        data.placed(device),
        device=device,
        precision=Precision("fp32", "cuda"),
        acceleration=acceleration,
    )


def gpu_losses(one, *, steps=8):
    found = []
    for step in range(1, steps + 1):
        # The fifth batch is a smaller one, as at the end of an epoch.
        rows = np.random.default_rng(step).permutation(8)[: 3 if step == 5 else 4]
        one.step(rows, epoch=1, step=step, learning_rate=1e-3)
    found += one.losses()
    return np.array(found)


@pytest.mark.gpu
@COMPILES
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("task", ["single-task", "multi-task"])
def test_recorded_steps_learn_what_plain_steps_learn(toy_volumes, task):
    data = toy_volumes(8, 32, missing=True)
    options = {"width": 8} if task == "single-task" else {"width": 8, "decoder_width": 2}
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    plain = gpu_losses(gpu_learner(data, "eager", task=task, model_options=options))
    fast = gpu_learner(data, "captured", task=task, model_options=options)
    recorded = gpu_losses(fast)
    assert fast.stepping.note == ""
    np.testing.assert_allclose(recorded[:3], plain[:3], rtol=2e-3)
    # Rounding grows from step to step; the course is the same.
    np.testing.assert_allclose(recorded, plain, rtol=0.1)


@pytest.mark.gpu
@COMPILES
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("acceleration", ["eager", "captured"])
def test_the_device_stops_learning_at_the_first_loss_that_is_no_number(toy_volumes, acceleration):
    data = toy_volumes(8, 32)
    images = data.images.to(torch.float16) / 255
    images[7] = torch.nan
    one = gpu_learner(replace(data, images=images), acceleration, augmentation=None)
    for step in range(1, 6):
        one.step(np.arange(4), epoch=1, step=step, learning_rate=1e-3)
    one.losses()
    before = {name: p.detach().clone() for name, p in one.model.named_parameters()}
    one.step(np.array([1, 2, 3, 7]), epoch=2, step=1, learning_rate=1e-3)
    one.step(np.arange(4), epoch=2, step=2, learning_rate=1e-3)
    with pytest.raises(NonFiniteLossError, match=r"epoch 2, step 1: loss nan, .*P01, P02, P03, P07$"):
        one.losses()
    assert all(torch.equal(before[name], p.detach()) for name, p in one.model.named_parameters())


@pytest.mark.gpu
@COMPILES
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_volumes_are_sampled_where_they_lie_as_they_would_be_on_the_processor(toy_volumes):
    data = toy_volumes(6, 24)
    rows, seeds = np.array([4, 0, 3]), [1, 2, 3]
    settings = Augmentation(gain=0.2, gamma=0.2)
    found = {}
    for name in ("cpu", "cuda"):
        device = torch.device(name)
        batches = VariedBatches(
            data.placed(device),
            settings,
            batch_size=3,
            with_masks=True,
            device=device,
            precision=Precision("fp32", name),
        )
        found[name] = batches.batch(rows, seeds)
    torch.testing.assert_close(found["cuda"].image.cpu(), found["cpu"].image, rtol=0, atol=1e-4)
    assert (found["cuda"].mask.cpu().float() != found["cpu"].mask).float().mean() < 1e-4
