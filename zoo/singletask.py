"""The paper's single-task network: an encoder, average pooling, and one fully connected layer for all labels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..errors import BiomarkError
from ..stats.inputs import whole_number
from .output import Encoder, Output

__all__ = ["SingleTaskNetwork", "share_dropped"]


class SingleTaskNetwork(nn.Module):
    """Predict the labels from the encoder's last feature map.

    Parameters
    ----------
    encoder : Encoder
    n_labels : int
    dropout : float in [0, 1)
        Share of the features dropped in training before the fully connected layer; the paper names none.

    Notes
    -----
    The network gives logits; the paper's sigmoid is applied where a probability is wanted, because the loss is more
    exact on logits. Every label has a sigmoid of its own: labels do not exclude each other.

    ``last_map`` passes the encoder's last map on unchanged: the place where explanations hook, whatever the encoder.
    """

    def __init__(self, encoder: Encoder, *, n_labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        whole_number(n_labels, name="n_labels")
        self.encoder = encoder
        self.last_map = nn.Identity()
        self.pool = nn.AdaptiveAvgPool3d(1)
        self.dropout = nn.Dropout(share_dropped(dropout))
        self.classifier = nn.Linear(encoder.channels[-1], n_labels)

    def forward(self, volume: Tensor) -> Output:
        """Return logits (B, labels), no segmentation, and features (B, F)."""
        maps: list[Tensor] = self.encoder(volume)
        features = torch.flatten(self.pool(self.last_map(maps[-1])), 1).float()
        return Output(self.classifier(self.dropout(features)).float(), None, features)


def share_dropped(dropout: float) -> float:
    """Return the share if it lies in [0, 1)."""
    if not 0.0 <= dropout < 1.0:
        raise BiomarkError(f"dropout must be at least 0 and below 1, found {dropout!r}")
    return float(dropout)
