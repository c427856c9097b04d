import numpy as np
import pytest
import torch
from biomark.errors import BiomarkError
from biomark.zoo.affine_sampling import sample_affine
from biomark.zoo.augmentation import Augmentation, augment, draw_variations

STILL = {"rotation_degrees": (0.0, 0.0, 0.0), "translation": 0.0, "flip": (False, False, False)}
STRONG = Augmentation(
    rotation_degrees=(30, 30, 30), translation=0.2, flip=(True, True, True), gain=0.3, offset=0.1, gamma=0.3,
    speckle=0.3, elastic=0.03,
)  # fmt: skip


def smooth(batch: int = 2, shape: tuple[int, int, int] = (16, 20, 24)) -> torch.Tensor:
    """Volumes that vary slowly, so that a trilinear value is nearly the true one."""
    noise = torch.rand(batch, 1, 4, 5, 6, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.interpolate(noise, size=shape, mode="trilinear", align_corners=True)


def ball(shape: tuple[int, int, int], centre: tuple[float, float, float], radius: float) -> torch.Tensor:
    axes = [torch.arange(n, dtype=torch.float32) for n in shape]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    distance = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
    return (distance <= radius**2).float()[None, None]


def test_all_switched_off_is_the_identity():
    image, mask = smooth(), (smooth() > 0.5).float()
    same, lesion = augment(image, mask, seeds=[1, 2], settings=Augmentation(**STILL))
    torch.testing.assert_close(same, image, rtol=0, atol=0)
    torch.testing.assert_close(lesion, mask, rtol=0, atol=0)


def test_resampling_without_motion_is_the_identity():
    image = smooth()
    almost = Augmentation(**{**STILL, "translation": 1e-9})
    torch.testing.assert_close(augment(image, seeds=[1, 2], settings=almost)[0], image, rtol=0, atol=2e-5)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_flips_are_exact_and_happen_in_half_of_the_cases(axis):
    flip = tuple(a == axis for a in range(3))
    image, mask = smooth(1), (smooth(1) > 0.5).float()
    settings = Augmentation(**{**STILL, "flip": flip})
    flipped = 0
    for seed in range(200):
        moved, lesion = augment(image, mask, seeds=[seed], settings=settings)
        if torch.equal(moved, image):
            assert torch.equal(lesion, mask)
        else:
            assert torch.equal(moved, image.flip(axis + 2))
            assert torch.equal(lesion, mask.flip(axis + 2))
            flipped += 1
    # Binomial(200, 1/2): outside 70 to 130 with probability below 1e-4.
    assert 70 <= flipped <= 130


def test_a_variant_depends_on_its_seed_alone():
    image = smooth(3)
    whole, _ = augment(image, seeds=[7, 8, 9], settings=STRONG)
    for at, seed in enumerate([7, 8, 9]):
        alone, _ = augment(image[at : at + 1], seeds=[seed], settings=STRONG)
        torch.testing.assert_close(alone[0], whole[at], rtol=0, atol=1e-6)
    again, _ = augment(image, seeds=[7, 8, 9], settings=STRONG)
    assert torch.equal(whole, again)
    other, _ = augment(image, seeds=[17, 18, 19], settings=STRONG)
    assert not torch.allclose(whole, other, atol=0.05)


def test_global_random_state_is_neither_used_nor_moved():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first, _ = augment(smooth(), seeds=[1, 2], settings=STRONG)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(4)
    assert torch.equal(first, augment(smooth(), seeds=[1, 2], settings=STRONG)[0])


def test_values_stay_in_range_and_masks_binary():
    image, mask = smooth(4), (smooth(4) > 0.5).float()
    moved, lesion = augment(image, mask, seeds=range(4), settings=STRONG)
    assert moved.dtype == lesion.dtype == torch.float32
    assert moved.min() >= 0 and moved.max() <= 1
    assert set(lesion.unique().tolist()) <= {0.0, 1.0}


def test_image_and_mask_move_alike():
    # The image is its own mask, blurred: wherever the lesion goes, the bright part goes.
    shape = (32, 40, 36)
    mask = torch.cat([ball(shape, (12, 25, 14), 6)] * 6)
    settings = Augmentation(rotation_degrees=(40, 40, 40), translation=0.15, flip=(True,) * 3, elastic=0.02)
    moved, lesion = augment(mask * 0.8, mask, seeds=range(6), settings=settings)
    for image, truth in zip(moved, lesion, strict=True):
        assert truth.sum() > 100
        assert torch.equal(image >= 0.4, truth >= 0.5)


def test_angle_and_sides_are_kept_in_a_volume_of_unequal_sides():
    # A ball stays a ball: the rotation is one of voxels, not of the unit cube.
    shape = (24, 48, 32)
    mask = ball(shape, (11.5, 23.5, 15.5), 8)
    for seed in range(5):
        settings = Augmentation(**{**STILL, "rotation_degrees": (90.0, 90.0, 90.0)})
        _, lesion = augment(mask, mask, seeds=[seed], settings=settings)
        overlap = 2 * (lesion * mask).sum() / (lesion.sum() + mask.sum())
        assert overlap > 0.97


def test_rotation_about_the_depth_axis_turns_the_coronal_plane():
    settings = Augmentation(**{**STILL, "rotation_degrees": (0.0, 30.0, 0.0)})
    image = torch.zeros(1, 1, 17, 9, 17)
    image[0, 0, 8, 4, :] = 1.0  # a line along W at mid-depth
    moved, _ = augment(image, seeds=[5], settings=settings)
    outside = torch.cat([moved[:, :, :, :4], moved[:, :, :, 5:]], dim=3)
    assert float(outside.abs().max()) < 1e-5
    assert not torch.allclose(moved, image, atol=0.1)


def test_shift_is_within_its_bound():
    shape = (40, 40, 40)
    mask = ball(shape, (19.5, 19.5, 19.5), 5)
    settings = Augmentation(**{**STILL, "translation": 0.1})
    centres = []
    for seed in range(60):
        _, lesion = augment(mask, mask, seeds=[seed], settings=settings)
        centres.append(np.argwhere(lesion[0, 0].numpy() > 0).mean(axis=0) - 19.5)
    largest = np.abs(np.array(centres)).max(axis=0)
    assert (largest <= 4.3).all() and (largest >= 2.5).all()


def test_uint8_is_scaled_and_speckle_keeps_the_mean():
    image = torch.full((1, 1, 24, 24, 24), 102, dtype=torch.uint8)
    moved, _ = augment(image, seeds=[1], settings=Augmentation(**STILL, speckle=0.2))
    assert abs(float(moved.mean()) - 0.4) < 0.005
    assert abs(float(moved.std()) - 0.08) < 0.004


def test_one_setting_leaves_the_draws_of_another():
    image = smooth()
    plain, _ = augment(image, seeds=[1, 2])
    brighter, _ = augment(image, seeds=[1, 2], settings=Augmentation(offset=1e-7))
    torch.testing.assert_close(plain, brighter, rtol=0, atol=1e-6)


def test_sampling_where_volumes_lie_is_grid_sample():
    settings = Augmentation(rotation_degrees=(40, 40, 40), translation=0.4, flip=(True,) * 3)
    volumes = torch.randint(0, 256, (5, 1, 12, 16, 14), dtype=torch.uint8)
    rows = torch.tensor([4, 0, 2, 2])
    theta = draw_variations([1, 2, 3, 4], settings, (12, 16, 14)).theta
    taken = volumes[rows].float()
    grid = torch.nn.functional.affine_grid(theta, list(taken.shape), align_corners=False)
    expected = torch.nn.functional.grid_sample(taken, grid, align_corners=False)
    torch.testing.assert_close(sample_affine(volumes, rows, theta), expected, rtol=0, atol=5e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image": torch.zeros(1, 4, 4, 4), "seeds": [1]}, r"image must have shape \(B, C, D, H, W\)"),
        ({"image": torch.zeros(2, 1, 4, 4, 4), "seeds": [1]}, "one seed per sample"),
        ({"image": torch.zeros(1, 1, 4, 4, 4, dtype=torch.int32), "seeds": [1]}, "floating point or uint8"),
        (
            {"image": torch.zeros(1, 1, 4, 4, 4), "mask": torch.zeros(1, 1, 4, 4, 5), "seeds": [1]},
            "mask must have shape",
        ),
    ],
)  # fmt: skip
def test_wrong_batches_are_refused(arguments, message):
    with pytest.raises(BiomarkError, match=message):
        augment(**arguments)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rotation_degrees": (1, 2)},
        {"rotation_degrees": (0, 0, 181)},
        {"translation": -0.1},
        {"flip": (True,)},
        {"elastic_points": 1},
        {"speckle": float("nan")},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(BiomarkError):
        Augmentation(**wrong)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_geometry_is_the_same_on_the_gpu():
    image, mask = smooth(), (smooth() > 0.5).float()
    settings = Augmentation(elastic=0.02, gain=0.2)
    here = augment(image, mask, seeds=[1, 2], settings=settings)
    there = augment(image.cuda(), mask.cuda(), seeds=[1, 2], settings=settings)
    torch.testing.assert_close(there[0].cpu(), here[0], rtol=0, atol=1e-4)
