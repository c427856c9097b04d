"""What ``biomark explain`` does: heat maps of trained networks on patients, judged against the lesion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from ..stats.explanation import explanation_scores
from ..stats.inputs import Seed
from .attention import Attention, lesion_attention
from .gradcam import GradCam, gradcam_plus_plus
from .lazy_volume import LazyVolume
from .map_enlargement import enlarged_map
from .slices import ViewedMap, ViewedPatient

if TYPE_CHECKING:
    import torch

__all__ = ["ExplainedCase", "Explanation", "explain"]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedCase:
    """A preprocessed patient.

    Attributes
    ----------
    patient_id : str
    image : array of shape (D, H, W), or what `numpy.asarray` makes one of
        As the networks take it.
    spacing : (dz, dy, dx) in mm
    mask : array of shape (D, H, W), bool, optional
    y_true : mapping of label to 0, 1 or NaN
    """

    patient_id: str
    image: ArrayLike
    spacing: tuple[float, float, float]
    mask: NDArray[np.bool_] | None = None
    y_true: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Patients with the heat maps of all models, and the attention of each label.

    Attributes
    ----------
    patients : tuple of ViewedPatient
    attention : mapping of label to Attention
        Of the patients that have a mask; without a label where none has.
    models, labels : tuple of str
    negative : bool
    """

    patients: tuple[ViewedPatient, ...]
    attention: Mapping[str, Attention]
    models: tuple[str, ...]
    labels: tuple[str, ...]
    negative: bool


def explain(
    models: Mapping[str, torch.nn.Module],
    cases: Iterable[ExplainedCase],
    *,
    labels: Sequence[str] | None = None,
    layer: str | None = None,
    negative: bool = False,
    rng: Seed = 0,
    progress: Progress | None = None,
) -> Explanation:
    """Make the heat maps of every model, label and patient, and judge them against the lesions.

    Parameters
    ----------
    models : mapping of name to network of the zoo, at least one
    cases : iterable of ExplainedCase, of one size or several, patients named once
    labels : sequence of str, optional
        By default those that all models know.
    layer : str, optional
        Of every model; by default the encoder's last map.
    negative : bool
        Explain what speaks against the labels.
    rng : seed or numpy.random.Generator
        Of the tests between models.
    progress : function of (what, done, total), optional

    Returns
    -------
    Explanation

    Raises
    ------
    BiomarkError
        Without a model, a patient or a common label, and as `gradcam_plus_plus`.
    """
    listed = list(cases)
    if not models or not listed:
        raise BiomarkError("explaining needs at least one model and one patient")
    names = [case.patient_id for case in listed]
    if len(set(names)) < len(names):
        raise BiomarkError("each patient must be named once")
    chosen = _common_labels(models, labels)
    viewed = []
    for done, case in enumerate(listed):
        if progress is not None:
            progress("explaining", done, len(listed))
        viewed.append(_explained(models, case, chosen, layer, negative))
    lesions = {k: case.mask for k, case in enumerate(listed) if case.mask is not None and case.mask.any()}
    judged, masks = list(lesions), list(lesions.values())
    found = {}
    for label in chosen if judged else ():
        scores = {}
        for model in models:
            maps = [_map(viewed[k], model, label).heat_map for k in judged]
            spacings = [listed[k].spacing for k in judged]
            scores[model] = explanation_scores(maps, masks, spacing=spacings)
        found[label] = lesion_attention(label, scores, [names[k] for k in judged], rng=rng)
    patients = tuple(_with_scores(patient, found) for patient in viewed)
    return Explanation(patients, found, tuple(models), tuple(chosen), negative)


def _common_labels(models: Mapping[str, Any], labels: Sequence[str] | None) -> list[str]:
    known = [list(getattr(model, "labels", ())) for model in models.values()]
    common = [label for label in known[0] if all(label in own for own in known)]
    if labels is None:
        if not common:
            raise BiomarkError("the models have no label in common; name one")
        return common
    for label in labels:
        if label not in common:
            raise BiomarkError(
                f"label {label!r} is not one of all models; they have {', '.join(common) or 'none'}"
            )
    return list(dict.fromkeys(labels))


def _explained(
    models: Mapping[str, torch.nn.Module],
    case: ExplainedCase,
    labels: Sequence[str],
    layer: str | None,
    negative: bool,
) -> ViewedPatient:
    maps, segmentations = [], {}
    image = np.asarray(case.image)
    for name, model in models.items():
        for label in labels:
            made = gradcam_plus_plus(model, image, label, layer=layer, negative=negative)
            facts = {"probability": f"{1.0 / (1.0 + np.exp(-made.logit)):.2f}"}
            heat = _enlarged_again(made, image.shape)
            maps.append(ViewedMap(name, label, heat, made.coarse.shape, made.layer, facts))
        probability = _segmentation(model, image)
        if probability is not None:
            segmentations[name] = (probability >= 0.5).astype(np.uint8)
    facts = {label: _truth(value) for label, value in case.y_true.items() if label in labels}
    return ViewedPatient(case.patient_id, case.image, case.spacing, maps, case.mask, segmentations, facts)


def _enlarged_again(made: GradCam, shape: tuple[int, ...]) -> LazyVolume:
    """Return the heat map as its few coarse voxels, to be enlarged when it is looked at."""
    share = made.coarse / (made.peak if made.peak > 0 else 1.0)
    centre = made.first_centre
    return LazyVolume(lambda: enlarged_map(share, shape, first_centre=centre).astype(np.float32))


def _segmentation(model: torch.nn.Module, image: NDArray[np.float32]) -> NDArray[np.float32] | None:
    import torch

    own = next(model.parameters())
    training = {module: module.training for module in model.modules()}
    try:
        model.eval()
        with torch.no_grad():
            output = model(torch.as_tensor(image)[None, None].to(own.device, own.dtype))
    finally:
        for module, was in training.items():
            module.training = was
    found = getattr(output, "segmentation", None)
    return None if found is None else np.asarray(found[0, 0].float().cpu().numpy())


def _with_scores(patient: ViewedPatient, found: Mapping[str, Attention]) -> ViewedPatient:
    """Return the patient with the agreement of each map among its facts."""
    maps = []
    for one in patient.maps:
        facts = dict(one.facts)
        judged = found.get(one.label)
        if judged is not None and patient.patient_id in judged.patient_id:
            at = judged.patient_id.index(patient.patient_id)
            scores = judged.scores[one.model]
            if np.isfinite(scores.energy[at]):
                facts["energy in the lesion"] = (
                    f"{scores.energy[at]:.3f} (chance {scores.energy_chance[at]:.3f})"
                )
            if np.isfinite(scores.iou[at]):
                facts["IoU"] = f"{scores.iou[at]:.3f} (chance {scores.iou_chance[at]:.3f})"
        maps.append(ViewedMap(one.model, one.label, one.heat_map, one.resolution, one.layer, facts))
    return ViewedPatient(
        patient.patient_id,
        patient.image,
        patient.spacing,
        maps,
        patient.mask,
        patient.segmentations,
        patient.facts,
    )


def _map(patient: ViewedPatient, model: str, label: str) -> ViewedMap:
    return next(one for one in patient.maps if (one.model, one.label) == (model, label))


def _truth(value: float) -> str:
    return "positive" if value == 1 else "negative" if value == 0 else "unknown"
