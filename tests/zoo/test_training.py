"""Training: what a step does, what a run leaves behind, when it stops."""

import copy
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from biomark import zoo
from biomark.errors import BiomarkError
from biomark.zoo.augmentation import Augmentation
from biomark.zoo.inference import run_network
from biomark.zoo.learner import Learner, NonFiniteLossError, learning_rate_at
from biomark.zoo.precision import Precision, choose_device, choose_precision
from biomark.zoo.run_folder import load_model, read_metrics
from biomark.zoo.training import fit
from biomark.zoo.training_config import TrainingConfig

SMALL = {"model": "resnet10_3d", "model_options": {"width": 2, "decoder_width": 1}}
CPU = torch.device("cpu")


def config(out="run", **settings):
    return TrainingConfig(cohort="cohort.csv", out=str(out), **{**SMALL, "epochs": 2, **settings})


def learner(data, **settings):
    chosen = config(**settings)
    torch.manual_seed(0)
    model = zoo.create_model(chosen.model, task=chosen.task, labels=data.labels, **chosen.model_options)
    return Learner(chosen, model, data, device=CPU, precision=Precision("fp32", "cpu"))


def weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_a_step_is_adam_on_the_loss_of_the_batch(toy_volumes):
    data = toy_volumes(4)
    one = learner(data, augmentation=None)
    by_hand = copy.deepcopy(one.model).train()
    loss = one.step(np.arange(4), epoch=1, step=1, learning_rate=0.01)

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
        norms.append(one.step(np.arange(4), epoch=1, step=1, learning_rate=0.01))
    for a, b in zip(*norms, strict=True):
        assert a == pytest.approx(b, rel=1e-4)


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
    assert one.step(np.arange(4), epoch=1, step=1, learning_rate=0.01).gradient_norm > 1e-3
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
    one = learner(data, augmentation=None)
    if broken == "image":
        images = data.images.to(torch.float16) / 255
        images[2] = torch.nan
        one.data = replace(data, images=images)
    else:
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
        learner(data, augmentation=Augmentation()).step(rows, epoch=1, step=1, learning_rate=0.0).total
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


def test_bf16_on_the_processor_learns(tmp_path, toy_volumes):
    run = fit(config(tmp_path / "run", precision="bf16", validation_set="train"), toy_volumes(4))
    assert all(math.isfinite(epoch["train_loss"]) for epoch in run.history)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "fp16", "auto"])
def test_the_device_learns_and_goes_on(tmp_path, toy_volumes, precision):
    data = toy_volumes(8, 32, sets=("train", "validation"))
    settings = config(tmp_path / "run", precision=precision, device="cuda", epochs=3, ema=0.9)
    run = fit(settings, data)
    assert all(math.isfinite(epoch["train_loss"]) for epoch in run.history)
    assert fit(settings, data, resume=True) == run
