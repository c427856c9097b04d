import pytest
import torch
from biomark.zoo.upsampling import Doubling, upsampled


def interpolated(x, size):
    return torch.nn.functional.interpolate(x, size=size, mode="trilinear", align_corners=False)


@pytest.mark.parametrize("size", [(4, 5, 6), (1, 2, 3)])
def test_doubling_is_trilinear_interpolation_and_its_gradient_the_transpose(size):
    torch.manual_seed(0)
    x = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    found, expected = Doubling.apply(x), interpolated(x, [2 * n for n in size])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)
    gradient = torch.randn_like(expected)
    given, wanted = (torch.autograd.grad(y, x, gradient)[0] for y in (found, expected))
    torch.testing.assert_close(given, wanted, rtol=0, atol=1e-13)


def test_other_sizes_are_interpolated():
    x = torch.rand(1, 2, 2, 3, 4)
    assert torch.equal(upsampled(x, [3, 6, 8]), interpolated(x, [3, 6, 8]))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_device_doubles_as_the_processor_interpolates():
    x = torch.rand(2, 5, 3, 4, 5)
    torch.testing.assert_close(upsampled(x.cuda(), [6, 8, 10]).cpu(), interpolated(x, [6, 8, 10]))
