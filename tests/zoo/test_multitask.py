"""The multi-task network: its decoder, its extra pooling, its refinement."""

import pytest
import torch
from biomark import zoo
from biomark.errors import BiomarkError
from biomark.zoo.exporting import exported, scripted
from biomark.zoo.multitask import SegmentationDecoder
from torch.nn import functional


def volumes(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def multi(name="resnet10_3d", **options):
    torch.manual_seed(0)
    return zoo.create_model(name, **{"width": 4, "decoder_width": 2, **options})


@pytest.mark.parametrize("size", [(32, 32, 32), (47, 50, 61), (96, 40, 33), (16, 17, 20)], ids=str)
def test_the_map_has_the_size_of_the_volume(size):
    output = multi().eval()(volumes(1, 1, *size))
    assert output.logits.shape == (1, 3) and output.features.shape == (1, 32)
    assert output.segmentation.shape == (1, 1, *size)
    assert 0 <= output.segmentation.min() and output.segmentation.max() <= 1


def test_96_cubed_gives_2048_features_with_the_papers_network():
    with torch.device("meta"):
        model = zoo.create_model("resnet50_3d")
    output = model(torch.empty(2, 1, 96, 96, 96, device="meta"))
    assert output.features.shape == (2, 2048) and output.segmentation.shape == (2, 1, 96, 96, 96)


def test_features_are_the_mean_of_the_pooled_last_map():
    model = multi(refinement_passes=1).eval()
    x = volumes(2, 1, 96, 64, 64)
    last = model.encoder(x)[-1]
    assert last.shape[2:] == (3, 2, 2)
    padded = functional.pad(last, [1] * 6, value=-torch.inf)
    expected = torch.stack(
        [
            padded[:, :, d : d + 3, h : h + 3, w : w + 3].amax((2, 3, 4))
            for d in (0, 2)
            for h in (0,)
            for w in (0,)
        ]
    ).mean(0)
    torch.testing.assert_close(model(x).features, expected, rtol=1e-5, atol=1e-6)


def test_gradients_of_both_losses_reach_every_parameter():
    model = multi()
    output = model(volumes(2, 1, 40, 40, 40))
    mask = (volumes(2, 1, 40, 40, 40, seed=1) > 0.7).float()
    zoo.network_loss(output, torch.tensor([[1.0, 0, 1], [0, 1, 0]]), mask).total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


def test_the_segmentation_does_not_pass_through_the_extra_pooling():
    model = multi(refinement_passes=1).eval()
    x = volumes(1, 1, 64, 64, 64)
    before = model(x)
    model.extra_pool = torch.nn.Identity()
    after = model(x)
    assert torch.equal(before.segmentation, after.segmentation)
    assert not torch.equal(before.logits, after.logits)


def one_pass(model, guided):
    """The network without refinement, written out."""
    maps = model.encoder(guided)
    x = maps[-1]
    for block, skip in zip(model.decoder.blocks, maps[-2::-1], strict=True):
        up = functional.interpolate(block.narrow(x), size=skip.shape[2:], mode="trilinear")
        x = block.convolution(up + block.lateral(skip))
    logits = functional.interpolate(model.decoder.head(x), size=guided.shape[2:], mode="trilinear")
    features = model.pool(model.extra_pool(maps[-1])).flatten(1)
    return model.classifier(features), torch.sigmoid(logits), features


@pytest.mark.parametrize("passes", [1, 2, 3])
def test_k_passes_are_the_loop_written_out(passes):
    model = multi(refinement_passes=passes).eval()
    x = volumes(2, 1, 33, 32, 40)
    output = model(x)
    guide = torch.zeros_like(x)
    for _ in range(passes):
        logits, guide, features = one_pass(model, x + guide.detach())
    for found, expected in zip(output, (logits, guide, features), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_one_pass_is_the_network_without_refinement():
    model = multi(refinement_passes=3).eval()
    x = volumes(2, 1, 32, 32, 32)
    refined = model(x)
    model.refinement_passes = 1
    alone = model(x)
    torch.testing.assert_close(alone.segmentation, one_pass(model, x)[1], rtol=1e-5, atol=1e-6)
    assert not torch.equal(alone.segmentation, refined.segmentation)


def test_training_adds_the_map_that_inference_adds():
    model = multi(refinement_passes=2, dropout=0.5).train()
    x = volumes(2, 1, 40, 40, 40)
    seen = []
    handle = model.encoder.register_forward_pre_hook(lambda module, given: seen.append(given[0].detach()))
    before = [module for module in model.modules() if module.training]
    model(x)
    handle.remove()
    with torch.no_grad():
        # The running statistics of the training pass have moved on: those of a new network have not.
        guide = one_pass(multi(refinement_passes=2).eval(), x)[1]
    torch.testing.assert_close(seen[-1], x + guide, rtol=1e-5, atol=1e-6)
    assert [module for module in model.modules() if module.training] == before


def test_no_gradient_flows_through_the_map():
    model = multi(refinement_passes=2).eval()
    x = volumes(1, 1, 32, 32, 32).requires_grad_()
    model(x).segmentation.sum().backward()
    with torch.no_grad():
        guide = one_pass(model, x)[1]
    y = x.detach().clone().requires_grad_()
    one_pass(model, y + guide)[1].sum().backward()
    torch.testing.assert_close(x.grad, y.grad, rtol=1e-4, atol=1e-7)


def test_the_last_pass_alone_updates_the_running_statistics():
    model = multi(refinement_passes=3).train()
    model(volumes(2, 1, 40, 40, 40))
    assert model.encoder.stem[1].num_batches_tracked.item() == 1


def test_evaluation_is_deterministic():
    model = multi().eval()
    x = volumes(2, 1, 32, 32, 32)
    assert all(torch.equal(a, b) for a, b in zip(model(x), model(x), strict=True))


def test_the_script_gives_the_same_numbers_at_another_size():
    model = multi("resnet50_3d").eval()
    script = scripted(model)
    for x in (volumes(2, 1, 32, 32, 32), volumes(1, 1, 47, 50, 61)):
        for found, expected in zip(script(x), model(x), strict=True):
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_the_script_learns():
    script = scripted(multi())
    output = script(volumes(2, 1, 40, 40, 40))
    (output.logits.sum() + output.segmentation.sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in script.parameters())


def test_a_saved_export_gives_the_same_numbers(tmp_path):
    model = multi().eval()
    torch.export.save(exported(model, volumes(2, 1, 32, 32, 32)), tmp_path / "model.pt2")
    x = volumes(3, 1, 32, 32, 32, seed=1)
    for found, expected in zip(torch.export.load(tmp_path / "model.pt2").module()(x), model(x), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_a_decoder_takes_an_encoder_that_begins_at_full_size_or_late():
    for channels, reductions in (((3, 5, 7), (1, 2, 8)), ((4, 6), (4, 32))):
        decoder = SegmentationDecoder(channels, reductions, width=2)
        maps = [volumes(1, c, 64 // r, 64 // r, 64 // r) for c, r in zip(channels, reductions, strict=True)]
        assert decoder(maps, [64, 64, 64]).shape == (1, 1, 64, 64, 64)


def test_a_decoder_of_one_map_is_refused():
    with pytest.raises(BiomarkError, match="two sizes or more, found 1"):
        SegmentationDecoder((8,), (32,))


@pytest.mark.parametrize("passes", [0, 1.5, True])
def test_refinement_passes_are_whole_and_positive(passes):
    with pytest.raises(BiomarkError, match="refinement_passes must be a whole number of at least 1"):
        multi(refinement_passes=passes)


def test_last_map_is_where_a_gradient_of_a_logit_arrives():
    model = multi(refinement_passes=2).eval()
    seen = []
    handle = model.last_map.register_forward_hook(lambda module, given, found: seen.append(found))
    output = model(volumes(1, 1, 64, 64, 64))
    handle.remove()
    (gradient,) = torch.autograd.grad(output.logits[0, 0], seen[-1])
    assert gradient.shape == (1, 32, 2, 2, 2) and gradient.abs().max() > 0
