"""The pooling kernels against torch's pooling, here by Triton's interpreter, on a device where there is one."""

import os
import subprocess
import sys

import pytest
import torch
from biomark.zoo.stem_pooling import StemPooling

CHANNELS_LAST = torch.channels_last_3d
BY_INTERPRETER = """
import torch
from biomark.zoo.stem_pooling_kernels import pool, unpool

for seed, (size, channels) in enumerate([((6, 8, 10), 5), ((7, 5, 9), 16), ((3, 1, 36), 70)]):
    torch.manual_seed(seed)
    # Few values, so that ties are many; one voxel is no number.
    x = torch.randint(-3, 4, (2, channels, *size)).float()
    x[0, 0, 0, 0, 0] = torch.nan
    x = x.contiguous(memory_format=torch.channels_last_3d).requires_grad_()
    expected = torch.nn.functional.max_pool3d(x, 3, 2, 1)
    found, place = pool(x.detach())
    torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)
    gradient = torch.randn_like(expected)
    expected.backward(gradient)
    torch.testing.assert_close(unpool(gradient, place, tuple(x.shape)), x.grad, rtol=1e-6, atol=1e-6)
print("alike")
"""


def test_kernels_pool_and_unpool_like_torch():
    pytest.importorskip("triton", reason="Triton comes with torch for CUDA alone")
    done = subprocess.run(
        [sys.executable, "-c", BY_INTERPRETER],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stdout == "alike\n", done.stderr


def test_on_the_processor_it_is_torchs_pooling():
    x = torch.rand(2, 3, 9, 8, 7)
    assert torch.equal(StemPooling()(x), torch.nn.functional.max_pool3d(x, 3, 2, 1))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_on_the_device_kernels_give_torchs_maxima_and_gradient(kind):
    torch.manual_seed(0)
    x = torch.randn(2, 64, 17, 32, 20, device="cuda").to(kind).contiguous(memory_format=CHANNELS_LAST)
    x.requires_grad_()
    expected = torch.nn.functional.max_pool3d(x, 3, 2, 1)
    gradient = torch.randn_like(expected)
    # torch rounds each of up to eight terms; the kernel rounds their sum.
    exact = x.detach().float().requires_grad_()
    pooled = torch.nn.functional.max_pool3d(exact, 3, 2, 1)
    (wanted,) = torch.autograd.grad(pooled, exact, gradient.float())
    found = StemPooling()(x)
    assert found.grad_fn.name() == "_PoolingBackward"
    assert torch.equal(found, expected)
    (given,) = torch.autograd.grad(found, x, gradient)
    torch.testing.assert_close(
        given, wanted.to(kind), rtol=0.01 if kind == torch.bfloat16 else 1e-5, atol=1e-5
    )
