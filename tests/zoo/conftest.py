"""Shared by the tests of the zoo: one thread, and small volumes in memory."""

import numpy as np
import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Several processes of tests, each with a thread per processor, would wait for each other."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def toy_volumes():
    """Return the function that makes small volumes with a ball for a lesion; they are not ultrasound."""
    return make_toy_volumes


def make_toy_volumes(n=8, side=16, *, sets=("train",), seed=0, missing=False):
    """n patients, dealt out to the sets in turn; size and grey level of the ball follow the labels.

    Each set has both classes of every label from four patients on.
    """
    import torch
    from biomark.zoo.training_data import VolumeData

    rng = np.random.default_rng(seed)
    place = np.arange(n) // len(sets)
    y = np.stack([(place >> i) % 2 for i in (0, 1, 0)], axis=1).astype(np.float32)
    grid = np.stack(np.meshgrid(*[np.arange(side, dtype=np.float32)] * 3, indexing="ij"))
    image = np.empty((n, 1, side, side, side), dtype=np.uint8)
    mask = np.zeros_like(image)
    for i in range(n):
        centre = side / 2 + rng.uniform(-side / 8, side / 8, 3)
        lesion = ((grid - centre[:, None, None, None]) ** 2).sum(0) < (side * (0.2 + 0.1 * y[i, 0])) ** 2
        grey = rng.normal(120 + 40 * y[i, 1], 15, (side,) * 3) - lesion * (60 + 30 * y[i, 2])
        image[i, 0], mask[i, 0] = np.clip(grey, 0, 255), lesion
    has_mask = np.ones(n, dtype=bool)
    if missing:
        y[0, 1] = np.nan
        has_mask[-1], mask[-1] = False, 0
    return VolumeData(
        torch.from_numpy(image),
        torch.from_numpy(mask),
        torch.from_numpy(has_mask),
        torch.from_numpy(y),
        ("ER", "PR", "HER2"),
        tuple(f"P{i:02d}" for i in range(n)),
        tuple(sets[i % len(sets)] for i in range(n)),
        f"toy {n} {side} {seed} {missing}",
    )
