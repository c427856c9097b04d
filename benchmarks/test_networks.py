"""The road to a network and what is done with it but training: phantom, preprocessing, augmentation, inference, maps.

On a CUDA device at 128 cubed, on the processor at 64; biomark and its rivals in turns (`accelerator.alternating`).
"""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the zoo is not installed")

from accelerator import alternating, here, rival, write  # noqa: E402
from biomark import zoo  # noqa: E402
from biomark.viz.gradcam import gradcam_plus_plus  # noqa: E402
from biomark.zoo.crop import Box  # noqa: E402
from biomark.zoo.exporting import scripted  # noqa: E402
from biomark.zoo.inference import run_network  # noqa: E402
from biomark.zoo.phantom import simulate_phantom  # noqa: E402
from biomark.zoo.precision import choose_precision  # noqa: E402
from test_training import monai_resnet50, network, timm3d_resnet50, volumes  # noqa: E402

DEVICE = here()
SIDE = 128 if DEVICE.type == "cuda" else 64
BATCH = 8 if DEVICE.type == "cuda" else 2


@pytest.fixture(scope="module")
def rows():
    found: list[dict] = []
    yield found
    if found:
        write("networks", found)


@pytest.fixture
def turns(rows, benchmark):
    """Time biomark and its rivals in turns; a rival that is not installed says so."""

    def run(what: str, n: int, ours, rivals: dict, *, rounds: int = 5) -> None:
        jobs, absent = {"biomark": ours}, {}
        for name, make in rivals.items():
            try:
                jobs[name] = make()
            except ImportError as error:
                absent[name] = f"not installed: {error.name}"
        found = alternating(jobs, rounds=rounds)
        mine = found.pop("biomark")
        row = {
            "what": what,
            "n": n,
            "seconds": mine,
            "rivals": {name: rival(theirs, mine) for name, theirs in (found | absent).items()},
        }
        rows.append(row)
        benchmark.extra_info.update(row)
        benchmark.pedantic(lambda: None)

    return run


def test_phantom(turns):
    rng = np.random.default_rng(0)
    traits = rng.standard_normal(6)
    turns("simulate one phantom, default grid", 1, lambda: simulate_phantom(traits, rng=rng), {}, rounds=3)


def test_preprocessing(turns):
    array = np.random.default_rng(0).random((160, 200, 180), dtype=np.float32)
    volume = zoo.Volume(array, (0.5, 0.3, 0.4))
    whole = Box(*((0.0, float(n)) for n in array.shape))

    def monai():
        from monai.transforms import Compose, Resize, ScaleIntensityRangePercentiles

        scale = ScaleIntensityRangePercentiles(0.5, 99.5, 0.0, 1.0, clip=True)
        transform = Compose([Resize((128,) * 3, mode="trilinear", anti_aliasing=True), scale])
        return lambda: transform(array[None])

    turns(
        "preprocess 160 x 200 x 180 to 128 cubed: resample with anti-aliasing, clip at percentiles, scale",
        1,
        lambda: zoo.preprocess(volume, size=128, box=whole, isotropic=False),
        {"MONAI Resize (anti-aliasing), ScaleIntensityRangePercentiles": monai},
        rounds=3,
    )


def test_augmentation(turns):
    data = volumes(8, SIDE)
    image, mask = data.images[:BATCH].to(DEVICE), data.masks[:BATCH].to(DEVICE)
    seeds = list(range(BATCH))

    def monai():
        from monai.transforms import Compose, RandAffined, RandFlipd

        both = ["image", "mask"]
        transform = Compose(
            [
                RandFlipd(both, prob=0.5, spatial_axis=0),
                RandFlipd(both, prob=0.5, spatial_axis=2),
                RandAffined(
                    both,
                    prob=1.0,
                    rotate_range=(0.09, 0.35, 0.09),
                    translate_range=(0.08 * SIDE,) * 3,
                    mode=("bilinear", "nearest"),
                    padding_mode="zeros",
                ),
            ]
        )
        pairs = [{"image": i.float().cpu() / 255, "mask": m.cpu()} for i, m in zip(image, mask, strict=True)]
        return lambda: [transform(pair) for pair in pairs]

    turns(
        f"augment {BATCH} volumes of {SIDE} cubed with their masks, on {DEVICE.type}",
        BATCH,
        lambda: zoo.augment(image, mask, seeds=seeds),
        {"MONAI RandFlipd and RandAffined, on the processor": monai},
    )


def test_inference(turns):
    data, n = volumes(16, SIDE), 16
    precision = choose_precision("auto", DEVICE)
    model = network("single-task").to(DEVICE).eval()
    stored = data.placed(DEVICE)
    loaded = [stored.images[at : at + BATCH] for at in range(0, n, BATCH)]

    def plain(make):
        other = make().to(DEVICE).eval()

        def run():
            with torch.no_grad(), precision.autocast():
                return [other(images.float() / 255).float().cpu() for images in loaded]

        return run

    def script():
        traced = scripted(model)

        def run():
            with torch.no_grad(), precision.autocast():
                return [traced(images.float() / 255).logits.float().cpu() for images in loaded]

        return run

    turns(
        f"predict {n} volumes of {SIDE} cubed in batches of {BATCH}, resnet50_3d, {precision.name}",
        n,
        lambda: run_network(
            model, stored, np.arange(n), batch_size=BATCH, device=DEVICE, precision=precision
        ),
        {
            "MONAI resnet50 (conv1_t_stride=2)": partial(plain, monai_resnet50),
            "timm-3d resnet50": partial(plain, timm3d_resnet50),
            "biomark's network as TorchScript": script,
        },
        rounds=3,
    )


def test_gradcam(turns):
    model = network("single-task").to(DEVICE).eval()
    volume = torch.rand(2, 1, SIDE, SIDE, SIDE, device=DEVICE)

    def monai():
        from monai.visualize import GradCAMpp

        class Logits(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.net = model

            def forward(self, x):
                return self.net(x).logits

        explain = GradCAMpp(Logits(), "net.last_map")

        def run():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return explain(volume, class_idx=0)

        return run

    turns(
        f"Grad-CAM++ of one label of 2 volumes of {SIDE} cubed, resnet50_3d, fp32",
        2,
        lambda: gradcam_plus_plus(model, volume, 0),
        {"MONAI GradCAMpp": monai},
        rounds=3,
    )
