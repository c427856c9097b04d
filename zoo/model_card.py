"""The model card of a run, written from its files: nothing in it was typed by hand."""

from __future__ import annotations

import json
from typing import Any

from torch import nn

from .model_summary import n_parameters
from .run_folder import RunFolder

__all__ = ["model_card"]


def model_card(folder: RunFolder, model: nn.Module, summary: dict[str, Any]) -> str:
    """Return the card of a run as Markdown.

    Parameters
    ----------
    folder : RunFolder
        With its settings, environment and data.
    model : nn.Module
    summary : dict
        Of the best epoch, as in ``summary.json``.
    """
    config, data = folder.read_config(), folder.read_data()
    environment = json.loads(folder.environment.read_text(encoding="utf-8"))
    best, simulated = summary["best"], data.get("simulated", False)
    size = " x ".join(str(side) for side in data["volume_shape"])
    lines = [
        f"# {config.model}, {config.task}",
        "",
        f"Predicts {', '.join(data['labels'])} from a volume of {size} voxels"
        + (", and segments the lesion." if config.task == "multi-task" else "."),
        "",
        *(
            ["**Trained on simulated volumes**: nothing it says is true of patients.", ""]
            if simulated
            else []
        ),
        "Research software: not a medical device, not for decisions about patients. It has been judged on the",
        "validation set only, on which the best epoch was chosen, so the figures below flatter it; for an honest",
        "judgement predict a test set and run `biomark report`.",
        "",
        "## What it was trained on",
        "",
        "| set | patients | with mask | " + " | ".join(f"{label} +/-" for label in data["labels"]) + " |",
        "|---|---|---|" + "---|" * len(data["labels"]),
    ]
    for name, held in data["sets"].items():
        counts = (f"{held['positive'][label]}/{held['negative'][label]}" for label in data["labels"])
        lines.append(f"| {name} | {held['patients']} | {held['masks']} | " + " | ".join(counts) + " |")
    lines += [
        "",
        f"Digest of volumes, preprocessing and labels: `{data['digest']}`.",
        "",
        "## The best epoch, on the validation set",
        "",
        f"Epoch {best['epoch']} of {summary['epochs']}"
        + (f" (stopped early, of {config.epochs} planned)." if summary["stopped_early"] else "."),
        "",
        "| figure | value |",
        "|---|---|",
        f"| macro AUC | {_shown(best['validation_macro_auc'])} |",
        *(f"| AUC {label} | {_shown(best[f'validation_auc_{label}'])} |" for label in data["labels"]),
        f"| Dice | {_shown(best['validation_dice'])} |",
        f"| loss | {_shown(best['validation_loss'])} |",
        "",
        "## How",
        "",
        f"{n_parameters(model):,} weights; seed {config.seed}; Adam at {config.learning_rate:g}, batches of "
        f"{config.batch_size}; {environment['precision']} on {environment.get('device_name', environment['device'])}; "
        f"torch {environment['torch']}, biomark {environment['biomark']}. All settings: `config.yaml`.",
        "",
        "## Preprocessing",
        "",
        "The network takes volumes that were made with these settings (`biomark.zoo.preprocess`):",
        "",
        "```yaml",
        *(f"{name}: {value}" for name, value in config.preprocessing.to_dict().items()),
        "```",
        "",
    ]
    if config.preprocessing.crop == "lesion":
        lines += [
            "The crop is made around the mask, so predictions assume that the lesion has been found.",
            "",
        ]
    return "\n".join(lines)


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
