"""Networks, and the road from volumes to a predictions file. Needs the extra ``biomark[zoo]``.

The names below load what they need on first use: the readers need no torch, the networks no SimpleITK.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ..errors import MissingExtraError

if TYPE_CHECKING:
    from .augmentation import Augmentation, augment
    from .cohort import Cohort, read_cohort
    from .cohort_check import CohortCheck, check_cohort
    from .cohort_split import fold_cohort, split_cohort
    from .crop import Box
    from .cross_validation import CrossValidation, cross_validate
    from .exporting import ExportedModel, export
    from .inference import Inference, run_network
    from .latent_traits import LatentModel
    from .lesion_size import largest_diameter_mm
    from .losses import LossTerms, balanced_pos_weight, dice_loss, masked_cross_entropy, network_loss
    from .model_summary import model_table
    from .multitask import MultiTaskNetwork
    from .output import Encoder, Output
    from .phantom import Phantom, PhantomGrid, simulate_phantom
    from .phantom_cohort import PhantomCohort, write_phantom_cohort
    from .prediction import PredictedCohort, predict
    from .preprocessing import Preprocessed, Preprocessing, preprocess
    from .preprocessing_cache import CachedCohort, cache_cohort
    from .registry import ModelRecord, create_model, list_models, register
    from .run_folder import load_model, read_metrics
    from .segmentation_scores import SegmentationScore, segmentation_score
    from .singletask import SingleTaskNetwork
    from .task_network import build_network
    from .training import NonFiniteLossError, TrainingProgress, TrainingRun, fit, train
    from .training_config import TrainingConfig, read_config
    from .training_data import VolumeData, volume_data
    from .volume import Volume, read_mask, read_volume
    from .volume_writing import write_volume

__all__ = [
    "Augmentation",
    "Box",
    "CachedCohort",
    "Cohort",
    "CohortCheck",
    "CrossValidation",
    "Encoder",
    "ExportedModel",
    "Inference",
    "LatentModel",
    "LossTerms",
    "ModelRecord",
    "MultiTaskNetwork",
    "NonFiniteLossError",
    "Output",
    "Phantom",
    "PhantomCohort",
    "PhantomGrid",
    "PredictedCohort",
    "Preprocessed",
    "Preprocessing",
    "SegmentationScore",
    "SingleTaskNetwork",
    "TrainingConfig",
    "TrainingProgress",
    "TrainingRun",
    "Volume",
    "VolumeData",
    "augment",
    "balanced_pos_weight",
    "build_network",
    "cache_cohort",
    "check_cohort",
    "create_model",
    "cross_validate",
    "dice_loss",
    "export",
    "fit",
    "fold_cohort",
    "largest_diameter_mm",
    "list_models",
    "load_model",
    "masked_cross_entropy",
    "model_table",
    "network_loss",
    "predict",
    "preprocess",
    "read_cohort",
    "read_config",
    "read_mask",
    "read_metrics",
    "read_volume",
    "register",
    "run_network",
    "segmentation_score",
    "simulate_phantom",
    "split_cohort",
    "train",
    "volume_data",
    "write_phantom_cohort",
    "write_volume",
]

_HOME = {
    "Augmentation": "augmentation",
    "Box": "crop",
    "CachedCohort": "preprocessing_cache",
    "Cohort": "cohort",
    "CohortCheck": "cohort_check",
    "CrossValidation": "cross_validation",
    "Encoder": "output",
    "ExportedModel": "exporting",
    "Inference": "inference",
    "LatentModel": "latent_traits",
    "LossTerms": "losses",
    "ModelRecord": "registry",
    "MultiTaskNetwork": "multitask",
    "NonFiniteLossError": "training",
    "Output": "output",
    "Phantom": "phantom",
    "PhantomCohort": "phantom_cohort",
    "PhantomGrid": "phantom",
    "PredictedCohort": "prediction",
    "Preprocessed": "preprocessing",
    "Preprocessing": "preprocessing",
    "SegmentationScore": "segmentation_scores",
    "SingleTaskNetwork": "singletask",
    "TrainingConfig": "training_config",
    "TrainingProgress": "training",
    "TrainingRun": "training",
    "Volume": "volume",
    "VolumeData": "training_data",
    "augment": "augmentation",
    "balanced_pos_weight": "losses",
    "build_network": "task_network",
    "cache_cohort": "preprocessing_cache",
    "check_cohort": "cohort_check",
    "create_model": "registry",
    "cross_validate": "cross_validation",
    "dice_loss": "losses",
    "export": "exporting",
    "fit": "training",
    "fold_cohort": "cohort_split",
    "largest_diameter_mm": "lesion_size",
    "list_models": "registry",
    "load_model": "run_folder",
    "masked_cross_entropy": "losses",
    "model_table": "model_summary",
    "network_loss": "losses",
    "predict": "prediction",
    "preprocess": "preprocessing",
    "read_cohort": "cohort",
    "read_config": "training_config",
    "read_mask": "volume",
    "read_metrics": "run_folder",
    "read_volume": "volume",
    "register": "registry",
    "run_network": "inference",
    "segmentation_score": "segmentation_scores",
    "simulate_phantom": "phantom",
    "split_cohort": "cohort_split",
    "train": "training",
    "volume_data": "training_data",
    "write_phantom_cohort": "phantom_cohort",
    "write_volume": "volume_writing",
}

# What the extra brings.
_EXTRA = {"SimpleITK", "safetensors", "timm", "timm_3d", "torch", "torchvision"}


def __getattr__(name: str) -> object:
    if name in _HOME:
        try:
            return getattr(import_module(f".{_HOME[name]}", __name__), name)
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing not in _EXTRA:
                raise
            raise MissingExtraError(f"biomark.zoo.{name}", "zoo") from None
    raise AttributeError(f"module 'biomark.zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
