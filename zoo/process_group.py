"""Several processes, one a device, that train or predict together under torchrun; without it, one alone.

torchrun starts each process with its number in the environment. They meet in torch's process group: NCCL where each
has a CUDA device, gloo on processors. Process 0 alone writes files and speaks.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BiomarkError, FailedWorkError

__all__ = ["ALONE", "Processes", "device_of", "is_first", "process_group", "process_number"]

T = TypeVar("T")

# Reading a large cohort or compiling may keep one process long while the others wait.
_PATIENCE = timedelta(minutes=60)
# How gloo and NCCL say that another process is gone.
_GONE = ("connection closed by peer", "connection reset", "connection refused", "gloo", "nccl", "broken pipe")


def process_number() -> int:
    """Return the number that torchrun gave this process; 0 without torchrun."""
    return int(os.environ.get("RANK", "0")) if "WORLD_SIZE" in os.environ else 0


def is_first() -> bool:
    """Whether this process is the one that writes and speaks."""
    return process_number() == 0


@dataclass(frozen=True, slots=True)
class Processes:
    """Where a process stands among those that work together.

    Attributes
    ----------
    rank : int
        From 0.
    size : int
    local_rank : int
        Among those on this machine: which of its CUDA devices is this process's.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this process writes and speaks."""
        return self.rank == 0

    @property
    def several(self) -> bool:
        """Whether there are others."""
        return self.size > 1

    def share(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return this process's part of the rows: every row is in one part, and parts differ by one row at most.

        Examples
        --------
        >>> [Processes(rank, 3).share(np.arange(5)).tolist() for rank in range(3)]
        [[0, 1], [2, 3], [4]]
        """
        return np.array_split(rows, self.size)[self.rank]

    def largest_share(self, n: int) -> int:
        """Return how many of ``n`` rows the process with the most of them has."""
        return -(-n // self.size)

    def gathered(self, value: T) -> list[T]:
        """Return what every process gives, in their order; whatever its shape, so nothing is padded."""
        if not self.several:
            return [value]
        import torch.distributed as dist

        held: list[Any] = [None] * self.size
        dist.all_gather_object(held, value)
        return held

    def summed(self, tensor: Any) -> Any:
        """Return the sum of a tensor over the processes; it is changed in place."""
        if self.several:
            import torch.distributed as dist

            dist.all_reduce(tensor)
        return tensor

    def from_first(self, tensors: list[Any]) -> None:
        """Give every process the tensors of the first."""
        if self.several:
            import torch.distributed as dist

            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def wait(self) -> None:
        """Wait for the others."""
        self.gathered(None)

    @contextmanager
    def first_before_others(self) -> Iterator[None]:
        """Let the first process do what the others then find done."""
        if not self.is_first:
            self.wait()
        yield
        if self.is_first:
            self.wait()


ALONE = Processes()


@contextmanager
def process_group(device: str = "auto") -> Iterator[Processes]:
    """Meet the other processes that torchrun started; without torchrun give `ALONE` at no cost.

    Parameters
    ----------
    device : str
        As a run asks for it: auto, cpu, cuda. The group is NCCL's unless that is the processor.

    Raises
    ------
    BiomarkError
        Where torchrun's environment is broken, or a machine has fewer CUDA devices than processes.
    FailedWorkError
        In the processes that are left when one ends.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield ALONE
        return
    import torch
    import torch.distributed as dist

    try:
        found = Processes(*(int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")))
    except (KeyError, ValueError) as error:
        raise BiomarkError(f"WORLD_SIZE is set, but torchrun's other variables are not: {error}") from None
    if dist.is_initialized():
        yield found
        return
    on_cuda = device != "cpu" and torch.cuda.is_available()
    if on_cuda:
        if found.local_rank >= torch.cuda.device_count():
            raise BiomarkError(
                f"process {found.rank} has no CUDA device: this machine has {torch.cuda.device_count()}; start fewer "
                "processes a machine (--nproc-per-node), or ask for --device cpu"
            )
        torch.cuda.set_device(found.local_rank)
    try:
        place = _meeting_point()
        store = dist.PrefixStore(_attempt(place, found), place)  # type: ignore[attr-defined]
        dist.init_process_group(
            "nccl" if on_cuda else "gloo",
            store=store,
            rank=found.rank,
            world_size=found.size,
            timeout=_PATIENCE,
        )
        yield found
    except RuntimeError as error:
        if not any(word in str(error).lower() for word in _GONE):
            raise
        first = str(error).strip().partition("\n")[0]
        raise FailedWorkError(
            "another process of this run has ended, so this one ends too; what was written is whole, and the run "
            f"goes on with --resume ({first})"
        ) from None
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _meeting_point() -> Any:
    """Return the store where processes leave their addresses.

    torchrun's outlives a restart: without a name for each attempt the new processes would call on the dead.
    """
    from torch.distributed.rendezvous import rendezvous

    store, _, _ = next(rendezvous("env://", timeout=_PATIENCE))
    return store


def _attempt(store: Any, processes: Processes) -> str:
    """Return a name that all processes of this attempt share, and none of an earlier one had.

    The first process makes it up and answers whoever calls, until all of this attempt have it: what a call of a process
    that has died got for an answer, nobody confirms. torchrun's own count of restarts is not of use: it is each
    machine's own.
    """
    own = uuid.uuid4().hex
    if processes.rank:
        store.set(f"call {processes.rank}", own)
        name = store.get(f"answer {own}").decode()
        store.add(f"confirmed {name}", 1)
        return str(name)
    answered: set[str] = set()
    until = time.monotonic() + _PATIENCE.total_seconds()
    while store.add(f"confirmed {own}", 0) < processes.size - 1:
        if time.monotonic() > until:
            raise FailedWorkError(f"not all of the {processes.size} processes came within {_PATIENCE}")
        for rank in range(1, processes.size):
            call = store.get(f"call {rank}").decode()
            if call not in answered:
                store.set(f"answer {call}", own)
                answered.add(call)
        time.sleep(0.05)
    return own


def device_of(asked: str, processes: Processes) -> Any:
    """Return the device of this process: the one asked for, or its own CUDA device among those of the machine."""
    from .precision import choose_device

    device = choose_device(asked)
    if processes.several and device.type == "cuda":
        import torch

        return torch.device("cuda", processes.local_rank)
    return device
