"""Both networks learn eight simulated patients by heart: what they are taught reaches what they say."""

import numpy as np
import pytest
from biomark import zoo
from biomark.zoo.phantom import PhantomGrid


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    home = tmp_path_factory.mktemp("phantoms")
    grid = PhantomGrid((24.0, 30.0, 24.0), (0.8, 0.4, 0.6))
    zoo.write_phantom_cohort(home, patients=8, grid=grid, missing_labels=0, missing_masks=0, seed=1)
    cohort = zoo.read_cohort(home / "cohort.csv")
    assert all(0 < share < 1 for share in np.nanmean(cohort.y_true, axis=0))
    return cohort.with_frame(cohort.frame.assign(set="train")), home


@pytest.mark.slow
@pytest.mark.parametrize(("task", "size", "epochs"), [("single-task", 32, 25), ("multi-task", 48, 50)])
def test_eight_phantoms_are_learnt_by_heart(tmp_path, phantoms, task, size, epochs):
    cohort, home = phantoms
    settings = zoo.Preprocessing(size=size, margin_mm=3.0)
    data = zoo.volume_data(zoo.cache_cohort(cohort, home / "cache", settings))
    options = {"width": 8} if task == "single-task" else {"width": 8, "decoder_width": 4}
    config = zoo.TrainingConfig(
        cohort="cohort.csv",
        out=str(tmp_path / "run"),
        task=task,
        model="resnet10_3d",
        model_options=options,
        epochs=epochs,
        batch_size=4,
        learning_rate=0.01,
        schedule="cosine",
        augmentation=None,
        validation_set="train",
    )
    last = zoo.fit(config, data).history[-1]
    assert last["validation_macro_auc"] == 1.0
    assert task == "single-task" or last["validation_dice"] > 0.9
