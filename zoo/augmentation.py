"""Random variants of volumes and their masks, batched, on the device that trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import BiomarkError

__all__ = ["Augmentation", "augment"]


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
    joint = image.float() / 255 if image.dtype == torch.uint8 else image.float()
    channels = joint.shape[1]
    if mask is not None:
        joint = torch.cat([joint, mask.float()], dim=1)
    generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    # Every number is drawn whether it is used or not, so that one setting does not change what another does.
    uniform = torch.stack([torch.rand(16, generator=generator) for generator in generators])
    points = (3, *[settings.elastic_points] * 3)
    normal = torch.stack([torch.randn(points, generator=generator) for generator in generators])

    joint = _flipped(joint, uniform[:, 0:3], settings)
    if settings.resamples:
        joint = _moved(joint, uniform[:, 3:9], normal, settings)
    moved, lesion = joint[:, :channels], joint[:, channels:]
    moved = _recoloured(moved, uniform[:, 9:12], settings)
    if settings.speckle:
        noise = torch.empty_like(moved)
        for at, seed in enumerate(seeds):
            generator = torch.Generator(device=moved.device).manual_seed(int(seed))
            noise[at].normal_(generator=generator)
        moved = moved * (1 + settings.speckle * noise)
    return moved.clamp(0.0, 1.0), None if mask is None else (lesion >= 0.5).float()


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


def _flipped(joint: Tensor, uniform: Tensor, settings: Augmentation) -> Tensor:
    chosen = (uniform < 0.5) & torch.tensor(settings.flip)
    samples = []
    for sample, flips in zip(joint, chosen.tolist(), strict=True):
        axes = [axis + 1 for axis, flip in enumerate(flips) if flip]
        samples.append(torch.flip(sample, axes) if axes else sample)
    return torch.stack(samples)


def _moved(joint: Tensor, uniform: Tensor, normal: Tensor, settings: Augmentation) -> Tensor:
    spread = 2 * uniform - 1  # (B, 6) in [-1, 1)
    angles = torch.deg2rad(spread[:, 0:3] * torch.tensor(settings.rotation_degrees))
    size = torch.tensor(
        joint.shape[:-4:-1], dtype=torch.float32
    )  # (W, H, D), the order of a grid's coordinates
    # Normalised coordinates measure each side as 2: a rotation of voxels is S^-1 R S there.
    rotation = _rotation(angles) * size[None, None, :] / size[None, :, None]
    shift = 2 * settings.translation * spread[:, 3:6, None]
    theta = torch.cat([rotation, shift], dim=2).to(joint.device)
    grid = F.affine_grid(theta, list(joint.shape), align_corners=False)
    if settings.elastic:
        coarse = 2 * settings.elastic * normal.to(joint.device)
        fine = F.interpolate(coarse, size=list(joint.shape[2:]), mode="trilinear", align_corners=True)
        grid = grid + fine.permute(0, 2, 3, 4, 1)
    return F.grid_sample(joint, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _rotation(angles: Tensor) -> Tensor:
    """Return rotations about D, then H, then W, as matrices of shape (B, 3, 3) for (x, y, z) = (W, H, D)."""
    about_d, about_h, about_w = angles.unbind(dim=1)

    def plane(angle: Tensor, first: int, second: int) -> Tensor:
        matrix = torch.eye(3).repeat(len(angle), 1, 1)
        matrix[:, first, first] = matrix[:, second, second] = torch.cos(angle)
        matrix[:, first, second], matrix[:, second, first] = -torch.sin(angle), torch.sin(angle)
        return matrix

    return plane(about_w, 1, 2) @ plane(about_h, 2, 0) @ plane(about_d, 0, 1)


def _recoloured(image: Tensor, uniform: Tensor, settings: Augmentation) -> Tensor:
    spread = (2 * uniform - 1).to(image.device)[:, :, None, None, None, None]
    if settings.gamma:
        image = image.clamp_min(0.0) ** torch.exp(settings.gamma * spread[:, 0])
    if settings.gain:
        image = image * (1 + settings.gain * spread[:, 1])
    if settings.offset:
        image = image + settings.offset * spread[:, 2]
    return image
