"""Random variants of volumes and their masks, batched, on the device that trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import BiomarkError

__all__ = ["Augmentation", "Variation", "augment", "draw_variations", "vary"]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How strongly `augment` varies volumes; 0 or False switches a part off.

    Attributes
    ----------
    rotation_degrees : (about D, about H, about W)
        Largest angle about each axis; drawn evenly from minus to plus that.
    translation : float
        Largest shift along each axis, as a share of the side.
    flip : (D, H, W)
        Which axes are mirrored in half of the cases.
    gain : float
        Intensities are multiplied by a factor between 1 - gain and 1 + gain.
    offset : float
        A number between -offset and offset is added.
    gamma : float
        Intensities are raised to the power exp(u), u between -gamma and gamma.
    speckle : float
        Standard deviation of the noise that multiplies each voxel: x (1 + speckle n).
    elastic : float
        Standard deviation of the displacement of the points of a coarse grid, as a share of the side.
    elastic_points : int
        Points of that grid along each axis.

    Notes
    -----
    The paper names rotation, flipping and translation, and no strengths. By default the depth axis H is not mirrored
    and little tilted: sound comes from one side, and a shadow above its lesion does not exist. About the depth axis, in
    the coronal plane, the probe may have any heading, so the angle is larger.
    """

    rotation_degrees: tuple[float, float, float] = (5.0, 20.0, 5.0)
    translation: float = 0.08
    flip: tuple[bool, bool, bool] = (True, False, True)
    gain: float = 0.0
    offset: float = 0.0
    gamma: float = 0.0
    speckle: float = 0.0
    elastic: float = 0.0
    elastic_points: int = 5

    def __post_init__(self) -> None:
        for name in ("translation", "gain", "offset", "gamma", "speckle", "elastic"):
            if not 0.0 <= getattr(self, name) < 10.0:
                raise BiomarkError(f"{name} must be 0 or more (and below 10), found {getattr(self, name)!r}")
        if len(self.rotation_degrees) != 3 or not all(
            0.0 <= angle <= 180.0 for angle in self.rotation_degrees
        ):
            raise BiomarkError(
                f"rotation_degrees must be three angles of 0 to 180, found {self.rotation_degrees!r}"
            )
        if len(self.flip) != 3:
            raise BiomarkError(f"flip must say yes or no for each of D, H and W, found {self.flip!r}")
        if self.elastic_points < 2:
            raise BiomarkError(f"elastic_points must be at least 2, found {self.elastic_points!r}")

    @property
    def resamples(self) -> bool:
        """Whether anything moves voxels off their grid."""
        return any(self.rotation_degrees) or self.translation > 0 or self.elastic > 0

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


class Variation(NamedTuple):
    """What `draw_variations` drew for each sample of a batch: everything but the voxels.

    Attributes
    ----------
    flips : tensor of shape (B, 3), bool
        Whether D, H and W are mirrored.
    theta : tensor of shape (B, 3, 4), float32
        From the normalised coordinates (x, y, z, 1) of a voxel of the result to those of its source, mirroring
        included, as `torch.nn.functional.affine_grid` takes them.
    displacement : tensor of shape (B, 3, points, points, points), float32
        Of the elastic part, in normalised coordinates of the source; without points if there is none.
    tones : tensor of shape (B, 3), float32
        Exponent, factor and offset of the intensities.
    seeds : tensor of shape (B,), int64
        Of what is drawn on the device: the speckle.
    """

    flips: Tensor
    theta: Tensor
    displacement: Tensor
    tones: Tensor
    seeds: Tensor

    def to(self, device: torch.device) -> Variation:
        """Return the variations on a device; the copy does not make the processor wait. The seeds stay."""
        if device.type != "cuda":
            return self
        moved = [part.pin_memory().to(device, non_blocking=True) for part in self[:-1]]
        return Variation._make([*moved, self.seeds])


def augment(
    image: Tensor, mask: Tensor | None = None, *, seeds: Sequence[int], settings: Augmentation | None = None
) -> tuple[Tensor, Tensor | None]:
    """Return a random variant of each volume of a batch, and of its mask moved alike.

    Parameters
    ----------
    image : tensor of shape (B, C, D, H, W)
        Floating point in [0, 1], or uint8 (then divided by 255), on any device.
    mask : tensor of shape (B, 1, D, H, W), 0 or 1, optional
    seeds : sequence of B whole numbers
        One per sample: a sample's variant depends on its seed alone, not on its place in the batch or on what else is
        in it.
    settings : Augmentation, optional

    Returns
    -------
    image : tensor of the same shape, float32 in [0, 1]
    mask : tensor of the same shape, float32, 0 or 1, or None

    Notes
    -----
    Mirroring is exact. All else that moves voxels is one affine map with, if asked, an elastic displacement; image and
    mask go through one trilinear resampling together, and the mask is cut at one half. What comes from outside is 0.
    Angles and shifts are drawn on the CPU and are the same on every device; speckle is drawn on the device.
    """
    settings = Augmentation() if settings is None else settings
    _check(image, mask, seeds)
    drawn = draw_variations(seeds, settings, tuple(image.shape[2:]))
    return vary(image, mask, drawn.to(image.device), settings)


