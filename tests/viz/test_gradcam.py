"""Grad-CAM++ against its slow definition, against a map known in closed form, and what it leaves behind."""

import numpy as np
import pytest
import torch
from biomark.errors import BiomarkError
from biomark.viz.gradcam import gradcam_plus_plus
from biomark.viz.layer_capture import encoder_layers
from biomark.viz.map_enlargement import enlarged_map
from biomark.zoo import create_model
from biomark.zoo.output import Output
from torch import nn
from torch.nn import functional


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def network(name="resnet10_3d", task="multi-task", width=4, seed=0, **options):
    torch.manual_seed(seed)
    if name == "resnet10_3d":
        options["width"] = width
    if task == "multi-task":
        options["decoder_width"] = 1
    model = create_model(name, task=task, labels=("ER", "PR"), **options).double()
    model.classifier.float()  # its features come in float32, whatever the encoder's precision
    for module in model.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.running_mean.normal_(0.0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model.eval()


def volumes(n=2, side=64, seed=1):
    return torch.rand(
        n, 1, side, side, side, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )


def autograd_reference(tail, maps):
    """Equation 10 as it stands: first, second and third derivative of exp(S) by autograd, position by position."""
    a = maps.clone().requires_grad_(True)
    y = torch.exp(tail(a))
    (first,) = torch.autograd.grad(y, a, create_graph=True)
    second, third = torch.zeros_like(a), torch.zeros_like(a)
    for at in np.ndindex(*a.shape):
        (row,) = torch.autograd.grad(first[at], a, create_graph=True)
        second[at] = row[at].detach()
        third[at] = torch.autograd.grad(row[at], a, retain_graph=True)[0][at]
    sums = maps.sum(dim=(1, 2, 3), keepdim=True)
    denominator = 2 * second + sums * third
    alpha = torch.where(second != 0, second / torch.where(denominator != 0, denominator, 1.0), 0.0)
    weights = (alpha * first.detach().relu()).sum(dim=(1, 2, 3))
    return torch.einsum("k,kdhw->dhw", weights, maps).relu(), y.detach()


def equation_19_reference(maps, gradient):
    """Equation 19 with its squares and cubes, one map after the other, in float64."""
    result = torch.zeros_like(maps[0])
    for a, g in zip(maps, gradient, strict=True):
        top, bottom = g**2, 2 * g**2 + a.sum() * g**3
        alpha = torch.where(bottom != 0, top / torch.where(bottom != 0, bottom, 1.0), 0.0)
        result = result + (alpha * g.relu()).sum() * a
    return result.relu()


class Tail(nn.Module):
    """A network whose layer behind the map is written out: ReLU of a sum with weights for every position."""

    def __init__(self, weight, head):
        super().__init__()
        self.front = nn.Sequential(nn.Conv3d(1, weight.shape[0], 3, padding=1), nn.ReLU())
        self.weight, self.head = nn.Parameter(weight), nn.Parameter(head)

    def tail(self, a):
        return self.head @ functional.leaky_relu((a * self.weight).sum(dim=(-3, -2, -1)), 0.3)

    def forward(self, volume):
        return torch.stack([self.tail(a) for a in self.front(volume)])[:, None]


def test_matches_the_derivatives_of_exp_by_autograd():
    generator = torch.Generator().manual_seed(3)
    model = Tail(
        torch.randn(3, 3, 3, 3, generator=generator, dtype=torch.float64),
        torch.randn(3, generator=generator, dtype=torch.float64),
    ).double()
    volume = volumes(1, 3)
    found = gradcam_plus_plus(model, volume[0, 0], 0, layer="front")
    maps = model.front(volume)[0].detach()
    expected, y = autograd_reference(lambda a: model.tail(a), maps)
    assert float(expected.max()) > 0.1
    np.testing.assert_allclose(found.coarse * float(y), expected.numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.logit, float(y.log()), rtol=1e-12)


@pytest.mark.parametrize("task", ["single-task", "multi-task"])
@pytest.mark.parametrize("layer", [None, "encoder.stages.2"])
@pytest.mark.parametrize("negative", [False, True])
def test_matches_equation_19_with_its_squares_and_cubes(task, layer, negative):
    model, batch = network(task=task), volumes()
    found = gradcam_plus_plus(model, batch, "PR", layer=layer, negative=negative)
    kept = []
    handle = model.get_submodule(layer or "last_map").register_forward_hook(
        lambda _m, _i, out: kept.append(out)
    )
    logits = model(batch).logits[:, 1]
    handle.remove()
    gradient = torch.autograd.grad((-logits if negative else logits).sum(), kept[-1])[0]
    assert found.coarse.shape == kept[-1].shape[:1] + kept[-1].shape[2:]
    for b in range(len(batch)):
        expected = equation_19_reference(kept[-1][b].detach(), gradient[b]).numpy()
        assert expected.max() > 0
        np.testing.assert_allclose(found.coarse[b], expected, rtol=1e-10, atol=1e-10 * expected.max())
        np.testing.assert_allclose(found.logit[b], float(logits[b].detach()), rtol=1e-12)


def test_last_blocks_derivatives_by_autograd_behind_the_extra_pooling():
    model, batch = network(), volumes(1)
    found = gradcam_plus_plus(model, batch, "ER")
    with torch.no_grad():
        maps = model.encoder(batch)[-1][0]

    head = model.classifier.double()

    def tail(a):
        return head(torch.flatten(model.pool(model.extra_pool(a[None])), 1))[0, 0]

    first = maps[:6]

    def tail_of_some(a):
        return tail(torch.cat([a, maps[6:]]))

    a = first.clone().requires_grad_(True)
    g = torch.autograd.grad(tail(torch.cat([a, maps[6:]])), a)[0]
    expected, y = autograd_reference(tail_of_some, first)
    np.testing.assert_allclose(
        equation_19_reference(first, g).numpy() * float(y), expected.numpy(), rtol=1e-9, atol=1e-12
    )
    assert found.coarse.shape == (1, 2, 2, 2)


class Bright(nn.Module):
    """Logits ± the sum of one map: the volume itself, five pixels coarser by picking every second voxel."""

    labels = ("bright", "dark")

    def __init__(self):
        super().__init__()
        self.last_map = nn.Conv3d(1, 1, 1, stride=2, bias=False)
        nn.init.ones_(self.last_map.weight)

    def forward(self, volume):
        total = self.last_map(volume).sum(dim=(2, 3, 4))
        return Output(torch.cat([total, -total], dim=1), None, total)


def test_map_of_a_network_known_in_closed_form():
    volume = volumes(1, 8)[0, 0]
    found = gradcam_plus_plus(Bright().double(), volume, "bright")
    picked = volume[::2, ::2, ::2].numpy()
    # g = 1 everywhere: alpha = 1 / (2 + sum(A)), w = 64 alpha.
    weight = picked.size / (2 + picked.sum())
    np.testing.assert_allclose(found.coarse, weight * picked, rtol=1e-12)
    np.testing.assert_allclose(found.weights, [weight], rtol=1e-12)
    np.testing.assert_allclose(found.peak, weight * picked.max(), rtol=1e-12)
    assert found.heat_map.max() <= 1.0


def test_a_label_that_nothing_raises_has_an_empty_map():
    volume = volumes(1, 8)[0, 0]
    dark = gradcam_plus_plus(Bright().double(), volume, "dark")
    assert dark.peak == 0.0
    assert not dark.heat_map.any()
    flipped = gradcam_plus_plus(Bright().double(), volume, "dark", negative=True)
    bright = gradcam_plus_plus(Bright().double(), volume, "bright")
    np.testing.assert_array_equal(flipped.heat_map, bright.heat_map)
    assert flipped.logit == dark.logit == -bright.logit


def test_tiny_gradients_and_saturated_logits_change_nothing():
    model, batch = network(task="single-task"), volumes(1)
    before = gradcam_plus_plus(model, batch, "ER")
    with torch.no_grad():
        model.classifier.bias[0] = 500.0
    shifted = gradcam_plus_plus(model, batch, "ER")
    assert torch.sigmoid(torch.tensor(shifted.logit)).item() == 1.0
    np.testing.assert_array_equal(shifted.heat_map, before.heat_map)
    with torch.no_grad():
        model.classifier.weight.mul_(1e-12)
    tiny = gradcam_plus_plus(model, batch, "ER")
    # alpha goes to 1/2 for every map; the map keeps its scale.
    g = torch.relu(model.classifier.weight[0]).detach().double().numpy()
    np.testing.assert_allclose(tiny.weights[0], g / 2, rtol=1e-9, atol=0)
    assert tiny.heat_map.max() > 0.5


def test_float32_agrees_with_float64():
    batch = volumes()
    exact = gradcam_plus_plus(network(), batch, "ER")
    single = gradcam_plus_plus(network().float(), batch, "ER")
    np.testing.assert_allclose(single.heat_map, exact.heat_map, atol=2e-4)


def test_a_batch_in_parts_is_each_volume_by_itself():
    model, batch = network(), volumes(3)
    whole = gradcam_plus_plus(model, batch, "ER", batch_size=2)
    for b in range(3):
        alone = gradcam_plus_plus(model, batch[b, 0].numpy(), "ER")
        np.testing.assert_allclose(whole.coarse[b], alone.coarse, rtol=1e-9)
        assert alone.heat_map.shape == (64, 64, 64)
        assert isinstance(alone.peak, float)


def test_labels_have_maps_of_their_own():
    model, batch = network(), volumes(1)
    assert not np.allclose(
        gradcam_plus_plus(model, batch, "ER").coarse, gradcam_plus_plus(model, batch, "PR").coarse
    )
    np.testing.assert_array_equal(
        gradcam_plus_plus(model, batch, 1).coarse, gradcam_plus_plus(model, batch, "PR").coarse
    )


def state_of(model):
    return (
        {name: value.clone() for name, value in model.state_dict().items()},
        [module.training for module in model.modules()],
        [len(module._forward_hooks) + len(module._backward_hooks) for module in model.modules()],
        [(p.requires_grad, None if p.grad is None else p.grad.clone()) for p in model.parameters()],
    )


def same(before, after):
    assert before[1:3] == after[1:3]
    assert all(torch.equal(before[0][name], value) for name, value in after[0].items())
    for (needed, grad), (needs, now) in zip(before[3], after[3], strict=True):
        assert needed == needs
        assert (grad is None) == (now is None) and (grad is None or torch.equal(grad, now))


def trained_in_part():
    model = network()
    model.train()
    model.encoder.stem.eval()
    model.classifier.weight.requires_grad_(False)
    model(volumes(2)).logits.sum().backward()
    return model


def test_nothing_of_the_model_is_changed():
    model = trained_in_part()
    before = state_of(model)
    gradcam_plus_plus(model, volumes(), "ER")
    encoder_layers(model, volumes(1))
    same(before, state_of(model))


@pytest.mark.parametrize("layer", ["decoder.head", "encoder.stem", "classifier", "encoder", "dropout"])
def test_nothing_of_the_model_is_changed_by_a_failure(layer):
    model = trained_in_part()
    before = state_of(model)
    try:
        gradcam_plus_plus(model, volumes(), "ER", layer=layer)
    except BiomarkError as error:
        assert layer in str(error)
    else:
        assert layer == "encoder.stem"
    same(before, state_of(model))


def test_it_works_where_gradients_are_switched_off():
    model, batch = network(), volumes(1)
    expected = gradcam_plus_plus(model, batch, "ER").coarse
    with torch.no_grad():
        np.testing.assert_array_equal(gradcam_plus_plus(model, batch, "ER").coarse, expected)
    with torch.inference_mode():
        np.testing.assert_array_equal(gradcam_plus_plus(model, volumes(1), "ER").coarse, expected)


def test_layers_before_an_activation_in_place_are_unharmed():
    model, batch = network(), volumes(1)
    found = gradcam_plus_plus(model, batch, "ER", layer="encoder.stages.3.0.residual.1")
    assert np.isfinite(found.coarse).all()


@pytest.mark.parametrize("name", ["timm3d/resnet10t", "timm3d/convnext_atto", "timm3d/efficientnet_lite0"])
@pytest.mark.parametrize("task", ["single-task", "multi-task"])
def test_backbones_of_timm_3d(name, task):
    model, batch = network(name, task), volumes(1, 32)
    found = gradcam_plus_plus(model, batch, "ER")
    layers = encoder_layers(model, batch)
    assert len(layers) >= 4
    assert list(layers.values())[-1] == (found.weights.shape[1], *found.coarse.shape[1:])
    names = list(layers)
    np.testing.assert_allclose(
        gradcam_plus_plus(model, batch, "ER", layer=names[-1]).coarse, found.coarse, rtol=1e-9
    )
    assert gradcam_plus_plus(model, batch, "ER", layer=names[-2]).coarse.shape == (1, *layers[names[-2]][1:])


def test_encoder_layers_are_those_of_the_stages():
    layers = encoder_layers(network(), volumes(1))
    assert list(layers) == ["encoder.stem", *(f"encoder.stages.{i}" for i in range(4))]
    assert [shape[-1] for shape in layers.values()] == [32, 16, 8, 4, 2]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"label": "HER2"}, "ER, PR"),
        ({"label": 2}, "below 2"),
        ({"label": -1}, "at least 0"),
        ({"layer": "encoder.stage.2"}, "encoder.stages.2"),
        ({"volume": np.zeros((4, 4))}, "(D, H, W) or (B, C, D, H, W)"),
        ({"volume": np.full((32, 32, 32), np.nan)}, "finite"),
        ({"volume": np.zeros((0, 1, 32, 32, 32))}, "at least one"),
        ({"batch_size": 0}, "batch_size"),
        ({"first_centre": "middle"}, "known"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_explained_is_refused(change, says):
    given = {"volume": volumes(1, 32), "label": "ER"} | change
    model = network()
    with pytest.raises(BiomarkError) as caught:
        gradcam_plus_plus(model, given.pop("volume"), given.pop("label"), **given)
    assert says in str(caught.value)


def test_a_model_without_the_default_layer_asks_for_its_name():
    model = nn.Sequential(nn.Conv3d(1, 2, 3), nn.AdaptiveAvgPool3d(1), nn.Flatten())
    with pytest.raises(BiomarkError, match="layer="):
        gradcam_plus_plus(model, volumes(1, 8), 0)
    assert gradcam_plus_plus(model, volumes(1, 8), 0, layer="0").coarse.shape == (1, 6, 6, 6)


def test_a_denominator_of_zero_is_told_and_not_divided_by():
    model = Bright().double()
    volume = torch.zeros(1, 1, 8, 8, 8, dtype=torch.float64)
    volume[0, 0, 0, 0, 0] = -2.0
    with pytest.raises(BiomarkError, match="no value"):
        gradcam_plus_plus(model, volume, "bright")


def test_enlarging_is_torchs_interpolation():
    coarse = np.random.default_rng(0).random((2, 3, 4, 5))
    expected = functional.interpolate(
        torch.from_numpy(coarse)[:, None], size=(13, 16, 40), mode="trilinear", align_corners=False
    )[:, 0]
    np.testing.assert_allclose(enlarged_map(coarse, (13, 16, 40)), expected.numpy(), atol=1e-12)
    constant = enlarged_map(np.ones((1, 1, 1)), (7, 8, 9), first_centre=0.0)
    np.testing.assert_allclose(constant, 1.0)


def test_a_bright_point_is_shown_where_it_lies():
    """Odd kernels of stride 2 padded by half are centred on even voxels: stretching would shift the map."""
    torch.manual_seed(0)
    layers = [nn.Conv3d(1, 1, 3, stride=2, padding=1, bias=False) for _ in range(3)]
    for layer in layers:
        nn.init.constant_(layer.weight, 1.0)
    model = nn.Sequential(nn.Sequential(*layers), nn.AdaptiveAvgPool3d(1), nn.Flatten())
    volume = torch.zeros(48, 48, 48)
    volume[24, 16, 32] = 1.0
    placed = gradcam_plus_plus(model, volume, 0, layer="0", first_centre=0.0).heat_map
    assert np.unravel_index(placed.argmax(), placed.shape) == (24, 16, 32)
    stretched = gradcam_plus_plus(model, volume, 0, layer="0", first_centre=None).heat_map
    at = np.argwhere(stretched == stretched.max()).mean(axis=0)
    np.testing.assert_allclose(at - (24, 16, 32), 3.5)


def test_the_zoos_resnets_are_placed_on_even_voxels_and_others_stretched():
    assert gradcam_plus_plus(network(), volumes(1), "ER").first_centre == 0.0
    assert gradcam_plus_plus(Bright().double(), volumes(1, 8), "bright").first_centre is None
