"""Events for TensorBoard: written on request, and refused before anything is written where it is not installed."""

import pytest
from biomark.errors import BiomarkError
from biomark.zoo.training import fit
from biomark.zoo.training_config import TrainingConfig


def settings(out):
    return TrainingConfig(
        cohort="cohort.csv",
        out=str(out),
        task="single-task",
        model="resnet10_3d",
        model_options={"width": 2},
        epochs=2,
        device="cpu",
        tensorboard=True,
    )


def test_events_hold_the_epochs_or_the_missing_package_is_named(tmp_path, toy_volumes):
    data = toy_volumes(8, 16, sets=("train", "validation"))
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ModuleNotFoundError:
        with pytest.raises(BiomarkError, match="pip install tensorboard"):
            fit(settings(tmp_path / "run"), data)
        assert not (tmp_path / "run").exists()
    else:
        history = fit(settings(tmp_path / "run"), data).history
        held = EventAccumulator(str(tmp_path / "run" / "events")).Reload()
        losses = [(event.step, event.value) for event in held.Scalars("train/loss")]
        assert [step for step, _ in losses] == [1, 2]
        assert [value for _, value in losses] == pytest.approx([epoch["train_loss"] for epoch in history])
