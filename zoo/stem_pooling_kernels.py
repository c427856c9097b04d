"""The Triton kernels of `biomark.zoo.stem_pooling`; imported only where there is a CUDA device, or to test them."""

# Triton reads annotations itself and knows only its own: the kernels have no others.
# mypy: disallow-untyped-defs=False, disallow-incomplete-defs=False
import torch
import triton
import triton.language as tl
from torch import Tensor

__all__ = ["pool", "unpool"]

_BLOCK_W = 16
_MOST_CHANNELS = 64


def pool(input: Tensor) -> tuple[Tensor, Tensor]:
    """Return maxima and their places.

    Parameters
    ----------
    input : tensor of shape (B, C, D, H, W), floating point, channels last

    Returns
    -------
    pooled : tensor of shape (B, C, ceil(D / 2), ceil(H / 2), ceil(W / 2)), channels last
    place : tensor of that shape, uint8
        9 d + 3 h + w, each of 0, 1 and 2 within the window.
    """
    b, c, d, h, w = input.shape
    shape = (b, c, (d + 1) // 2, (h + 1) // 2, (w + 1) // 2)
    pooled = torch.empty(shape, dtype=input.dtype, device=input.device, memory_format=torch.channels_last_3d)
    place = torch.empty(shape, dtype=torch.uint8, device=input.device, memory_format=torch.channels_last_3d)
    block = min(triton.next_power_of_2(c), _MOST_CHANNELS)
    _pool[_grid(shape, block)](input, pooled, place, c, d, h, w, *shape[2:], _BLOCK_W, block)
    return pooled, place


def unpool(gradient: Tensor, place: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return the gradient of the input of `pool`, of the given size, from that of its result."""
    b, c, d, h, w = size
    gradient = gradient.contiguous(memory_format=torch.channels_last_3d)
    shape = tuple(place.shape)
    given = torch.empty(
        (b, c, d, h, w), dtype=gradient.dtype, device=gradient.device, memory_format=torch.channels_last_3d
    )
    block = min(triton.next_power_of_2(c), _MOST_CHANNELS)
    _unpool[_grid(shape, block)](gradient, place, given, c, d, h, w, *shape[2:], _BLOCK_W, block)
    return given


def _grid(shape: tuple[int, ...], block: int) -> tuple[int, int, int]:
    b, c, d, h, w = shape
    return b * d * h, triton.cdiv(w, _BLOCK_W), triton.cdiv(c, block)


@triton.jit  # type: ignore[untyped-decorator]
def _pool(
    x, y, place, C, D, H, W, OD, OH, OW, BLOCK_W: tl.constexpr, BLOCK_C: tl.constexpr
):  # fmt: skip
    """One row of results along W for a block of channels."""
    row = tl.program_id(0).to(tl.int64)
    oh = row % OH
    od = (row // OH) % OD
    b = row // (OH * OD)
    ow = tl.program_id(1) * BLOCK_W + tl.arange(0, BLOCK_W)
    c = tl.program_id(2) * BLOCK_C + tl.arange(0, BLOCK_C)
    best = tl.full((BLOCK_W, BLOCK_C), float("-inf"), tl.float32)
    found = tl.zeros((BLOCK_W, BLOCK_C), tl.int32)
    for kd in tl.static_range(3):
        for kh in tl.static_range(3):
            d = 2 * od - 1 + kd
            h = 2 * oh - 1 + kh
            within = (d >= 0) & (d < D) & (h >= 0) & (h < H)
            line = x + ((b * D + d) * H + h) * W * C
            for kw in tl.static_range(3):
                w = 2 * ow - 1 + kw
                there = within & ((w >= 0) & (w < W))[:, None] & (c < C)[None, :]
                value = tl.load(line + w[:, None] * C + c[None, :], mask=there, other=float("-inf"))
                value = value.to(tl.float32)
                # What is no number passes on, as in torch.
                better = there & ((value > best) | (value != value))
                best = tl.where(better, value, best)
                found = tl.where(better, kd * 9 + kh * 3 + kw, found)
    at = (row * OW + ow)[:, None] * C + c[None, :]
    kept = (ow < OW)[:, None] & (c < C)[None, :]
    tl.store(y + at, best.to(y.dtype.element_ty), mask=kept)
    tl.store(place + at, found.to(tl.uint8), mask=kept)


@triton.jit  # type: ignore[untyped-decorator]
def _unpool(
    dy, place, dx, C, D, H, W, OD, OH, OW, BLOCK_W: tl.constexpr, BLOCK_C: tl.constexpr
):  # fmt: skip
    """Cells of 2 x 2 x 2 voxels along W: an even voxel lies in one window along an axis, an odd one in two."""
    row = tl.program_id(0).to(tl.int64)
    oh = row % OH
    od = (row // OH) % OD
    b = row // (OH * OD)
    ow = tl.program_id(1) * BLOCK_W + tl.arange(0, BLOCK_W)
    c = tl.program_id(2) * BLOCK_C + tl.arange(0, BLOCK_C)
    for pd in tl.static_range(2):
        for ph in tl.static_range(2):
            for pw in tl.static_range(2):
                total = tl.zeros((BLOCK_W, BLOCK_C), tl.float32)
                for ad in tl.static_range(pd + 1):
                    for ah in tl.static_range(ph + 1):
                        line = ((b * OD + od + ad) * OH + oh + ah) * OW
                        within = (od + ad < OD) & (oh + ah < OH)
                        for aw in tl.static_range(pw + 1):
                            there = within & (ow + aw < OW)[:, None] & (c < C)[None, :]
                            at = (line + ow + aw)[:, None] * C + c[None, :]
                            # The voxel's place in that window along each axis is 1 + parity - 2 * step.
                            mine = (1 + pd - 2 * ad) * 9 + (1 + ph - 2 * ah) * 3 + 1 + pw - 2 * aw
                            chosen = tl.load(place + at, mask=there, other=255).to(tl.int32)
                            value = tl.load(dy + at, mask=there, other=0.0).to(tl.float32)
                            total += tl.where(chosen == mine, value, 0.0)
                d = 2 * od + pd
                h = 2 * oh + ph
                w = 2 * ow + pw
                kept = (d < D) & (h < H) & (w < W)[:, None] & (c < C)[None, :]
                at = (((b * D + d) * H + h) * W + w)[:, None] * C + c[None, :]
                tl.store(dx + at, total.to(dx.dtype.element_ty), mask=kept)
