"""How steps reach the device: one after the other on a stream of their own, compiled, and recorded as a CUDA graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from .acceleration import compile_network, eagerly, release
from .training_data import Batch

__all__ = ["StepQueue"]

# Real steps before one is recorded: kernels are chosen, compiled and given their memory in them.
_WARM = 3
# Steps that may wait for the device: enough that it never waits, few enough that their batches fit.
_UNDER_WAY = 4


class StepQueue:
    """Runs a step on batch after batch.

    Parameters
    ----------
    step : function of Batch
        Must not wait for the device, and leave no gradient behind.
    model : nn.Module
    device : torch.device
    batch_size : int
        Of most batches; those of another size run as written.
    acceleration : "eager", "compiled" or "captured"

    Attributes
    ----------
    acceleration : str
        What is done.
    note : str
        Why something else is done than was asked for; empty where it is not.

    Notes
    -----
    A recorded step is played again with other numbers in the same memory: it costs the processor one call instead of
    a thousand. The first steps are ordinary ones, and the recording itself computes nothing, so that a run's steps are
    the same ones whether they are recorded or not.
    """

    def __init__(
        self,
        step: Callable[[Batch], None],
        model: nn.Module,
        *,
        device: torch.device,
        batch_size: int,
        acceleration: str,
    ) -> None:
        self._step, self._model, self._batch_size = step, model, batch_size
        cuda = device.type == "cuda"
        self._stream = torch.cuda.Stream(device) if cuda else None  # type: ignore[no-untyped-call]
        self._compiles = cuda and acceleration in ("compiled", "captured")
        self._captures = cuda and acceleration == "captured"
        self._graph: Any = None
        self._held: Batch | None = None
        self._n_warm = 0
        self.acceleration = acceleration if cuda else "eager"
        self._under_way: deque[Any] = deque()
        self.note = ""
        if self._compiles:
            compile_network(model)

    def as_written(self) -> AbstractContextManager[Any]:
        """Return a context in which the network runs as written, compiled or not: for sizes that come seldom."""
        return eagerly(self._compiles)

    def queue(self) -> AbstractContextManager[Any]:
        """Return the context in which work is put behind the steps that are under way."""
        if self._stream is None:
            return nullcontext()
        self._stream.wait_stream(torch.cuda.current_stream(self._stream.device))
        return torch.cuda.stream(self._stream)

    def join(self) -> None:
        """Let all that follows on the current stream see what the steps did."""
        if self._stream is not None:
            torch.cuda.current_stream(self._stream.device).wait_stream(self._stream)

    def forget(self) -> None:
        """Throw the recording away; the next steps make another."""
        self._graph, self._held, self._n_warm = None, None, 0

    def run(self, make_batch: Callable[[], Batch]) -> None:
        """Make a batch on the device and do a step with it."""
        if len(self._under_way) >= _UNDER_WAY:
            self._under_way.popleft().synchronize()
        with self.queue():
            batch = make_batch()
            if batch.image.shape[0] != self._batch_size:
                with self.as_written():
                    self._step(batch)
            elif self._graph is not None:
                self._play(batch)
            elif self._captures and self._n_warm >= _WARM:
                self._record(batch)
                self._play(batch)
            else:
                self._warm(batch)
            if self._stream is not None:
                self._under_way.append(self._stream.record_event())

    def _warm(self, batch: Batch) -> None:
        try:
            self._step(batch)
        except (torch.OutOfMemoryError, KeyboardInterrupt):
            raise
        except Exception as error:
            if not self._compiles or self._n_warm:
                raise
            first = str(error).strip().partition("\n")[0]
            self.note = f"compiling failed ({type(error).__name__}: {first}), so the network runs as written"
            release(self._model)
            self._compiles = self._captures = False
            self.acceleration = "eager"
            self._model.zero_grad(set_to_none=True)
            self._step(batch)
        self._n_warm += 1

    def _record(self, batch: Batch) -> None:
        assert self._stream is not None
        self._held = Batch(*(part.clone() for part in batch))
        torch.cuda.synchronize(self._stream.device)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream):
            self._step(self._held)
        self._graph = graph

    def _play(self, batch: Batch) -> None:
        assert self._held is not None
        for held, given in zip(self._held, batch, strict=True):
            held.copy_(given)
        self._graph.replay()
