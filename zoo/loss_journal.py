"""What each step lost, kept on the device until somebody asks: asking is what makes a processor wait."""

from __future__ import annotations

import torch
from torch import Tensor

from ..stats.results import FloatArray

__all__ = ["LossJournal"]

_CAPACITY = 1024


class LossJournal:
    """Rows of numbers, written by the device and read by the processor.

    Parameters
    ----------
    columns : int
    device : torch.device

    Notes
    -----
    `add` may be captured in a CUDA graph: the place of the next row is a number on the device.
    """

    def __init__(self, columns: int, device: torch.device) -> None:
        self._rows = torch.zeros(_CAPACITY, columns, dtype=torch.float64, device=device)
        self._next = torch.zeros(1, dtype=torch.int64, device=device)
        self._count = 0

    @property
    def is_full(self) -> bool:
        """Whether the next row has no place."""
        return self._count == _CAPACITY

    def add(self, row: Tensor) -> None:
        """Write one row, a tensor of shape (columns,), where the device now is."""
        self._rows.index_copy_(0, self._next, row[None].to(self._rows.dtype))
        self._next += 1

    def expect(self) -> None:
        """Note that a row is under way."""
        self._count += 1

    def read(self) -> FloatArray:
        """Return the rows since the last reading, shape (n, columns), and begin anew. Waits for the device."""
        rows: FloatArray = self._rows[: self._count].cpu().numpy().copy()
        self._next.zero_()
        self._count = 0
        return rows

    def peek(self) -> FloatArray:
        """Return the last row, shape (1, columns), without beginning anew. Waits for the device."""
        rows: FloatArray = self._rows[self._count - 1 : self._count].cpu().numpy().copy()
        return rows
