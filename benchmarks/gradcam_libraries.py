"""How far Grad-CAM++ of four libraries and of biomark is from equation 19 in float64, in three dimensions.

Needs monai, grad-cam, torchcam and medcam (M3d-CAM) beside biomark[zoo]; prints the table of docs/gradcam.md. Every
library gets the same network (ResNet-18 of width 16, five random initialisations, batch norm with random statistics),
the same random volume of 96 cubed in float32, and the same layer; coarse maps are compared, each divided by its own
peak. The iterative refinement is off, because the libraries' hooks would see both passes.
"""

from __future__ import annotations

import warnings
from importlib.metadata import version

import numpy as np
import torch
from biomark.viz.gradcam import gradcam_plus_plus
from biomark.zoo import create_model
from torch import nn

SEEDS, SIDE = range(5), 96
PLACES = [
    (task, layer) for task in ("single-task", "multi-task") for layer in ("last_map", "encoder.stages.2")
]


class Logits(nn.Module):
    """The network with logits alone, as the libraries expect them."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, volume):
        return self.net(volume).logits


def network(task, seed):
    torch.manual_seed(seed)
    options = {"decoder_width": 2, "refinement_passes": 1} if task == "multi-task" else {}
    model = create_model("resnet18_3d", task=task, width=16, **options)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.running_mean.normal_(0.0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model.eval(), torch.rand(1, 1, SIDE, SIDE, SIDE)


def equation_19(model, volume, layer):
    kept = []
    handle = model.get_submodule(layer).register_forward_hook(lambda _m, _i, out: kept.append(out))
    logit = model(volume).logits[0, 0]
    handle.remove()
    gradient = torch.autograd.grad(logit, kept[-1])[0][0].double()
    total = torch.zeros_like(gradient[0])
    for a, g in zip(kept[-1][0].detach().double(), gradient, strict=True):
        top, bottom = g**2, 2 * g**2 + a.sum() * g**3
        alpha = torch.where(bottom != 0, top / torch.where(bottom != 0, bottom, 1.0), 0.0)
        total += (alpha * g.relu()).sum() * a
    return total.relu().numpy(), float(gradient.abs().max())


def monai_map(model, volume, layer):
    from monai.visualize import GradCAMpp

    made = GradCAMpp(nn_module=Logits(model), target_layers=f"net.{layer}").compute_map(volume, class_idx=0)
    return made[0, 0].detach().numpy()


def gradcam_map(model, volume, layer):
    from pytorch_grad_cam import GradCAMPlusPlus
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    target = Logits(model)
    where = target.get_submodule(f"net.{layer}")
    with GradCAMPlusPlus(model=target, target_layers=[where]) as made:
        made.activations_and_grads(volume)[0, 0].backward()
        a, g = made.activations_and_grads.activations[0], made.activations_and_grads.gradients[0]
        found = made.get_cam_image(volume, where, [ClassifierOutputTarget(0)], a.numpy(), g.numpy(), False)
    return np.maximum(found[0], 0)


def torchcam_map(model, volume, layer):
    from torchcam.methods import GradCAMpp

    target = Logits(model)
    made = GradCAMpp(target, target_layer=f"net.{layer}")
    found = made(0, target(volume), normalized=False)[0][0].detach().numpy()
    made.remove_hooks()
    return np.maximum(found, 0)


def m3dcam_map(model, volume, layer):
    from medcam import medcam

    made = medcam.inject(Logits(model), backend="gcampp", layer=f"net.{layer}", label=0)
    made(volume)
    return made.get_attention_map()[0, 0]


def own_map(model, volume, layer):
    return gradcam_plus_plus(model, volume, 0, layer=layer).coarse[0]


SIDES = {
    "biomark": own_map,
    "MONAI": monai_map,
    "grad-cam": gradcam_map,
    "torchcam": torchcam_map,
    "M3d-CAM": m3dcam_map,
}
# It takes the smallest value of a map off before it divides by the peak.
FROM_ITS_MINIMUM = {"M3d-CAM"}


def main() -> None:
    """Print one row per task and layer: median and largest distance over the networks."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(
        ", ".join(f"{name} {version(name)}" for name in ("torch", "monai", "grad-cam", "torchcam", "medcam"))
    )
    for task, layer in PLACES:
        apart = {name: [] for name in SIDES}
        largest = []
        for seed in SEEDS:
            model, volume = network(task, seed)
            reference, gradient = equation_19(model, volume, layer)
            largest.append(gradient)
            for name, make in SIDES.items():
                made = np.asarray(make(model, volume, layer), dtype=np.float64)
                lowest = reference.min() if name in FROM_ITS_MINIMUM else 0.0
                expected = (reference - lowest) / (reference.max() - lowest)
                apart[name].append(float(np.abs(made / made.max() - expected).max()))
        cells = [f"{np.median(values):.2g} ({max(values):.2g})" for values in apart.values()]
        print(f"| {task} | `{layer}` | {np.median(largest):.2g} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
