"""The paper's encoder and the single-task network on it."""

import pytest
import torch
from biomark import zoo
from biomark.zoo.exporting import exported, scripted
from biomark.zoo.model_summary import n_flops, n_parameters
from biomark.zoo.stem import StemConvolution

NAMES = ["resnet10_3d", "resnet18_3d", "resnet34_3d", "resnet50_3d"]


def volumes(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def single(name="resnet10_3d", **options):
    torch.manual_seed(0)
    return zoo.create_model(name, task="single-task", **{"width": 4, **options})


def on_meta(name, task="single-task"):
    with torch.device("meta"):
        return zoo.create_model(name, task=task)


def bottleneck_parameters(channels_in, width, projected):
    """Weights of one block, counted from its description: convolutions without bias, two numbers a batch norm."""
    out = 4 * width
    convolutions = channels_in * width + 27 * width * width + width * out
    return convolutions + 2 * (width + width + out) + projected * (channels_in * out + 2 * out)


def test_resnet50_has_the_parameters_of_its_description():
    count = 7**3 * 64 + 2 * 64
    channels = 64
    for width, depth in zip((64, 128, 256, 512), (3, 4, 6, 3), strict=True):
        for block in range(depth):
            count += bottleneck_parameters(channels, width, projected=block == 0)
            channels = 4 * width
    count += 2048 * 3 + 3
    assert n_parameters(on_meta("resnet50_3d")) == count == 46_161_219


def test_resnet50_gives_2048_features_at_full_size():
    output = on_meta("resnet50_3d")(torch.empty(2, 1, 128, 128, 128, device="meta"))
    assert output.logits.shape == (2, 3) and output.features.shape == (2, 2048)
    assert output.segmentation is None


def test_resnet50_at_128_cubed_costs_81_gflop():
    # Counted by hand for the stem, where an error of stride would show: 64 filters of 343 at 64 cubed.
    stem = 2 * 64**3 * 64 * 343
    counted = n_flops(on_meta("resnet50_3d"))
    assert counted == pytest.approx(81.07e9, rel=1e-3) and counted > stem


def test_it_is_the_network_of_timm_with_the_same_weights():
    theirs = zoo.create_model("timm3d/resnet50", task="single-task").eval()
    ours = zoo.create_model("resnet50_3d", task="single-task").eval()
    given, wanted = theirs.encoder.network.state_dict(), ours.encoder.state_dict()
    assert [tuple(t.shape) for t in given.values()] == [tuple(t.shape) for t in wanted.values()]
    ours.encoder.load_state_dict(dict(zip(wanted, given.values(), strict=True)))
    x = volumes(1, 1, 33, 32, 40)
    with torch.no_grad():
        for a, b in zip(ours.encoder(x), theirs.encoder(x), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_each_stage_has_one_convolutional_block_and_then_identity_blocks(name):
    depths = {"10": (1, 1, 1, 1), "18": (2, 2, 2, 2), "34": (3, 4, 6, 3), "50": (3, 4, 6, 3)}[name[6:8]]
    stages = on_meta(name).encoder.stages
    assert tuple(len(stage) for stage in stages) == depths
    for stage in stages:
        kinds = [isinstance(block.shortcut, torch.nn.Identity) for block in stage]
        assert kinds == [False] + [True] * (len(stage) - 1)


@pytest.mark.parametrize("size", [(32, 32, 32), (47, 50, 61), (16, 33, 20)], ids=str)
def test_maps_have_the_told_channels_and_reductions_at_any_size(size):
    encoder = single().eval().encoder
    for channels, reduction, found in zip(
        encoder.channels, encoder.reductions, encoder(volumes(1, 1, *size)), strict=True
    ):
        assert found.shape == (1, channels, *(-(-side // reduction) for side in size))


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_parameter(name):
    model = single(name)
    model(volumes(2, 1, 40, 40, 40)).logits.sum().backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, parameter_name


def test_logits_are_not_squashed():
    model = single().eval()
    with torch.no_grad():
        model.classifier.weight.mul_(1000)
    assert model(volumes(2, 1, 32, 32, 32)).logits.abs().max() > 1


def test_evaluation_is_deterministic_and_one_volume_does_not_see_another():
    model = single(dropout=0.5).eval()
    x = volumes(3, 1, 32, 32, 32)
    assert torch.equal(model(x).logits, model(x).logits)
    torch.testing.assert_close(model(x).logits[1:2], model(x[1:2]).logits, rtol=1e-5, atol=1e-6)


def test_dropout_acts_in_training_only():
    model = single(dropout=0.5)
    x = volumes(2, 1, 32, 32, 32)
    assert not torch.equal(model(x).logits, model(x).logits)


def test_the_script_gives_the_same_numbers_at_another_size():
    model = single("resnet50_3d").eval()
    script = scripted(model)
    for x in (volumes(2, 1, 32, 32, 32), volumes(1, 1, 47, 50, 61)):
        ours, theirs = model(x), script(x)
        assert theirs.segmentation is None
        torch.testing.assert_close(theirs.logits, ours.logits, rtol=0, atol=1e-6)
        torch.testing.assert_close(theirs.features, ours.features, rtol=0, atol=1e-6)


def test_the_export_gives_the_same_numbers_for_another_number_of_volumes():
    model = single().eval()
    program = exported(model, volumes(2, 1, 32, 32, 32))
    x = volumes(3, 1, 32, 32, 32, seed=1)
    logits, features = program.module()(x)
    torch.testing.assert_close(logits, model(x).logits, rtol=0, atol=1e-6)
    torch.testing.assert_close(features, model(x).features, rtol=0, atol=1e-6)


def test_channels_last_gives_the_same_numbers():
    model = single().eval()
    x = volumes(2, 1, 32, 32, 32)
    before = model(x).logits
    moved = model.to(memory_format=torch.channels_last_3d)(x.to(memory_format=torch.channels_last_3d)).logits
    torch.testing.assert_close(moved, before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dropout", [-0.1, 1.0])
def test_a_dropout_outside_its_range_is_refused(dropout):
    with pytest.raises(ValueError, match="dropout must be at least 0 and below 1"):
        single(dropout=dropout)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_device_gives_the_numbers_of_the_processor():
    model = single().eval()
    x = volumes(2, 1, 32, 32, 32)
    expected = model(x).logits
    found = model.cuda()(x.cuda()).logits.cpu()
    torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("shape", [(16, 16, 16), (9, 12, 7)])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_folded_stem_is_the_same_convolution(shape, channels):
    stem = StemConvolution(channels, 5).double()
    volume = torch.rand(2, channels, *shape, dtype=torch.float64)
    plain, folded = stem(volume), stem.folded(volume)
    torch.testing.assert_close(folded, plain, rtol=1e-10, atol=1e-12)
    gradients = [torch.autograd.grad(y.square().sum(), stem.weight)[0] for y in (plain, folded)]
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-9, atol=1e-10)