def draw_variations(seeds: Sequence[int], settings: Augmentation, shape: tuple[int, ...]) -> Variation:
    """Draw what varies each sample, on the processor.

    Parameters
    ----------
    seeds : sequence of B whole numbers
    settings : Augmentation
    shape : (D, H, W)
        Of the volumes; a rotation of voxels depends on it.
    """
    generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    # Every number is drawn whether it is used or not, so that one setting does not change what another does.
    uniform = torch.stack([torch.rand(16, generator=generator) for generator in generators])
    flips = (uniform[:, 0:3] < 0.5) & torch.tensor(settings.flip)
    # In the order x, y, z of a grid's coordinates.
    sign = 1.0 - 2.0 * flips.flip(1).float()
    theta = sign[:, :, None] * _affine(uniform[:, 3:9], shape, settings)
    displacement = torch.zeros(len(generators), 3, 0, 0, 0)
    if settings.elastic:
        points = (3, *[settings.elastic_points] * 3)
        normal = torch.stack([torch.randn(points, generator=generator) for generator in generators])
        displacement = 2 * settings.elastic * normal * sign[:, :, None, None, None]
    spread = 2 * uniform[:, 9:12] - 1
    tones = torch.stack(
        [
            torch.exp(settings.gamma * spread[:, 0]),
            1 + settings.gain * spread[:, 1],
            settings.offset * spread[:, 2],
        ],
        dim=1,
    )
    return Variation(flips, theta, displacement, tones, torch.tensor([int(seed) for seed in seeds]))


def vary(
    image: Tensor, mask: Tensor | None, drawn: Variation, settings: Augmentation
) -> tuple[Tensor, Tensor | None]:
    """Apply drawn variations, on the device where volumes and variations are; see `augment`."""
    joint = image.float() / 255 if image.dtype == torch.uint8 else image.float()
    channels = joint.shape[1]
    if mask is not None:
        joint = torch.cat([joint, mask.float()], dim=1)
    if settings.resamples:
        grid = F.affine_grid(drawn.theta, list(joint.shape), align_corners=False)
        if settings.elastic:
            fine = F.interpolate(
                drawn.displacement, size=list(joint.shape[2:]), mode="trilinear", align_corners=True
            )
            grid = grid + fine.permute(0, 2, 3, 4, 1)
        joint = F.grid_sample(joint, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    else:
        joint = _flipped(joint, drawn.flips, settings)
    moved, lesion = joint[:, :channels], joint[:, channels:]
    return retoned(moved, drawn, settings), None if mask is None else (lesion >= 0.5).float()


def retoned(image: Tensor, drawn: Variation, settings: Augmentation) -> Tensor:
    """Return intensities of shape (B, C, D, H, W) under the drawn curve, gain, offset and speckle, in [0, 1]."""
    tones = drawn.tones[:, :, None, None, None, None]
    if settings.gamma:
        image = image.clamp_min(0.0) ** tones[:, 0]
    if settings.gain:
        image = image * tones[:, 1]
    if settings.offset:
        image = image + tones[:, 2]
    if settings.speckle:
        noise = torch.empty_like(image)
        for at, seed in enumerate(drawn.seeds.tolist()):
            noise[at].normal_(generator=torch.Generator(device=image.device).manual_seed(seed))
        image = image * (1 + settings.speckle * noise)
    return image.clamp(0.0, 1.0)


def _check(image: Tensor, mask: Tensor | None, seeds: Sequence[int]) -> None:
    if image.ndim != 5:
        raise BiomarkError(f"image must have shape (B, C, D, H, W), found {tuple(image.shape)}")
    if not (image.dtype == torch.uint8 or image.is_floating_point()):
        raise BiomarkError(f"image must be floating point or uint8, found {image.dtype}")
    expected = (image.shape[0], 1, *image.shape[2:])
    if mask is not None and tuple(mask.shape) != expected:
        raise BiomarkError(f"mask must have shape {expected}, found {tuple(mask.shape)}")
    if len(seeds) != image.shape[0]:
        raise BiomarkError(f"there must be one seed per sample ({image.shape[0]}), found {len(seeds)}")


def _flipped(joint: Tensor, flips: Tensor, settings: Augmentation) -> Tensor:
    for axis, asked in enumerate(settings.flip):
        if asked:
            chosen = flips[:, axis, None, None, None, None]
            joint = torch.where(chosen, joint.flip(axis + 2), joint)
    return joint


def _affine(uniform: Tensor, shape: tuple[int, ...], settings: Augmentation) -> Tensor:
    """Return rotations and shifts as matrices of shape (B, 3, 4)."""
    spread = 2 * uniform - 1  # (B, 6) in [-1, 1)
    angles = torch.deg2rad(spread[:, 0:3] * torch.tensor(settings.rotation_degrees))
    size = torch.tensor(shape[::-1], dtype=torch.float32)  # (W, H, D), the order of a grid's coordinates
    # Normalised coordinates measure each side as 2: a rotation of voxels is S^-1 R S there.
    rotation = _rotation(angles) * size[None, None, :] / size[None, :, None]
    shift = 2 * settings.translation * spread[:, 3:6, None]
    return torch.cat([rotation, shift], dim=2)


def _rotation(angles: Tensor) -> Tensor:
    """Return rotations about D, then H, then W, as matrices of shape (B, 3, 3) for (x, y, z) = (W, H, D)."""
    about_d, about_h, about_w = angles.unbind(dim=1)

    def plane(angle: Tensor, first: int, second: int) -> Tensor:
        matrix = torch.eye(3).repeat(len(angle), 1, 1)
        matrix[:, first, first] = matrix[:, second, second] = torch.cos(angle)
        matrix[:, first, second], matrix[:, second, first] = -torch.sin(angle), torch.sin(angle)
        return matrix

    return plane(about_w, 1, 2) @ plane(about_h, 2, 0) @ plane(about_d, 0, 1)
